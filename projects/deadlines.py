"""What "overdue" means. The one definition; everything that shows, counts or tells it asks here.

Rules (product page, section 3):

1. A deadline is a date in Asia/Shanghai and inclusive: due on the 10th is overdue from the 11th.
2. A milestone is overdue on a day when it is open (not started, in progress, returned), not
   suspended, its `due_on` lies before that day, and no extension request that was filed on or before
   `due_on` waits for a decision (`awaits_extension`). No due date: never overdue.
3. A submitted milestone is not counted against the enterprise; the reviewer's clock runs instead.

Nothing here reads a clock. Who asks says for which day (`as_of`), so that a page which is being
built at midnight cannot disagree with itself. For every condition in SQL there is a Python twin for
rows in hand, and a test that compares both over every state and date.
"""

from __future__ import annotations

import datetime
from typing import Protocol

from django.db.models import F, Q

from projects.states import CLOSED_MILESTONE_STATES, OPEN_MILESTONE_STATES, MilestoneState


class DatedItem(Protocol):
    """What `is_item_overdue` needs of an action item."""

    due_on: datetime.date
    done_on: datetime.date | None


class Dated(Protocol):
    """What the twins need of a milestone."""

    state: str
    is_suspended: bool
    awaits_extension: bool
    due_on: datetime.date | None


def open_q(prefix: str = "") -> Q:
    """Milestones whose clock runs: they owe something, are not suspended, and await no extension.

    The indexes on open milestones are partial on exactly this condition; a query that is built from
    it can use them.
    """
    return Q(
        (f"{prefix}state__in", OPEN_MILESTONE_STATES),
        (f"{prefix}is_suspended", False),
        (f"{prefix}awaits_extension", False),
    )


def overdue_q(as_of: datetime.date, prefix: str = "") -> Q:
    """Milestones that are overdue on `as_of`.

    Args:
        as_of: the day that is asked about, in Asia/Shanghai.
        prefix: lookup path to the milestone ("milestones__" from a project).
    """
    return open_q(prefix) & Q((f"{prefix}due_on__lt", as_of))


def due_soon_q(as_of: datetime.date, days: int, prefix: str = "") -> Q:
    """Milestones due on `as_of` or within the `days` days after it (the warning window)."""
    return due_by_q(as_of, as_of + datetime.timedelta(days=days), prefix)


def due_by_q(as_of: datetime.date, last: datetime.date, prefix: str = "") -> Q:
    """Open milestones that are not overdue on `as_of` and due on `last` at the latest."""
    return open_q(prefix) & Q((f"{prefix}due_on__gte", as_of), (f"{prefix}due_on__lte", last))


def no_date_q(prefix: str = "") -> Q:
    """Open milestones without a date: never overdue, listed apart."""
    return open_q(prefix) & Q((f"{prefix}due_on__isnull", True))


def kept_q(promise: str = "due_on") -> Q:
    """Accepted milestones whose completion was claimed on the promised date or before.

    Args:
        promise: "due_on", the date in force, or "baseline_due_on", the one first promised, which assessment
            goes by (product rules 3.2).
    """
    return Q(state=MilestoneState.ACCEPTED.value) & Q(("claimed_on__lte", F(promise)))


def late_q(promise: str = "due_on") -> Q:
    """Accepted milestones whose completion was claimed after the promised date: late stays late (rule 3.4)."""
    return Q(state=MilestoneState.ACCEPTED.value) & Q(("claimed_on__gt", F(promise)))


def first_missed_q(as_of: datetime.date) -> Q:
    """Milestones that missed the date first promised: done after it, or past it and not done yet.

    An extension does not count here, and neither does who is at fault: what waits for a review was claimed on a day.
    """
    unfinished = Q(state__in=OPEN_MILESTONE_STATES, baseline_due_on__lt=as_of)
    claimed = Q(state=MilestoneState.SUBMITTED.value) & Q(claimed_on__gt=F("baseline_due_on"))
    return unfinished | claimed | late_q("baseline_due_on")


def unflagged_q() -> Q:
    """Milestones whose present due date has not been flagged: the patrol's work queue.

    Written out as three comparisons because PostgreSQL proves a partial index from the same words,
    and Django has none for IS DISTINCT FROM.
    """
    return (
        Q(flagged_due_on__isnull=True) | Q(flagged_due_on__lt=F("due_on")) | Q(flagged_due_on__gt=F("due_on"))
    )


def cured_q() -> Q:
    """Flagged milestones that are not overdue any more, or not for the date that was flagged.

    Time alone cures nothing, so no day is needed: what was flagged while overdue stays overdue until
    someone closes, suspends or re-dates it. That makes this the condition of a small partial index.
    """
    return Q(flagged_due_on__isnull=False) & (
        Q(state__in=CLOSED_MILESTONE_STATES)
        | Q(is_suspended=True)
        | Q(awaits_extension=True)
        | Q(due_on__isnull=True)
        | Q(due_on__lt=F("flagged_due_on"))
        | Q(due_on__gt=F("flagged_due_on"))
    )


def item_open_q(prefix: str = "") -> Q:
    """Action items that were not answered yet."""
    return Q((f"{prefix}done_on__isnull", True))


def item_overdue_q(as_of: datetime.date, prefix: str = "") -> Q:
    """Action items that are overdue on `as_of`. Their date is inclusive, as a milestone's is."""
    return item_open_q(prefix) & Q((f"{prefix}due_on__lt", as_of))


def item_untold_q() -> Q:
    """Action items of whose present date nobody was told yet that it passed (see `unflagged_q`)."""
    return Q(told_due_on__isnull=True) | Q(told_due_on__lt=F("due_on")) | Q(told_due_on__gt=F("due_on"))


def is_item_overdue(item: DatedItem, as_of: datetime.date) -> bool:
    """Python twin of `item_overdue_q`."""
    return item.done_on is None and item.due_on < as_of


def is_open(milestone: Dated) -> bool:
    """Python twin of `open_q`."""
    return (
        milestone.state in OPEN_MILESTONE_STATES
        and not milestone.is_suspended
        and not milestone.awaits_extension
    )


def is_overdue(milestone: Dated, as_of: datetime.date) -> bool:
    """Python twin of `overdue_q`."""
    return is_open(milestone) and milestone.due_on is not None and milestone.due_on < as_of


def is_due_soon(milestone: Dated, as_of: datetime.date, days: int) -> bool:
    """Python twin of `due_soon_q`."""
    return (
        is_open(milestone)
        and milestone.due_on is not None
        and as_of <= milestone.due_on <= as_of + datetime.timedelta(days=days)
    )


def days_overdue(due_on: datetime.date | None, as_of: datetime.date) -> int:
    """Whole days since the deadline; 0 on the day itself, before it, and without one."""
    return max(0, (as_of - due_on).days) if due_on else 0
