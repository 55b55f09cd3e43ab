"""Suspend, resume, terminate and reopen a project: decisions of the SASAC, each with its reason."""

from __future__ import annotations

import datetime
from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.plain_text import is_blank, tidy
from enterprises.scoping import may
from projects.models import CloseOut, ExtensionRequest, Milestone, ProgressReport, Project
from projects.services import milestones
from projects.services.extensions import shown
from projects.services.lights import refresh_lights
from projects.services.refusals import Refused
from projects.states import CLOSED_MILESTONE_STATES, OPEN_MILESTONE_STATES, MilestoneState, ProjectStatus
from projects.workflow import Subject, Transition, steps_by_hand, transition

#: A suspension is looked at again after a quarter at the latest (product rules 3.9).
LOOK_AGAIN_WITHIN = datetime.timedelta(days=92)


def refusal(project: Project, step: Transition, actor: User, as_of: datetime.date) -> str:
    """Why `actor` may not take `step` on the project now, or ""."""
    if project.status not in step.from_states:
        return _("The project is “%(state)s”.") % {"state": project.get_status_display() or "—"}
    if not step.permission or not may(actor, step.permission, project):
        return _("Your role does not include this step.")
    if not project.programme.in_force(as_of):
        return _("The programme is archived or not in force; its milestones are history.")
    return ""


def steps_for(project: Project, actor: User, as_of: datetime.date) -> list[Transition]:
    """The steps that `actor` can take now: the buttons on the page."""
    possible = steps_by_hand(Subject.PROJECT, project.status)
    return [step for step in possible if not refusal(project, step, actor, as_of)]


def cancelled_by_termination(project: Project, plan: Collection[Milestone]) -> set[int]:
    """Ids of the milestones that the termination of a project cancelled: what reopening it brings back."""
    return {
        milestone.pk
        for milestone in plan
        if milestone.state == MilestoneState.CANCELLED
        and project.status == ProjectStatus.TERMINATED
        and milestone.comment == project.status_reason
    }


@transaction.atomic
def change_status(
    *,
    project_id: int,
    action: str,
    actor: User,
    as_of: datetime.date,
    reason: str,
    look_again_on: datetime.date | None = None,
    reopened: Collection[int] = (),
) -> Project:
    """Suspend, resume, terminate or reopen.

    Args:
        reason: mandatory; kept with the project and in the journal.
        look_again_on: for "suspend": the day on which it must be looked at again, at most a quarter away.
        reopened: for "reopen": ids of settled milestones that are opened again; overdue, if at all, as
            from their original dates.

    Raises:
        Refused: not possible; nothing is changed.
    """
    step = transition(Subject.PROJECT, action)
    if step is None or not step.permission:
        raise Refused(_("There is no such step."))
    plan = milestones.locked([project_id])
    project = (
        next(iter(plan.values())).project
        if plan
        else Project.objects.select_for_update(of=("self",)).get(pk=project_id)
    )
    if message := refusal(project, step, actor, as_of):
        raise Refused(message)
    if is_blank(reason):
        raise Refused(_("Say why: the reason stays with the project and in the journal."))
    if action == "suspend":
        _check_look_again(look_again_on, as_of)
    if action in ("terminate", "suspend") and (waiting := awaited(project)):
        raise Refused(
            _("%(n)d submissions of this project wait for a decision; decide them first.") % {"n": waiting}
        )
    reason = tidy(reason)[:300]
    # The reason stays with a status that needs one; that work goes on is told by the journal.
    kept = action in ("suspend", "terminate")
    project.status, project.status_reason = step.to_state, reason if kept else ""
    project.review_again_on = look_again_on if action == "suspend" else None
    project.save(update_fields=["status", "status_reason", "review_again_on"])
    match action:
        case "suspend" | "resume":
            _suspend(plan.values(), action == "suspend", as_of)
        case "terminate":
            _cancel_all(plan.values(), reason, as_of)
        case "reopen":
            _reopen(plan, reopened, reason, as_of)
    refresh_lights(as_of=as_of, project_ids=[project.pk])
    return project


def _check_look_again(day: datetime.date | None, as_of: datetime.date) -> None:
    last = as_of + LOOK_AGAIN_WITHIN
    if day is None or not as_of < day <= last:
        raise Refused(
            _(
                "Give the day on which the suspension is looked at again: after today and by %(day)s at the latest."
            )
            % {"day": shown(last)}
        )


def awaited(project: Project) -> int:
    """How many submissions of a project wait for a decision."""
    return (
        ProgressReport.objects.waiting().filter(milestone__project=project).count()
        + ExtensionRequest.objects.waiting().filter(milestone__project=project).count()
        + CloseOut.objects.waiting().filter(project=project).count()
    )


def _suspend(plan: Collection[Milestone], suspended: bool, as_of: datetime.date) -> None:
    for milestone in plan:
        milestone.is_suspended = suspended
        if milestone.state in OPEN_MILESTONE_STATES:
            milestone.closed_since = as_of if suspended else None
            milestone.open_since = None if suspended else as_of
        milestone.save(update_fields=["is_suspended", "closed_since", "open_since"])


def _cancel_all(plan: Collection[Milestone], reason: str, as_of: datetime.date) -> None:
    for milestone in plan:
        milestone.is_suspended = False
        if milestone.state in OPEN_MILESTONE_STATES:
            milestones.move(milestone, "cancel", as_of)
            milestone.comment = reason
        milestone.save()


def _reopen(plan: dict[int, Milestone], reopened: Collection[int], reason: str, as_of: datetime.date) -> None:
    for pk in sorted(set(reopened)):
        milestone = plan.get(pk)
        if milestone is None or milestone.state not in CLOSED_MILESTONE_STATES:
            raise Refused(_("Only settled milestones of this project can be opened again."))
        milestones.move(milestone, "reopen", as_of)
        milestone.comment = reason
        milestone.percent = min(milestone.percent, 99)
        milestone.save()
