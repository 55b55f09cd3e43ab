"""What the lights of many projects depend on, added up by the database, and the light that follows."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    Case,
    Count,
    DateField,
    F,
    FloatField,
    IntegerField,
    Max,
    Min,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Greatest, Least
from django.db.models.lookups import LessThanOrEqual

from projects.deadlines import due_soon_q, overdue_q
from projects.lights import LightPolicy, red_counts_from
from projects.models import Milestone, Project
from projects.services.date_sql import Days
from projects.services.light_sql import Sql, light_case, number_case, reason_case, reason_differs
from projects.states import MilestoneState, ProjectStatus


@dataclass(frozen=True)
class Batch:
    """Which projects are judged, of one programme: a range of ids, or some ids of it."""

    programme_id: int
    first: int
    last: int
    ids: tuple[int, ...] | None = None

    def of(self, rows: QuerySet[Any], key: str) -> QuerySet[Any]:
        """`rows` whose project, named by `key`, is in the batch; the programme is not asked here."""
        if self.ids is not None:
            return rows.filter(**{f"{key}__in": self.ids})
        return rows.filter(**{f"{key}__gte": self.first, f"{key}__lte": self.last})

    def range(self, column: str) -> str:
        """SQL that names the range of ids once more. The numbers are ours: nothing in it comes from a request."""
        return f"{column} BETWEEN {int(self.first)} AND {int(self.last)}"


def sums(milestones: QuerySet[Milestone], as_of: datetime.date, warning_days: int) -> QuerySet[Any]:
    """Per project what `lights.progress` adds up for rows in hand (a test holds the two together)."""
    span = Cast(Days("due_on", "starts_on"), FloatField()) + 1.0
    passed = Cast(Days(Value(as_of, DateField()), "starts_on"), FloatField()) + 1.0
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
        milestones.exclude(state=MilestoneState.CANCELLED)
        .values("project_id")
        .order_by()
        .annotate(
            weights=Sum("weight"),
            dated=Coalesce(Sum("weight", filter=Q(due_on__isnull=False)), 0),
            planned=Sum(F("weight") * share, output_field=FloatField()),
            achieved=Sum(F("weight") * achieved, output_field=FloatField()),
            overdue=Count("pk", filter=overdue),
            worst=Min("due_on", filter=overdue),
            due_soon=Count("pk", filter=soon),
            next=Min("due_on", filter=soon),
            awaits=Count("pk", filter=Q(awaits_extension=True)),
            begun=Max(Case(When(state=MilestoneState.NOT_STARTED, then=Value(0)), default=Value(1))),
        )
    )


def judged(
    batch: Batch,
    policy: LightPolicy,
    as_of: datetime.date,
    *,
    policy_since: datetime.date | None,
    red_shown_on: datetime.date,
) -> Sql:
    """SQL that judges a batch: one row a project with its new light beside the stored one.

    Columns: id, rule_no, light, reason, planned, actual, red_until (the latest day on which it is known to
    have been red before now), what is stored: was_light, was_reason, was_planned, was_actual, and reason_differs
    (which holds where the percents are as they are stored).

    Args:
        policy_since: the day on which the thresholds were last changed; None when they never were.
        red_shown_on: until which day a red that is stored has shown (`last_red_on` stands still meanwhile).
    """
    plan = batch.of(Milestone.objects.all(), "project_id")
    added, sum_params = sums(plan, as_of, policy.warning_days).query.sql_with_params()
    mine = batch.of(Project.objects.filter(programme_id=batch.programme_id), "pk").order_by()
    projects, project_params = mine.values(
        *("id", "status", "due_on", "is_standing", "light", "light_reason"),
        *("planned_percent", "actual_percent", "last_red_on"),
    ).query.sql_with_params()
    number, number_params = number_case(policy, "f")
    # OFFSET 0 keeps the planner from copying each expression into every place that reads it.
    text = f"""
        SELECT j.id, j.rule_no, {light_case("j.rule_no")}::varchar AS light,
            {reason_case("j.rule_no", "j")} AS reason,
            {reason_differs("j.rule_no", "j", "j.was_reason")} AS reason_differs,
            CASE WHEN j.status = %s THEN NULL ELSE j.planned END AS planned,
            CASE WHEN j.status = %s THEN round(j.was_actual) ELSE j.actual END AS actual,
            j.was_light, j.was_reason, j.was_planned, j.was_actual, j.red_until
        FROM (
            SELECT f.*, {number} AS rule_no
            FROM (
                SELECT g.*,
                    CASE WHEN g.red_until BETWEEN %s AND %s THEN g.red_until END AS red_on,
                    CASE WHEN g.planned IS NOT NULL THEN GREATEST(0, g.planned - g.actual) END AS gap
                FROM (
                    SELECT p.id, p.status,
                        p.light AS was_light, p.light_reason AS was_reason,
                        p.planned_percent AS was_planned, p.actual_percent AS was_actual,
                        CASE WHEN p.light = 'red' THEN GREATEST(p.last_red_on, %s)
                            ELSE p.last_red_on END AS red_until,
                        CASE WHEN s.dated > 0 THEN round(100 * s.planned / s.weights)::int END AS planned,
                        COALESCE(round(s.achieved::float8 / s.weights)::int, 0) AS actual,
                        COALESCE(s.overdue, 0) AS overdue,
                        s.worst AS worst_on,
                        CASE WHEN p.due_on < %s AND NOT p.is_standing AND p.status <> %s
                            AND COALESCE(s.awaits, 0) = 0 THEN p.due_on END AS missed_on,
                        COALESCE(s.due_soon, 0) AS due_soon,
                        s.next AS next_on,
                        COALESCE(s.awaits, 0) AS awaits,
                        p.status NOT IN ('', %s) OR COALESCE(s.begun, 0) = 1 AS started
                    FROM ({projects}) p LEFT JOIN ({added}) s ON s.project_id = p.id
                    OFFSET 0
                ) g OFFSET 0
            ) f OFFSET 0
        ) j
    """
    terminated = ProjectStatus.TERMINATED.value
    params = [
        *(terminated, terminated, *number_params, red_counts_from(policy, as_of, policy_since), as_of),
        *(red_shown_on, as_of, ProjectStatus.AWAITING_ACCEPTANCE.value, ProjectStatus.NOT_STARTED.value),
        *(*project_params, *sum_params),
    ]
    return text, params
