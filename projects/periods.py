"""Reporting periods (周 / 半月 / 月 / 季度): which days belong together. Pure: no clock, no database."""

from __future__ import annotations

import calendar
import datetime
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

DAY = datetime.timedelta(days=1)


class Cycle(models.TextChoices):
    """How often a programme is reported on; a red that was made up fades until such a period ends."""

    WEEK = "week", _("weekly")
    HALF_MONTH = "half_month", _("half-monthly")
    MONTH = "month", _("monthly")
    QUARTER = "quarter", _("quarterly")


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both inclusive."""

    first: datetime.date
    last: datetime.date


def period_of(day: datetime.date, cycle: str) -> Period:
    """The period in which `day` lies.

    Args:
        day: a day in Asia/Shanghai.
        cycle: one of `Cycle`. A week begins on Monday; half months are the 1st to the 15th and the rest.

    Raises:
        ValueError: no such cycle.
    """
    if cycle == Cycle.WEEK:
        first = day - DAY * day.weekday()
        return Period(first, first + DAY * 6)
    if cycle == Cycle.HALF_MONTH:
        if day.day <= 15:
            return Period(day.replace(day=1), day.replace(day=15))
        return Period(day.replace(day=16), _last_of_month(day))
    if cycle == Cycle.MONTH:
        return Period(day.replace(day=1), _last_of_month(day))
    if cycle == Cycle.QUARTER:
        month = 3 * ((day.month - 1) // 3) + 1
        return Period(day.replace(month=month, day=1), _last_of_month(day.replace(month=month + 2, day=1)))
    raise ValueError(f"no such cycle: {cycle!r}")


def _last_of_month(day: datetime.date) -> datetime.date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
