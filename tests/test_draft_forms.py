"""The forms of reports, extension requests and close-outs: looking makes nothing, nothing typed is lost."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects.models import CloseOut, Evidence, ExtensionRequest, ExtensionShift, Milestone, ProgressReport
from projects.services import extensions
from projects.services.reviews import decide
from tests import factories
from tests.evidence import made
from tests.test_pages import DAY, built, client_of

pytestmark = pytest.mark.django_db
SCRIPT = {"X-Requested-With": "fetch"}


@pytest.fixture
def world() -> dict[str, Any]:
    return prepared()


def prepared(*, named: str = "") -> dict[str, Any]:
    """The small world with approved dates; `open` is a milestone that is not due yet."""
    found = built(named=named)
    project = found["project"]
    type(project).objects.filter(pk=project.pk).update(approved_on=found["today"] - DAY * 50)
    project.refresh_from_db()
    found["open"] = Milestone.objects.get(project=project, due_on=found["today"] + DAY * 3)
    found["ends_on"] = project.programme.ends_on
    found["report"] = f"/projects/milestone/{found['open'].pk}/report/"
    found["extension"] = f"/projects/milestone/{found['open'].pk}/extension/"
    found["close_out"] = f"/projects/project/{project.pk}/close-out/"
    found["page"] = f"/projects/project/{project.pk}/"
    found["client"] = client_of(found["officer"])
    return found


def finished(world: dict[str, Any]) -> None:
    """All milestones are accepted, so that the project can be closed out."""
    Milestone.objects.filter(project=world["project"]).update(
        state="accepted", claimed_on=world["today"] - DAY, accepted_on=world["today"], percent=100
    )


def typed(page: Any, **values: Any) -> dict[str, Any]:
    """What a browser sends back from a form of a draft, with some fields filled in."""
    context = page.context
    data = {name: e.bound.value() for name, e in context["entries"].items() if e.bound.value() is not None}
    data |= {"_version": context["edit_version"], "_page": context["page_id"]}
    if "shifts_opened" in context:
        data["shifts_opened"] = context["shifts_opened"]
        for row in context["shifts"]:
            data[f"shift_to-{row.milestone.pk}"] = row.to_on
            if row.ticked:
                data[f"shift-{row.milestone.pk}"] = "on"
    return {name: str(value) for name, value in (data | values).items()}


def errors(page: Any) -> dict[str, list[str]]:
    return dict(page.context["form"].errors)


# -- looking ------------------------------------------------------------------------------------


def test_looking_makes_nothing(world: dict) -> None:
    finished_too = prepared(named="second")
    finished(finished_too)
    for place, names in ((world, ("report", "extension")), (finished_too, ("close_out",))):
        for name in names:
            page = place["client"].get(place[name])
            assert page.status_code == 200 and "form" in page.context, name
    for model in (ProgressReport, ExtensionRequest, CloseOut):
        assert not model.objects.exists()


def test_the_form_opens_with_the_text_of_the_last_report(world: dict) -> None:
    factories.report(world["open"], world["officer"], world["today"] - DAY * 9, done="挖沟", problems="无")
    decide(
        kind=ProgressReport, pk=ProgressReport.objects.get().pk, action="accept", actor=world["staff"],
        at=factories.moment(world["today"] - DAY * 8), comment="",
    )  # fmt: skip
    page = world["client"].get(world["report"])
    entries = page.context["entries"]
    assert entries["done"].bound.value() == "挖沟"
    assert entries["percent"].bound.value() == 50
    assert not any(entry.changed for entry in entries.values())
    assert 'data-before="挖沟"' in page.content.decode()


def test_a_saved_draft_shows_what_has_changed_since_the_last_report(world: dict) -> None:
    factories.report(
        world["open"], world["officer"], world["today"] - DAY * 9, done="挖沟\n两段", problems="无"
    )
    decide(
        kind=ProgressReport, pk=ProgressReport.objects.get().pk, action="accept", actor=world["staff"],
        at=factories.moment(world["today"] - DAY * 8), comment="",
    )  # fmt: skip
    client = world["client"]
    data = typed(client.get(world["report"]), done="挖沟\r\n两段", problems="缺管材")
    entries = client.post(world["report"], data | {"_save": "1"}, follow=True).context["entries"]
    assert {name for name, entry in entries.items() if entry.changed} == {"problems"}


def test_what_the_reviewer_said_stands_on_top_of_the_next_round(world: dict) -> None:
    old = factories.report(world["open"], world["officer"], world["today"] - DAY * 9)
    decide(
        kind=ProgressReport, pk=old.pk, action="return", actor=world["staff"],
        at=factories.moment(world["today"] - DAY * 8), comment="缺少通水照片",
    )  # fmt: skip
    html = world["client"].get(world["report"]).content.decode()
    assert html.index("缺少通水照片") < html.index('name="percent"')


# -- saving and handing in ------------------------------------------------------------------------


def test_a_draft_is_kept_and_shown_again(world: dict) -> None:
    client = world["client"]
    page = client.post(
        world["report"],
        typed(client.get(world["report"]), percent=35, needs="请协调占道审批") | {"_save": "1"},
        follow=True,
    )
    draft = ProgressReport.objects.get()
    assert (draft.state, draft.percent, draft.needs) == ("draft", 35, "请协调占道审批")
    assert page.context["entries"]["needs"].bound.value() == "请协调占道审批"
    world["open"].refresh_from_db()
    assert world["open"].percent == 0  # nothing counts before it is handed in


def test_a_report_is_handed_in_with_one_post(world: dict) -> None:
    client = world["client"]
    data = typed(client.get(world["report"]), percent=60, done="沟槽开挖完成") | {"_submit": "1"}
    answer = client.post(world["report"], data)
    report = ProgressReport.objects.get()
    assert report.state == "submitted"
    assert answer.headers["Location"] == f"/projects/progressreport/{report.pk}/"


def test_a_completion_date_makes_it_a_claim_of_one_hundred_per_cent(world: dict) -> None:
    client, today = world["client"], world["today"]
    data = typed(client.get(world["report"]), percent=80, done="全部完成", claimed_on=today.isoformat())
    client.post(world["report"], data | {"_submit": "1"})
    report = ProgressReport.objects.get()
    assert (report.state, report.percent, report.claimed_on) == ("submitted", 100, today)
    world["open"].refresh_from_db()
    assert world["open"].state == "submitted"


def test_an_extension_is_filed_with_what_moves_along(world: dict) -> None:
    client, today = world["client"], world["today"]
    later = factories.milestone(world["project"], today + DAY * 20)
    other = factories.milestone(world["project"], today + DAY * 30)
    data = typed(
        client.get(world["extension"]), to_on=(today + DAY * 13).isoformat(), reason_class="site", reason="连续暴雨",
        **{f"shift-{later.pk}": "on", f"shift-{other.pk}": "on", f"shift_to-{other.pk}": (today + DAY * 50).isoformat()},
    )  # fmt: skip
    assert client.post(world["extension"], data | {"_submit": "1"}).status_code == 302
    request = ExtensionRequest.objects.get()
    assert (request.state, request.is_late, request.days) == ("submitted", False, 10)
    # A blank date moves by as many days as the milestone itself.
    assert dict(ExtensionShift.objects.values_list("milestone_id", "to_on")) == {
        later.pk: today + DAY * 30,
        other.pk: today + DAY * 50,
    }


def test_a_close_out_is_asked_for(world: dict) -> None:
    finished(world)
    client = world["client"]
    page = client.get(world["close_out"])
    data = typed(
        page,
        achieved="供水管网全部改造",
        beneficiaries_reached="1200.5",
        beneficiaries_unit="户",
        follow_up_owner="王某某",
    )
    assert client.post(world["close_out"], data | {"_submit": "1"}).status_code == 302
    close_out = CloseOut.objects.get()
    assert (close_out.state, close_out.follow_up_owner) == ("submitted", "王某某")
    world["project"].refresh_from_db()
    assert world["project"].status == "awaiting"


def test_files_go_with_the_form_where_there_are_no_scripts(world: dict) -> None:
    client = world["client"]
    paper = SimpleUploadedFile("说明.pdf", made.pdf())
    data = typed(client.get(world["report"]), done="见附件") | {"_save": "1", "files": paper}
    page = client.post(world["report"], data, follow=True)
    assert Evidence.objects.count() == 1
    assert [row.name for row in page.context["evidence"]] == ["说明.pdf"]


def test_a_file_that_cannot_be_taken_loses_no_text(world: dict) -> None:
    client = world["client"]
    data = typed(client.get(world["report"]), done="见附件") | {
        "_submit": "1",
        "files": SimpleUploadedFile("x.exe", b"MZ"),
    }
    page = client.post(world["report"], data)
    assert page.status_code == 409
    assert ProgressReport.objects.get().done == "见附件"
    assert page.context["entries"]["done"].bound.value() == "见附件"


def test_no_change_is_one_click(world: dict) -> None:
    factories.report(world["open"], world["officer"], world["today"] - DAY * 9, percent=40)
    decide(
        kind=ProgressReport, pk=ProgressReport.objects.get().pk, action="accept", actor=world["staff"],
        at=factories.moment(world["today"] - DAY * 8), comment="",
    )  # fmt: skip
    url = f"/projects/milestone/{world['open'].pk}/no-change/"
    assert world["client"].get(url).status_code == 405
    answer = world["client"].post(url)
    assert answer.headers["Location"] == world["page"]
    report = ProgressReport.objects.order_by("round").last()
    assert (report.state, report.no_change, report.percent, report.round) == ("submitted", True, 40, 2)
    again = world["client"].post(url, follow=True)
    assert ProgressReport.objects.count() == 2
    assert 'class="error"' in again.content.decode()


def test_no_change_needs_something_that_could_be_unchanged(world: dict) -> None:
    page = world["client"].post(f"/projects/milestone/{world['open'].pk}/no-change/", follow=True)
    assert page.status_code == 200 and 'class="error"' in page.content.decode()
    assert not ProgressReport.objects.exists()


# -- wrong input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"done": ""}, "done"),
        ({"percent": "120"}, "percent"),
        ({"percent": "abc"}, "percent"),
        ({"percent": "100"}, "claimed_on"),
        ({"claimed_on": "2999-01-01"}, "claimed_on"),
        ({"claimed_on": "1999-01-01"}, "claimed_on"),
        ({"claimed_on": "2026-02-31"}, "claimed_on"),
        ({"done": "长" * 4001}, "done"),
    ],
)
def test_a_refused_report_keeps_the_draft_and_says_so_at_the_field(
    world: dict, values: dict, field: str
) -> None:
    client = world["client"]
    data = typed(client.get(world["report"]), **{"percent": 30, "done": "挖沟", "needs": "协调"} | values)
    page = client.post(world["report"], data | {"_submit": "1"})
    assert page.status_code == 409
    assert list(errors(page)) == [field]
    draft = ProgressReport.objects.get()
    assert (draft.state, draft.needs) == ("draft", "协调")
    for name, value in values.items():
        assert str(page.context["form"][name].value()) == value
    # Put right, it goes through from this very page, without a question about a conflict.
    good = typed(page, percent=30, done="挖沟", claimed_on="")
    assert client.post(world["report"], good | {"_submit": "1"}).status_code == 302
    assert ProgressReport.objects.get().state == "submitted"


@pytest.mark.parametrize(
    ("days", "values", "field"),
    [
        (0, {}, "to_on"),
        (-5, {}, "to_on"),
        (9999, {}, "to_on"),
        (9, {"reason": ""}, "reason"),
        (9, {"reason_class": ""}, "reason_class"),
        (9, {"reason_class": "nonsense"}, "reason_class"),
    ],
)
def test_a_refused_extension_keeps_the_draft(world: dict, days: int, values: dict, field: str) -> None:
    client = world["client"]
    to_on = (world["open"].due_on + DAY * days).isoformat()
    good = {"to_on": to_on, "reason_class": "site", "reason": "暴雨"}
    page = client.post(
        world["extension"], typed(client.get(world["extension"]), **good | values) | {"_submit": "1"}
    )
    assert page.status_code == 409
    assert list(errors(page)) == [field]
    assert ExtensionRequest.objects.get().state == "draft"
    assert page.context["form"]["to_on"].value() == to_on


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"achieved": " "}, "achieved"),
        ({"completed_on": ""}, "completed_on"),
        ({"completed_on": "2999-01-01"}, "completed_on"),
        ({"beneficiaries_reached": "-3"}, "beneficiaries_reached"),
        ({"follow_up_owner": ""}, "follow_up_owner"),
    ],
)
def test_a_refused_close_out_keeps_the_draft(world: dict, values: dict, field: str) -> None:
    finished(world)
    client = world["client"]
    good = {"achieved": "完成", "follow_up_owner": "王某某", "shortfall": "尚有一处"}
    page = client.post(
        world["close_out"], typed(client.get(world["close_out"]), **good | values) | {"_submit": "1"}
    )
    assert page.status_code == 409
    assert list(errors(page)) == [field]
    assert CloseOut.objects.get().shortfall == "尚有一处"


def test_a_shift_beyond_the_programme_is_said_at_its_row(world: dict) -> None:
    client = world["client"]
    later = factories.milestone(world["project"], world["today"] + DAY * 20)
    beyond = (world["ends_on"] + DAY).isoformat()
    data = typed(
        client.get(world["extension"]), to_on=(world["today"] + DAY * 9).isoformat(), reason_class="site", reason="雨",
        **{f"shift-{later.pk}": "on", f"shift_to-{later.pk}": beyond},
    )  # fmt: skip
    page = client.post(world["extension"], data | {"_submit": "1"})
    assert page.status_code == 409
    (row,) = page.context["shifts"]
    assert row.error and row.ticked and row.to_on == beyond
    assert ExtensionRequest.objects.get().reason == "雨"


def test_everything_that_is_missing_is_said_at_once(world: dict) -> None:
    client = world["client"]
    page = client.post(world["extension"], typed(client.get(world["extension"])) | {"_submit": "1"})
    assert set(errors(page)) == {"to_on", "reason_class", "reason"}


def test_a_late_request_says_so_before_it_is_filed(world: dict) -> None:
    client = world["client"]
    assert "draft-late" not in client.get(world["extension"]).content.decode()
    late = client.get(f"/projects/milestone/{world['late'].pk}/extension/")
    assert "draft-late" in late.content.decode()


def test_the_count_and_the_days_in_all_are_on_the_screen(world: dict) -> None:
    due_on = world["open"].due_on
    first = factories.extension(world["open"], world["officer"], world["today"], due_on + DAY * 15)
    decide(
        kind=ExtensionRequest, pk=first.pk, action="approve", actor=world["staff"],
        at=factories.moment(world["today"]), comment="",
    )  # fmt: skip
    client = world["client"]
    page = client.get(world["extension"])
    assert (page.context["so_far"].times, page.context["so_far"].days) == (1, 15)
    data = typed(page, to_on=(due_on + DAY * 45).isoformat())
    page = client.post(world["extension"], data | {"_save": "1"}, follow=True)
    assert (page.context["after"].times, page.context["after"].days) == (2, 45)
    assert f'data-due="{(due_on + DAY * 15).isoformat()}"' in page.content.decode()


# -- the page itself ------------------------------------------------------------------------------------


def test_the_number_of_queries_does_not_grow_with_the_later_milestones(world: dict) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert world["client"].get(world["extension"]).status_code == 200
        return len(caught)

    draft = extensions.open_draft(milestone_id=world["open"].pk, actor=world["officer"], as_of=world["today"])
    counts = []
    for number in (3, 57):
        for _n in range(number):
            row = factories.milestone(world["project"], world["today"] + DAY * 20)
            ExtensionShift.objects.create(
                request=draft, milestone=row, from_on=row.due_on, to_on=row.due_on + DAY
            )
        counts.append(queries())
    assert counts[0] == counts[1], counts


def test_nothing_in_the_page_needs_an_exception_to_the_policy(world: dict) -> None:
    finished_too = prepared(named="second")
    finished(finished_too)
    pages = [world["client"].get(world[name]) for name in ("report", "extension")]
    pages.append(finished_too["client"].get(finished_too["close_out"]))
    for page in pages:
        html = unescape(page.content.decode())
        assert not re.search(r"\sstyle=|<style|\son\w+=", html)
        assert not re.search(r"<script(?![^>]*\ssrc=)", html)
