"""Counts projects again from scratch, row by row in Python: the judge of the tallies, with none of their SQL."""

from __future__ import annotations

import datetime
from collections import defaultdict

from enterprises.models import Enterprise
from projects.deadlines import is_due_soon, is_open, is_overdue
from projects.models import (
    CloseOut,
    Evidence,
    ExtensionRequest,
    Milestone,
    Programme,
    ProgressReport,
    Project,
)
from projects.tallies import SILENT_AFTER_DAYS, Counts

ByUnit = dict[int, dict[int | None, Counts]]


def recount(programme: Programme, as_of: datetime.date) -> ByUnit:
    """id of each enterprise that has projects at or below it → category → counts."""
    found: ByUnit = defaultdict(lambda: defaultdict(Counts))
    for project in Project.objects.filter(programme=programme):
        counts = _project(project, programme, as_of)
        for unit in Enterprise.objects.all():
            if project.enterprise.path.startswith(unit.path):
                found[unit.pk][project.category_id] += counts
    return {unit: dict(rows) for unit, rows in found.items()}


def _project(project: Project, programme: Programme, as_of: datetime.date) -> Counts:
    steps = [m for m in Milestone.objects.filter(project=project) if m.state != "cancelled"]
    reports = list(ProgressReport.objects.filter(milestone__project=project))
    requests = list(ExtensionRequest.objects.filter(milestone__project=project))
    closings = list(CloseOut.objects.filter(project=project))
    granted = [r for r in requests if r.state == "approved"]
    since = as_of - datetime.timedelta(days=SILENT_AFTER_DAYS)
    heard = any(r.submitted_on is not None and r.submitted_on > since for r in reports)
    begun = project.starts_on is None or project.starts_on <= since
    counts = {
        "projects": 1,
        project.light or "unjudged": 1,
        "with_evidence": int(any(e.of.state != "draft" for e in Evidence.objects.filter(project=project))),
        "silent": int(project.status == "in_progress" and begun and not heard),
        "milestones": len(steps),
        "overdue": sum(is_overdue(m, as_of) for m in steps),
        "due_soon": sum(
            programme.in_force(as_of) and is_due_soon(m, as_of, programme.warning_days) for m in steps
        ),
        "no_date": sum(is_open(m) and m.due_on is None for m in steps),
        "returned": sum(m.state == "returned" for m in steps),
        "submitted": sum(m.state == "submitted" for m in steps),
        "kept": sum(_kept(m, m.due_on) is True for m in steps),
        "late": sum(_kept(m, m.due_on) is False for m in steps),
        "first_kept": sum(_kept(m, m.baseline_due_on) is True for m in steps),
        "first_missed": sum(_missed_first(m, as_of) for m in steps),
        "reports_waiting": sum(r.state == "submitted" for r in reports),
        "extensions_waiting": sum(r.state == "submitted" for r in requests),
        "close_outs_waiting": sum(r.state in ("submitted", "verified") for r in closings),
        "extensions": len(granted),
        "extension_days": sum(r.days for r in granted),
    }
    if project.planned_percent is not None:
        planned, actual = int(project.planned_percent), int(project.actual_percent)
        counts |= {"dated": 1, "planned": planned, "actual": actual}
    return Counts(**counts)


def _kept(milestone: Milestone, promise: datetime.date | None) -> bool | None:
    """None where nothing was promised, or nothing is done yet."""
    if milestone.state != "accepted" or promise is None or milestone.claimed_on is None:
        return None
    return milestone.claimed_on <= promise


def _missed_first(milestone: Milestone, as_of: datetime.date) -> bool:
    promise = milestone.baseline_due_on
    if promise is None:
        return False
    if milestone.state == "submitted":
        return milestone.claimed_on is not None and milestone.claimed_on > promise
    return _kept(milestone, promise) is False or (
        milestone.state in ("not_started", "in_progress", "returned") and promise < as_of
    )
