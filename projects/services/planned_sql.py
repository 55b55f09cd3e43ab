"""`projects.planned_progress` in SQL: shares of milestones, the lines of many plans, a line read for its day."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.models import (
    Case,
    DateField,
    F,
    FloatField,
    Func,
    IntegerField,
    Min,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Floor, Greatest, Least
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from projects.models import Milestone
from projects.planned_progress import HALF
from projects.services.date_sql import Days

_REPORTED = Cast(F("percent"), FloatField()) / 100.0


class _Before(Func):
    """The day before a date; Django would make a timestamp of it."""

    template = "(%(expressions)s - 1)"
    output_field = DateField()


def share(as_of: datetime.date) -> Case:
    """`planned_share` of a milestone."""
    passed = Cast(Days(Value(as_of, DateField()), "starts_on"), FloatField()) + 1.0
    planned = Case(
        When(due_on__isnull=True, then=Value(0.0)),
        When(LessThanOrEqual(F("due_on"), Value(as_of, DateField())), then=Value(1.0)),
        When(starts_on__isnull=True, then=Value(0.0)),
        default=Least(Value(1.0), Greatest(Value(0.0), passed / _span())),
        output_field=FloatField(),
    )
    return Case(When(awaits_extension=True, then=Least(planned, _REPORTED)), default=planned)


def stretches(milestones: QuerySet[Milestone], as_of: datetime.date) -> QuerySet[Any]:
    """Per project the slope of its plan from `as_of` on, and its next bend (`planned_progress.stretch`).

    Columns: project_id, daily (percentage points), until_on (NULL where the plan bends no more). The percent
    that the line begins with is the one that `light_sums.sums` adds up.

    Args:
        milestones: without the cancelled ones.
    """
    to_come = Q(due_on__gt=as_of)
    is_running = to_come & Q(starts_on__lte=as_of + datetime.timedelta(1), awaits_extension=False)
    has_come = Q(GreaterThanOrEqual(share(as_of), _REPORTED))
    daily = Case(When(is_running, then=F("weight") / _span()), default=Value(0.0), output_field=FloatField())
    bend = Case(
        When(~to_come | Q(due_on__isnull=True), then=None),
        When(Q(awaits_extension=True) & has_come, then=None),
        When(awaits_extension=True, then=Value(as_of, DateField())),
        When(starts_on__isnull=True, then=_Before("due_on")),
        When(starts_on__gt=as_of + datetime.timedelta(1), then=_Before("starts_on")),
        default=F("due_on"),
        output_field=DateField(),
    )
    return (
        milestones.values("project_id")
        .order_by()
        .annotate(daily=Sum(daily) * 100.0 / Sum("weight"), until_on=Min(bend))
    )


def whole(percent: str) -> str:
    """`planned_progress.whole` of an expression in SQL."""
    return f"floor({percent} + {HALF!r}::float8)::int"


def planned_percent(project: str = "") -> Combinable:
    """The planned percent of a project as its page shows it (`Project.planned_percent`), for lists of many.

    Args:
        project: path to the project, with its underscores; "" where the rows are projects.
    """
    day = Greatest(F(f"{project}light_on"), F(f"{project}programme__lights_on"))
    passed = Days(Least(F(f"{project}planned_until"), day), F(f"{project}planned_from"))
    reached = F(f"{project}planned_start") + F(f"{project}planned_daily") * Cast(passed, FloatField())
    return Cast(Floor(reached + HALF), IntegerField())


def _span() -> Combinable:
    """Days of a milestone, its first and its last included."""
    return Cast(Days("due_on", "starts_on"), FloatField()) + 1.0
