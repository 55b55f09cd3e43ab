"""What a reviewer sees side by side: promised, reported before, claimed now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from projects.models import CloseOut, Evidence, ExtensionRequest, Milestone, ProgressReport
from projects.services.close_outs import promise_of
from projects.services.extensions import Extended, granted, overtaken
from projects.services.reports import last_report
from projects.wording import Piece, changes


@dataclass(frozen=True)
class Passage:
    """One field of a text, before and now; `pieces` shows what changed, `changed` whether anything did."""

    label: str
    before: str
    now: str
    pieces: list[Piece]

    @property
    def changed(self) -> bool:
        return any(piece.kind != "same" for piece in self.pieces)


def passages(now: Any, before: Any | None, names: tuple[str, ...]) -> list[Passage]:
    """The named fields of two rounds; fields that are blank in both are left out."""
    found = []
    for name in names:
        new, old = getattr(now, name), getattr(before, name) if before is not None else ""
        if new or old:
            label = str(now._meta.get_field(name).verbose_name)
            found.append(Passage(label, old, new, changes(old, new)))
    return found


def report_facts(report: ProgressReport, user: Any) -> dict[str, Any]:
    before = last_report(report.milestone, before=report)
    late = 0
    if report.claimed_on and report.milestone.due_on:
        late = max(0, (report.claimed_on - report.milestone.due_on).days)
    return {
        "milestone": report.milestone,
        "before": before,
        "passages": passages(report, before, ProgressReport.TEXTS),
        "late_days": late,
        "before_files": Evidence.objects.of(before).count() if before is not None else 0,
        "fell": report.percent < report.percent_before,
        "extended": granted([report.milestone_id]).get(report.milestone_id),
    }


def extension_facts(request: ExtensionRequest, user: Any) -> dict[str, Any]:
    ids = [request.milestone_id]
    before = granted(ids).get(request.milestone_id, Extended())
    if request.state == "approved":  # it is among those granted by now
        before = Extended(before.times - 1, before.days - request.days)
    after = Extended(before.times + 1, before.days + request.days)
    others = ExtensionRequest.objects.visible_to(user).filter(milestone=request.milestone_id)
    others = others.exclude(pk=request.pk).exclude(state="draft")
    return {
        "milestone": request.milestone,
        "before": before,
        "after": after,
        "shifts": list(request.shifts.select_related("milestone")),  # type: ignore[attr-defined]
        "overtaken": overtaken(request) if request.is_waiting else [],
        "others": list(others.select_related("decided_by").order_by("-round")[:10]),
    }


def close_out_facts(close_out: CloseOut, user: Any) -> dict[str, Any]:
    before = (
        CloseOut.objects.visible_to(user)
        .filter(project=close_out.project_id, round__lt=close_out.round)
        .exclude(state="draft")
        .order_by("-round")
        .first()
    )
    milestones = list(Milestone.objects.visible_to(user).filter(project=close_out.project_id))
    return {
        "before": before,
        "promised": close_out.promised or promise_of(close_out.project),
        "passages": passages(close_out, before, CloseOut.TEXTS),
        "milestones": milestones,
        "late_milestones": [m for m in milestones if m.days_late],
    }
