"""Verbs of the officer on progress reports: draft, submit, withdraw, "no change". Reviews: `reviews`."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.plain_text import is_blank
from enterprises.scoping import may
from projects.models import Milestone, ProgressReport
from projects.services import milestones
from projects.services.lights import refresh_lights
from projects.services.refusals import Refused
from projects.services.submissions import check, draft_among, hand_in, keep, next_round, take_back
from projects.states import OPEN_MILESTONE_STATES, ReportState
from projects.workflow import UNDER_WAY

#: What a person fills in.
FIELDS = ("percent", "claimed_on", *ProgressReport.TEXTS)


def last_report(milestone: Milestone, before: ProgressReport | None = None) -> ProgressReport | None:
    """The latest decided or waiting report on a milestone: what the next one opens with.

    Args:
        before: only rounds before this one.
    """
    rows = ProgressReport.objects.filter(milestone=milestone).exclude(state=ReportState.DRAFT)
    if before is not None:
        rows = rows.filter(round__lt=before.round)
    return rows.select_related("submitted_by", "decided_by").order_by("-round").first()


def cannot_report(milestone: Milestone, actor: User, as_of: datetime.date) -> str:
    """Why `actor` cannot report on the milestone now, or ""."""
    if not may(actor, "report", milestone):
        return _("Your role does not include this step.")
    if milestone.project.status not in UNDER_WAY:
        return _("The project is “%(state)s”.") % {"state": milestone.project.get_status_display()}
    if milestone.state not in OPEN_MILESTONE_STATES:
        return _("Progress is reported on open milestones; this one is “%(state)s”.") % {
            "state": milestone.get_state_display()
        }
    return milestones.standing_still(milestone, as_of)


def unsaved(milestone: Milestone) -> ProgressReport:
    """The draft as it would open now, with the text and progress of the last report; nothing is created."""
    last = last_report(milestone)
    opening: dict[str, Any] = {name: getattr(last, name) for name in ProgressReport.TEXTS} if last else {}
    return ProgressReport(
        milestone=milestone,
        round=next_round(milestone.reports),  # type: ignore[attr-defined]
        percent=opening_percent(milestone, last),
        **opening,
    )


def opening_percent(milestone: Milestone, last: ProgressReport | None) -> int:
    """The progress that a report opens with: what counts now, or what was returned and is written anew.

    A claim that was returned does not open as a claim: whether it is done after all has to be said again.
    """
    if last is not None and last.state == ReportState.RETURNED and not last.claimed_on:
        return last.percent
    return milestone.percent


@transaction.atomic
def open_draft(*, milestone_id: int, actor: User, as_of: datetime.date) -> ProgressReport:
    """The draft on a milestone, made when there is none: with the text and progress of the last report.

    Raises:
        Refused: nothing can be reported, or a report waits for review already.
    """
    milestone = _locked(milestone_id)
    if reason := cannot_report(milestone, actor, as_of):
        raise Refused(reason)
    rounds = ProgressReport.objects.filter(milestone=milestone)
    draft = draft_among(rounds, _("A report waits for review already; withdraw it to write on."))
    if draft is None:
        draft = unsaved(milestone)
        draft.save()
    draft.milestone = milestone
    return draft


@transaction.atomic
def save_draft(*, report_id: int, actor: User, texts: dict[str, Any]) -> ProgressReport:
    """Keep what was typed so far; a draft may be incomplete.

    Raises:
        Refused: no draft any more, or not the actor's.
    """
    report = _locked_report(report_id)
    keep(report, actor, texts, FIELDS)
    return report


@transaction.atomic
def submit(*, report_id: int, actor: User, at: datetime.datetime) -> ProgressReport:
    """Hand a draft in. Its progress counts from now on; with a completion date the milestone is claimed.

    Args:
        at: the moment; its day in Asia/Shanghai is the day of the report.

    Raises:
        Refused: something is missing, not possible, or not the actor's; nothing is changed.
    """
    report, as_of = _locked_report(report_id), timezone.localdate(at)
    check(report, "submit", actor)
    milestone = report.milestone
    if reason := cannot_report(milestone, actor, as_of) or incomplete(report, as_of):
        raise Refused(reason)
    report.percent_before = milestone.percent
    report.state = ReportState.SUBMITTED
    hand_in(report, actor, at)
    if report.claimed_on:
        report.percent = 100
        milestones.move(milestone, "claim", as_of)
        milestone.claimed_on, milestone.submitted_by = report.claimed_on, actor
    else:
        milestones.move(milestone, "progress", as_of)
    milestone.percent, milestone.comment = report.percent, ""  # answered; the round keeps what was said
    report.save()
    milestone.save()
    milestones.carry_to_project(milestone)
    refresh_lights(as_of=as_of, project_ids=[milestone.project_id])
    return report


def incomplete(report: ProgressReport, as_of: datetime.date) -> str:
    """What a draft still lacks or gets wrong, or ""."""
    programme = report.milestone.project.programme
    if not 0 <= report.percent <= 100:
        return _("Progress is a number from 0 to 100.")
    if is_blank(report.done):
        return _("Say what was done: the reviewer has nothing else to go by.")
    if report.claimed_on is None:
        if report.percent == 100:
            return _("Progress is 100%: give the day of completion to claim it, or report less than 100%.")
        return ""
    return wrong_completion_day(report.claimed_on, programme.starts_on, as_of)


def wrong_completion_day(day: datetime.date, earliest: datetime.date, as_of: datetime.date) -> str:
    """Why `day` cannot be the day on which something was completed, or ""."""
    if day > as_of:
        return _("The day of completion cannot lie in the future.")
    if day < earliest:
        return _("The day of completion cannot lie before the programme began.")
    return ""


@transaction.atomic
def withdraw(*, report_id: int, actor: User, at: datetime.datetime) -> ProgressReport:
    """Take a report back before it was reviewed; it is a draft again, and its progress does not count.

    Raises:
        Refused: reviewed already, or not the actor's.
    """
    report, as_of = _locked_report(report_id), timezone.localdate(at)
    check(report, "withdraw", actor)
    milestone = report.milestone
    if reason := milestones.standing_still(milestone, as_of):
        raise Refused(reason)
    if report.claimed_on:
        milestones.move(milestone, "unclaim", as_of)
    milestone.percent = report.percent_before
    report.state, report.no_change = ReportState.DRAFT, False
    take_back(report)
    report.save()
    milestone.save()
    refresh_lights(as_of=as_of, project_ids=[milestone.project_id])
    return report


@transaction.atomic
def discard(*, report_id: int, actor: User) -> Milestone:
    """Throw a draft away with its evidence.

    Raises:
        Refused: no draft any more, or not the actor's.
    """
    report = _locked_report(report_id)
    check(report, "submit", actor)
    milestone = report.milestone
    report.delete()
    return milestone


@transaction.atomic
def report_no_change(*, milestone_id: int, actor: User, at: datetime.datetime) -> ProgressReport:
    """本期无变化: one click hands in that everything stands as last reported; counted apart.

    Raises:
        Refused: there is no report to stand by, a draft is being written, or nothing can be reported.
    """
    milestone = _locked(milestone_id)
    last = last_report(milestone)
    if last is None:
        raise Refused(_("Nothing was reported yet that could be unchanged; write the first report."))
    if last.state == ReportState.RETURNED:
        # Its text and its progress were just refused: they cannot come back as "unchanged".
        raise Refused(_("The last report was returned; answer that with a report."))
    if ProgressReport.objects.at_work().filter(milestone=milestone).exists():
        raise Refused(_("A report is being written or waits for review; finish that one."))
    report = open_draft(milestone_id=milestone_id, actor=actor, as_of=timezone.localdate(at))
    report.no_change, report.writer_ids = True, [actor.pk]
    report.done = report.done or _("No change this period.")
    report.save()
    return submit(report_id=report.pk, actor=actor, at=at)


def adopt_claims() -> int:
    """Give a report to every claim that has none, because it was taken in with a ledger or a data set.

    What the source does not say (who, what was done) stays blank.

    Returns:
        How many reports were made.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO projects_progressreport (
                milestone_id, round, state, percent, percent_before, claimed_on, submitted_by_id,
                submitted_on, submitted_at, created_at,
                done, problems, needs, next_step, comment, no_change, writer_ids
            )
            SELECT m.id, 1 + COALESCE((SELECT max(r.round) FROM projects_progressreport r WHERE r.milestone_id = m.id), 0),
                'submitted', 100, 99, m.claimed_on, m.submitted_by_id,
                COALESCE(m.closed_since, m.claimed_on),
                COALESCE(m.closed_since, m.claimed_on)::timestamp AT TIME ZONE 'Asia/Shanghai', now(),
                '', '', '', '', '', false, '{}'
            FROM projects_milestone m
            WHERE m.state = 'submitted' AND NOT EXISTS (
                SELECT FROM projects_progressreport r
                WHERE r.milestone_id = m.id AND r.state IN ('draft', 'submitted')
            )
            """
        )
        return cursor.rowcount


def _locked(milestone_id: int) -> Milestone:
    project_id = Milestone.objects.values_list("project_id", flat=True).get(pk=milestone_id)
    return milestones.locked([project_id], [milestone_id])[milestone_id]


def _locked_report(report_id: int) -> ProgressReport:
    """The report under lock, after its project and milestone.

    Raises:
        Refused: it is gone (a draft that a colleague discarded).
    """
    milestone_id = ProgressReport.objects.filter(pk=report_id).values_list("milestone_id", flat=True).first()
    if milestone_id is None:
        raise Refused(_("This draft was discarded meanwhile."))
    milestone = _locked(milestone_id)
    report = ProgressReport.objects.select_for_update(of=("self",), no_key=True).filter(pk=report_id).first()
    if report is None:
        raise Refused(_("This draft was discarded meanwhile."))
    report.milestone = milestone
    return report
