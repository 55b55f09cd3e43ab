"""Two people on one form: rows beneath it, rows that are gone, and what lies beyond the wall."""

from __future__ import annotations

import re
from typing import Any

import pytest

from enterprises.models import EnterpriseAlias, PartyBranch
from projects.models import Milestone, Project
from tests import factories
from tests.forms import conflict_form, form_of
from tests.test_conflicts import line, row_of, with_url
from tests.test_pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    return with_url()


def test_inline_rows_are_compared_row_by_row(world: dict) -> None:
    client = client_of(world["staff"])
    opened = client.get(world["url"])
    row = row_of(opened, world["late"])
    new = {
        "milestones-TOTAL_FORMS": 4,
        "milestones-3-name": "我加的",
        "milestones-3-weight": 100,
        "milestones-3-order": 0,
    }
    mine = form_of(opened) | {f"{row}-name": "我的节点", **new}
    other, url = client_of(world["officer"]), f"/projects/milestone/{world['late'].pk}/change/"
    theirs = form_of(other.get(url)) | {"name": "他的节点", "weight": 50}
    assert other.post(url, theirs).status_code == 302
    page = client.post(world["url"], mine)
    assert page.status_code == 409
    assert (line(page, f"{row}-name").now, line(page, f"{row}-name").default) == ("他的节点", "")
    assert (line(page, f"{row}-weight").now, line(page, f"{row}-weight").default) == ("50", "theirs")
    assert line(page, f"{row}-name").by == world["officer"].name
    assert client.post(world["url"], conflict_form(page) | {f"_choice-{row}-name": "mine"}).status_code == 302
    world["late"].refresh_from_db()
    assert (world["late"].name, world["late"].weight) == ("我的节点", 50)
    assert Milestone.objects.filter(name="我加的").exists(), "a row that I added stays"


def test_a_row_that_the_other_deleted_is_told_and_the_rest_is_saved(world: dict) -> None:
    client = client_of(world["staff"])
    opened = client.get(world["url"])
    doomed = Milestone.objects.exclude(pk=world["late"].pk).filter(project=world["project"]).first()
    row = row_of(opened, doomed)
    mine = form_of(opened) | {f"{row}-name": "我改的名", "place": "我写的"}
    doomed.delete()
    page = client.post(world["url"], mine)
    assert page.status_code == 409
    assert line(page, f"{row}-name").frozen
    assert line(page, f"{row}-name").mine == "我改的名"
    assert any(group.note for group in page.context["groups"])
    assert client.post(world["url"], conflict_form(page)).status_code == 302
    assert Project.objects.get(pk=world["project"].pk).place == "我写的"
    assert world["project"].milestones.count() == 2


def test_a_row_that_both_deleted_is_no_conflict(world: dict) -> None:
    client = client_of(world["staff"])
    opened = client.get(world["url"])
    doomed = Milestone.objects.exclude(pk=world["late"].pk).filter(project=world["project"]).first()
    mine = form_of(opened) | {f"{row_of(opened, doomed)}-DELETE": "on", "place": "我写的"}
    doomed.delete()
    assert client.post(world["url"], mine).status_code == 302
    assert Project.objects.get(pk=world["project"].pk).place == "我写的"


@pytest.mark.parametrize(("choice", "left"), [("mine", 0), ("theirs", 1)])
def test_deleting_a_row_that_the_other_changed_has_to_be_chosen(world: dict, choice: str, left: int) -> None:
    client = client_of(world["staff"])
    opened = client.get(world["url"])
    row = world["project"].milestones.exclude(pk=world["late"].pk).first()
    prefix = row_of(opened, row)
    mine = form_of(opened) | {f"{prefix}-DELETE": "on", f"{prefix}-name": "不要了"}
    Milestone.objects.filter(pk=row.pk).update(name="他改的名")
    page = client.post(world["url"], mine)
    assert page.status_code == 409
    assert line(page, f"{prefix}-DELETE").default == ""
    assert "他改的名" in line(page, f"{prefix}-DELETE").now
    assert client.post(world["url"], conflict_form(page)).status_code == 409
    form = conflict_form(page) | {f"_choice-{prefix}-DELETE": choice}
    assert client.post(world["url"], form).status_code == 302
    assert Milestone.objects.filter(pk=row.pk, name="他改的名").count() == left


