"""What reports, extension requests and close-outs have in common: rounds, handing in, taking back."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.db.models import Max
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.plain_text import is_blank, tidy
from enterprises.scoping import may
from projects.models import CloseOut, ExtensionRequest, ProgressReport, Submission
from projects.services.refusals import Refused
from projects.workflow import Subject, Transition, step_of, steps_by_hand

SUBJECT_OF: dict[type[Submission], Subject] = {
    ProgressReport: Subject.REPORT,
    ExtensionRequest: Subject.EXTENSION,
    CloseOut: Subject.CLOSE_OUT,
}
KIND_OF: dict[str, type[Submission]] = {str(subject): model for model, subject in SUBJECT_OF.items()}


def refusal(submission: Submission, step: Transition, actor: User) -> str:
    """Why `actor` may not take `step` on a report, request or close-out, or ""."""
    if submission.state not in step.from_states:  # type: ignore[attr-defined]
        return _faster(submission)
    if not step.permission or not may(actor, step.permission, submission):
        return _("Your role does not include this step.")
    if step.by_another and is_own(submission, actor):
        return _("Nobody decides on what they submitted or verified themselves; ask a colleague.")
    return ""


def is_own(submission: Submission, person: User) -> bool:
    """Whether the person wrote, submitted or verified it, and so decides nothing about it."""
    took_part = {
        submission.submitted_by_id,
        getattr(submission, "verified_by_id", None),
        *submission.writer_ids,
    }
    return person.pk in took_part


def _faster(submission: Submission) -> str:
    state = submission.get_state_display()  # type: ignore[attr-defined]
    who, when = submission.decided_by, submission.decided_at
    if who is None and isinstance(submission, CloseOut):  # the first of its two decisions
        who, when = submission.verified_by, submission.verified_at
    if who is not None and when is not None:
        return _("%(who)s was faster: “%(state)s” since %(when)s.") % {
            "who": who,
            "state": state,
            "when": date_format(timezone.localtime(when), "DATETIME_FORMAT"),
        }
    return _("It is now “%(state)s”; look at it again.") % {"state": state}


def steps_for(submission: Submission, actor: User) -> list[Transition]:
    """The steps that `actor` can take now: the buttons on its page."""
    possible = steps_by_hand(SUBJECT_OF[type(submission)], submission.state)  # type: ignore[attr-defined]
    return [step for step in possible if not refusal(submission, step, actor)]


def check(submission: Submission, action: str, actor: User, comment: str = "") -> Transition:
    """The step, if `actor` may take it now.

    Raises:
        Refused: the message says why not.
    """
    step = step_of(SUBJECT_OF[type(submission)], action)
    if reason := refusal(submission, step, actor):
        raise Refused(reason)
    if step.comment_needed and is_blank(comment):
        raise Refused(_("Say why: the comment is read by those who have to act on it."))
    return step


def next_round(rows: Any) -> int:
    """Number of the next round of one subject's submissions."""
    return (rows.aggregate(last=Max("round"))["last"] or 0) + 1


def hand_in(submission: Submission, actor: User, at: datetime.datetime) -> None:
    """Set what every submission carries from the moment on which it waits; the caller saves."""
    submission.submitted_by, submission.submitted_at = actor, at
    submission.submitted_on = timezone.localdate(at)
    submission.comment = ""


def take_back(submission: Submission) -> None:
    """Undo `hand_in`: a draft again; the caller saves."""
    submission.submitted_by = submission.submitted_at = submission.submitted_on = None


def draft_among(rounds: Any, waits: str) -> Any | None:
    """The draft among the rounds of one subject, None when there is none.

    Args:
        rounds: the subject's submissions; its row is locked.
        waits: what to say where a round waits for its decision already.

    Raises:
        Refused: one waits.
    """
    row = rounds.at_work().first()
    if row is not None and row.is_waiting:
        raise Refused(waits)
    return row


def keep(draft: Submission, actor: User, texts: dict[str, Any], fields: Iterable[str]) -> None:
    """Keep what was typed so far in a locked draft: only the named fields; it may be incomplete.

    Raises:
        Refused: no draft any more, or not the actor's.
    """
    check(draft, "submit", actor)
    typed = [name for name in fields if name in texts]
    for name in typed:
        value = texts[name]
        setattr(draft, name, tidy(value) if isinstance(value, str) else value)
    if actor.pk not in draft.writer_ids:
        draft.writer_ids = [*draft.writer_ids, actor.pk]
        typed.append("writer_ids")
    if typed:
        draft.save(update_fields=typed)
