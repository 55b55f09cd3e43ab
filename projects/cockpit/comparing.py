"""Two days side by side: what turned red between them, and what was mended."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from enterprises.models import User
from projects.cockpit.asking import Question
from projects.cockpit.red_list import spans_on
from projects.lights import Light, reason_text
from projects.models import LightSpan, Project
from projects.services.tally_reading import day_of
from projects.tallies import Counts

#: More than these are counted, not listed.
SHOWN = 100


@dataclass(frozen=True)
class Turned:
    """A project whose light on the second day is not that of the first. Blank: it had none."""

    project: Project
    was: str
    now: str
    reason: str


@dataclass
class Comparison:
    """`turned_red` and `mended` hold the first of `red_count` and `mended_count` projects."""

    first: datetime.date
    second: datetime.date
    before: Counts | None
    after: Counts | None
    turned_red: list[Turned] = field(default_factory=list)
    red_count: int = 0
    mended: list[Turned] = field(default_factory=list)
    mended_count: int = 0


def compare(user: User, question: Question, first: datetime.date, second: datetime.date) -> Comparison:
    """What changed in a unit and everything below it, from the end of one day to the end of another.

    Args:
        first, second: two days, the earlier one first; `second` may be today, so far.
    """
    programme, unit = question.programme, question.unit
    found = Comparison(
        first,
        second,
        day_of(programme, [unit], first).get(unit.pk),
        day_of(programme, [unit], second).get(unit.pk),
    )
    seen = Project.objects.visible_to(user).filter(
        programme=programme, enterprise__path__startswith=unit.path
    )
    lights = seen.annotate(
        was=_light_on(first, "light"), now=_light_on(second, "light"), why=_light_on(second, "reason")
    )
    red = Light.RED.value
    turned = lights.filter(Q(now=red) & (Q(was__isnull=True) | ~Q(was=red)))
    mended = lights.filter(Q(was=red) & (Q(now__isnull=True) | ~Q(now=red)))
    found.red_count, found.turned_red = _listed(turned, programme.last_day_counted(second))
    found.mended_count, found.mended = _listed(mended, programme.last_day_counted(second))
    return found


def _light_on(day: datetime.date, column: str) -> Subquery:
    spans = LightSpan.objects.filter(spans_on(day), project=OuterRef("pk")).order_by("-pk")
    return Subquery(spans.values(column)[:1])


def _listed(rows: QuerySet[Project], as_of: datetime.date) -> tuple[int, list[Turned]]:
    listed = rows.select_related("enterprise").order_by(F("enterprise__sort_key"), "pk")[:SHOWN]
    found = [
        Turned(
            project,
            project.was or "",  # type: ignore[attr-defined]
            project.now or "",  # type: ignore[attr-defined]
            reason_text(project.why or {}, as_of),  # type: ignore[attr-defined]
        )
        for project in listed
    ]
    return (len(found) if len(found) < SHOWN else rows.count()), found
