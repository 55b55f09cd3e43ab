"""Planned progress and lights: the rules, and that SQL adds up what Python adds up."""

from __future__ import annotations

import datetime
import random

import pytest
from django.db import connection

from projects.lights import (
    Light,
    LightPolicy,
    ProjectFacts,
    judge,
    reason_text,
)
from projects.models import Milestone, Project, SetAside
from projects.planned_progress import PlannedStep, planned_share, progress, whole
from projects.services.lights import follow_patrol, refresh_lights
from projects.services.patrol import patrol
from projects.states import MilestoneState
from tests import factories

DAY = datetime.timedelta(days=1)
POLICY = LightPolicy()
D = datetime.date(2026, 6, 1)


@pytest.mark.parametrize(
    ("facts", "light", "rule"),
    [
        ({"status": "closed_out", "overdue": 3}, Light.BLUE, "closed_out"),
        ({"status": "suspended", "overdue": 3}, Light.GREY, "suspended"),
        ({"overdue": 1, "worst_on": D}, Light.RED, "overdue"),
        ({"missed_on": D}, Light.RED, "project_overdue"),
        ({"planned": 62, "actual": 25}, Light.RED, "behind"),
        ({"planned": 61, "actual": 31}, Light.YELLOW, "behind"),
        ({"planned": 61, "actual": 30, "due_soon": 1}, Light.RED, "behind"),
        ({"planned": 20, "actual": 10}, Light.YELLOW, "behind"),
        ({"planned": 20, "actual": 11}, Light.GREEN, "on_plan"),
        ({"planned": 20, "actual": 20, "due_soon": 2, "next_on": D}, Light.YELLOW, "due_soon"),
        ({"status": "not_started", "started": False}, Light.GREY, "not_started"),
        ({"status": "not_started", "started": False, "due_soon": 1, "next_on": D}, Light.YELLOW, "due_soon"),
        ({"planned": None, "actual": 40}, Light.GREEN, "no_date"),
        ({"planned": 10, "actual": 90, "red_on": D}, Light.YELLOW, "made_up"),
        ({"status": "not_started", "started": False, "red_on": D}, Light.YELLOW, "made_up"),
        ({"status": "closed_out", "red_on": D}, Light.BLUE, "closed_out"),
        ({"status": "suspended", "red_on": D}, Light.GREY, "suspended"),
        ({"planned": 10, "actual": 90}, Light.GREEN, "on_plan"),
    ],
)
def test_the_worst_rule_that_fits_decides(facts: dict, light: Light, rule: str) -> None:
    facts = {"status": "in_progress", "started": True, **facts}
    found, reason = judge(ProjectFacts(**facts), POLICY)
    assert (found, reason["rule"]) == (light, rule)
    assert reason_text(reason)
    assert reason_text(reason, D + DAY * 3)


def test_a_reason_reads_as_the_rule_book_writes_it() -> None:
    from django.utils import translation

    _light, reason = judge(ProjectFacts("in_progress", planned=62, actual=25, started=True), POLICY)
    with translation.override("zh-hans"):
        assert reason_text(reason) == "序时 62%，实际 25%，落后 37 个百分点"


def test_the_plan_is_linear_from_the_first_day_to_the_last(today: datetime.date) -> None:
    step = PlannedStep(1, today, today + DAY * 9, 0, accepted=False)
    assert [planned_share(step, today + DAY * n) for n in (-1, 0, 4, 9, 10)] == pytest.approx(
        [0, 0.1, 0.5, 1, 1]
    )
    no_start = PlannedStep(1, None, today, 0, accepted=False)
    assert [planned_share(no_start, today + DAY * n) for n in (-1, 0, 1)] == [0, 1, 1]


def test_steps_without_a_date_count_in_what_was_done_only(today: datetime.date) -> None:
    standing = PlannedStep(50, None, None, 40, accepted=False)
    assert progress([standing], today) == (None, 40)
    assert progress([], today) == (None, 0.0)
    dated = PlannedStep(50, today - DAY * 9, today, 0, accepted=True)
    assert progress([standing, dated], today) == pytest.approx((50, 70))


