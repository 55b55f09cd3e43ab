"""The SASAC's decisions on reports, extension requests and close-outs, one by one or many at once.

One decision and two hundred go the same way: everything that is decided is locked first, in one order
for all services; then each is judged and changed on its own, so that one refusal stops no other.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.plain_text import tidy
from projects.models import CloseOut, ExtensionRequest, Milestone, ProgressReport, Project, Submission
from projects.services import close_outs, extensions, milestones
from projects.services.certificates import facts_of
from projects.services.decision_notices import tell_decisions
from projects.services.lights import refresh_lights
from projects.services.refusals import Refused
from projects.services.submissions import check
from projects.services.working_calendar import working_calendar
from projects.states import CloseOutState
from projects.working_days import WorkingCalendar

LONGEST_COMMENT = 500


@dataclass(frozen=True)
class Outcome:
    """What became of one item; `refused` says why it was not decided, "" when it was."""

    submission: Submission
    refused: str


@dataclass(frozen=True)
class _Decision:
    action: str
    actor: User
    at: datetime.datetime
    comment: str
    calendar: WorkingCalendar

    @property
    def as_of(self) -> datetime.date:
        return timezone.localdate(self.at)


def decide(
    *, kind: type[Submission], pk: int, action: str, actor: User, at: datetime.datetime, comment: str = ""
) -> Submission:
    """Take one decision.

    Args:
        kind: `ProgressReport`, `ExtensionRequest` or `CloseOut`.
        pk: one that the caller has found through the wall.
        action: "accept", "return", "approve", "reject" or "verify", as `projects.workflow` has it.
        at: the moment; its day in Asia/Shanghai is the day of the decision.

    Raises:
        Refused: not possible, or somebody was faster (who and when); nothing is changed.
    """
    (outcome,) = decide_many(kind=kind, pks=[pk], action=action, actor=actor, at=at, comment=comment)
    if outcome.refused:
        raise Refused(outcome.refused)
    return outcome.submission


@transaction.atomic
def decide_many(
    *,
    kind: type[Submission],
    pks: Iterable[int],
    action: str,
    actor: User,
    at: datetime.datetime,
    comment: str = "",
) -> list[Outcome]:
    """Take the same decision on many, each judged on its own.

    Returns:
        One outcome for each id that exists, in ascending order of ids.

    Raises:
        Refused: the comment is too long to be kept whole; nothing is changed.
    """
    comment = tidy(comment)
    if len(comment) > LONGEST_COMMENT:
        raise Refused(
            _("The comment has %(n)d characters; %(most)d is the limit.")
            % {"n": len(comment), "most": LONGEST_COMMENT}
        )
    decision = _Decision(action, actor, at, comment, working_calendar())
    outcomes, touched = [], set()
    for submission, all_milestones in _locked(kind, sorted(set(pks))):
        try:
            with transaction.atomic():
                _decide(submission, all_milestones, decision)
        except Refused as refused:
            outcomes.append(Outcome(submission, str(refused)))
        else:
            outcomes.append(Outcome(submission, ""))
            touched.add(submission.of_project.pk)
    refresh_lights(as_of=decision.as_of, project_ids=sorted(touched))
    decided = [outcome.submission for outcome in outcomes if not outcome.refused]
    tell_decisions(decided, action=action, actor=actor, at=at, as_of=decision.as_of)
    return outcomes


def _locked(kind: type[Submission], pks: list[int]) -> list[tuple[Submission, dict[int, Milestone]]]:
    """The submissions under lock, after their projects and milestones, each with its project's milestones.

    A report needs its own milestone only; an extension may move any of the project's.
    """
    if kind is CloseOut:
        found = dict(CloseOut.objects.filter(pk__in=pks).values_list("pk", "project_id"))
        milestones.locked(found.values(), [])
        held = CloseOut.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=found)
        rows = held.select_related(
            "project__enterprise", "project__programme", "submitted_by", "verified_by", "decided_by"
        )
        return [(row, {}) for row in rows.order_by("pk")]
    model = ProgressReport if kind is ProgressReport else ExtensionRequest
    of = {
        pk: (project_id, milestone_id)
        for pk, project_id, milestone_id in model.objects.filter(pk__in=pks).values_list(
            "pk", "milestone__project_id", "milestone_id"
        )
    }
    only = [milestone_id for _project_id, milestone_id in of.values()] if model is ProgressReport else None
    all_milestones = milestones.locked((project_id for project_id, _m in of.values()), only)
    by_project: dict[int, dict[int, Milestone]] = {}
    for milestone in all_milestones.values():
        by_project.setdefault(milestone.project_id, {})[milestone.pk] = milestone
    submissions = model.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=of).order_by("pk")
    pairs: list[tuple[Submission, dict[int, Milestone]]] = []
    for row in submissions.select_related("submitted_by", "decided_by"):
        row.milestone = all_milestones[row.milestone_id]
        pairs.append((row, by_project[row.milestone.project_id]))
    return pairs


def _decide(submission: Submission, all_milestones: dict[int, Milestone], decision: _Decision) -> None:
    step = check(submission, decision.action, decision.actor, decision.comment)
    if not submission.of_project.programme.in_force(decision.as_of):
        raise Refused(_("The programme is archived or not in force; its milestones are history."))
    submission.state = step.to_state  # type: ignore[attr-defined]
    if isinstance(submission, CloseOut) and submission.state == CloseOutState.VERIFIED:
        submission.verified_by, submission.verified_at = decision.actor, decision.at
        submission.verified_comment = decision.comment
        submission.save(update_fields=["state", "verified_by", "verified_at", "verified_comment"])
        return
    submission.decided_by, submission.decided_at = decision.actor, decision.at
    submission.decided_on, submission.comment = decision.as_of, decision.comment
    assert submission.submitted_on is not None  # a constraint of the table
    submission.waited_days = decision.calendar.days_between(submission.submitted_on, decision.as_of)
    if isinstance(submission, ProgressReport):
        _settle_report(submission, decision)
    elif isinstance(submission, ExtensionRequest):
        _settle_extension(submission, all_milestones, decision)
    elif isinstance(submission, CloseOut):
        _settle_close_out(submission, decision)
    submission.save()


def _settle_report(report: ProgressReport, decision: _Decision) -> None:
    milestone = report.milestone
    if decision.action == "return":
        milestones.move(milestone, "return", decision.as_of)
        milestone.percent, milestone.comment = report.percent_before, decision.comment
    elif report.claimed_on:
        milestones.move(milestone, "accept", decision.as_of)
        milestone.accepted_on = decision.as_of
    else:
        return  # progress was counted when it was handed in
    milestone.save()


def _settle_extension(
    request: ExtensionRequest, all_milestones: dict[int, Milestone], decision: _Decision
) -> None:
    if decision.action == "approve":
        extensions.grant(request, all_milestones)
    extensions.release(request.milestone)


def _settle_close_out(close_out: CloseOut, decision: _Decision) -> None:
    project: Project = close_out.project
    if decision.action == "approve":
        if reason := close_outs.unsettled(project):
            raise Refused(reason)
        close_out.number = close_outs.next_number(close_out.project.programme)
        close_out.facts = facts_of(close_out).as_json()
        close_outs.move(project, "close")
    else:
        close_outs.move(project, "continue")
