"""Spans: what a light was on each day and in each period; and reds that were made up."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from projects.models import LightSpan, Milestone, Programme, Project
from projects.periods import Period, period_of
from projects.services.light_history import by_day, by_period, last_periods, red_days_in_a_row
from projects.services.lights import follow_patrol, refresh_lights
from tests import factories

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
JUNE_1 = datetime.date(2026, 6, 1)
Span = tuple[str, str, datetime.date, datetime.date | None]


@pytest.fixture
def project() -> Project:
    """Under way, with one milestone that is due on 30 May 2026: red from June on until it is made up."""
    made = factories.project(factories.sasac(), factories.programme(red_gap=30))
    factories.milestone(made, JUNE_1 - DAY * 2, percent=100)
    return made


def _spans(project: Project) -> list[Span]:
    rows = LightSpan.objects.filter(project=project).order_by("pk")
    return [(row.light, row.reason["rule"], row.from_on, row.until_on) for row in rows]


def _make_up(on: datetime.date) -> None:
    Milestone.objects.update(state="submitted", claimed_on=on)


def _reopen() -> None:
    Milestone.objects.update(state="in_progress", claimed_on=None)


def _light(project: Project) -> tuple[str, str]:
    project.refresh_from_db()
    return project.light, project.light_reason["rule"]


def test_a_span_goes_on_while_light_and_rule_stay(project: Project) -> None:
    for n in range(3):
        refresh_lights(as_of=JUNE_1 + DAY * n)
    assert _spans(project) == [("red", "overdue", JUNE_1, None)]


def test_a_light_that_changes_within_a_day_leaves_a_span_of_no_days(project: Project) -> None:
    refresh_lights(as_of=JUNE_1)
    _make_up(JUNE_1)
    refresh_lights(as_of=JUNE_1)
    assert _spans(project) == [
        ("red", "overdue", JUNE_1, JUNE_1),
        ("yellow", "made_up", JUNE_1, None),
    ]
    day = by_day(project, JUNE_1, JUNE_1)[0]
    assert (day.light, day.was_red) == ("yellow", True)


def test_there_and_back_on_one_day_is_red_all_day(project: Project) -> None:
    refresh_lights(as_of=JUNE_1)
    for change in (lambda: _make_up(JUNE_1 + DAY), _reopen):
        change()
        refresh_lights(as_of=JUNE_1 + DAY)
    assert [span[0] for span in _spans(project)] == ["red", "yellow", "red"]
    assert [day.light for day in by_day(project, JUNE_1, JUNE_1 + DAY)] == ["red", "red"]
    assert red_days_in_a_row([project.pk], JUNE_1 + DAY) == {project.pk: 2}


def test_a_past_day_repaints_nothing_in_the_history(project: Project) -> None:
    refresh_lights(as_of=JUNE_1)
    _make_up(JUNE_1)
    refresh_lights(as_of=JUNE_1 + DAY)
    before = _spans(project)
    refresh_lights(as_of=JUNE_1 - DAY * 5)
    assert _spans(project) == before
    refresh_lights(as_of=JUNE_1 + DAY)
    assert _spans(project) == before


def test_other_thresholds_begin_a_span_even_where_the_light_stays(project: Project) -> None:
    follow_patrol(run_ids=[], as_of=JUNE_1)
    Programme.objects.update(warning_days=9, policy_since=JUNE_1 + DAY, policy_reason="试行")
    follow_patrol(run_ids=[], as_of=JUNE_1 + DAY)
    numbers = LightSpan.objects.order_by("pk").values_list("policy_number", "until_on")
    assert list(numbers) == [(1, JUNE_1 + DAY), (2, None)]


def test_a_policy_that_was_refreshed_for_one_project_reaches_the_others_too(project: Project) -> None:
    other = factories.project(project.enterprise, project.programme)
    follow_patrol(run_ids=[], as_of=JUNE_1)
    Programme.objects.update(warning_days=9, policy_since=JUNE_1 + DAY, policy_reason="试行")
    refresh_lights(as_of=JUNE_1 + DAY, project_ids=[project.pk])
    assert LightSpan.objects.get(project=other, until_on=None).policy_number == 1
    follow_patrol(run_ids=[], as_of=JUNE_1 + DAY)
    assert LightSpan.objects.get(project=other, until_on=None).policy_number == 2


def test_a_made_up_red_is_yellow_until_the_period_ends_and_green_on_the_next_day(project: Project) -> None:
    refresh_lights(as_of=JUNE_1 + DAY * 2)
    _make_up(JUNE_1 + DAY * 3)
    refresh_lights(as_of=JUNE_1 + DAY * 3)
    assert _light(project) == ("yellow", "made_up")
    for n in (10, 29):
        refresh_lights(as_of=JUNE_1 + DAY * n)
        assert _light(project) == ("yellow", "made_up")
    refresh_lights(as_of=JUNE_1 + DAY * 30)
    assert _light(project) == ("green", "on_plan")
    assert [span[:2] for span in _spans(project)] == [
        ("red", "overdue"), ("yellow", "made_up"), ("green", "on_plan"),
    ]  # fmt: skip


def test_the_day_that_is_told_is_the_last_one_on_which_it_showed_red(project: Project) -> None:
    for n in range(4):
        follow_patrol(run_ids=[], as_of=JUNE_1 + DAY * n)
    _make_up(JUNE_1 + DAY * 3)
    refresh_lights(as_of=JUNE_1 + DAY * 3, project_ids=[project.pk])
    project.refresh_from_db()
    # Judged on the 4th, after midnight, before it was made up that day.
    assert project.light_reason == {"rule": "made_up", "on": "2026-06-04"}
    assert project.last_red_on == JUNE_1 + DAY * 3


def test_a_red_of_the_period_before_does_not_fade_into_this_one(project: Project) -> None:
    follow_patrol(run_ids=[], as_of=JUNE_1 + DAY * 29)
    _make_up(JUNE_1 + DAY * 30)
    refresh_lights(as_of=JUNE_1 + DAY * 30)  # 1 July, before the patrol judged anything that day
    assert _light(project) == ("green", "on_plan")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "made_up"),
        ({"red_fades": False}, "on_plan"),
        ({"reporting_cycle": "week"}, "on_plan"),
    ],
)
def test_what_fades_is_the_programmes_choice(project: Project, values: Any, expected: str) -> None:
    refresh_lights(as_of=JUNE_1)
    _make_up(JUNE_1)
    refresh_lights(as_of=JUNE_1)
    Programme.objects.update(**values, policy_since=JUNE_1 - DAY * 9)
    refresh_lights(as_of=JUNE_1 + DAY * 7)
    assert _light(project)[1] == expected


def test_a_red_under_older_thresholds_is_not_held_against_anyone(project: Project) -> None:
    refresh_lights(as_of=JUNE_1)
    Programme.objects.update(red_gap=40, policy_since=JUNE_1, policy_reason="放宽")
    _make_up(JUNE_1)
    refresh_lights(as_of=JUNE_1)
    assert _light(project) == ("green", "on_plan")


def test_periods_tell_the_worst_light_the_last_one_and_the_days_with_red(project: Project) -> None:
    refresh_lights(as_of=JUNE_1 + DAY * 27)
    _make_up(JUNE_1 + DAY * 29)
    refresh_lights(as_of=JUNE_1 + DAY * 29)
    refresh_lights(as_of=JUNE_1 + DAY * 30)
    as_of = JUNE_1 + DAY * 33
    june, july = last_periods(as_of, "month", 2)
    rows = by_period(project, [june, july], as_of)
    assert [(row.worst, row.at_end, row.red_days) for row in rows] == [
        ("red", "yellow", 2), ("green", "green", 0),
    ]  # fmt: skip
    assert by_period(project, [], as_of) == []
    assert rows[1].period == Period(datetime.date(2026, 7, 1), datetime.date(2026, 7, 31))
    assert last_periods(as_of, "week", 3)[0] == period_of(as_of - DAY * 14, "week")


def test_days_before_anything_was_judged_have_no_light(project: Project) -> None:
    refresh_lights(as_of=JUNE_1)
    days = by_day(project, JUNE_1 - DAY * 2, JUNE_1 + DAY)
    assert [day.light for day in days] == ["", "", "red", "red"]


def test_red_days_in_a_row_begin_after_the_last_other_light(project: Project) -> None:
    quiet = factories.project(project.enterprise, project.programme)
    refresh_lights(as_of=JUNE_1)
    _make_up(JUNE_1 + DAY * 2)
    refresh_lights(as_of=JUNE_1 + DAY * 2)
    ids = [project.pk, quiet.pk]
    assert red_days_in_a_row(ids, JUNE_1 + DAY) == {project.pk: 2, quiet.pk: 0}
    assert red_days_in_a_row(ids, JUNE_1 + DAY * 2)[project.pk] == 0
    _reopen()
    refresh_lights(as_of=JUNE_1 + DAY * 5)
    assert red_days_in_a_row(ids, JUNE_1 + DAY * 6) == {project.pk: 2, quiet.pk: 0}
