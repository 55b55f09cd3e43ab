"""Steps on milestones and the promises behind them."""

from __future__ import annotations

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from projects.models import Milestone, Project
from projects.services.milestones import refusal, report_percent, steps_for, take_step
from projects.services.projects import approve, take_in
from projects.services.refusals import Refused
from projects.states import MilestoneState
from projects.workflow import TRANSITIONS
from tests import factories

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def world(today: datetime.date) -> dict:
    root = factories.sasac()
    group = factories.enterprise(parent=root)
    project = factories.project(group, factories.programme(root), status="not_started")
    return {
        "milestone": factories.milestone(project, today, state="not_started"),
        "officer": factories.user("officer", group),
        "staff": factories.user("staff", root),
        "leader": factories.user("leader", root),
        "outsider": factories.user("officer", factories.enterprise("别的集团", parent=root)),
    }


def step(world: dict, action: str, who: str, as_of: datetime.date, **values: object) -> Milestone:
    return take_step(
        milestone_id=world["milestone"].pk,
        action=action,
        actor=world[who],
        as_of=as_of,
        **values,  # type: ignore[arg-type]
    )


def test_the_way_from_start_to_acceptance_and_what_it_leaves(world: dict, today: datetime.date) -> None:
    step(world, "start", "officer", today)
    assert Project.objects.get().status == "in_progress"
    step(world, "submit", "officer", today, claimed_on=today - DAY)
    with pytest.raises(Refused):
        step(world, "return", "staff", today, comment="  ")
    step(world, "return", "staff", today, comment="缺照片")
    step(world, "submit", "officer", today + DAY * 3, claimed_on=today + DAY * 2)
    done = step(world, "accept", "staff", today + DAY * 4)
    assert (done.state, done.accepted_on, done.days_late) == ("accepted", today + DAY * 4, 2)


@pytest.mark.parametrize("state", MilestoneState.values)
@pytest.mark.parametrize("who", ["officer", "staff", "leader", "outsider"])
def test_buttons_and_checks_agree_for_every_state_and_role(
    world: dict, today: datetime.date, state: str, who: str
) -> None:
    Milestone.objects.update(state=state, claimed_on=today, accepted_on=today, submitted_by=None)
    milestone = Milestone.objects.get()
    offered = {s.action for s in steps_for(milestone, world[who], today)}
    allowed = {
        "officer": {"start", "submit", "withdraw"},
        "staff": {"accept", "return", "cancel"},
    }.get(who, set())
    assert offered == {t.action for t in TRANSITIONS if state in t.from_states} & allowed
    for transition in TRANSITIONS:
        if transition.action not in offered:
            with pytest.raises(Refused):
                step(world, transition.action, who, today, comment="x")
            assert Milestone.objects.get().state == state


def test_nobody_reviews_a_claim_of_their_own(world: dict, today: datetime.date) -> None:
    Milestone.objects.update(state="submitted", claimed_on=today, submitted_by=world["staff"])
    with pytest.raises(Refused, match="本人"):
        step(world, "accept", "staff", today)


def test_a_completion_in_the_future_is_refused(world: dict, today: datetime.date) -> None:
    step(world, "start", "officer", today)
    with pytest.raises(Refused, match="不能晚于今天"):
        step(world, "submit", "officer", today, claimed_on=today + DAY)


def test_milestones_of_an_archived_programme_are_history(world: dict, today: datetime.date) -> None:
    programme = world["milestone"].project.programme
    programme.archived_on = today
    programme.save()
    milestone = Milestone.objects.get()
    assert "已归档" in refusal(milestone, TRANSITIONS[0], world["officer"], today)


@pytest.mark.parametrize("percent", [-1, 101])
def test_progress_outside_0_to_100_is_refused(world: dict, today: datetime.date, percent: int) -> None:
    with pytest.raises(Refused):
        report_percent(
            milestone_id=world["milestone"].pk, percent=percent, actor=world["officer"], as_of=today
        )


def test_reporting_progress_begins_the_work(world: dict, today: datetime.date) -> None:
    found = report_percent(
        milestone_id=world["milestone"].pk, percent=30, actor=world["officer"], as_of=today
    )
    assert (found.state, found.percent) == ("in_progress", 30)
    with pytest.raises(Refused):
        report_percent(milestone_id=world["milestone"].pk, percent=40, actor=world["outsider"], as_of=today)


def test_the_first_promise_never_moves_after_approval_by_any_road(world: dict, today: datetime.date) -> None:
    milestone = world["milestone"]
    milestone.due_on = today + DAY
    milestone.save()
    milestone.refresh_from_db()
    assert milestone.baseline_due_on == today + DAY, "before approval the promise is still being made"
    approve(project_id=milestone.project_id, actor=world["staff"], as_of=today)
    with pytest.raises(IntegrityError, match="never moves"), transaction.atomic():
        Milestone.objects.filter(pk=milestone.pk).update(baseline_due_on=today)
    Milestone.objects.filter(pk=milestone.pk).update(due_on=today + DAY * 30)
    milestone.refresh_from_db()
    assert milestone.baseline_due_on == today + DAY


def test_taking_in_twice_changes_nothing_and_a_dated_project_gets_its_completion(
    today: datetime.date,
) -> None:
    root = factories.sasac()
    programme = factories.programme(root)
    facts = {"programme": programme, "code": "K1", "name": "水管", "enterprise": root, "due_on": today}
    first, made = take_in(**facts)
    again, made_again = take_in(**{**facts, "name": "改了"})
    assert made
    assert not made_again
    assert again.name == "水管"
    assert first.milestones.get().due_on == today
    blank, _made = take_in(programme=programme, code="K2", name="电", enterprise=root)
    assert not blank.milestones.exists(), "no date was published: no promise is made up"


def test_due_before_start_is_refused_by_form_and_database(world: dict, today: datetime.date) -> None:
    milestone = world["milestone"]
    milestone.starts_on = today + DAY
    with pytest.raises(ValidationError, match="不得早于开始日期"):
        milestone.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        Milestone.objects.update(starts_on=today + DAY)
