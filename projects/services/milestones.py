"""Verbs on milestones. Order in each: lock, check the step, check the actor, change, save."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.scoping import may
from projects.models import Milestone
from projects.services.lights import refresh_lights
from projects.services.refusals import Refused
from projects.states import CLOSED_MILESTONE_STATES, OPEN_MILESTONE_STATES, MilestoneState, ProjectStatus
from projects.workflow import Transition, transition, transitions_from


def refusal(milestone: Milestone, step: Transition, actor: User, as_of: datetime.date) -> str:
    """Why `actor` may not take `step` now, or "" when nothing stands against it."""
    if milestone.state not in step.from_states:
        return _("The milestone is now “%(state)s”; somebody else was faster. Look at it again.") % {
            "state": milestone.get_state_display()
        }
    if not may(actor, step.permission, milestone):
        return _("Your role does not include this step.")
    if step.action in ("accept", "return") and milestone.submitted_by_id == actor.pk:
        return _("Nobody reviews a claim of their own; ask a colleague.")
    if milestone.is_suspended:
        return _("The project is suspended; resume it first.")
    if not milestone.project.programme.in_force(as_of):
        return _("The programme is archived or not in force; its milestones are history.")
    return ""


def steps_for(milestone: Milestone, actor: User, as_of: datetime.date) -> list[Transition]:
    """The steps that `actor` can take now: the buttons on the page."""
    return [step for step in transitions_from(milestone.state) if not refusal(milestone, step, actor, as_of)]


@transaction.atomic
def take_step(
    *,
    milestone_id: int,
    action: str,
    actor: User,
    as_of: datetime.date,
    comment: str = "",
    claimed_on: datetime.date | None = None,
) -> Milestone:
    """Take one step of `projects.workflow` on a milestone.

    Args:
        milestone_id: a milestone that the caller has found through the wall.
        action: name of the transition.
        comment: mandatory where the transition says so.
        claimed_on: for "submit": the day on which the work was done, today or earlier.

    Returns:
        The milestone as it is now.

    Raises:
        Refused: the step is not possible; the message says why.
    """
    step = transition(action)
    if step is None:
        raise Refused(_("There is no such step."))
    milestone = Milestone.objects.select_for_update(of=("self",)).get(pk=milestone_id)
    if reason := refusal(milestone, step, actor, as_of):
        raise Refused(reason)
    if step.comment_needed and not comment.strip():
        raise Refused(_("Say why: the comment is read by those who have to act on it."))
    if step.action == "submit":
        claimed_on = claimed_on or as_of
        if claimed_on > as_of:
            raise Refused(_("The day of completion cannot lie in the future."))
        if claimed_on < milestone.project.programme.starts_on:
            raise Refused(_("The day of completion cannot lie before the programme began."))
        milestone.claimed_on, milestone.submitted_by, milestone.percent = claimed_on, actor, 100
    if step.action == "accept":
        milestone.accepted_on = as_of
    _move(milestone, step.to_state, as_of)
    if comment.strip():
        milestone.comment = comment.strip()[:500]
    milestone.save()
    _carry_to_project(milestone)
    refresh_lights(as_of=as_of, project_ids=[milestone.project_id])
    return milestone


@transaction.atomic
def report_percent(*, milestone_id: int, percent: int, actor: User, as_of: datetime.date) -> Milestone:
    """Set the reported percentage of an open milestone; work that was not begun begins.

    Raises:
        Refused: not open, not the actor's, or not a percentage.
    """
    milestone = Milestone.objects.select_for_update(of=("self",)).get(pk=milestone_id)
    if not may(actor, "report", milestone):
        raise Refused(_("Your role does not include this step."))
    if not milestone.project.programme.in_force(as_of):
        raise Refused(_("The programme is archived or not in force; its milestones are history."))
    if milestone.state not in OPEN_MILESTONE_STATES or milestone.is_suspended:
        raise Refused(
            _("Progress is reported on open milestones; this one is “%(state)s”.")
            % {"state": milestone.get_state_display()}
        )
    if not 0 <= percent <= 100:
        raise Refused(_("Progress is a number from 0 to 100."))
    milestone.percent = percent
    if milestone.state == MilestoneState.NOT_STARTED and percent:
        milestone.state = MilestoneState.IN_PROGRESS
    milestone.save()
    _carry_to_project(milestone)
    refresh_lights(as_of=as_of, project_ids=[milestone.project_id])
    return milestone


def _move(milestone: Milestone, to_state: str, as_of: datetime.date) -> None:
    """Change the state and keep the days that the patrol dates its episodes by."""
    was_open = milestone.state in OPEN_MILESTONE_STATES
    milestone.state = to_state
    if was_open and to_state in CLOSED_MILESTONE_STATES:
        milestone.closed_since, milestone.open_since = as_of, None
    elif not was_open and to_state in OPEN_MILESTONE_STATES:
        milestone.open_since, milestone.closed_since = as_of, None
    if to_state in OPEN_MILESTONE_STATES:
        milestone.claimed_on = milestone.submitted_by = None


def _carry_to_project(milestone: Milestone) -> None:
    """Work on a milestone is work on its project: 未启动 ends with the first sign of it."""
    project = milestone.project
    untouched = (MilestoneState.NOT_STARTED, MilestoneState.CANCELLED)
    if project.status in ("", ProjectStatus.NOT_STARTED) and milestone.state not in untouched:
        project.status = ProjectStatus.IN_PROGRESS
        project.save(update_fields=["status"])
