"""The escalation ladder (product rules, section 4): who is told when, in working days. Pure.

A rung stands so many working days before a milestone's due date, or after it while the milestone is
overdue. Each is climbed at most once per episode; whatever ends the episode ends the climb.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

from projects.working_days import WorkingCalendar


class Recipient(models.TextChoices):
    """Who is told, by what they are to the project, in the order in which a vacant post passes on."""

    COORDINATOR = "coordinator", _("Coordinator")
    DIRECT_LEAD = "direct_lead", _("Direct lead")
    ACCOUNTABLE_LEAD = "accountable", _("Accountable lead")
    REVIEWER = "reviewer", _("SASAC reviewer")
    LIAISON_LEADER = "liaison", _("Liaison leader")


class Order(models.TextChoices):
    """The supervision order that a rung suggests; a person draws it up and signs it."""

    YELLOW = "yellow", _("yellow order")
    RED = "red", _("red order")


@dataclass(frozen=True)
class Rung:
    """One step.

    Attributes:
        days: working days; below zero before the due date, above zero after it, never 0.
        recipient: one of `Recipient`.
        order: one of `Order`, or "".
        urgent: told at once (outside quiet hours) instead of with the next morning's digest.
        mandatory: a person's own settings cannot silence it.
    """

    days: int
    recipient: str
    order: str = ""
    urgent: bool = False
    mandatory: bool = True


#: Product rules, section 4. A programme without rungs of its own uses these.
DEFAULT_LADDER = (
    Rung(-7, Recipient.COORDINATOR, mandatory=False),
    Rung(-1, Recipient.COORDINATOR, mandatory=False),
    Rung(1, Recipient.DIRECT_LEAD),
    Rung(3, Recipient.ACCOUNTABLE_LEAD),
    Rung(7, Recipient.REVIEWER, order=Order.YELLOW),
    Rung(15, Recipient.LIAISON_LEADER, order=Order.RED),
)


def reached_by(rung: Rung, as_of: datetime.date, calendar: WorkingCalendar) -> datetime.date:
    """The latest due date for which `rung` is reached on `as_of`.

    After the due date: `rung.days` or more working days lie after it, up to and including `as_of`.
    Before it: no more than that many working days lie between `as_of` and it.
    """
    if rung.days > 0:
        return calendar.before(as_of, rung.days - 1)
    return calendar.last_within(as_of, -rung.days)


def day_of(rung: Rung, due_on: datetime.date, calendar: WorkingCalendar) -> datetime.date:
    """The true day on which a milestone due on `due_on` reaches the rung, whenever the patrol comes."""
    if rung.days > 0:
        return calendar.after(due_on, rung.days)
    return calendar.first_within(due_on, -rung.days)


def leaves_at(
    at: datetime.datetime, quiet_from: datetime.time, quiet_until: datetime.time
) -> datetime.datetime:
    """When something urgent may leave the portal: now, or at the end of the quiet hours.

    Args:
        at: the moment, in the zone in which the quiet hours are meant.
        quiet_from, quiet_until: equal for never quiet; `quiet_from` may lie after `quiet_until` (over night).
    """
    if quiet_from == quiet_until:
        return at
    now = at.time()
    over_night = quiet_from > quiet_until
    quiet = (now >= quiet_from or now < quiet_until) if over_night else quiet_from <= now < quiet_until
    if not quiet:
        return at
    end = at.replace(
        hour=quiet_until.hour, minute=quiet_until.minute, second=quiet_until.second, microsecond=0
    )
    return end + datetime.timedelta(days=1) if over_night and now >= quiet_from else end
