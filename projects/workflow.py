"""Which step may follow which, as data. Buttons, checks, docs and tests read the same table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from projects.states import MilestoneState as M


@dataclass(frozen=True)
class Transition:
    """One verb on a milestone.

    Attributes:
        action: name of the verb, as in the URL and the journal.
        permission: action name of `enterprises.roles` that the actor needs on the milestone.
        comment_needed: whether the person must say why.
    """

    action: str
    label: Promise
    from_states: tuple[M, ...]
    to_state: M
    permission: str
    comment_needed: bool = False
    primary: bool = False


TRANSITIONS: tuple[Transition, ...] = (
    Transition("start", _("Start work"), (M.NOT_STARTED,), M.IN_PROGRESS, "report", primary=True),
    Transition(
        "submit",
        _("Claim completion"),
        (M.IN_PROGRESS, M.RETURNED),
        M.SUBMITTED,
        "report",
        primary=True,
    ),
    Transition("withdraw", _("Withdraw the claim"), (M.SUBMITTED,), M.IN_PROGRESS, "report"),
    Transition("accept", _("Accept"), (M.SUBMITTED,), M.ACCEPTED, "review", primary=True),
    Transition("return", _("Return for rework"), (M.SUBMITTED,), M.RETURNED, "review", comment_needed=True),
    Transition(
        "cancel",
        _("Cancel milestone"),
        (M.NOT_STARTED, M.IN_PROGRESS, M.RETURNED),
        M.CANCELLED,
        "cancel",
        comment_needed=True,
    ),
)


def transition(action: str) -> Transition | None:
    return next((t for t in TRANSITIONS if t.action == action), None)


def transitions_from(state: str) -> Iterable[Transition]:
    return (t for t in TRANSITIONS if state in t.from_states)
