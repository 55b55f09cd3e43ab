"""What the lights of many projects depend on, added up by the database, and the light that follows."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    F,
    FloatField,
    Func,
    IntegerField,
    Max,
    Min,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from projects.deadlines import due_soon_q, overdue_q
from projects.lights import LightPolicy, red_counts_from
from projects.models import Milestone, Project
from projects.planned_progress import SAME
from projects.services.light_sql import (
    Sql,
    kept_reason_case,
    light_case,
    number_case,
    reason_case,
    reason_differs,
)
from projects.services.planned_sql import share, whole
from projects.states import MilestoneState, ProjectStatus


class _Among(Func):
    """`key = ANY (ids)`."""

    arg_joiner = " = ANY ("
    template = "%(expressions)s::bigint[])"
    output_field = BooleanField()


def among(key: str, ids: Iterable[int]) -> Func:
    """A condition like `key__in`, the ids as one text: as many parameters they take longer to write down than to look up."""
    return _Among(F(key), Value(_listed(ids)))


def _listed(ids: Iterable[int]) -> str:
    return f"{{{','.join(map(str, ids))}}}"


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
            return rows.filter(among(key, self.ids))
        return rows.filter(**{f"{key}__gte": self.first, f"{key}__lte": self.last})

    def sql(self, column: str) -> Sql:
        """The same as a condition on a column. Said of every table of a statement, as numbers: from a join alone the
        planner does not know how few rows it needs, and reads whole tables, or goes through all for each of them.
        """
        if self.ids is not None:
            return f"{column} = ANY (%s::bigint[])", [_listed(self.ids)]
        return f"{column} BETWEEN %s AND %s", [self.first, self.last]


def sums(milestones: QuerySet[Milestone], as_of: datetime.date, warning_days: int) -> QuerySet[Any]:
    """Per project what `planned_progress.progress` adds up for rows in hand (a test holds the two together)."""
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
            planned=Sum(F("weight") * share(as_of), output_field=FloatField()),
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

    Columns: id, rule_no, light, reason (as `judge` gives it), kept_reason (as a project keeps it), planned (not
    rounded), actual, red_until (the latest day on which it is known to have been red before now), what is stored:
    was_light, was_reason, was_actual, reason_differs, and line_holds (the stored line of the plan says `planned`).

    Args:
        policy_since: the day on which the thresholds were last changed; None when they never were.
        red_shown_on: until which day a red that is stored has shown (`last_red_on` stands still meanwhile).
    """
    plan = batch.of(Milestone.objects.all(), "project_id")
    added, sum_params = sums(plan, as_of, policy.warning_days).query.sql_with_params()
    mine = batch.of(Project.objects.filter(programme_id=batch.programme_id), "pk").order_by()
    projects, project_params = mine.values(
        *("id", "status", "due_on", "is_standing", "light", "light_reason"),
        *("planned_from", "planned_start", "planned_daily", "planned_until", "actual_percent", "last_red_on"),
    ).query.sql_with_params()
    exact = "CASE WHEN s.dated > 0 THEN 100 * s.planned / s.weights END"
    number, number_params = number_case(policy, "f")
    # OFFSET 0 keeps the planner from copying each expression into every place that reads it.
    text = f"""
        SELECT j.id, j.rule_no, {light_case("j.rule_no")}::varchar AS light,
            {reason_case("j.rule_no", "j")} AS reason, {kept_reason_case("j.rule_no", "j")} AS kept_reason,
            {reason_differs("j.rule_no", "j", "j.was_reason")} AS reason_differs,
            CASE WHEN j.status = %s THEN NULL ELSE j.exact END AS planned,
            CASE WHEN j.status = %s THEN j.was_actual ELSE j.actual END AS actual,
            CASE WHEN j.status = %s OR j.exact IS NULL THEN j.planned_from IS NULL
                ELSE COALESCE(j.line_holds, FALSE) END AS line_holds,
            j.was_light, j.was_reason, j.was_actual, j.red_until
        FROM (
            SELECT f.*, {number} AS rule_no
            FROM (
                SELECT g.*,
                    CASE WHEN g.red_until BETWEEN %s AND %s THEN g.red_until END AS red_on,
                    CASE WHEN g.planned IS NOT NULL THEN GREATEST(0, g.planned - g.actual) END AS gap
                FROM (
                    SELECT p.id, p.status, p.planned_from,
                        p.light AS was_light, p.light_reason AS was_reason, p.actual_percent AS was_actual,
                        CASE WHEN p.light = 'red' THEN GREATEST(p.last_red_on, %s)
                            ELSE p.last_red_on END AS red_until,
                        {exact} AS exact, {whole(exact)} AS planned,
                        %s BETWEEN p.planned_from AND COALESCE(p.planned_until, 'infinity')
                            AND abs(p.planned_start + p.planned_daily * (%s - p.planned_from) - {exact}) < {SAME!r}
                            AS line_holds,
                        COALESCE({whole("s.achieved::float8 / s.weights")}, 0) AS actual,
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
        *(terminated, terminated, terminated),
        *(*number_params, red_counts_from(policy, as_of, policy_since), as_of),
        *(red_shown_on, as_of, as_of, as_of),
        *(ProjectStatus.AWAITING_ACCEPTANCE.value, ProjectStatus.NOT_STARTED.value),
        *(*project_params, *sum_params),
    ]
    return text, params
