"""The page on which a project is suspended, resumed, terminated or reopened: each with its reason."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.scoped_admin import person
from journal.context import because
from projects.admin.filters import is_id
from projects.models import Milestone, Project
from projects.services.lifecycle import (
    LOOK_AGAIN_WITHIN,
    cancelled_by_termination,
    change_status,
    refusal,
)
from projects.services.refusals import Refused
from projects.states import ProjectStatus
from projects.workflow import Subject, Transition, step_of, transition

_REASON_LENGTH = 300

_MEANING: dict[str, tuple[Promise | str, ...]] = {
    "suspend": (
        gettext_lazy(
            "No milestone of the project becomes overdue while it is suspended, and it has no light."
        ),
        gettext_lazy("The overdue records that are open now are closed with the cause “suspended”."),
        gettext_lazy("It comes up for review on the day given below, after a quarter at the latest."),
    ),
    "resume": (
        gettext_lazy("The dates in force stand as they were: what has passed them counts as overdue again."),
        gettext_lazy("If the dates cannot be kept, an extension is asked for on each milestone."),
    ),
    "terminate": (
        gettext_lazy("All open milestones are cancelled with this reason; nothing more is reported."),
        gettext_lazy("The project stays in the records with everything that was done, and can be reopened."),
    ),
    "reopen": (
        gettext_lazy("The project is under way again; its certificate, if any, stays in the records."),
        gettext_lazy(
            "The milestones chosen below are opened again and count as overdue, if at all, from their original dates."
        ),
    ),
}


def status_page(request: HttpRequest, model_admin: Any, project: Project, action: str) -> HttpResponse | None:
    """Ask for what the step needs; posting takes it. The caller has found `project` through the wall.

    Returns: None for a step that there is not.
    """
    step = transition(Subject.PROJECT, action)
    if step is None or action not in _MEANING:
        return None
    today, user = timezone.localdate(), person(request)
    back = reverse("admin:projects_project_page", args=[project.pk])
    error = refusal(project, step, user, today)
    # The steps that are not this person's are told apart from a refusal that may be typed away.
    closed = bool(error)
    if request.method == "POST":
        error = _take(request, project, step, today)
        if not error:
            messages.success(request, _("Done: %(step)s — %(name)s.") % {"step": step.label, "name": project})
            return HttpResponseRedirect(back)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": step.label,
        "opts": model_admin.opts,
        "project": project,
        "step": step,
        "meaning": _MEANING[action],
        "to_label": ProjectStatus(step.to_state).label,
        "error": error,
        "closed": closed,
        "back": back,
        "most": _REASON_LENGTH,
        "reason": request.POST.get("reason", ""),
        "look_again_on": request.POST.get("look_again_on", _in_a_month(today).isoformat()),
        "earliest": (today + datetime.timedelta(days=1)).isoformat(),
        "latest": (today + LOOK_AGAIN_WITHIN).isoformat(),
        "settled": _settled(request, project) if action == "reopen" and not closed else [],
    }
    status = 409 if error and request.method == "POST" else 200
    return TemplateResponse(request, "projects/status.html", context, status=status)


def _take(request: HttpRequest, project: Project, step: Transition, today: datetime.date) -> str:
    """Take the step with what was posted; the refusal, or ""."""
    reason = request.POST.get("reason", "")
    if len(reason.strip()) > _REASON_LENGTH:
        return _("The reason has %(n)d characters; %(most)d is the limit.") % {
            "n": len(reason.strip()),
            "most": _REASON_LENGTH,
        }
    chosen = [int(pk) for pk in request.POST.getlist("reopened") if is_id(pk)]
    try:
        with because(reason):
            change_status(
                project_id=project.pk,
                action=step.action,
                actor=person(request),
                as_of=today,
                reason=reason,
                look_again_on=_day(request.POST.get("look_again_on", "")),
                reopened=chosen,
            )
    except Refused as refused:
        return str(refused)
    return ""


def _day(text: str) -> datetime.date | None:
    try:
        return parse_date(text)
    except ValueError:  # 31 February
        return None


def _in_a_month(today: datetime.date) -> datetime.date:
    return today + datetime.timedelta(days=30)


def _settled(request: HttpRequest, project: Project) -> list[tuple[Milestone, bool]]:
    """Milestones that can be opened again, each with whether it was ticked."""
    step = step_of(Subject.MILESTONE, "reopen")
    rows = list(
        Milestone.objects.visible_to(person(request)).filter(project=project, state__in=step.from_states)
    )
    chosen = {int(pk) for pk in request.POST.getlist("reopened") if is_id(pk)}
    if request.method != "POST":
        chosen = cancelled_by_termination(project, rows)
    return [(row, row.pk in chosen) for row in rows]
