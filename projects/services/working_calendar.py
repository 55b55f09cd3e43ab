"""The working calendar as the rules want it, read from its table."""

from __future__ import annotations

from projects.models import CalendarDay
from projects.working_days import WorkingCalendar


def working_calendar() -> WorkingCalendar:
    """The calendar of all years known: some thirty rows a year, one query."""
    return WorkingCalendar(dict(CalendarDay.objects.values_list("day", "is_working")))
