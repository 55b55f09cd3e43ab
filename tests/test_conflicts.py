"""Two people on one form: the second is told, sees both versions field by field, and chooses."""

from __future__ import annotations

from typing import Any

import pgtrigger
import pytest
from django.db import connection

from enterprises.models import PartyBranch
from enterprises.scoped_edits import SafeEdits
from journal.versions import versions_of
from projects.models import Milestone, Project
from tests import factories
from tests.forms import conflict_form, form_of
from tests.test_pages import built, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    return with_url()


def with_url() -> dict[str, Any]:
    """The small world, and the address of its project's form."""
    found = built()
    found["url"] = f"/projects/project/{found['project'].pk}/change/"
    return found


def line(page: Any, name: str) -> Any:
    """A line of the conflict page; None where the field is not on it."""
    lines = [found for group in page.context["groups"] for found in group.lines]
    return next((found for found in lines if found.name == name), None)


def row_of(page: Any, row: Any) -> str:
    """The prefix of an inline row in what a form posts."""
    return next(
        inner.prefix
        for inline in page.context["inline_admin_formsets"]
        for inner in inline.formset.initial_forms
        if inner.instance == row
    )


# -- one row ------------------------------------------------------------------------------------


def test_the_second_save_is_told_and_saves_nothing(world: dict) -> None:
    first, second = client_of(world["officer"]), client_of(world["staff"])
    mine, theirs = form_of(second.get(world["url"])), form_of(first.get(world["url"]))
    assert first.post(world["url"], theirs | {"place": "他写的", "note": "他的备注"}).status_code == 302
    page = second.post(world["url"], mine | {"place": "我写的", "source": "我的来源"})
    assert page.status_code == 409
    saved = Project.objects.get(pk=world["project"].pk)
    assert (saved.place, saved.note, saved.source) == ("他写的", "他的备注", "")
    place, note, source = (line(page, name) for name in ("place", "note", "source"))
    assert (place.before, place.now, place.mine, place.default) == ("", "他写的", "我写的", "")
    assert (note.now, note.mine, note.default) == ("他的备注", "", "theirs")
    assert (source.now, source.mine, source.default) == ("", "我的来源", "mine")
    assert place.by == world["officer"].name
    assert place.at is not None
    assert line(page, "name") is None, "what is the same on both sides is not asked"
    html = page.content.decode()
    assert world["officer"].name in html
    assert "我写的" in html


def test_control_without_the_comparison_the_second_save_overwrites_silently(
    world: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SafeEdits, "_compared", lambda *_args: None)
    client = client_of(world["staff"])
    mine = form_of(client.get(world["url"]))
    Project.objects.filter(pk=world["project"].pk).update(note="他的备注")
    assert client.post(world["url"], mine | {"place": "我写的"}).status_code == 302
    assert Project.objects.get(pk=world["project"].pk).note == ""


def conflict(world: dict) -> tuple[Any, Any]:
    """Both changed the place, only the other the note, only I the source."""
    client = client_of(world["staff"])
    mine = form_of(client.get(world["url"]))
    other = client_of(world["officer"])
    form = form_of(other.get(world["url"])) | {"place": "他写的", "note": "他的备注"}
    assert other.post(world["url"], form).status_code == 302
    return client, client.post(world["url"], mine | {"place": "我写的", "source": "我的来源"})


@pytest.mark.parametrize(("choice", "place"), [("mine", "我写的"), ("theirs", "他写的")])
def test_what_was_chosen_is_saved_and_the_defaults_keep_the_work_of_both(
    world: dict, choice: str, place: str
) -> None:
    client, page = conflict(world)
    response = client.post(world["url"], conflict_form(page) | {"_choice-place": choice})
    assert response.status_code == 302
    saved = Project.objects.get(pk=world["project"].pk)
    assert (saved.place, saved.note, saved.source) == (place, "他的备注", "我的来源")


def test_the_defaults_can_be_turned_round(world: dict) -> None:
    client, page = conflict(world)
    choices = {"_choice-place": "theirs", "_choice-note": "mine", "_choice-source": "theirs"}
    client.post(world["url"], conflict_form(page) | choices)
    saved = Project.objects.get(pk=world["project"].pk)
    assert (saved.place, saved.note, saved.source) == ("他写的", "", "")


