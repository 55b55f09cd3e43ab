"""The project page: one promise with everything that was done about it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from enterprises.scoped_admin import person
from enterprises.scoping import may
from journal.reading import history_of
from projects.deadlines import days_overdue, is_due_soon, is_overdue
from projects.models import Milestone, OverdueEpisode, Project
from projects.services.milestones import steps_for
from projects.states import OPEN_MILESTONE_STATES, MilestoneState
from projects.workflow import Transition


@dataclass(frozen=True)
class MilestoneRow:
    """A milestone as the page shows it. `tone` is a light; `days` counts past the deadline."""

    milestone: Milestone
    tone: str
    days: int
    steps: list[Transition]
    can_report: bool


def project_page(request: HttpRequest, model_admin: Any, project: Project) -> HttpResponse:
    """Render the page; the caller has found `project` through the wall."""
    today = timezone.localdate()
    milestones = list(
        Milestone.objects.visible_to(request.user).filter(project=project).select_related("submitted_by")
    )
    for milestone in milestones:
        milestone.project = project
    episodes = OverdueEpisode.objects.visible_to(request.user).filter(milestone__project=project)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": project.name,
        "opts": model_admin.opts,
        "project": project,
        "in_force": project.programme.in_force(today),
        "rows": [_row(m, request.user, today) for m in milestones],
        "episodes": [
            (episode, episode.days(today))
            for episode in episodes.select_related("milestone__project__programme").order_by(
                "-opened_on", "-pk"
            )
        ],
        "entries": history_of([project, *milestones], request.user, limit=40),
        "can_change": model_admin.has_change_permission(request, project),
        "can_approve": not project.approved_on and may(person(request), "approve", project),
        "party_branches": project.party_branches.visible_to(request.user),  # type: ignore[attr-defined]
        "supporting": project.supporting_enterprises.visible_to(request.user),  # type: ignore[attr-defined]
    }
    return TemplateResponse(request, "admin/projects/project/page.html", context)


def _row(milestone: Milestone, user: Any, today: Any) -> MilestoneRow:
    return MilestoneRow(
        milestone=milestone,
        tone=tone_of(milestone, today),
        days=days_shown(milestone, today),
        steps=steps_for(milestone, user, today),
        can_report=milestone.state in OPEN_MILESTONE_STATES
        and not milestone.is_suspended
        and may(user, "report", milestone)
        and milestone.project.programme.in_force(today),
    )


def days_shown(milestone: Milestone, today: datetime.date) -> int:
    """Days overdue for a badge; an archived programme is history and counts no further."""
    if not milestone.project.programme.in_force(today) or not is_overdue(milestone, today):
        return 0
    return days_overdue(milestone.due_on, today)


def tone_of(milestone: Milestone, today: Any) -> str:
    """The light of one milestone, for its badge."""
    if milestone.state == MilestoneState.ACCEPTED:
        return "blue"
    if not milestone.project.programme.in_force(today) or milestone.state == MilestoneState.CANCELLED:
        return "grey"
    if is_overdue(milestone, today):
        return "red"
    if is_due_soon(milestone, today, milestone.project.programme.warning_days):
        return "yellow"
    return "grey" if milestone.state == MilestoneState.NOT_STARTED else "green"