def test_a_row_that_the_other_added_stays_and_is_no_conflict(world: dict) -> None:
    client = client_of(world["staff"])
    mine = form_of(client.get(world["url"]))
    factories.milestone(world["project"], name="他加的")
    assert client.post(world["url"], mine | {"place": "我写的"}).status_code == 302
    assert Milestone.objects.filter(name="他加的").exists()


def test_memberships_and_aliases_and_categories_are_guarded_on_the_form_above_them(world: dict) -> None:
    alias = EnterpriseAlias.objects.create(enterprise=world["group"], name="旧称")
    category = world["project"].category
    for role, url, row, name in (
        ("staff", f"/enterprises/enterprise/{world['group'].pk}/change/", alias, "name"),
        ("staff", f"/projects/programme/{world['project'].programme_id}/change/", category, "name"),
        ("security", f"/enterprises/user/{world['officer'].pk}/change/", world["officer"].memberships.get(), "note"),
    ):  # fmt: skip
        client = client_of(world[role])
        opened = client.get(url)
        field = f"{row_of(opened, row)}-{name}"
        mine = form_of(opened) | {field: "我写的"}
        type(row)._base_manager.filter(pk=row.pk).update(**{name: "他写的"})
        page = client.post(url, mine)
        assert page.status_code == 409, url
        assert (line(page, field).now, line(page, field).mine) == ("他写的", "我写的")
        assert client.post(url, conflict_form(page) | {f"_choice-{field}": "mine"}).status_code == 302
        row.refresh_from_db()
        assert getattr(row, name) == "我写的"


# -- gone, twice, the wall ------------------------------------------------------------------------


def test_a_record_that_was_deleted_meanwhile_does_not_take_my_words_with_it(world: dict) -> None:
    made = factories.branch(world["group"])
    client, url = client_of(world["staff"]), f"/enterprises/partybranch/{made.pk}/change/"
    mine = form_of(client.get(url)) | {"note": "我写了很久的话"}
    made.delete()
    page = client.post(url, mine)
    assert page.status_code == 409
    assert "我写了很久的话" in page.content.decode()
    assert line(page, "kind").mine == str(PartyBranch.Kind.BRANCH.label)
    del mine["_version"]
    assert client.post(url, mine).status_code == 302, "without a version: like an id that never was"


def test_a_record_that_left_my_wall_is_answered_like_a_deleted_one(world: dict) -> None:
    other = factories.enterprise("电力集团", parent=world["root"])
    project = factories.project(world["group"], world["project"].programme)
    factories.milestone(project)
    url = f"/projects/project/{project.pk}/change/"
    client = client_of(world["officer"])
    mine = form_of(client.get(url)) | {"place": "我写的"}
    Project.objects.filter(pk=project.pk).update(enterprise=other)
    moved = client.post(url, mine)
    Project.objects.filter(pk=project.pk).update(enterprise=world["group"])
    mine = form_of(client.get(url)) | {"place": "我写的"}
    project.milestones.all().delete()
    project.delete()
    deleted = client.post(url, mine)
    assert moved.status_code == deleted.status_code == 409

    def bare(page: Any) -> str:
        return re.sub(r'value="[^"]*"|<input[^>]*>', "", page.content.decode())

    assert bare(moved) == bare(deleted)
    assert "电力集团" not in moved.content.decode()


