"""Verbs on milestones. Order in each: lock, check the step, check the actor, change, save.

Project, then milestones, then submissions: every service locks in this order, and rows of one table by
ascending id, so that two of them never wait for each other.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.plain_text import is_blank, tidy
from enterprises.scoping import may
from projects.models import ExtensionRequest, Milestone, ProgressReport, Project
from projects.services.lights import refresh_lights
from projects.services.refusals import Refused
from projects.states import CLOSED_MILESTONE_STATES, OPEN_MILESTONE_STATES, MilestoneState
from projects.workflow import Subject, Transition, step_of, steps_by_hand, transition


def refusal(milestone: Milestone, step: Transition, actor: User, as_of: datetime.date) -> str:
    """Why `actor` may not take `step` now, or "" when nothing stands against it."""
    if milestone.state not in step.from_states:
        return _("The milestone is now “%(state)s”; somebody else was faster. Look at it again.") % {
            "state": milestone.get_state_display()
        }
    if not step.permission or not may(actor, step.permission, milestone):
        return _("Your role does not include this step.")
    return standing_still(milestone, as_of)


def standing_still(milestone: Milestone, as_of: datetime.date) -> str:
    """Why nothing at all can be reported or moved on this milestone, or ""."""
    if milestone.is_suspended:
        return _("The project is suspended; resume it first.")
    if not milestone.project.programme.in_force(as_of):
        return _("The programme is archived or not in force; its milestones are history.")
    return ""


def steps_for(milestone: Milestone, actor: User, as_of: datetime.date) -> list[Transition]:
    """The steps that `actor` can take now by hand: the buttons on the page."""
    possible = steps_by_hand(Subject.MILESTONE, milestone.state)
    return [step for step in possible if not refusal(milestone, step, actor, as_of)]


def locked(project_ids: Iterable[int], milestone_ids: Iterable[int] | None = None) -> dict[int, Milestone]:
    """Lock projects and then milestones, in the order that every service keeps.

    Not against foreign keys (`no_key`): a file that is being stored beside it need not wait, nor deadlock.

    Args:
        milestone_ids: only these; None for all milestones of the projects.

    Returns:
        The milestones by id, each with its locked project.
    """
    ids = sorted(set(project_ids))
    # Without a join: a row whose enterprise changes while we wait for it would drop out of a joined result.
    list(Project.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    projects = Project.objects.select_related("programme", "enterprise").in_bulk(ids)
    rows = Milestone.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
    rows = rows.filter(project_id__in=ids) if milestone_ids is None else rows.filter(pk__in=milestone_ids)
    milestones = {milestone.pk: milestone for milestone in rows}
    for milestone in milestones.values():
        milestone.project = projects[milestone.project_id]
    return milestones


@transaction.atomic
def take_step(
    *, milestone_id: int, action: str, actor: User, as_of: datetime.date, comment: str = ""
) -> Milestone:
    """Take one step of `projects.workflow` on a milestone by hand.

    Args:
        milestone_id: a milestone that the caller has found through the wall.
        action: name of the transition.
        comment: mandatory where the transition says so.

    Returns:
        The milestone as it is now.

    Raises:
        Refused: the step is not possible; the message says why.
    """
    step = transition(Subject.MILESTONE, action)
    if step is None or not step.permission:
        raise Refused(_("There is no such step."))
    project_id = Milestone.objects.values_list("project_id", flat=True).get(pk=milestone_id)
    milestone = locked([project_id], [milestone_id])[milestone_id]
    if reason := refusal(milestone, step, actor, as_of):
        raise Refused(reason)
    if step.comment_needed and is_blank(comment):
        raise Refused(_("Say why: the comment is read by those who have to act on it."))
    if step.action == "cancel" and is_awaited(milestone):
        raise Refused(_("Something on this milestone waits for a decision; decide that first."))
    move(milestone, action, as_of)
    if not is_blank(comment):
        milestone.comment = tidy(comment)[:500]
    milestone.save()
    carry_to_project(milestone)
    refresh_lights(as_of=as_of, project_ids=[milestone.project_id])
    return milestone


def is_awaited(milestone: Milestone) -> bool:
    """Whether a report or an extension request on the milestone waits for a decision."""
    reports = ProgressReport.objects.waiting().filter(milestone=milestone)
    extensions = ExtensionRequest.objects.waiting().filter(milestone=milestone)
    return reports.exists() or extensions.exists()


def move(milestone: Milestone, action: str, as_of: datetime.date) -> None:
    """Change the state of a locked milestone and keep the days that the patrol dates its episodes by.

    The caller saves. Whoever calls this answers for the actor's right to do so.

    Raises:
        Refused: the milestone is not where the step begins.
    """
    step = step_of(Subject.MILESTONE, action)
    if milestone.state not in step.from_states:
        raise Refused(
            _("The milestone is now “%(state)s”; somebody else was faster. Look at it again.")
            % {"state": milestone.get_state_display()}
        )
    was_open = milestone.state in OPEN_MILESTONE_STATES
    milestone.state = step.to_state
    if was_open and milestone.state in CLOSED_MILESTONE_STATES:
        milestone.closed_since, milestone.open_since = as_of, None
    elif not was_open and milestone.state in OPEN_MILESTONE_STATES:
        milestone.open_since, milestone.closed_since = as_of, None
    if milestone.state in OPEN_MILESTONE_STATES:
        milestone.claimed_on = milestone.submitted_by = milestone.accepted_on = None


def carry_to_project(milestone: Milestone) -> None:
    """Work on a milestone is work on its project: 未启动 ends with the first sign of it."""
    project, begin = milestone.project, step_of(Subject.PROJECT, "begin")
    untouched = (MilestoneState.NOT_STARTED, MilestoneState.CANCELLED)
    if project.status in begin.from_states and milestone.state not in untouched:
        project.status = begin.to_state
        project.save(update_fields=["status"])
