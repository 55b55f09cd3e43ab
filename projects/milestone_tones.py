"""The light of one milestone: what its badge, its diamond on the wall chart and its row in a list show.

Asked of a milestone in hand, whose project and programme are loaded. What is overdue or due soon is
asked of `deadlines`; here it only becomes a colour.
"""

from __future__ import annotations

import datetime
from typing import Any

from projects.deadlines import days_overdue, is_due_soon, is_overdue
from projects.states import MilestoneState


def days_shown(milestone: Any, today: datetime.date) -> int:
    """Days overdue for a badge; an archived programme is history and counts no further."""
    if not milestone.project.programme.in_force(today) or not is_overdue(milestone, today):
        return 0
    return days_overdue(milestone.due_on, today)


def tone_of(milestone: Any, today: datetime.date) -> str:
    """The light of one milestone, for its badge."""
    if milestone.state == MilestoneState.ACCEPTED:
        return "blue"
    if not milestone.project.programme.in_force(today) or milestone.state == MilestoneState.CANCELLED:
        return "grey"
    if is_overdue(milestone, today):
        return "red"
    if milestone.awaits_extension or is_due_soon(milestone, today, milestone.project.programme.warning_days):
        return "yellow"
    return "grey" if milestone.state == MilestoneState.NOT_STARTED else "green"
