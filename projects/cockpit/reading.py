"""Puts a cockpit together: a few questions to the tallies, whatever the number of projects behind them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import Count, Max, Min, Q

from enterprises.models import Enterprise, User
from projects.cockpit.asking import Question
from projects.cockpit.links import NO_CATEGORY, Place
from projects.cockpit.red_list import RedProject, red_list, spans_on
from projects.models import Category, DailyTally, LightSpan
from projects.services.tally_reading import Day, day_of, days_of, tallies_of
from projects.tallies import Counts

WEEK = datetime.timedelta(days=7)
#: The curve shows so many days back at most, or from the beginning of the programme.
CURVE_DAYS = 366


@dataclass(frozen=True)
class Line:
    """One unit or one category side by side with the others.

    Attributes:
        unit_id: of the unit, or None for a category.
        alone: the projects that the unit above carries itself.
    """

    name: str
    counts: Counts
    place: Place | None
    unit_id: int | None = None
    alone: bool = False

    @property
    def gap(self) -> float:
        """Percentage points behind plan; below 0 when ahead."""
        if self.counts.planned_percent is None or self.counts.actual_percent is None:
            return 0.0
        return self.counts.planned_percent - self.counts.actual_percent


class Days(NamedTuple):
    """Days of which there is a snapshot: the first and the last one, and the nearest before and after the one asked for."""

    first: datetime.date | None = None
    last: datetime.date | None = None
    before: datetime.date | None = None
    after: datetime.date | None = None


NO_DAYS = Days()


@dataclass(frozen=True)
class CurvePoint:
    """Mean planned and actual progress of a day in percent, and its red projects."""

    day: datetime.date
    planned: float | None
    actual: float | None
    red: int


@dataclass
class Cockpit:
    """Everything that the page, the large screen, the bulletin and the workbook show.

    Attributes:
        counts: of the unit with everything below it, on the day that is shown.
        before: a week before, or on the day that was chosen; None where no snapshot was kept.
        before_on: the day of `before`.
        days: of which there is a snapshot.
        place: where the numbers of the whole lead; None for a day of the past, whose lists are gone.
    """

    question: Question
    counts: Counts
    place: Place | None
    before: Counts | None = None
    before_on: datetime.date | None = None
    red: list[RedProject] = field(default_factory=list)
    units: list[Line] = field(default_factory=list)
    categories: list[Line] = field(default_factory=list)
    curve: list[CurvePoint] = field(default_factory=list)
    days: Days = NO_DAYS

    def change(self, name: str) -> int | None:
        """By how much a number changed since `before`; None where that is not known."""
        return None if self.before is None else getattr(self.counts, name) - getattr(self.before, name)


def cockpit_for(user: User, question: Question) -> Cockpit | None:
    """The cockpit of a programme and a unit.

    Args:
        user: sees the unit and the programme of the question; the red list is asked of the wall once more.

    Returns:
        None for a day of the past without a snapshot.
    """
    unit, programme, on = question.unit, question.programme, question.on
    children = list(
        Enterprise.objects.filter(parent=unit).only("path", "name", "short_name").order_by("sort_key", "pk")
    )
    if question.is_past:
        by_unit = dict(day_of(programme, [unit, *children], on))
        by_category = _categories_of_the_past(question)
    else:
        tallied = tallies_of(programme, [unit, *children], on, detailed=[unit])
        by_unit = {pk: of_unit.counts for pk, of_unit in tallied.items()}
        by_category = tallied[unit.pk].by_category
    if unit.pk not in by_unit:
        return None
    counts = by_unit[unit.pk]
    found = Cockpit(question, counts, _place(question, unit), days=days_around(question))
    found.before_on = question.against or on - WEEK
    found.before = day_of(programme, [unit], found.before_on).get(unit.pk)
    found.red = red_list(user, programme, unit, on, red=counts.red, is_past=question.is_past)
    found.units = _in_order(_units(question, children, by_unit), question)
    found.categories = _categories(question, by_category)
    found.curve = _curve(question, counts)
    return found


def days_around(question: Question) -> Days:
    """The days of which there is a snapshot of the unit."""
    rows = DailyTally.objects.filter(programme=question.programme, enterprise=question.unit)
    found = rows.aggregate(
        first=Min("day"),
        last=Max("day"),
        before=Max("day", filter=Q(day__lt=question.on)),
        after=Min("day", filter=Q(day__gt=question.on)),
    )
    return Days(**found)


def _place(
    question: Question, unit: Enterprise, *, alone: bool = False, category: str | None = None
) -> Place | None:
    """Where the numbers lead: the lists are those of today, so a past day's numbers lead nowhere."""
    return None if question.is_past else Place(question.programme.pk, unit.pk, alone, category)


