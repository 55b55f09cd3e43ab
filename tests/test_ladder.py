"""The ladder's days are working days by the State Council's calendar; its hours leave people their nights."""

from __future__ import annotations

import datetime

import pytest

from projects.ladder import DEFAULT_LADDER, Recipient, Rung, day_of, leaves_at, reached_by
from projects.services.working_calendar import working_calendar
from projects.working_days import WorkingCalendar

D = datetime.date
DAY = datetime.timedelta(days=1)


@pytest.fixture
def calendar(db: None) -> WorkingCalendar:
    return working_calendar()


@pytest.mark.parametrize(
    ("due_on", "days", "reached_on"),
    [
        # 2026-01-04 is a worked Sunday after the New Year holiday (1 to 3 January).
        ("2025-12-31", 1, "2026-01-04"),
        ("2025-12-31", 3, "2026-01-06"),
        # 02-14 and 02-28 are worked Saturdays around the Spring Festival (15 to 23 February).
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-02-14", 1, "2026-02-24"),
        ("2026-02-27", 1, "2026-02-28"),
        ("2026-05-08", 1, "2026-05-09"),
        ("2026-09-18", 1, "2026-09-20"),
        ("2026-10-09", 1, "2026-10-10"),
        ("2026-10-09", 2, "2026-10-12"),
        # Before the due date: seven and one working days.
        ("2026-10-12", -1, "2026-10-10"),
        ("2026-10-12", -7, "2026-09-24"),
        # A year that the calendar does not cover counts Monday to Friday.
        ("2027-05-07", 1, "2027-05-10"),
        ("2027-10-01", 1, "2027-10-04"),
        ("2027-03-01", -1, "2027-02-26"),
    ],
)
def test_a_rung_is_reached_on_its_working_day_and_not_before(
    calendar: WorkingCalendar, due_on: str, days: int, reached_on: str
) -> None:
    rung, due, day = Rung(days, Recipient.COORDINATOR), D.fromisoformat(due_on), D.fromisoformat(reached_on)
    assert reached_by(rung, day, calendar) >= due > reached_by(rung, day - DAY, calendar)
    if days > 0:
        assert day_of(rung, due, calendar) == day


def test_every_day_of_two_years_agrees_on_when_a_rung_is_reached(calendar: WorkingCalendar) -> None:
    """`day_of` and `reached_by` are two answers to one question; one of them 27 is not covered."""
    for rung in DEFAULT_LADDER:
        for n in range(0, 730, 3):
            due = D(2026, 1, 1) + DAY * n
            first = day_of(rung, due, calendar)
            assert reached_by(rung, first, calendar) >= due
            assert reached_by(rung, first - DAY, calendar) < due


@pytest.mark.parametrize(
    ("now", "quiet", "leaves"),
    [
        ("12:00", ("20:00", "08:00"), "10 12:00"),
        ("20:00", ("20:00", "08:00"), "11 08:00"),
        ("23:59", ("20:00", "08:00"), "11 08:00"),
        ("00:00", ("20:00", "08:00"), "10 08:00"),
        ("07:59", ("20:00", "08:00"), "10 08:00"),
        ("08:00", ("20:00", "08:00"), "10 08:00"),
        ("13:00", ("12:00", "14:00"), "10 14:00"),
        ("14:00", ("12:00", "14:00"), "10 14:00"),
        ("03:00", ("00:00", "00:00"), "10 03:00"),
    ],
)
def test_nothing_leaves_in_quiet_hours(now: str, quiet: tuple[str, str], leaves: str) -> None:
    at = datetime.datetime.combine(D(2026, 6, 10), datetime.time.fromisoformat(now))
    day, clock = leaves.split()
    expected = datetime.datetime.combine(D(2026, 6, int(day)), datetime.time.fromisoformat(clock))
    assert leaves_at(at, *(datetime.time.fromisoformat(t) for t in quiet)) == expected