@pytest.mark.parametrize("choice", [None, "", "nonsense"])
def test_a_choice_that_has_to_be_made_is_asked_for_again(world: dict, choice: str | None) -> None:
    client, page = conflict(world)
    form = conflict_form(page) | {"_choice-note": "mine"}
    assert "_choice-place" not in form, "nothing is pre-selected where both changed it"
    again = client.post(world["url"], form if choice is None else form | {"_choice-place": choice})
    assert again.status_code == 409
    assert Project.objects.get(pk=world["project"].pk).place == "他写的"
    assert (line(again, "place").before, line(again, "place").mine) == ("", "我写的")
    assert line(again, "note").chosen == "mine", "the other choices are kept"
    assert client.post(world["url"], conflict_form(again) | {"_choice-place": "mine"}).status_code == 302


def test_a_third_save_in_between_shows_the_newer_state_and_loses_nothing(world: dict) -> None:
    client, page = conflict(world)
    Project.objects.filter(pk=world["project"].pk).update(place="第三人写的")
    again = client.post(world["url"], conflict_form(page) | {"_choice-place": "mine"})
    assert again.status_code == 409
    place = line(again, "place")
    assert (place.before, place.now, place.mine, place.taken) == ("", "第三人写的", "我写的", "")
    assert line(again, "source").mine == "我的来源"
    assert client.post(world["url"], conflict_form(again) | {"_choice-place": "mine"}).status_code == 302
    assert Project.objects.get(pk=world["project"].pk).place == "我写的"


def test_after_the_choice_a_mistake_comes_back_in_the_ordinary_form_with_a_fresh_version(world: dict) -> None:
    client, page = conflict(world)
    form = conflict_form(page) | {"_choice-place": "theirs", "name": ""}
    shown = client.post(world["url"], form)
    assert shown.status_code == 200
    bound = shown.context["adminform"].form
    assert (bound["place"].value(), bound["source"].value(), bound["note"].value()) == (
        "他写的", "我的来源", "他的备注",
    )  # fmt: skip
    final = form_of(shown) | {"name": "改好了"}
    assert client.post(world["url"], final).status_code == 302
    saved = Project.objects.get(pk=world["project"].pk)
    assert (saved.name, saved.place) == ("改好了", "他写的")


def test_the_same_value_from_both_is_no_conflict(world: dict) -> None:
    client = client_of(world["staff"])
    mine = form_of(client.get(world["url"]))
    Project.objects.filter(pk=world["project"].pk).update(place="同一处")
    assert client.post(world["url"], mine | {"place": "同一处", "note": "我的"}).status_code == 302


def test_what_the_form_does_not_show_is_no_conflict(world: dict) -> None:
    """A reported percentage or a state is not on the form and is not written by it either."""
    client = client_of(world["staff"])
    mine = form_of(client.get(world["url"]))
    Milestone.objects.filter(pk=world["late"].pk).update(percent=40)
    assert client.post(world["url"], mine | {"place": "我写的"}).status_code == 302
    assert Milestone.objects.get(pk=world["late"].pk).percent == 40


@pytest.mark.parametrize("version", [None, "", "forged", "eyJ2Ijp7fX0:1vQ:x"])
def test_a_form_without_a_version_overwrites_nothing_either(world: dict, version: str | None) -> None:
    """An old page or a script: nobody knows what it was opened on, so whatever differs is asked."""
    client = client_of(world["staff"])
    Project.objects.filter(pk=world["project"].pk).update(place="现在的")
    form = form_of(client.get(world["url"])) | {"place": "我写的"}
    del form["_version"]
    page = client.post(world["url"], form if version is None else form | {"_version": version})
    assert page.status_code == 409
    assert (line(page, "place").now, line(page, "place").mine, line(page, "place").default) == (
        "现在的", "我写的", "",
    )  # fmt: skip
    assert Project.objects.get(pk=world["project"].pk).place == "现在的"
    assert client.post(world["url"], conflict_form(page) | {"_choice-place": "mine"}).status_code == 302
    assert Project.objects.get(pk=world["project"].pk).place == "我写的"


def test_the_version_of_another_row_or_another_account_counts_as_none(world: dict) -> None:
    other = factories.project(world["group"], world["project"].programme)
    client, officer = client_of(world["staff"]), client_of(world["officer"])
    form = form_of(client.get(world["url"])) | {"place": "我写的"}
    foreign = form_of(client.get(f"/projects/project/{other.pk}/change/"))["_version"]
    anothers = form_of(officer.get(world["url"]))["_version"]
    for version in (foreign, anothers):
        assert client.post(world["url"], form | {"_version": version}).status_code == 409


def test_a_row_that_the_journal_does_not_know_yet_is_guarded_all_the_same(world: dict) -> None:
    with pgtrigger.ignore("enterprises.PartyBranch:insert_insert"):
        made = factories.branch(world["group"])
    assert versions_of(PartyBranch.objects.filter(pk=made.pk)) == {made.pk: 0}
    client, url = client_of(world["staff"]), f"/enterprises/partybranch/{made.pk}/change/"
    form = form_of(client.get(url))
    assert client.post(url, form | {"secretary": "甲"}).status_code == 302
    page = client.post(url, form | {"secretary": "乙"})
    assert page.status_code == 409
    assert line(page, "secretary").default == ""


