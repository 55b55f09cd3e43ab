"""What a project's light was on each day and in each period, read from its spans (`LightSpan`).

The light of a day is the one that it ended with. A span that begins and ends on the same day decides no
day, but a red among them is still counted: it was there.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Max, Min, Q
from django.db.models.functions import Coalesce

from projects.lights import Light
from projects.models import LightSpan, Project
from projects.periods import DAY, Period, period_of

#: From the worst down; a day or a period without any light comes after all of them.
WORST = (Light.RED, Light.YELLOW, Light.GREEN, Light.BLUE, Light.GREY)


@dataclass(frozen=True)
class DayLight:
    """A day. `light` is "" where nothing was judged; `was_red` also for a red that ended the same day."""

    day: datetime.date
    light: str
    reason: dict[str, Any]
    was_red: bool


@dataclass(frozen=True)
class PeriodLight:
    """A period: its worst light, the one it ended with (or stands at), and its days with red."""

    period: Period
    worst: str
    at_end: str
    red_days: int


def by_day(project: Project, first: datetime.date, last: datetime.date) -> list[DayLight]:
    """The light of each day from `first` to `last`, both inclusive. The caller has found `project`."""
    spans = list(
        LightSpan.objects.filter(Q(until_on__isnull=True) | Q(until_on__gte=first), project=project)
        .filter(from_on__lte=last)
        .order_by("pk")
    )
    return [_day(spans, first + DAY * n) for n in range((last - first).days + 1)]


def _day(spans: Sequence[LightSpan], day: datetime.date) -> DayLight:
    there = [span for span in spans if _touches(span, day)]
    deciding = [span for span in there if span.until_on is None or span.until_on > day]
    at_end = deciding[-1] if deciding else None
    return DayLight(
        day,
        at_end.light if at_end else "",
        at_end.reason if at_end else {},
        any(span.light == Light.RED for span in there),
    )


def _touches(span: LightSpan, day: datetime.date) -> bool:
    if span.from_on > day:
        return False
    return span.until_on is None or span.until_on > day or span.from_on == span.until_on == day


def by_period(project: Project, periods: Sequence[Period], as_of: datetime.date) -> list[PeriodLight]:
    """The lights of periods in ascending order; days after `as_of` have not come yet."""
    if not periods:
        return []
    days = by_day(project, periods[0].first, min(periods[-1].last, as_of))
    return [_period(period, [d for d in days if period.first <= d.day <= period.last]) for period in periods]


def _period(period: Period, days: list[DayLight]) -> PeriodLight:
    shown = {day.light for day in days if day.light} | {Light.RED.value for day in days if day.was_red}
    worst = next((light.value for light in WORST if light in shown), "")
    return PeriodLight(period, worst, days[-1].light if days else "", sum(1 for day in days if day.was_red))


def red_days_in_a_row(project_ids: Iterable[int], as_of: datetime.date) -> dict[int, int]:
    """For how many days each project has been red without a break, `as_of` included; 0 where it is not."""
    deciding = LightSpan.objects.filter(
        Q(until_on__isnull=True) | Q(until_on__gt=F("from_on")),
        project_id__in=list(project_ids),
        from_on__lte=as_of,
    )
    other = ~Q(light=Light.RED)
    rows = (
        deciding.order_by()
        .values("project_id")
        .annotate(
            free_until=Max(Coalesce("until_on", as_of + DAY), filter=other),
            red_from=Min("from_on", filter=Q(light=Light.RED)),
        )
        .values_list("project_id", "free_until", "red_from")
    )
    return {
        pk: max(0, (as_of - (free_until or red_from)).days + 1) if red_from else 0
        for pk, free_until, red_from in rows
    }


def last_periods(as_of: datetime.date, cycle: str, count: int) -> list[Period]:
    """The `count` latest periods in ascending order; the last one holds `as_of`."""
    found = [period_of(as_of, cycle)]
    while len(found) < count:
        found.append(period_of(found[-1].first - DAY, cycle))
    return found[::-1]
