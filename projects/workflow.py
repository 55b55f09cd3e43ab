"""Which step may follow which, as data: the only table of transitions of the portal.

Buttons, permission checks, docs/workflow.md and the tests read this table; a service that moves
anything asks `step_of` first. Rules: product page, sections 3 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from projects.states import CloseOutState as C
from projects.states import ExtensionState as E
from projects.states import MilestoneState as M
from projects.states import ProjectStatus as P
from projects.states import ReportState as R


class Subject(StrEnum):
    """What moves. The value is the model's name, as permissions spell it."""

    MILESTONE = "milestone"
    REPORT = "progressreport"
    EXTENSION = "extensionrequest"
    CLOSE_OUT = "closeout"
    PROJECT = "project"


@dataclass(frozen=True)
class Transition:
    """One verb.

    Attributes:
        action: name of the verb, as in the URL and the journal.
        permission: action name of `enterprises.roles` that the actor needs on the subject; "" for a
            step that no person takes by itself, because another step brings it about (`follows`).
        comment_needed: whether the person must say why.
        by_another: nobody takes this step on what they submitted or verified themselves.
        follows: the steps of another subject that this one is the effect of.
    """

    action: str
    label: Promise
    from_states: tuple[str, ...]
    to_state: str
    permission: str = ""
    comment_needed: bool = False
    by_another: bool = False
    primary: bool = False
    follows: tuple[str, ...] = ()


_OPEN = (M.NOT_STARTED, M.IN_PROGRESS, M.RETURNED)
#: Statuses in which work is reported and dates are asked for.
UNDER_WAY = ("", P.NOT_STARTED, P.IN_PROGRESS)

WORKFLOW: dict[Subject, tuple[Transition, ...]] = {
    Subject.MILESTONE: (
        Transition("start", _("Start work"), (M.NOT_STARTED,), M.IN_PROGRESS, "report"),
        Transition(
            "progress", _("Progress reported"), _OPEN, M.IN_PROGRESS, follows=("progressreport.submit",)
        ),
        Transition("claim", _("Completion claimed"), _OPEN, M.SUBMITTED, follows=("progressreport.submit",)),
        Transition(
            "unclaim",
            _("Claim withdrawn"),
            (M.SUBMITTED,),
            M.IN_PROGRESS,
            follows=("progressreport.withdraw",),
        ),
        Transition("accept", _("Accepted"), (M.SUBMITTED,), M.ACCEPTED, follows=("progressreport.accept",)),
        Transition(
            "return",
            _("Returned"),
            (M.SUBMITTED, M.IN_PROGRESS),
            M.RETURNED,
            follows=("progressreport.return",),
        ),
        Transition("cancel", _("Cancel milestone"), _OPEN, M.CANCELLED, "cancel", comment_needed=True),
        Transition(
            "reopen", _("Opened again"), (M.ACCEPTED, M.CANCELLED), M.RETURNED, follows=("project.reopen",)
        ),
    ),
    Subject.REPORT: (
        Transition("submit", _("Submit for review"), (R.DRAFT,), R.SUBMITTED, "change", primary=True),
        Transition("withdraw", _("Withdraw"), (R.SUBMITTED,), R.DRAFT, "change"),
        Transition(
            "accept",
            _("Pass the review"),
            (R.SUBMITTED,),
            R.ACCEPTED,
            "review",
            by_another=True,
            primary=True,
        ),
        Transition(
            "return",
            _("Return for rework"),
            (R.SUBMITTED,),
            R.RETURNED,
            "review",
            comment_needed=True,
            by_another=True,
        ),
    ),
    Subject.EXTENSION: (
        Transition("submit", _("Submit for review"), (E.DRAFT,), E.SUBMITTED, "change", primary=True),
        Transition("withdraw", _("Withdraw"), (E.SUBMITTED,), E.DRAFT, "change"),
        Transition(
            "approve", _("Approve"), (E.SUBMITTED,), E.APPROVED, "review", by_another=True, primary=True
        ),
        Transition(
            "return",
            _("Return for completion"),
            (E.SUBMITTED,),
            E.RETURNED,
            "review",
            comment_needed=True,
            by_another=True,
        ),
        Transition(
            "reject", _("Reject"), (E.SUBMITTED,), E.REJECTED, "review", comment_needed=True, by_another=True
        ),
    ),
    Subject.CLOSE_OUT: (
        Transition("submit", _("Submit for review"), (C.DRAFT,), C.SUBMITTED, "change", primary=True),
        Transition("withdraw", _("Withdraw"), (C.SUBMITTED,), C.DRAFT, "change"),
        Transition(
            "verify", _("Verify"), (C.SUBMITTED,), C.VERIFIED, "review", by_another=True, primary=True
        ),
        Transition(
            "approve",
            _("Approve the close-out"),
            (C.VERIFIED,),
            C.APPROVED,
            "approve",
            by_another=True,
            primary=True,
        ),
        Transition(
            "return",
            _("Return for completion"),
            (C.SUBMITTED, C.VERIFIED),
            C.RETURNED,
            "review",
            comment_needed=True,
            by_another=True,
        ),
    ),
    Subject.PROJECT: (
        Transition(
            "begin",
            _("Work begun"),
            ("", P.NOT_STARTED),
            P.IN_PROGRESS,
            follows=("milestone.start", "progressreport.submit"),
        ),
        Transition(
            "await", _("Close-out asked for"), UNDER_WAY, P.AWAITING_ACCEPTANCE, follows=("closeout.submit",)
        ),
        Transition(
            "continue",
            _("Close-out not granted"),
            (P.AWAITING_ACCEPTANCE,),
            P.IN_PROGRESS,
            follows=("closeout.withdraw", "closeout.return"),
        ),
        Transition(
            "close", _("Closed out"), (P.AWAITING_ACCEPTANCE,), P.CLOSED_OUT, follows=("closeout.approve",)
        ),
        Transition("suspend", _("Suspend"), UNDER_WAY, P.SUSPENDED, "suspend", comment_needed=True),
        Transition(
            "resume", _("Resume"), (P.SUSPENDED,), P.IN_PROGRESS, "suspend", comment_needed=True, primary=True
        ),
        Transition(
            "terminate",
            _("Terminate"),
            (*UNDER_WAY, P.SUSPENDED),
            P.TERMINATED,
            "terminate",
            comment_needed=True,
        ),
        Transition(
            "reopen", _("Reopen"), (P.CLOSED_OUT, P.TERMINATED), P.IN_PROGRESS, "reopen", comment_needed=True
        ),
    ),
}


def transition(subject: Subject, action: str) -> Transition | None:
    """The step of that name, None when there is none (a name from a URL may be anything)."""
    return next((step for step in WORKFLOW[subject] if step.action == action), None)


def step_of(subject: Subject, action: str) -> Transition:
    """The step of that name, for code that knows it exists.

    Raises:
        LookupError: the table has no such step.
    """
    if (found := transition(subject, action)) is None:
        raise LookupError(f"{subject}.{action}")
    return found


def steps_by_hand(subject: Subject, state: str) -> Iterator[Transition]:
    """The steps that a person can take from `state`: what may become a button."""
    return (step for step in WORKFLOW[subject] if step.permission and state in step.from_states)