def _units(question: Question, children: list[Enterprise], by_unit: Mapping[int, Counts]) -> list[Line]:
    lines, below = [], Counts()
    for child in children:
        counts = by_unit.get(child.pk, Counts())
        below += counts
        if counts.projects:
            lines.append(Line(str(child), counts, _place(question, child), child.pk))
    own = by_unit[question.unit.pk] - below
    if own.projects:
        place = _place(question, question.unit, alone=True)
        lines.append(Line(str(question.unit), own, place, question.unit.pk, alone=bool(lines)))
    return lines


def _categories(question: Question, by_category: Mapping[int | None, Counts]) -> list[Line]:
    names = dict(Category.objects.filter(programme=question.programme).values_list("pk", "name"))
    order = {pk: n for n, pk in enumerate([*names, None])}
    lines = []
    for pk, counts in sorted(by_category.items(), key=lambda pair: order.get(pair[0], len(order))):
        if counts.projects:
            name = names.get(pk, "") if pk is not None else ""
            place = _place(question, question.unit, category=name or NO_CATEGORY)
            lines.append(Line(name, counts, place))
    return lines


def _in_order(lines: list[Line], question: Question) -> list[Line]:
    """Worst first, or by name; `reverse` turns it round. Without a rate comes last either way."""
    if question.order == "name":
        return lines[::-1] if question.reverse else lines

    def worst(line: Line) -> float:
        counts = line.counts
        match question.order:
            case "on_plan":
                return counts.on_plan / counts.projects
            case "on_time":
                return 101.0 if counts.on_time_rate is None else counts.on_time_rate
            case "waiting":
                return -counts.reports_waiting
            case "gap":
                return -line.gap
        return -getattr(counts, question.order)

    return sorted(lines, key=worst, reverse=question.reverse)


def _curve(question: Question, counts: Counts) -> list[CurvePoint]:
    """From the snapshots; the day that is shown is told by what is shown."""
    first = max(question.programme.starts_on, question.on - datetime.timedelta(days=CURVE_DAYS))
    rows = days_of(question.programme, question.unit, first, question.on)
    today = Day(question.on, counts.dated, counts.planned, counts.actual, counts.red)
    return [
        CurvePoint(
            row.day,
            row.planned / row.dated if row.dated else None,
            row.actual / row.dated if row.dated else None,
            row.red,
        )
        for row in [*(row for row in rows if row.day < question.on), today]
    ]


def _categories_of_the_past(question: Question) -> dict[int | None, Counts]:
    """By the history of lights, because snapshots know no categories: these lines have lights only.

    A project that has moved since, to another unit or category, is counted where it stands today; the totals of the
    page are those of the day.
    """
    found: dict[int | None, Counts] = {}
    rows = (
        LightSpan.objects.filter(
            spans_on(question.on),
            project__programme=question.programme,
            project__enterprise__path__startswith=question.unit.path,
        )
        .order_by()
        .values_list("project__category_id", "light")
        .annotate(n=Count("pk"))
    )
    for category, light, n in rows:
        found[category] = found.get(category, Counts()) + Counts(projects=n, **{light or "unjudged": n})
    return found