def test_an_officer_does_not_learn_a_name_beyond_the_wall_from_the_conflict(world: dict) -> None:
    leader = world["leader"]
    client = client_of(world["officer"])
    own = factories.user("leader", world["group"])
    mine = form_of(client.get(world["url"])) | {"liaison_leader": own.pk, "place": "我写的"}
    Project.objects.filter(pk=world["project"].pk).update(liaison_leader=leader, place="他写的")
    page = client.post(world["url"], mine)
    assert page.status_code == 409
    html = page.content.decode()
    assert leader.name not in html
    assert f'value="{leader.pk}"' not in html
    found = line(page, "liaison_leader")
    assert found.frozen
    assert found.mine == str(own), "what I typed is not lost silently"
    assert client.post(world["url"], conflict_form(page) | {"_choice-place": "mine"}).status_code == 302
    assert Project.objects.get(pk=world["project"].pk).liaison_leader == leader
    staff = client_of(world["staff"])
    form = form_of(staff.get(world["url"])) | {"liaison_leader": ""}
    Project.objects.filter(pk=world["project"].pk).update(liaison_leader=own)
    assert leader.name in staff.post(world["url"], form).content.decode(), (
        "the control: inside the wall it is named"
    )


def test_a_field_that_became_mine_to_edit_only_after_opening_is_not_emptied(world: dict) -> None:
    """It lay beyond the wall when the form was opened, so the browser sent nothing for it."""
    Project.objects.filter(pk=world["project"].pk).update(liaison_leader=world["leader"])
    client = client_of(world["officer"])
    opened = client.get(world["url"])
    assert "liaison_leader" not in opened.context["adminform"].form.fields
    mine = form_of(opened) | {"place": "我写的"}
    world["leader"].memberships.update(unit=world["group"])
    assert client.post(world["url"], mine | {"name": ""}).status_code == 200
    assert client.post(world["url"], mine).status_code == 302
    saved = Project.objects.get(pk=world["project"].pk)
    assert (saved.place, saved.liaison_leader) == ("我写的", world["leader"])
    assert "liaison_leader" in client.get(world["url"]).context["adminform"].form.fields


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_both_pages_open_in_both_languages_under_the_policy(world: dict, language: str) -> None:
    client = client_of(world["staff"], language)
    form = form_of(client.get(world["url"])) | {"place": "<b>我</b>\n的"}
    Project.objects.filter(pk=world["project"].pk).update(place="他写的")
    made = factories.branch(world["group"])
    url = f"/enterprises/partybranch/{made.pk}/change/"
    gone = form_of(client.get(url)) | {"note": "<b>我</b>"}
    made.delete()
    for page in (client.post(world["url"], form), client.post(url, gone)):
        html = page.content.decode()
        assert page.status_code == 409
        assert f'lang="{language}"' in html.lower()
        assert "&lt;b&gt;我" in html
        assert not re.search(r"<[^>]+\sstyle=|<script(?![^>]+src=)", html)


def test_an_account_without_the_right_to_change_learns_nothing_from_a_post(world: dict) -> None:
    assert client_of(world["leader"]).post(world["url"], {"place": "x"}).status_code == 403
    assert client_of(world["leader"]).get(world["url"]).context.get("edit_version") is None


def test_the_same_project_added_twice_is_an_error_of_the_form(world: dict) -> None:
    client = client_of(world["staff"])
    form = {
        "programme": world["project"].programme_id, "name": "新项目", "enterprise": world["group"].pk, "code": "N1",
        "milestones-TOTAL_FORMS": 0, "milestones-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert client.post("/projects/project/add/", form).status_code == 302
    again = client.post("/projects/project/add/", form)
    assert again.status_code == 200
    assert again.context["adminform"].form.errors
    mine = form_of(client.get(world["url"]))
    twin = {
        "milestones-TOTAL_FORMS": 4,
        "milestones-3-name": world["late"].name,
        "milestones-3-weight": 100,
        "milestones-3-order": 0,
    }
    assert client.post(world["url"], mine | twin).status_code == 200
