"""Planned progress is kept as a line: it says for each of its days what the plan adds up to, and nothing is written."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.demo.history import load_history
from projects.models import DailyTally, Milestone, Project, Tally
from projects.planned_progress import PlannedStep, Stretch, progress, stretch, whole
from projects.services.light_facts import planned_step
from projects.services.lights import follow_patrol, refresh_lights
from projects.services.planned_sql import planned_percent
from projects.services.tallying import keep_tallies
from projects.states import MilestoneState
from projects.tallies import Counts
from tests import factories
from tests.tallies.recount import recount
from tests.test_light_rules import projects_of_every_kind

DAY = datetime.timedelta(days=1)
D = datetime.date(2026, 6, 1)

days = st.integers(-40, 40).map(lambda n: D + DAY * n)


@st.composite
def steps(draw: st.DrawFn) -> PlannedStep:
    start = draw(st.none() | days)
    due = draw(st.none() | (days if start is None else st.integers(0, 60).map(lambda n: start + DAY * n)))
    percent = draw(st.integers(0, 100))
    accepted = draw(st.booleans())
    return PlannedStep(draw(st.integers(1, 60)), start, due, percent, accepted, draw(st.booleans()))


plans = st.lists(steps(), max_size=5)


@given(plans)
def test_a_line_says_for_each_of_its_days_what_the_plan_adds_up_to(plan: list[PlannedStep]) -> None:
    line = stretch(plan, D)
    if line is None:
        assert progress(plan, D)[0] is None
        return
    assert line.until_on is None or line.until_on >= D
    last = min(line.until_on or datetime.date.max, D + DAY * 120)
    for n in range((last - D).days + 1):
        assert line.on(D + DAY * n) == pytest.approx(progress(plan, D + DAY * n)[0])


def test_control_a_line_drawn_beyond_its_bend_says_something_else() -> None:
    plan = [PlannedStep(1, D, D + DAY * 9, 0, accepted=False), PlannedStep(1, None, D + DAY * 20, 0, False)]
    line = stretch(plan, D)
    assert line == Stretch(D, pytest.approx(5), pytest.approx(5), D + DAY * 9)
    longer = Stretch(line.from_on, line.percent, line.daily, None)
    assert longer.on(D + DAY * 10) != pytest.approx(progress(plan, D + DAY * 10)[0])
    # Read outside its days, the nearest end answers: a percent that is a day old, never one above a hundred.
    assert (line.on(D - DAY), line.on(D + DAY * 400)) == (pytest.approx(5), pytest.approx(50))


def test_halves_go_up_and_the_last_digits_of_a_float_decide_nothing() -> None:
    assert [whole(n) for n in (0, 12.49, 12.5, 13.5, 12.5 - 1e-12, 12.5 + 1e-12, 99.5)] == [
        *(0, 12, 13, 14, 13, 13, 100)
    ]


def plan_of(project: Project) -> list[PlannedStep]:
    rows = Milestone.objects.filter(project=project).exclude(state=MilestoneState.CANCELLED)
    return [planned_step(row) for row in rows]


def shown_by_lists() -> dict[int, int | None]:
    return dict(Project.objects.annotate(planned=planned_percent()).values_list("pk", "planned"))


@pytest.mark.django_db
def test_the_database_draws_the_lines_that_python_draws(today: datetime.date) -> None:
    projects_of_every_kind(today)
    refresh_lights(as_of=today)
    bent = 0
    for project in Project.objects.all():
        line = stretch(plan_of(project), today)
        stored = (project.planned_from, project.planned_start, project.planned_daily, project.planned_until)
        if line is None:
            assert stored == (None,) * 4
        else:
            assert stored == (today, pytest.approx(line.percent), pytest.approx(line.daily), line.until_on)
            bent += line.until_on is not None
    assert bent > 20


@pytest.mark.django_db
def test_day_after_day_every_reader_sees_the_percent_of_the_day(today: datetime.date) -> None:
    projects_of_every_kind(today)
    follow_patrol(run_ids=[], as_of=today)
    seen, written = set(), 0
    for n in range(1, 45):
        day = today + DAY * n
        written += follow_patrol(run_ids=[], as_of=day)
        listed = shown_by_lists()
        for project in Project.objects.select_related("programme"):
            exact = progress(plan_of(project), day)[0]
            expected = None if exact is None else whole(exact)
            assert (project.planned_percent, listed[project.pk]) == (expected, expected), (project.pk, day)
            seen.add((project.pk, expected))
    # More percents were shown than rows written, lights that changed and waiting extensions included.
    assert len(seen) > written > 0


@pytest.mark.django_db
def test_a_plan_that_goes_straight_on_is_not_written(today: datetime.date) -> None:
    project = factories.project(factories.sasac(), due_on=None)
    factories.milestone(
        project, today + DAY * 60, starts_on=today - DAY * 39, percent=80, state="in_progress"
    )
    assert follow_patrol(run_ids=[], as_of=today) == 1
    percents = []
    for n in range(1, 6):
        assert follow_patrol(run_ids=[], as_of=today + DAY * n) == 0
        percents.append(Project.objects.select_related("programme").get().reason["planned"])
    assert percents == [41, 42, 43, 44, 45]
    # A plan that was changed behind the portal's back is drawn anew, though its line had not ended.
    Milestone.objects.update(starts_on=today + DAY * 6)
    assert follow_patrol(run_ids=[], as_of=today + DAY * 6) == 1
    assert Project.objects.select_related("programme").get().planned_percent == 2


@pytest.mark.django_db
def test_tallies_that_were_counted_before_the_lights_of_the_day_are_counted_again(
    today: datetime.date,
) -> None:
    programme = projects_of_every_kind(today)
    follow_patrol(run_ids=[], as_of=today)
    keep_tallies(as_of=today)
    tomorrow = today + DAY
    keep_tallies(as_of=tomorrow)  # the lights were late
    follow_patrol(run_ids=[], as_of=tomorrow)
    keep_tallies(as_of=tomorrow)
    programme.refresh_from_db()
    rows = Tally.objects.filter(programme=programme, enterprise=programme.owner, whole=True)
    kept = sum((row.counts for row in rows), Counts())
    assert kept == sum(recount(programme, tomorrow)[programme.owner_id].values(), Counts())
    assert kept.planned > 0


@pytest.mark.django_db
def test_the_past_of_a_demonstration_has_the_plan_of_each_of_its_days(today: datetime.date) -> None:
    programme = projects_of_every_kind(today)
    load_history(programme=programme, today=today)
    kept = DailyTally.objects.filter(programme=programme, enterprise=programme.owner)
    assert kept.count() > 10
    for row in kept:
        exact = [progress(plan_of(project), row.day)[0] for project in Project.objects.all()]
        assert row.counts.planned == sum(whole(percent) for percent in exact if percent is not None), row.day
