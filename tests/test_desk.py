"""The review desk: what waits, oldest first, with its age; decided one by one or many at once."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects.models import ExtensionRequest, Milestone, ProgressReport, Project
from projects.services import desk as desk_service
from projects.services.desk import (
    Filters,
    desk,
    next_waiting,
    reviewer_times,
    units_with_waiting,
    waiting_count,
)
from projects.services.reviews import decide
from tests import factories
from tests.factories import moment
from tests.test_pages import DAY, built, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    found = built()
    Project.objects.update(approved_on=found["today"] - DAY * 50)
    found["colleague"] = factories.user("staff", found["root"], name="王某某")
    return found


def handed_in(world: dict, n: int, *, on: datetime.date | None = None, **texts: Any) -> list[ProgressReport]:
    project, officer = world["project"], world["officer"]
    day = on or world["today"]
    return [
        factories.report(factories.milestone(project, day + DAY * 40), officer, day, **texts)
        for _n in range(n)
    ]


def test_the_oldest_of_all_kinds_comes_first_with_its_age_in_working_days(world: dict) -> None:
    officer, project = world["officer"], world["project"]
    monday = datetime.date(2026, 6, 8)
    project.programme.starts_on = datetime.date(2026, 1, 1)
    project.programme.save()
    first = factories.report(factories.milestone(project, monday + DAY * 30), officer, monday - DAY * 3)
    other = factories.milestone(project, monday + DAY * 20)
    second = factories.extension(other, officer, monday, monday + DAY * 30)
    found = desk(user=world["staff"], filters=Filters(), as_of=monday)
    assert [(row.submission, row.age) for row in found.rows] == [(first, 1), (second, 0)]
    assert found.counts == {"progressreport": 1, "extensionrequest": 1, "closeout": 0}


def test_filters_by_kind_claim_unit_and_lateness(world: dict) -> None:
    today = world["today"]
    old = handed_in(world, 1, on=today - DAY * 30)[0]
    claim = handed_in(world, 1, claimed_on=today)[0]
    other_group = factories.enterprise("燃气集团", parent=world["root"])
    other = factories.project(other_group, world["project"].programme)
    officer = factories.user("officer", other_group)
    elsewhere = factories.report(factories.milestone(other, today + DAY * 9), officer, today)

    def shown(**chosen: Any) -> set[Any]:
        return {r.submission for r in desk(user=world["staff"], filters=Filters(**chosen), as_of=today).rows}

    assert shown() == {old, claim, elsewhere}
    assert shown(only="claims") == {claim}
    assert shown(only="late") == {old}
    assert shown(enterprise_path=other_group.path) == {elsewhere}
    assert shown(kind="extensionrequest") == set()


def test_another_commissions_staff_sees_nothing_of_it(world: dict) -> None:
    handed_in(world, 2)
    foreign = factories.user("staff", factories.sasac("外市国资委"))
    assert desk(user=foreign, filters=Filters(), as_of=world["today"]).rows == []
    assert waiting_count(foreign) == 0
    page = client_of(foreign).get("/review/")
    assert page.status_code == 200
    assert world["project"].name not in page.content.decode()


@pytest.mark.parametrize("role", ["officer", "leader", "system", "security", "audit"])
def test_only_reviewers_open_the_desk(world: dict, role: str) -> None:
    assert client_of(world[role]).get("/review/").status_code == 403


def test_the_number_on_the_home_page_is_the_desks(world: dict) -> None:
    handed_in(world, 3)
    figures = client_of(world["staff"]).get("/").context["home"].needs_me
    assert next(f.value for f in figures if f.url == "/review/") == 3


def test_many_are_accepted_at_once_and_each_outcome_is_shown(world: dict) -> None:
    sent = handed_in(world, 4)
    decide(kind=ProgressReport, pk=sent[1].pk, action="accept", actor=world["colleague"], at=timezone.now())
    response = client_of(world["staff"]).post("/review/", {"report": [r.pk for r in sent], "comment": "已阅"})
    assert response.status_code == 200
    outcomes = {o.submission.pk: o.refused for o in response.context["outcomes"]}
    assert [bool(outcomes[r.pk]) for r in sent] == [False, True, False, False]
    assert "王某某" in response.content.decode()
    assert not ProgressReport.objects.waiting().exists()


def test_ids_beyond_the_wall_and_nonsense_are_passed_over(world: dict) -> None:
    foreign_root = factories.sasac("外市国资委")
    group = factories.enterprise("外市集团", parent=foreign_root)
    project = factories.project(group, factories.programme(foreign_root, world["today"].year))
    foreign = factories.report(
        factories.milestone(project, world["today"]), factories.user("officer", group), world["today"]
    )
    response = client_of(world["staff"]).post("/review/", {"report": [foreign.pk, "x", "²", "9" * 30]})
    assert response.context["outcomes"] == []
    foreign.refresh_from_db()
    assert foreign.state == "submitted"


def test_whoever_is_second_reads_who_was_faster_and_keeps_the_comment(world: dict) -> None:
    sent = handed_in(world, 1)[0]
    decide(kind=ProgressReport, pk=sent.pk, action="accept", actor=world["colleague"], at=timezone.now())
    url = f"/projects/progressreport/{sent.pk}/step/return/"
    response = client_of(world["staff"]).post(url, {"comment": "照片与进度不符，请补充"})
    page = response.content.decode()
    assert response.status_code == 409
    assert "王某某" in page
    assert "照片与进度不符，请补充" in page
    assert ProgressReport.objects.get(pk=sent.pk).state == "accepted"


def test_a_return_without_a_reason_comes_back_and_changes_nothing(world: dict) -> None:
    sent = handed_in(world, 1)[0]
    response = client_of(world["staff"]).post(
        f"/projects/progressreport/{sent.pk}/step/return/", {"comment": " "}
    )
    assert response.status_code == 409
    assert ProgressReport.objects.get(pk=sent.pk).state == "submitted"


def test_a_decision_from_the_queue_leads_on_to_the_next_item(world: dict) -> None:
    first, second = handed_in(world, 2)
    client = client_of(world["staff"])
    response = client.post(f"/projects/progressreport/{first.pk}/step/accept/", {"queue": "1"})
    assert response["Location"] == f"/projects/progressreport/{second.pk}/?queue=1"
    response = client.post(f"/projects/progressreport/{second.pk}/step/accept/", {"queue": "1"})
    assert response["Location"] == "/review/"
    assert next_waiting(user=world["staff"], after=second, as_of=world["today"]) is None


def test_the_queue_keeps_to_the_filter_and_can_leave_an_item(world: dict) -> None:
    today, officer = world["today"], world["officer"]
    first, second, third = handed_in(world, 3)
    milestone = factories.milestone(world["project"], today + DAY * 5)
    request = factories.extension(milestone, officer, today, today + DAY * 9)
    client = client_of(world["staff"])
    page = client.get(f"/projects/progressreport/{second.pk}/?queue=1&kind=progressreport")
    assert page.context["skip_url"] == f"/projects/progressreport/{third.pk}/?kind=progressreport&queue=1"
    for report, following in ((second, first), (first, third), (third, None)):
        response = client.post(
            f"/projects/progressreport/{report.pk}/step/accept/", {"queue": "queue=1&kind=progressreport"}
        )
        wanted = f"/projects/progressreport/{following.pk}/" if following else "/review/"
        assert response["Location"].startswith(wanted)
    assert request.state == "submitted"


def test_a_later_milestone_that_would_be_overtaken_is_named_to_the_reviewer(world: dict) -> None:
    today = world["today"]
    first = factories.milestone(world["project"], today + DAY * 5, order=1)
    later = factories.milestone(world["project"], today + DAY * 9, order=2, name="满意度回访")
    request = factories.extension(first, world["officer"], today, today + DAY * 20)
    page = client_of(world["staff"]).get(f"/projects/extensionrequest/{request.pk}/")
    assert page.context["overtaken"] == [later]
    assert (page.context["before"].times, page.context["after"].times) == (0, 1)
    decide(kind=ExtensionRequest, pk=request.pk, action="approve", actor=world["staff"], at=timezone.now())
    page = client_of(world["staff"]).get(f"/projects/extensionrequest/{request.pk}/")
    assert (page.context["before"].times, page.context["after"].times) == (0, 1)


def test_the_page_shows_promised_before_and_now(world: dict) -> None:
    milestone = Milestone.objects.get(pk=world["late"].pk)
    first = factories.report(milestone, world["officer"], world["today"], done="完成开挖。材料进场。")
    decide(kind=ProgressReport, pk=first.pk, action="accept", actor=world["staff"], at=timezone.now())
    second = factories.report(
        milestone, world["officer"], world["today"], percent=70, done="完成开挖。管道铺设。"
    )
    page = client_of(world["staff"]).get(f"/projects/progressreport/{second.pk}/").content.decode()
    heard = '<span class="visually-hidden">{}</span>'.format  # screen readers pass over ins and del
    assert (
        f"完成开挖。<del>{heard('【删除】')}材料进场。</del><ins>{heard('【新增】')}管道铺设。</ins>" in page
    )
    assert "70%" in page


def test_a_draft_is_missing_to_everyone_but_its_writers(world: dict) -> None:
    from projects.services import reports

    draft = reports.open_draft(milestone_id=world["late"].pk, actor=world["officer"], as_of=world["today"])
    url = f"/projects/progressreport/{draft.pk}/"
    nowhere = "/projects/progressreport/99999999/"
    assert client_of(world["officer"]).get(url).status_code == 200
    for role in ("staff", "leader"):
        client = client_of(world[role])
        assert client.get(url).status_code == client.get(nowhere).status_code != 200
        assert f"/{draft.pk}/" not in client.get("/projects/progressreport/").content.decode()


def test_reviewers_own_times_are_measured(world: dict) -> None:
    today = world["today"]
    sent = handed_in(world, 1, on=today - DAY * 30)[0]
    decide(kind=ProgressReport, pk=sent.pk, action="accept", actor=world["staff"], at=moment(today))
    (row,) = reviewer_times(user=world["staff"], as_of=today)
    assert (row.name, row.decided, row.late) == (world["staff"].name, 1, 1)
    assert row.days > 15


def test_queries_of_the_desk_do_not_grow_with_what_waits(world: dict) -> None:
    client = client_of(world["staff"])
    handed_in(world, 3)
    with CaptureQueriesContext(connection) as few:
        client.get("/review/")
    handed_in(world, 40)
    ExtensionRequest.objects.all()
    with CaptureQueriesContext(connection) as many:
        client.get("/review/")
    assert len(many) == len(few)


def test_units_are_listed_by_how_much_waits_and_beyond_the_cap_without_a_number(
    world: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_in(world, 2)
    group = world["group"]
    assert units_with_waiting(world["staff"]) == [(group.pk, group.name, 2)]
    monkeypatch.setattr(desk_service, "COUNT_CAP", 1)
    assert units_with_waiting(world["staff"]) == [(group.pk, group.name, 0)]
    page = client_of(world["staff"]).get("/review/").content.decode()
    assert f">{group.name}</option>" in page
