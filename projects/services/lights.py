"""Keeps each project's light and progress beside it, so that lists can filter and sort by them.

The numbers come from one aggregate over the milestones, the colour from `projects.lights.judge`.
Only rows that changed are written.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection
from django.db.models import (
    Case,
    Count,
    DateField,
    F,
    FloatField,
    Func,
    IntegerField,
    Max,
    Min,
    Q,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Greatest, Least
from django.db.models.lookups import LessThanOrEqual

from projects.deadlines import days_overdue, due_soon_q, overdue_q
from projects.lights import Light, ProjectFacts, Reason, judge
from projects.models import Milestone, OverdueEpisode, Programme, Project
from projects.states import MilestoneState, ProjectStatus

CHUNK = 5_000


def refresh_lights(*, as_of: datetime.date, project_ids: Iterable[int] | None = None) -> int:
    """Judge projects of the programmes in force and store what changed.

    Args:
        as_of: the day that the lights are for.
        project_ids: only these; None for all.

    Returns:
        Number of projects whose light, reason or progress changed.
    """
    changed = 0
    if project_ids is not None and not (project_ids := list(project_ids)):
        return 0
    for programme in Programme.objects.in_force(as_of):
        projects = Project.objects.filter(programme=programme)
        if project_ids is not None:
            projects = projects.filter(pk__in=project_ids)
        last = 0
        while ids := list(projects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
            last = ids[-1]
            changed += _store(_judged(programme, ids, as_of), as_of)
    return changed


def follow_patrol(*, run_id: int | None, as_of: datetime.date) -> int:
    """After a patrol: all lights once a day, then only those of projects whose episodes it touched.

    Whatever a person changes refreshes its own project at once, so a minute's patrol has little to do;
    judging 200,000 projects every minute cost five seconds of a core each time.

    Args:
        run_id: the run (`PatrolResult.run_id`); None when it found nothing to do.
        as_of: the day that was patrolled.

    Returns:
        Number of projects whose light, reason or progress changed.
    """
    stale = Programme.objects.in_force(as_of).exclude(lights_on=as_of)
    if stale.exists():
        changed = refresh_lights(as_of=as_of)
        Programme.objects.in_force(as_of).update(lights_on=as_of)
        return changed
    if run_id is None:
        return 0
    touched = (
        OverdueEpisode.objects.filter(Q(opened_by_id=run_id) | Q(closed_by_id=run_id))
        .values_list("milestone__project_id", flat=True)
        .distinct()
    )
    return refresh_lights(as_of=as_of, project_ids=list(touched))


def _judged(
    programme: Programme, ids: list[int], as_of: datetime.date
) -> Iterator[tuple[int, Light, Reason, float | None, float]]:
    policy = programme.light_policy
    sums = {row["project_id"]: row for row in _sums(ids, as_of, policy.warning_days)}
    projects = Project.objects.filter(pk__in=ids).values_list(
        "pk", "status", "due_on", "is_standing", "actual_percent"
    )
    for pk, status, due_on, is_standing, actual in projects:
        found = sums.get(pk)
        settled = is_standing or status == "awaiting" or bool(found and found["awaits"])
        facts = ProjectFacts(
            status=status,
            project_days=0 if settled else days_overdue(due_on, as_of),
            started=status not in ("", "not_started") or bool(found and found["begun"]),
            **_milestone_facts(found, as_of),
        )
        light, reason = judge(facts, policy)
        if status == ProjectStatus.TERMINATED:
            # Its open milestones are cancelled and weigh nothing: what is left would read as finished.
            yield pk, light, reason, None, float(actual)
        else:
            yield pk, light, reason, facts.planned, facts.actual


def _milestone_facts(found: dict[str, Any] | None, as_of: datetime.date) -> dict[str, Any]:
    if not found or not found["weights"]:
        return {}
    return {
        "planned": 100 * found["planned"] / found["weights"] if found["dated"] else None,
        "actual": found["actual"] / found["weights"],
        "overdue": found["overdue"],
        "days": days_overdue(found["worst"], as_of),
        "due_soon": found["due_soon"],
        "awaits": found["awaits"],
        "next_days": (found["next"] - as_of).days if found["next"] else 0,
    }


class _Days(Func):
    """Whole days between two dates: PostgreSQL's own difference, where Django would make an interval."""

    template = "(%(expressions)s)"
    arg_joiner = " - "
    output_field = IntegerField()


def _sums(ids: list[int], as_of: datetime.date, warning_days: int) -> Any:
    """Per project what `lights.progress` adds up for rows in hand (a test holds the two together)."""
    span = Cast(_Days("due_on", "starts_on"), FloatField()) + 1.0
    passed = Cast(_Days(Value(as_of, DateField()), "starts_on"), FloatField()) + 1.0
    share = Case(
        When(due_on__isnull=True, then=Value(0.0)),
        When(LessThanOrEqual(F("due_on"), Value(as_of, DateField())), then=Value(1.0)),
        When(starts_on__isnull=True, then=Value(0.0)),
        default=Least(Value(1.0), Greatest(Value(0.0), passed / span)),
        output_field=FloatField(),
    )
    reported = Cast(F("percent"), FloatField()) / 100.0
    share = Case(When(awaits_extension=True, then=Least(share, reported)), default=share)
    achieved = Case(
        When(state=MilestoneState.ACCEPTED, then=Value(100)),
        default=F("percent"),
        output_field=IntegerField(),
    )
    overdue, soon = overdue_q(as_of), due_soon_q(as_of, warning_days)
    return (
        Milestone.objects.filter(project_id__in=ids)
        .exclude(state=MilestoneState.CANCELLED)
        .values("project_id")
        .order_by()
        .annotate(
            weights=Sum("weight"),
            dated=Coalesce(Sum("weight", filter=Q(due_on__isnull=False)), 0),
            planned=Sum(F("weight") * share, output_field=FloatField()),
            actual=Sum(F("weight") * achieved, output_field=FloatField()),
            overdue=Count("pk", filter=overdue),
            worst=Min("due_on", filter=overdue),
            due_soon=Count("pk", filter=soon),
            next=Min("due_on", filter=soon),
            awaits=Count("pk", filter=Q(awaits_extension=True)),
            begun=Max(Case(When(state=MilestoneState.NOT_STARTED, then=Value(0)), default=Value(1))),
        )
    )


def _store(judged: Iterable[tuple[int, Light, Reason, float | None, float]], as_of: datetime.date) -> int:
    rows = [
        {
            "id": pk,
            "light": light.value,
            "reason": json.dumps(reason),
            "planned": None if planned is None else round(planned, 2),
            "actual": round(actual, 2),
        }
        for pk, light, reason, planned, actual in judged
    ]
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE projects_project p SET
                light = j.light, light_reason = j.reason::jsonb, light_on = %s,
                planned_percent = j.planned, actual_percent = j.actual
            FROM jsonb_to_recordset(%s::jsonb)
                AS j (id bigint, light text, reason text, planned numeric, actual numeric)
            WHERE p.id = j.id AND (
                (p.light, p.light_reason, p.actual_percent)
                    IS DISTINCT FROM (j.light, j.reason::jsonb, j.actual)
                OR p.planned_percent IS DISTINCT FROM j.planned
            )
            """,
            [as_of, json.dumps(rows)],
        )
        return cursor.rowcount
