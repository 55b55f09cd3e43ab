"""The red list: which projects, why, for how long, and who answers for them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.fields.json import KT

from enterprises.models import Enterprise, User
from projects.lights import Light, reason_text
from projects.models import LightSpan, Milestone, Programme, Project
from projects.querysets import MilestoneQuerySet
from projects.services.light_history import red_days_in_a_row

#: As many as a leader reads before a meeting; the rest is one link away.
SHOWN = 12
#: Up to so many red projects are put in order by themselves; more are found along the index of open milestones.
FEW = 2_000

_PEOPLE = ("enterprise", "programme", "accountable_lead", "direct_lead", "coordinator")
#: The longest overdue first; behind plan without a missed date comes after them.
LONGEST_LATE = KT("light_reason__due_on").asc(nulls_last=True)


@dataclass(frozen=True)
class RedProject:
    """A line of the red list. Texts and numbers only: a page that was drawn from equal lines is the same page.

    Attributes:
        enterprise, enterprise_name: its short name and its full one.
        who, post: who answers for it and what that person is, in the active language; blank where nobody is named.
        planned_percent, actual_percent: as of today.
        reason: the sentence beside the light, as it was on the day.
        days: consecutive days with red, the day itself included.
    """

    pk: int
    code: str
    name: str
    is_demo: bool
    enterprise: str
    enterprise_name: str
    post: str
    who: str
    planned_percent: int | None
    actual_percent: Decimal
    reason: str
    days: int


def red_list(
    user: User,
    programme: Programme,
    unit: Enterprise,
    on: datetime.date,
    *,
    red: int,
    is_past: bool = False,
    shown: int = SHOWN,
) -> list[RedProject]:
    """The red projects of a unit and everything below it, the longest overdue first.

    Args:
        red: how many there are, as the tally says; it decides on the way to find the first of them.
        is_past: as it was on a past day, from the history of lights. Who answers is told as of today.
    """
    if not red:
        return []
    seen = Project.objects.visible_to(user).filter(
        programme=programme, enterprise__path__startswith=unit.path
    )
    if is_past:
        found = _of_the_past(seen, on, shown)
    else:
        below = Milestone.objects.visible_to(user).filter(
            project__programme=programme, project__enterprise__path__startswith=unit.path
        )
        today = first_red(seen, below, on, red=red, shown=shown)
        found = [(project, project.reason) for project in today]
    days = red_days_in_a_row([project.pk for project, _reason in found], on)
    return [
        _line(
            project, reason_text(reason, programme.last_day_counted(on)), days.get(project.pk, 0), programme
        )
        for project, reason in found
    ]


def _line(project: Project, reason: str, days: int, programme: Programme) -> RedProject:
    post, who = project.answering
    return RedProject(
        pk=project.pk,
        code=project.code,
        name=project.name,
        is_demo=programme.is_demo,
        enterprise=str(project.enterprise),
        enterprise_name=project.enterprise.name,
        post=post,
        who=who,
        planned_percent=project.planned_percent,
        actual_percent=project.actual_percent,
        reason=reason,
        days=days,
    )


def first_red(
    seen: QuerySet[Project],
    milestones: MilestoneQuerySet[Milestone],
    on: datetime.date,
    *,
    red: int,
    shown: int,
) -> list[Project]:
    """The red ones of `seen`, the longest overdue first.

    Args:
        milestones: those of the same projects.
        red: how many there are.
    """
    rows = seen.filter(light=Light.RED).select_related(*_PEOPLE)
    if red <= FEW:
        return list(rows.order_by(LONGEST_LATE, "pk")[:shown])
    # Sorting a hundred thousand red projects to show twelve takes longer than the rest of the page: the index of
    # open milestones has the longest overdue at its beginning.
    overdue = milestones.overdue(on).order_by("due_on", "id").values_list("project_id", flat=True)
    ids = list(dict.fromkeys(overdue[: shown * 5]))
    return sorted(rows.filter(pk__in=ids), key=lambda project: ids.index(project.pk))[:shown]


def spans_on(on: datetime.date, prefix: str = "") -> Q:
    """The spans that decide the light of a day."""
    return Q((f"{prefix}from_on__lte", on)) & (
        Q((f"{prefix}until_on__isnull", True)) | Q((f"{prefix}until_on__gt", on))
    )


def _of_the_past(
    seen: QuerySet[Project], on: datetime.date, shown: int
) -> list[tuple[Project, Mapping[str, Any]]]:
    spans = (
        LightSpan.objects.filter(spans_on(on), light=Light.RED, project__in=seen)
        .annotate(late_since=KT("reason__due_on"))
        .order_by(F("late_since").asc(nulls_last=True), "project_id")[:shown]
    )
    reasons = {span.project_id: span.reason for span in spans}
    projects = seen.select_related(*_PEOPLE).in_bulk(list(reasons))
    return [(projects[pk], reason) for pk, reason in reasons.items() if pk in projects]
