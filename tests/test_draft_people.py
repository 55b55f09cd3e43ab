"""Who may write a draft and when; two people, two tabs, an answer that was lost on the way."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from projects.models import CloseOut, Evidence, ExtensionRequest, ExtensionShift, ProgressReport
from projects.services import lifecycle, reports
from tests import factories
from tests.evidence import made
from tests.forms import conflict_form
from tests.test_draft_forms import SCRIPT, finished, prepared, typed
from tests.test_pages import DAY, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    return prepared()


@pytest.mark.parametrize("role", ["leader", "staff"])
@pytest.mark.parametrize("name", ["report", "extension", "close_out"])
def test_who_may_look_but_not_report_is_told_why(world: dict, role: str, name: str) -> None:
    finished(world)
    client = client_of(world[role])
    page = client.get(world[name])
    assert page.status_code == 200
    assert page.context["reason"] and "form" not in page.context
    assert world["page"] in page.content.decode()
    answer = client.post(world[name], {"done": "x", "_submit": "1"})
    assert answer.status_code == 409 and answer.context["reason"]
    for model in (ProgressReport, ExtensionRequest, CloseOut):
        assert not model.objects.exists()


@pytest.mark.parametrize("name", ["report", "extension", "close_out"])
def test_a_foreign_record_is_answered_like_one_that_does_not_exist(world: dict, name: str) -> None:
    finished(world)
    stranger = client_of(factories.user("officer", factories.enterprise("燃气集团", parent=world["root"])))
    missing = re.sub(r"\d+", "99999999", world[name])
    for answer in (stranger.get, stranger.post):
        foreign, none = answer(world[name]), answer(missing)
        assert foreign.status_code == none.status_code == 302
        assert foreign.headers["Location"] == none.headers["Location"]
    if name == "report":
        no_change = world[name].replace("report", "no-change")
        assert stranger.post(no_change).headers["Location"] == stranger.post(missing).headers["Location"]
        assert not ProgressReport.objects.exists()


def test_what_waits_already_is_said_with_the_way_there(world: dict) -> None:
    waiting = factories.report(world["open"], world["officer"], world["today"])
    page = world["client"].get(world["report"])
    assert page.status_code == 200 and "form" not in page.context
    assert f"/projects/progressreport/{waiting.pk}/" in page.content.decode()


def test_a_colleague_handed_in_meanwhile_and_nothing_typed_is_lost(world: dict) -> None:
    client = world["client"]
    data = typed(client.get(world["report"]), percent=55, done="我写的长文字") | {"_submit": "1"}
    factories.report(world["open"], world["officer"], world["today"])
    page = client.post(world["report"], data)
    assert page.status_code == 409
    assert "我写的长文字" in page.content.decode()
    assert ProgressReport.objects.count() == 1


def test_a_refused_extension_names_the_shifts_that_were_typed(world: dict) -> None:
    client, today = world["client"], world["today"]
    later = factories.milestone(world["project"], today + DAY * 20)
    factories.extension(world["open"], world["officer"], today, today + DAY * 9)
    day = (today + DAY * 33).isoformat()
    values = {"reason": "我的理由", f"shift-{later.pk}": "on", f"shift_to-{later.pk}": day, "_submit": "1"}
    html = client.post(world["extension"], values).content.decode()
    assert "我的理由" in html and day in html and later.name in html


def test_the_second_of_two_clicks_lands_where_the_first_one_did(world: dict) -> None:
    client = world["client"]
    data = typed(client.get(world["report"]), percent=55, done="挖沟") | {"_submit": "1"}
    first, second = client.post(world["report"], data), client.post(world["report"], data)
    assert first.status_code == second.status_code == 302
    assert first.headers["Location"] == second.headers["Location"]
    assert ProgressReport.objects.count() == 1


def test_a_suspended_project_says_why_and_keeps_what_was_typed_on_the_page(world: dict) -> None:
    client = world["client"]
    data = typed(client.get(world["report"]), done="停工前写的") | {"_submit": "1"}
    lifecycle.change_status(
        project_id=world["project"].pk, action="suspend", actor=world["staff"], as_of=world["today"],
        reason="审计", look_again_on=world["today"] + DAY * 30,
    )  # fmt: skip
    page = client.post(world["report"], data)
    assert page.status_code == 409
    assert "停工前写的" in page.content.decode()
    assert client.get(world["report"]).context["reason"]


def test_a_close_out_that_is_too_early_says_what_is_missing(world: dict) -> None:
    page = world["client"].get(world["close_out"])
    assert page.status_code == 200 and page.context["reason"]


# -- two people, two tabs, a lost answer ------------------------------------------------------------------


def test_two_officers_in_one_draft_see_both_versions_and_choose(world: dict) -> None:
    mine, other = world["client"], client_of(factories.user("officer", world["group"]))
    mine.post(world["report"], typed(mine.get(world["report"]), done="一稿") | {"_save": "1"})
    here, there = mine.get(world["report"]), other.get(world["report"])
    other.post(world["report"], typed(there, done="同事写的", needs="同事的") | {"_save": "1"})
    page = mine.post(world["report"], typed(here, done="我写的", next_step="我的") | {"_submit": "1"})
    assert page.status_code == 409 and "groups" in page.context
    lines = {line.name: line for group in page.context["groups"] for line in group.lines}
    assert (lines["done"].before, lines["done"].now, lines["done"].mine) == ("一稿", "同事写的", "我写的")
    assert lines["done"].must_choose
    chosen = conflict_form(page) | {lines["done"].choice: "mine"}
    assert mine.post(world["report"], chosen).status_code == 302
    report = ProgressReport.objects.get()
    assert (report.state, report.done, report.needs, report.next_step) == (
        "submitted",
        "我写的",
        "同事的",
        "我的",
    )


def test_a_file_sent_with_a_conflict_is_not_lost(world: dict) -> None:
    mine, other = world["client"], client_of(factories.user("officer", world["group"]))
    here, there = mine.get(world["report"]), other.get(world["report"])
    other.post(world["report"], typed(there, done="同事写的") | {"_save": "1"})
    paper = SimpleUploadedFile("回执.pdf", made.pdf())
    page = mine.post(world["report"], typed(here, done="我写的") | {"_submit": "1", "files": paper})
    assert page.status_code == 409 and "groups" in page.context
    assert Evidence.objects.get().name == "回执.pdf"


def test_a_discarded_draft_takes_nothing_with_it_that_is_still_typed(world: dict) -> None:
    client = world["client"]
    client.post(world["report"], typed(client.get(world["report"]), done="一稿") | {"_save": "1"})
    page = client.get(world["report"])
    reports.discard(report_id=ProgressReport.objects.get().pk, actor=world["officer"])
    asked = client.post(world["report"], typed(page, done="二稿", percent=20) | {"_submit": "1"})
    assert asked.status_code == 409 and "二稿" in asked.content.decode()
    chosen = conflict_form(asked)
    chosen |= {line.choice: "mine" for group in asked.context["groups"] for line in group.lines}
    assert client.post(world["report"], chosen).status_code == 302
    assert (ProgressReport.objects.get().done, ProgressReport.objects.get().state) == ("二稿", "submitted")


def test_two_tabs_that_were_both_opened_before_there_was_a_draft(world: dict) -> None:
    client = world["client"]
    one, two = client.get(world["report"]), client.get(world["report"])
    assert client.post(world["report"], typed(one, done="甲") | {"_save": "1"}).status_code == 302
    page = client.post(world["report"], typed(two, done="乙") | {"_save": "1"})
    assert page.status_code == 409 and "groups" in page.context
    assert ProgressReport.objects.get().done == "甲"


def test_a_draft_that_an_upload_has_opened_is_no_conflict(world: dict) -> None:
    client = world["client"]
    page = client.get(world["report"])
    reports.open_draft(milestone_id=world["open"].pk, actor=world["officer"], as_of=world["today"])
    assert client.post(world["report"], typed(page, done="拍照后写的") | {"_save": "1"}).status_code == 302
    assert ProgressReport.objects.get().done == "拍照后写的"


def test_what_is_typed_may_be_saved_by_itself_and_then_handed_in(world: dict) -> None:
    client = world["client"]
    page = client.get(world["report"])
    answer = client.post(world["report"], typed(page, done="挖"), headers=SCRIPT)
    assert answer.status_code == 200
    assert ProgressReport.objects.get().done == "挖"
    data = typed(page, done="挖沟") | {"_version": answer.json()["version"], "_submit": "1"}
    assert client.post(world["report"], data).status_code == 302


def test_a_save_whose_answer_was_lost_is_not_taken_for_somebody_else(world: dict) -> None:
    client = world["client"]
    page = client.get(world["report"])
    for text in ("挖", "挖沟", "挖沟完"):  # the page never learns of a new version
        assert client.post(world["report"], typed(page, done=text), headers=SCRIPT).status_code == 200
    assert client.post(world["report"], typed(page, done="挖沟完成") | {"_submit": "1"}).status_code == 302
    assert ProgressReport.objects.get().done == "挖沟完成"


def test_somebody_elses_page_id_does_not_open_their_draft(world: dict) -> None:
    mine, other = world["client"], client_of(factories.user("officer", world["group"]))
    page, theirs = mine.get(world["report"]), other.get(world["report"])
    other.post(world["report"], typed(theirs, done="同事写的") | {"_save": "1"})
    stolen = typed(page, done="我写的") | {"_page": theirs.context["page_id"], "_save": "1"}
    assert mine.post(world["report"], stolen).status_code == 409
    assert ProgressReport.objects.get().done == "同事写的"


def test_a_save_by_itself_never_overwrites_a_colleague(world: dict) -> None:
    mine, other = world["client"], client_of(factories.user("officer", world["group"]))
    page = mine.get(world["report"])
    other.post(world["report"], typed(other.get(world["report"]), done="同事写的") | {"_save": "1"})
    answer = mine.post(world["report"], typed(page, done="我写的"), headers=SCRIPT)
    assert answer.status_code == 409 and answer.json()["message"]
    assert ProgressReport.objects.get().done == "同事写的"


def test_a_save_by_itself_keeps_what_it_understands(world: dict) -> None:
    client = world["client"]
    answer = client.post(
        world["report"], typed(client.get(world["report"]), done="挖", percent="1x"), headers=SCRIPT
    )
    assert answer.status_code == 200 and answer.json()["unclear"]
    assert ProgressReport.objects.get().done == "挖"


def test_a_colleagues_shifts_are_neither_lost_nor_overwritten_unseen(world: dict) -> None:
    mine, other = world["client"], client_of(factories.user("officer", world["group"]))
    today = world["today"]
    a, b = (factories.milestone(world["project"], today + DAY * days) for days in (20, 30))

    def with_shift(page: Any, milestone: Any, days: int, **more: Any) -> dict[str, Any]:
        day = (today + DAY * days).isoformat()
        return typed(page, **{f"shift-{milestone.pk}": "on", f"shift_to-{milestone.pk}": day, **more})

    def stored() -> dict[int, Any]:
        return dict(ExtensionShift.objects.values_list("milestone_id", "to_on"))

    mine.post(world["extension"], typed(mine.get(world["extension"]), reason="雨") | {"_save": "1"})
    here, there = mine.get(world["extension"]), other.get(world["extension"])
    other.post(world["extension"], with_shift(there, a, 40) | {"_save": "1"})
    # Mine is about another milestone: both stand.
    page = mine.post(world["extension"], with_shift(here, b, 50) | {"_save": "1"}, follow=True)
    assert stored() == {a.pk: today + DAY * 40, b.pk: today + DAY * 50}
    # Both about the same one: told at its row, and the next save knows.
    there = other.get(world["extension"])
    other.post(world["extension"], with_shift(there, a, 45) | {"_save": "1"})
    page = mine.post(world["extension"], with_shift(page, a, 60) | {"_save": "1"})
    row = next(row for row in page.context["shifts"] if row.milestone == a)
    assert row.error and row.to_on == (today + DAY * 60).isoformat()
    assert stored()[a.pk] == today + DAY * 45
    assert mine.post(world["extension"], typed(page) | {"_save": "1"}).status_code == 302
    assert stored()[a.pk] == today + DAY * 60


def test_shifts_saved_by_themselves_do_not_stand_in_their_own_way(world: dict) -> None:
    client, today = world["client"], world["today"]
    later = factories.milestone(world["project"], today + DAY * 20)
    page = client.get(world["extension"])
    for days in (30, 31, 32):
        data = typed(
            page, **{f"shift-{later.pk}": "on", f"shift_to-{later.pk}": (today + DAY * days).isoformat()}
        )
        answer = client.post(world["extension"], data, headers=SCRIPT)
        assert answer.status_code == 200 and not answer.json()["unclear"]
    assert ExtensionShift.objects.get().to_on == today + DAY * 32
    assert json.loads(answer.json()["shifts"]) == {str(later.pk): (today + DAY * 32).isoformat()}


def test_a_foreign_milestone_never_moves_along(world: dict) -> None:
    client = world["client"]
    foreign = factories.milestone(
        factories.project(world["group"], world["project"].programme), world["today"] + DAY * 20
    )
    data = typed(
        client.get(world["extension"]), to_on=(world["today"] + DAY * 9).isoformat(), reason_class="site", reason="雨",
        **{f"shift-{foreign.pk}": "on", f"shift_to-{foreign.pk}": (world["today"] + DAY * 30).isoformat()},
    )  # fmt: skip
    assert client.post(world["extension"], data | {"_submit": "1"}).status_code == 302
    assert not ExtensionShift.objects.exists()
