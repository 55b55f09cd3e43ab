"""Entering holidays and make-up days: several at once, each change in the journal."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.scoping import may
from projects.calendar_sheet import SheetDay
from projects.models import CalendarDay
from projects.services.refusals import Refused


def may_keep(user: User) -> bool:
    """Whether `user` may change the calendar: it holds for all, so from the top of a tree only."""
    return may(user, "change", CalendarDay())


@dataclass(frozen=True)
class CalendarPlan:
    """What taking over a sheet would do to the table.

    Attributes:
        new: days that the table does not have; `changed`: (day as it stands, day of the sheet).
        same: how many stand already as the sheet has them.
        missing: days of the sheet's years that stand in the table and not in the sheet.
    """

    new: list[SheetDay]
    changed: list[tuple[CalendarDay, SheetDay]]
    same: int
    missing: list[CalendarDay]

    @property
    def years(self) -> list[int]:
        given = [day.day for day in self.new] + [day.day for _old, day in self.changed]
        return sorted({day.year for day in (*given, *(row.day for row in self.missing))})


def plan(days: Sequence[SheetDay]) -> CalendarPlan:
    """Compare the days of a sheet with the table; nothing is written."""
    years = {day.day.year for day in days}
    standing = {row.day: row for row in CalendarDay.objects.filter(day__year__in=years)}
    new, changed, same = [], [], 0
    for day in days:
        row = standing.pop(day.day, None)
        if row is None:
            new.append(day)
        elif (row.is_working, row.name) != (day.is_working, day.name or row.name):
            changed.append((row, day))
        else:
            same += 1
    return CalendarPlan(new, changed, same, sorted(standing.values(), key=lambda row: row.day))


@transaction.atomic
def take_over(*, days: Sequence[SheetDay], drop_missing: bool, source: str, actor: User) -> CalendarPlan:
    """Write the days of a sheet into the calendar.

    Args:
        drop_missing: also remove what the table has in these years and the sheet has not.
        source: kept with each day that is written.

    Returns:
        What was done.

    Raises:
        Refused: not permitted; nothing was changed.
    """
    if not may_keep(actor):
        raise Refused(_("Your role does not include this step."))
    # Two who import at once: the second compares with what the first has written.
    list(
        CalendarDay.objects.select_for_update()
        .filter(day__year__in={d.day.year for d in days})
        .order_by("pk")
    )
    todo = plan(days)
    for row, day in todo.changed:
        row.is_working, row.name, row.source = day.is_working, day.name or row.name, source
        row.save(update_fields=["is_working", "name", "source"])
    CalendarDay.objects.bulk_create(
        (CalendarDay(day=d.day, is_working=d.is_working, name=d.name, source=source) for d in todo.new),
        update_conflicts=True,
        unique_fields=["day"],
        update_fields=["is_working", "name", "source"],
    )
    if drop_missing:
        for row in todo.missing:
            row.delete()
    return todo


def years_known() -> list[int]:
    """Years of which at least one holiday is known, ascending."""
    return [found.year for found in CalendarDay.objects.dates("day", "year")]


def month_rows(year: int, month: int) -> list[list[datetime.date | None]]:
    """The weeks of a month from Monday to Sunday; None outside the month."""
    first = datetime.date(year, month, 1)
    at = first - datetime.timedelta(days=first.weekday())
    weeks: list[list[datetime.date | None]] = []
    while at < first or at.month == month:
        week = [at + datetime.timedelta(days=n) for n in range(7)]
        weeks.append([day if day.month == month else None for day in week])
        at += datetime.timedelta(days=7)
    return weeks
