"""Close-out (销号) in two steps by two people; suspending, resuming, terminating, reopening."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from projects.certificate_facts import CertificateFacts
from projects.models import CloseOut, Milestone, Project
from projects.services import close_outs
from projects.services.lifecycle import cancelled_by_termination, change_status
from projects.services.lights import refresh_lights
from projects.services.patrol import patrol
from projects.services.refusals import Refused
from projects.services.reviews import decide
from tests import factories
from tests.factories import moment

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def world(today: datetime.date) -> dict[str, Any]:
    root = factories.sasac()
    group = factories.enterprise(parent=root)
    project = factories.project(
        group,
        factories.programme(root),
        approved_on=today - DAY * 30,
        measures="安装总表和分表，抄表到户",
        beneficiaries_text="上山门村村民",
        beneficiaries_number=320,
        beneficiaries_unit="户",
    )
    done = {"state": "accepted", "percent": 100, "claimed_on": today - DAY, "accepted_on": today}
    return {
        "project": project,
        "milestone": factories.milestone(project, today - DAY * 3, **done),
        "officer": factories.user("officer", group),
        "staff": factories.user("staff", root),
        "chief": factories.user("staff", root),
        "leader": factories.user("leader", root),
    }


def rule(world: dict, row: CloseOut, action: str, who: str, on: datetime.date, comment: str = "") -> CloseOut:
    return decide(  # type: ignore[return-value]
        kind=CloseOut, pk=row.pk, action=action, actor=world[who], at=moment(on), comment=comment
    )


def change(world: dict, action: str, on: datetime.date, who: str = "staff", **values: Any) -> Project:
    values = {"reason": "征地未完成", **values}
    return change_status(project_id=world["project"].pk, action=action, actor=world[who], as_of=on, **values)


def test_two_steps_by_two_people_strike_a_project_off(world: dict, today: datetime.date) -> None:
    row = factories.close_out(world["project"], world["officer"], today)
    assert Project.objects.get().status == "awaiting"
    assert row.promised == "安装总表和分表，抄表到户\n上山门村村民，320户"
    with pytest.raises(Refused):
        rule(world, row, "approve", "staff", today)
    rule(world, row, "verify", "staff", today, comment="现场核实")
    with pytest.raises(Refused, match="本人"):
        rule(world, row, "approve", "staff", today)
    done = rule(world, row, "approve", "chief", today + DAY)
    assert (done.state, done.number) == ("approved", 1)
    project = Project.objects.get()
    assert (project.status, project.light) == ("closed_out", "blue")


def test_the_database_refuses_a_close_out_by_fewer_than_three_people(
    world: dict, today: datetime.date
) -> None:
    row = factories.close_out(world["project"], world["officer"], today)
    with pytest.raises(IntegrityError, match="three_people"), transaction.atomic():
        CloseOut.objects.filter(pk=row.pk).update(
            state="approved", number=1, verified_by=world["staff"], decided_by=world["staff"]
        )


def test_a_return_lets_the_work_go_on_and_the_next_round_opens_with_its_text(
    world: dict, today: datetime.date
) -> None:
    row = factories.close_out(world["project"], world["officer"], today, shortfall="两户未装表")
    rule(world, row, "verify", "staff", today)
    rule(world, row, "return", "chief", today, comment="两户须补装")
    assert Project.objects.get().status == "in_progress"
    draft = close_outs.open_draft(project_id=world["project"].pk, actor=world["officer"], as_of=today)
    assert (draft.round, draft.shortfall, draft.verified_by) == (2, "两户未装表", None)


def test_without_an_approved_promise_there_is_nothing_to_accept_against(
    world: dict, today: datetime.date
) -> None:
    other = factories.project(world["project"].enterprise, world["project"].programme)
    factories.milestone(other, today, state="accepted", claimed_on=today, accepted_on=today)
    with pytest.raises(Refused, match="核定"):
        factories.close_out(other, world["officer"], today)


def test_what_was_opened_since_stands_in_the_way_of_the_approval(world: dict, today: datetime.date) -> None:
    row = factories.close_out(world["project"], world["officer"], today)
    rule(world, row, "verify", "staff", today)
    added = factories.milestone(world["project"], today)
    with pytest.raises(Refused, match=added.name):
        rule(world, row, "approve", "chief", today)
    assert Project.objects.get().status == "awaiting"


def test_a_certificate_states_what_was_true_on_the_day_of_the_approval(
    world: dict, today: datetime.date
) -> None:
    row = factories.close_out(world["project"], world["officer"], today)
    rule(world, row, "verify", "staff", today)
    rule(world, row, "approve", "chief", today)
    Project.objects.update(measures="改写", beneficiaries_number=1, name="改名")
    facts = CertificateFacts.from_json(CloseOut.objects.get().facts)
    assert (facts.promised, facts.promised_reach) == (
        "安装总表和分表，抄表到户\n上山门村村民，320户",
        "320户",
    )
    assert facts.project == world["project"].name
    assert facts.issuer == world["project"].programme.owner.name


def test_nothing_is_reported_or_extended_once_the_close_out_is_asked_for(
    world: dict, today: datetime.date
) -> None:
    factories.close_out(world["project"], world["officer"], today)
    added = factories.milestone(world["project"], today)
    for hand_in in (factories.report, lambda *a: factories.extension(*a, today + DAY)):
        with pytest.raises(Refused, match="待验收"):
            hand_in(added, world["officer"], today)


@pytest.mark.parametrize("state", ["not_started", "in_progress", "submitted", "returned"])
def test_an_unsettled_milestone_stands_in_the_way_and_is_named(
    world: dict, today: datetime.date, state: str
) -> None:
    open_one = factories.milestone(world["project"], today, state=state, claimed_on=today)
    with pytest.raises(Refused, match=open_one.name):
        factories.close_out(world["project"], world["officer"], today)
    Milestone.objects.filter(pk=open_one.pk).update(state="cancelled", comment="并入他项")
    assert factories.close_out(world["project"], world["officer"], today).state == "submitted"


@pytest.mark.parametrize(
    "texts",
    [
        {"achieved": " "},
        {"completed_on": None},
        {"completed_on": datetime.date(2026, 6, 11)},
        {"completed_on": datetime.date(2025, 6, 11)},
        {"follow_up_owner": ""},
        {"beneficiaries_reached": -1},
    ],
)
def test_what_is_missing_is_refused(world: dict, today: datetime.date, texts: dict) -> None:
    with pytest.raises(Refused):
        factories.close_out(world["project"], world["officer"], today, **texts)
    assert Project.objects.get().status == "in_progress"


def test_certificate_numbers_count_within_the_year_of_the_issuing_unit(
    world: dict, today: datetime.date
) -> None:
    numbers = []
    first = world["project"].programme
    second = factories.programme(first.owner, first.year)
    for n, programme in enumerate((first, second, first)):
        project = factories.project(world["project"].enterprise, programme, approved_on=today)
        factories.milestone(
            project, today, state="accepted", claimed_on=today, accepted_on=today, name=f"节点{n}"
        )
        row = factories.close_out(project, world["officer"], today)
        rule(world, row, "verify", "staff", today)
        numbers.append(rule(world, row, "approve", "chief", today).number)
    assert numbers == [1, 2, 3]


def test_withdrawing_before_the_verification_gives_the_project_back(
    world: dict, today: datetime.date
) -> None:
    row = factories.close_out(world["project"], world["officer"], today)
    close_outs.withdraw(close_out_id=row.pk, actor=world["officer"], at=moment(today))
    assert Project.objects.get().status == "in_progress"
    row = close_outs.submit(close_out_id=row.pk, actor=world["officer"], at=moment(today))
    rule(world, row, "verify", "staff", today)
    with pytest.raises(Refused):
        close_outs.withdraw(close_out_id=row.pk, actor=world["officer"], at=moment(today))


# -- suspend, resume, terminate, reopen ---------------------------------------------------------------


def test_a_suspended_project_is_not_overdue_and_resumed_it_is_again(
    world: dict, today: datetime.date
) -> None:
    late = factories.milestone(world["project"], today - DAY * 2)
    assert patrol(as_of=today).opened == 1
    project = change(world, "suspend", today, look_again_on=today + DAY * 30)
    assert (project.status, project.review_again_on) == ("suspended", today + DAY * 30)
    assert patrol(as_of=today).closed == 1
    assert late.episodes.get().cause == "suspended"  # type: ignore[attr-defined]
    with pytest.raises(Refused):
        factories.report(late, world["officer"], today)
    change(world, "resume", today + DAY * 5)
    assert patrol(as_of=today + DAY * 5).opened == 1
    assert late.episodes.latest("pk").opened_on == today + DAY * 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("days", [None, 0, -1, 93])
def test_a_suspension_is_looked_at_again_within_a_quarter(
    world: dict, today: datetime.date, days: int | None
) -> None:
    with pytest.raises(Refused):
        change(world, "suspend", today, look_again_on=None if days is None else today + DAY * days)
    assert Project.objects.get().status == "in_progress"


def test_every_decision_needs_a_reason_and_the_right_person(world: dict, today: datetime.date) -> None:
    for who in ("officer", "leader"):
        with pytest.raises(Refused):
            change(world, "suspend", today, who=who, look_again_on=today + DAY)
    with pytest.raises(Refused):
        change(world, "terminate", today, reason="  ")


def test_a_terminated_project_keeps_its_last_figures_and_reopening_knows_what_it_cancelled(
    world: dict, today: datetime.date
) -> None:
    open_one = factories.milestone(world["project"], today + DAY * 9, percent=20)
    refresh_lights(as_of=today)
    before = Project.objects.get().actual_percent
    project = change(world, "terminate", today)
    project.refresh_from_db()
    assert (project.actual_percent, project.planned_percent) == (before, None)
    assert cancelled_by_termination(project, Milestone.objects.all()) == {open_one.pk}


def test_terminating_cancels_what_is_open_and_waits_for_nothing(world: dict, today: datetime.date) -> None:
    open_one = factories.milestone(world["project"], today - DAY)
    factories.report(open_one, world["officer"], today)
    with pytest.raises(Refused, match="1"):
        change(world, "terminate", today)
    from projects.services import reports

    reports.withdraw(report_id=open_one.reports.get().pk, actor=world["officer"], at=moment(today))  # type: ignore[attr-defined]
    assert change(world, "terminate", today).status == "terminated"
    open_one.refresh_from_db()
    assert (open_one.state, open_one.comment) == ("cancelled", "征地未完成")
    world["milestone"].refresh_from_db()
    assert world["milestone"].state == "accepted"


def test_reopening_brings_chosen_milestones_back_from_their_original_dates(
    world: dict, today: datetime.date
) -> None:
    row = factories.close_out(world["project"], world["officer"], today)
    rule(world, row, "verify", "staff", today)
    rule(world, row, "approve", "chief", today)
    with pytest.raises(Refused):
        change(world, "reopen", today, reason=" ")
    change(world, "reopen", today, reason="漏水返修", reopened=[world["milestone"].pk])
    project, milestone = Project.objects.get(), Milestone.objects.get()
    assert (project.status, project.status_reason) == ("in_progress", "")
    assert (milestone.state, milestone.claimed_on, milestone.accepted_on) == ("returned", None, None)
    assert patrol(as_of=today).opened == 1
    assert CloseOut.objects.get().state == "approved", "the first certificate stays what it was"


def test_milestones_of_another_project_are_not_reopened(world: dict, today: datetime.date) -> None:
    other = factories.project(world["project"].enterprise, world["project"].programme)
    foreign = factories.milestone(other, today, state="accepted", claimed_on=today, accepted_on=today)
    change(world, "terminate", today)
    with pytest.raises(Refused):
        change(world, "reopen", today, reopened=[foreign.pk])
    assert Project.objects.get(pk=world["project"].pk).status == "terminated"
