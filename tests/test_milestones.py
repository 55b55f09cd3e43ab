"""Steps on milestones and the promises behind them."""

from __future__ import annotations

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from projects.models import Milestone, Project
from projects.services.milestones import refusal, steps_for, take_step
from projects.services.projects import approve, take_in
from projects.services.refusals import Refused
from projects.states import MilestoneState
from projects.workflow import WORKFLOW, Subject, step_of
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


def test_starting_a_milestone_begins_its_project(world: dict, today: datetime.date) -> None:
    assert step(world, "start", "officer", today).state == "in_progress"
    assert Project.objects.get().status == "in_progress"


def test_cancelling_needs_a_reason_and_nothing_that_waits(world: dict, today: datetime.date) -> None:
    with pytest.raises(Refused):
        step(world, "cancel", "staff", today, comment="  ")
    factories.report(world["milestone"], world["officer"], today)
    with pytest.raises(Refused, match="待"):
        step(world, "cancel", "staff", today, comment="并入他项")
    assert Milestone.objects.get().state == "in_progress"


@pytest.mark.parametrize("state", MilestoneState.values)
@pytest.mark.parametrize("who", ["officer", "staff", "leader", "outsider"])
def test_buttons_and_checks_agree_for_every_state_and_role(
    world: dict, today: datetime.date, state: str, who: str
) -> None:
    Milestone.objects.update(state=state, claimed_on=today, accepted_on=today, submitted_by=None)
    milestone = Milestone.objects.get()
    offered = {s.action for s in steps_for(milestone, world[who], today)}
    allowed = {"officer": {"start"}, "staff": {"cancel"}}.get(who, set())
    table = WORKFLOW[Subject.MILESTONE]
    assert offered == {t.action for t in table if state in t.from_states} & allowed
    for transition in table:
        if transition.action not in offered:
            with pytest.raises(Refused):
                step(world, transition.action, who, today, comment="x")
            assert Milestone.objects.get().state == state


def test_milestones_of_an_archived_programme_are_history(world: dict, today: datetime.date) -> None:
    programme = world["milestone"].project.programme
    programme.archived_on = today
    programme.save()
    start = step_of(Subject.MILESTONE, "start")
    assert "已归档" in refusal(Milestone.objects.get(), start, world["officer"], today)


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