@pytest.mark.django_db
def test_sql_adds_up_what_python_adds_up(today: datetime.date) -> None:
    chance = random.Random(7)
    root = factories.sasac()
    programme = factories.programme(root)
    for _project in range(40):
        project = factories.project(root, programme, due_on=None)
        for _step in range(chance.randrange(0, 6)):
            start = chance.choice([None, today + DAY * chance.randrange(-60, 20)])
            due = chance.choice([None, (start or today) + DAY * chance.randrange(0, 50)])
            state = chance.choice(MilestoneState.values)
            factories.milestone(
                project, due, starts_on=start, state=state, weight=chance.randrange(1, 60),
                percent=chance.randrange(0, 101), claimed_on=today, accepted_on=today,
            )  # fmt: skip
    refresh_lights(as_of=today)
    for project in Project.objects.select_related("programme").prefetch_related("milestones"):
        steps = [
            PlannedStep(m.weight, m.starts_on, m.due_on, m.percent, m.state == "accepted")
            for m in project.milestones.all()
            if m.state != "cancelled"
        ]
        planned, actual = progress(steps, today)
        assert project.actual_percent == whole(actual)
        if planned is None:
            assert project.planned_percent is None
        else:
            assert project.planned_percent is not None
            assert project.planned_percent == whole(planned)
        assert project.light
        assert (project.light == "red") >= Milestone.objects.overdue(today).filter(project=project).exists()


@pytest.mark.django_db
def test_lights_are_written_only_where_they_changed(today: datetime.date) -> None:
    project = factories.project(factories.sasac())
    factories.milestone(project, today + DAY * 100)
    assert refresh_lights(as_of=today) == 1
    assert refresh_lights(as_of=today) == 0
    Milestone.objects.update(due_on=today - DAY)
    assert refresh_lights(as_of=today, project_ids=[project.pk]) == 1
    project.refresh_from_db()
    assert project.light == "red"


@pytest.mark.django_db
def test_after_a_patrol_all_lights_once_a_day_and_then_only_what_it_touched(today: datetime.date) -> None:
    programme = factories.programme(factories.sasac())
    quiet, late = (factories.project(programme.owner, programme) for _n in range(2))
    factories.milestone(quiet, today + DAY * 50)
    result = patrol(as_of=today)
    assert follow_patrol(run_ids=[result.run_id], as_of=today) == 2
    # A change behind the portal's back waits for the next day; what the patrol opened does not.
    Project.objects.filter(pk=quiet.pk).update(light="red")
    factories.milestone(late, today - DAY)
    result = patrol(as_of=today)
    assert follow_patrol(run_ids=[result.run_id], as_of=today) == 1
    late.refresh_from_db()
    assert late.light == "red"
    idle = patrol(as_of=today)
    assert follow_patrol(run_ids=[idle.run_id], as_of=today) == 0
    assert follow_patrol(run_ids=[], as_of=today) == 0
    # Only what reads differently is written: being late by one day more is no change of what is stored.
    assert follow_patrol(run_ids=[], as_of=today + DAY) == 1


@pytest.mark.django_db
def test_a_project_that_cannot_be_judged_is_set_aside_and_the_others_get_their_light(
    today: datetime.date,
) -> None:
    programme = factories.programme(factories.sasac())
    projects = [factories.project(programme.owner, programme) for _n in range(9)]
    for project in projects:
        factories.milestone(project, today - DAY)
    poison = projects[4]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.id = {poison.pk} THEN RAISE EXCEPTION 'poisoned'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER poison BEFORE UPDATE ON projects_project
                FOR EACH ROW EXECUTE FUNCTION poison();
            """
        )
    assert refresh_lights(as_of=today) == 8
    poison.refresh_from_db()
    assert poison.light == ""
    assert "poisoned" in SetAside.objects.get(milestone__project=poison).error
