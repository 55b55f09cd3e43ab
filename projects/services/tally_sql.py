"""Counts projects into `tallies.Counts`, one row an enterprise and category, by one statement.

Each number is added up by the conditions of `deadlines` and `querysets` that the lists ask, so a counter and
its list cannot mean two things.
"""

from __future__ import annotations

import datetime
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Sum, Value, When

from projects.deadlines import due_soon_q, first_missed_q, kept_q, late_q, no_date_q, overdue_q
from projects.lights import Light
from projects.models import CloseOut, ExtensionRequest, Milestone, Programme, ProgressReport, Project
from projects.querysets import silent_q, with_evidence_q
from projects.services.date_sql import Days
from projects.services.light_sql import Sql
from projects.services.planned_sql import planned_percent
from projects.states import ExtensionState, MilestoneState
from projects.tallies import NAMES

_MILESTONES = (
    *("milestones", "overdue", "due_soon", "no_date", "returned", "submitted"),
    *("kept", "late", "first_kept", "first_missed"),
)


def counted(projects: QuerySet[Project], programme: Programme, as_of: datetime.date) -> Sql:
    """SQL that counts projects: enterprise_id, category_id, and the columns of `tallies.NAMES`.

    Args:
        projects: which; all of them of `programme`.
        as_of: the day for what depends on one.
    """
    plain = projects.order_by()
    ids = plain.values("pk")
    own, own_params = _sql(_of_projects(plain, as_of))
    steps, step_params = _sql(_of_milestones(ids, programme, as_of))
    requests, request_params = _sql(_of_extensions(ids))
    reports, report_params = _sql(_waiting(ProgressReport, ids, "milestone__project_id"))
    closings, closing_params = _sql(_waiting(CloseOut, ids, "project_id"))
    taken = {
        "projects": "count(*)",
        **{light.value: f"count(*) FILTER (WHERE p.light = '{light.value}')" for light in Light},
        "unjudged": "count(*) FILTER (WHERE p.light = '')",
        "with_evidence": "sum(p.has_evidence)",
        "silent": "sum(p.is_silent)",
        "dated": "count(p.planned)",
        "planned": "sum(p.planned)",
        "actual": "sum(p.actual_percent) FILTER (WHERE p.planned IS NOT NULL)",
        **{name: f"sum(m.{name})" for name in _MILESTONES},
        "reports_waiting": "sum(r.waiting)",
        "close_outs_waiting": "sum(c.waiting)",
        **{name: f"sum(x.{name})" for name in ("extensions_waiting", "extensions", "extension_days")},
    }
    columns = ", ".join(f"COALESCE({taken[name]}, 0)::bigint AS {name}" for name in NAMES)
    return (
        f"""
        SELECT p.enterprise_id, p.category_id, {columns}
        FROM ({own}) p
        LEFT JOIN ({steps}) m ON m.project_id = p.id
        LEFT JOIN ({reports}) r ON r.project_id = p.id
        LEFT JOIN ({requests}) x ON x.project_id = p.id
        LEFT JOIN ({closings}) c ON c.project_id = p.id
        GROUP BY p.enterprise_id, p.category_id
        """,
        [*own_params, *step_params, *report_params, *request_params, *closing_params],
    )


def _of_projects(projects: QuerySet[Project], as_of: datetime.date) -> QuerySet[Any]:
    return projects.annotate(
        is_silent=_one_if(silent_q(as_of)), has_evidence=_one_if(with_evidence_q()), planned=planned_percent()
    ).values(
        *("id", "enterprise_id", "category_id", "light", "actual_percent"),
        *("is_silent", "has_evidence", "planned"),
    )


def _of_milestones(ids: QuerySet[Any], programme: Programme, as_of: datetime.date) -> QuerySet[Any]:
    conditions = {
        "overdue": overdue_q(as_of),
        "due_soon": due_soon_q(as_of, programme.warning_days) if programme.in_force(as_of) else Q(pk__in=[]),
        "no_date": no_date_q(),
        "returned": Q(state=MilestoneState.RETURNED),
        "submitted": Q(state=MilestoneState.SUBMITTED),
        "kept": kept_q(),
        "late": late_q(),
        "first_kept": kept_q("baseline_due_on"),
        "first_missed": first_missed_q(as_of),
    }
    counts = {name: Count("pk", filter=condition) for name, condition in conditions.items()}
    rows = Milestone.objects.filter(project_id__in=ids).exclude(state=MilestoneState.CANCELLED)
    return rows.order_by().values("project_id").annotate(milestones=Count("pk"), **counts)


def _of_extensions(ids: QuerySet[Any]) -> QuerySet[Any]:
    """Requests of their own; what moved along with another one is not counted twice."""
    approved = Q(state=ExtensionState.APPROVED)
    days = Case(When(approved, then=Days(F("to_on"), F("from_on"))), default=Value(0))
    return (
        ExtensionRequest.objects.filter(milestone__project_id__in=ids)
        .order_by()
        .values(project_id=F("milestone__project_id"))
        .annotate(
            extensions_waiting=Count("pk", filter=Q(state__in=ExtensionRequest.WAITING)),
            extensions=Count("pk", filter=approved),
            extension_days=Sum(days),
        )
    )


def _waiting(model: Any, ids: QuerySet[Any], project: str) -> QuerySet[Any]:
    rows = model.objects.waiting().filter(**{f"{project}__in": ids}).order_by()
    grouped = rows.values("project_id") if project == "project_id" else rows.values(project_id=F(project))
    return grouped.annotate(waiting=Count("pk"))


def _one_if(condition: Q) -> Case:
    return Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField())


def _sql(rows: QuerySet[Any]) -> Sql:
    text, params = rows.query.sql_with_params()
    return text, list(params)