def test_an_archived_entry_of_the_journal_opens_no_gap(world: dict) -> None:
    client = client_of(world["staff"])
    mine = form_of(client.get(world["url"]))
    opened = versions_of(Project.objects.filter(pk=world["project"].pk))[world["project"].pk]
    Project.objects.filter(pk=world["project"].pk).update(place="他写的")
    with pgtrigger.ignore("projects.ProjectEvent:append_only"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM projects_projectevent WHERE pgh_id = %s", [opened])
    page = client.post(world["url"], mine)
    assert page.status_code == 409
    assert line(page, "place").default == "", "what I was shown is no longer known, so I am asked"


def test_many_to_many_relations_are_compared_too(world: dict) -> None:
    branches = [factories.branch(world["group"]) for _n in range(3)]
    world["project"].party_branches.set(branches[:1])
    client = client_of(world["staff"])
    mine = form_of(client.get(world["url"]))
    world["project"].party_branches.add(branches[1])
    page = client.post(world["url"], mine | {"party_branches": [branches[0].pk, branches[2].pk]})
    assert page.status_code == 409
    found = line(page, "party_branches")
    assert (found.before, found.default) == (str(branches[0]), "")
    assert str(branches[1]) in found.now
    assert str(branches[2]) in found.mine
    response = client.post(world["url"], conflict_form(page) | {"_choice-party_branches": "theirs"})
    assert response.status_code == 302
    assert set(world["project"].party_branches.all()) == set(branches[:2])


def test_line_breaks_of_the_browser_are_no_change_of_mine(world: dict) -> None:
    Project.objects.filter(pk=world["project"].pk).update(measures="一\n二")
    client = client_of(world["staff"])
    mine = form_of(client.get(world["url"])) | {"measures": "一\r\n二"}
    Project.objects.filter(pk=world["project"].pk).update(measures="一\n二\n三")
    page = client.post(world["url"], mine)
    assert line(page, "measures").default == "theirs"
    assert client.post(world["url"], conflict_form(page)).status_code == 302
    assert Project.objects.get(pk=world["project"].pk).measures == "一\n二\n三"


def test_values_stand_there_in_words(world: dict) -> None:
    client = client_of(world["staff"])
    lead, other = factories.user("officer", world["group"]), factories.user("officer", world["group"])
    mine = form_of(client.get(world["url"]))
    Project.objects.filter(pk=world["project"].pk).update(
        is_key=True, audience="internal", due_on="2026-12-01", direct_lead=lead
    )
    page = client.post(world["url"], mine | {"direct_lead": other.pk, "audience": "external"})
    assert line(page, "is_key").now == "是"
    assert line(page, "is_key").mine == "否"
    assert line(page, "audience").now == str(Project.Audience.INTERNAL.label)
    assert line(page, "audience").mine == str(Project.Audience.EXTERNAL.label)
    assert line(page, "due_on").now == "2026年12月1日"
    assert (line(page, "direct_lead").now, line(page, "direct_lead").mine) == (str(lead), str(other))


def test_an_approval_in_between_says_which_of_my_changes_can_no_longer_be_made(world: dict) -> None:
    client = client_of(world["officer"])
    opened = client.get(world["url"])
    row = row_of(opened, world["late"])
    new = {
        "milestones-TOTAL_FORMS": 4,
        "milestones-3-name": "新节点",
        "milestones-3-weight": 100,
        "milestones-3-order": 9,
    }
    mine = form_of(opened) | {"due_on": "2030-01-01", "place": "我写的", f"{row}-name": "改名", **new}
    Project.objects.filter(pk=world["project"].pk).update(approved_on=world["today"])
    page = client.post(world["url"], mine)
    assert page.status_code == 409
    assert line(page, "due_on").frozen
    assert line(page, "due_on").mine == "2030年1月1日"
    assert line(page, f"{row}-name").frozen
    assert (line(page, f"{row}-name").now, line(page, f"{row}-name").mine) == (world["late"].name, "改名")
    assert line(page, "milestones-3-name").mine == "新节点"
    assert client.post(world["url"], conflict_form(page)).status_code == 302
    saved = Project.objects.get(pk=world["project"].pk)
    assert (saved.due_on, saved.place) == (None, "我写的")
    assert not Milestone.objects.filter(name__in=("改名", "新节点")).exists()


# -- what it costs, and what it rests on ------------------------------------------------------------
