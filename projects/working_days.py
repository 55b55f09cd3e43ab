"""Working days by the State Council's calendar (product rules 3.10). Pure: no clock, no database.

Overdue itself never depends on working days; how long a reviewer took, reminders and ladders do.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class WorkingCalendar:
    """Which days are worked.

    Attributes:
        exceptions: days on which the week does not hold: True for a Saturday or Sunday that is
            worked, False for a weekday that is free.
    """

    exceptions: Mapping[datetime.date, bool] = field(default_factory=dict)

    def is_working(self, day: datetime.date) -> bool:
        return self.exceptions.get(day, day.weekday() < 5)

    def covers(self, year: int) -> bool:
        """Whether the year is known; one that is not counts Monday to Friday, and the screen says so."""
        return any(day.year == year for day in self.exceptions)

    def days_between(self, start: datetime.date, end: datetime.date) -> int:
        """Working days after `start` up to and including `end`; 0 when `end` is not later.

        Handed in on Friday and looked at on Monday is one working day.
        """
        if end <= start:
            return 0
        # Whole weeks hold five; the rest is walked, and the exceptions in between put it right.
        days = (end - start).days
        weeks, rest = divmod(days, 7)
        count = weeks * 5 + sum((end - DAY * n).weekday() < 5 for n in range(rest))
        for day, working in self.exceptions.items():
            if start < day <= end:
                count += int(working) - int(day.weekday() < 5)
        return count

    def before(self, day: datetime.date, count: int) -> datetime.date:
        """The latest day from which `days_between` to `day` is more than `count`.

        A submission of that day or an earlier one has waited longer than `count` working days.
        """
        at = day
        while self.days_between(at, day) <= count:
            at -= DAY
        return at

    def after(self, day: datetime.date, count: int) -> datetime.date:
        """The `count`-th working day after `day`; `count` of 1 or more."""
        at = day
        while count:
            at += DAY
            count -= self.is_working(at)
        return at

    def last_within(self, day: datetime.date, count: int) -> datetime.date:
        """The latest day to which no more than `count` working days lie from `day`."""
        at = day
        while self.days_between(day, at + DAY) <= count:
            at += DAY
        return at

    def first_within(self, day: datetime.date, count: int) -> datetime.date:
        """The earliest day from which no more than `count` working days lie to `day`."""
        at = day
        while self.days_between(at - DAY, day) <= count:
            at -= DAY
        return at
