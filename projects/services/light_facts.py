"""The facts of one project in hand: what `light_sums.judged` adds up in SQL, milestone by milestone."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from projects.deadlines import Dated, days_overdue, is_due_soon, is_overdue
from projects.lights import ProjectFacts, red_counts_from
from projects.models import Milestone, Programme, Project
from projects.planned_progress import PlannedStep, planned_share, progress
from projects.states import MilestoneState, ProjectStatus


@dataclass(frozen=True)
class Share:
    """What one milestone adds to planned, actual and the gap.

    Attributes:
        weight: its part of the plan in percent; 0 for a cancelled one, which weighs nothing.
        planned, reported: percent of the milestone itself.
        gap: percentage points of the project by which it is behind its plan; negative when ahead.
        days: overdue by so many days; `is_soon` in the warning window.
    """

    milestone: Milestone
    weight: float
    planned: float
    reported: float
    gap: float
    days: int
    is_soon: bool


def shares(project: Project, milestones: Sequence[Milestone], as_of: datetime.date) -> list[Share]:
    """What each milestone of a project adds on a day, in the order given."""
    total = sum(m.weight for m in milestones if m.state != MilestoneState.CANCELLED)
    return [_share(milestone, total, as_of, project.programme.warning_days) for milestone in milestones]


def _share(milestone: Milestone, total: int, as_of: datetime.date, warning_days: int) -> Share:
    if milestone.state == MilestoneState.CANCELLED:
        return Share(milestone, 0, 0, 0, 0, 0, False)
    step = planned_step(milestone)
    planned = 100 * planned_share(step, as_of)
    reported = 100 if step.accepted else step.percent
    part = milestone.weight / total
    # A step without a date is behind of nothing: it counts in what was done only.
    gap = part * (planned - reported)
    days = days_overdue(milestone.due_on, as_of) if is_overdue(milestone, as_of) else 0
    return Share(
        milestone, 100 * part, planned, reported, gap, days, is_due_soon(milestone, as_of, warning_days)
    )


class JudgedMilestone(Dated, Protocol):
    """What the light of a project asks of a milestone: a row of the table, or one that is about to be written."""

    starts_on: datetime.date | None
    percent: int
    weight: int


class JudgedProject(Protocol):
    """What the light of a project asks of the project itself."""

    programme: Programme
    status: str
    due_on: datetime.date | None
    is_standing: bool
    last_red_on: datetime.date | None


def planned_step(milestone: JudgedMilestone) -> PlannedStep:
    """The milestone as the plan sees it."""
    return PlannedStep(
        milestone.weight,
        milestone.starts_on,
        milestone.due_on,
        milestone.percent,
        milestone.state == MilestoneState.ACCEPTED,
        milestone.awaits_extension,
    )


def facts_of(
    project: JudgedProject, milestones: Sequence[JudgedMilestone], as_of: datetime.date
) -> ProjectFacts:
    """The facts by which the project's light is judged on a day."""
    programme = project.programme
    counted = [m for m in milestones if m.state != MilestoneState.CANCELLED]
    planned, actual = progress([planned_step(m) for m in counted], as_of)
    late = [m.due_on for m in counted if is_overdue(m, as_of) and m.due_on]
    soon = [m.due_on for m in counted if is_due_soon(m, as_of, programme.warning_days) and m.due_on]
    awaits = sum(m.awaits_extension for m in counted)
    settled = project.is_standing or project.status == ProjectStatus.AWAITING_ACCEPTANCE or awaits
    red_from = red_counts_from(programme.light_policy, as_of, programme.policy_since)
    red_on = project.last_red_on
    return ProjectFacts(
        status=project.status,
        planned=planned,
        actual=actual,
        overdue=len(late),
        worst_on=min(late, default=None),
        missed_on=project.due_on if not settled and days_overdue(project.due_on, as_of) else None,
        due_soon=len(soon),
        next_on=min(soon, default=None),
        awaits=awaits,
        started=project.status not in ("", ProjectStatus.NOT_STARTED)
        or any(m.state != MilestoneState.NOT_STARTED for m in counted),
        red_on=red_on if red_on and red_from <= red_on <= as_of else None,
    )
