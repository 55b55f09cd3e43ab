"""Telling whoever handed something in what was decided on it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from enterprises.models import User
from notices.services.telling import Tell, tell
from projects.models import CloseOut, Submission
from projects.notice_names import DECISION

#: Decisions after which the writer has to act: told at once.
_URGENT = ("return", "reject")


def tell_decisions(
    decided: Iterable[Submission], *, action: str, actor: User, at: datetime.datetime, as_of: datetime.date
) -> int:
    """Write a notice to who handed in each submission, in the transaction of the decision.

    Where nobody did (it was taken over from a list) its writers are told; who decided is not told of it.

    Args:
        decided: submissions as they are after the decision.
        action: what was done, as `projects.workflow` has it.

    Returns:
        How many notices were written.
    """
    return tell(
        (
            Tell(
                recipient_id=user_id,
                kind=DECISION,
                cause=f"decision:{submission._meta.model_name}:{submission.pk}:{action}",
                data={
                    **_about(submission),
                    "action": action,
                    "comment": submission.comment,
                    "by": str(actor),
                },
                subject=submission._meta.label_lower,
                subject_id=submission.pk,
                enterprise_id=submission.of_project.enterprise_id,
                on=as_of,
                urgent=action in _URGENT,
            )
            for submission in decided
            for user_id in _writers(submission, actor)
        ),
        at=at,
    )


def _writers(submission: Submission, actor: User) -> list[int]:
    writers = [submission.submitted_by_id] if submission.submitted_by_id else list(submission.writer_ids)
    return [pk for pk in writers if pk != actor.pk]


def _about(submission: Submission) -> dict[str, object]:
    project = submission.of_project
    milestone = "" if isinstance(submission, CloseOut) else submission.milestone.name  # type: ignore[attr-defined]
    return {
        "of": submission._meta.model_name,
        "milestone": milestone,
        "project": project.name,
        "project_id": project.pk,
        "enterprise": project.enterprise.short_name or project.enterprise.name,
        "programme": project.programme.name,
    }
