"""The project page: one promise with everything that was done about it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from enterprises.models import User
from enterprises.scoped_admin import person
from enterprises.scoping import may, permitted_q
from journal.reading import history_of
from projects.admin.submission_rows import hidden_drafts, submissions_of
from projects.admin.visit_pages import section_of
from projects.milestone_tones import days_shown, tone_of
from projects.models import (
    CloseOut,
    Escalation,
    Evidence,
    ExtensionRequest,
    Milestone,
    OverdueEpisode,
    ProgressReport,
    Project,
    Reminder,
    Submission,
)
from projects.services import close_outs, extensions, lifecycle, reminders, reports
from projects.services.extensions import Extended
from projects.services.milestones import steps_for
from projects.services.posts import POST_NAMES
from projects.states import MilestoneState
from projects.workflow import Transition

#: Rows of what was told; a ladder has some six rungs for each milestone.
TOLD_SHOWN = 12
#: Rows of the list of submissions; older ones are one click away in their own lists.
SUBMISSIONS_SHOWN = 12


@dataclass(frozen=True)
class MilestoneRow:
    """A milestone as the page shows it.

    Attributes:
        tone: a light; `days` counts past the deadline.
        report, extension: the one that is being written (shown to its writers) or that waits.
        extended: what was granted so far.
        refused: the latest request, where it was returned or rejected and nothing was asked for since.
        has_reported: whether "no change" can be said; not where the last report was just returned.
    """

    milestone: Milestone
    tone: str
    days: int
    steps: list[Transition]
    can_report: bool
    can_extend: bool
    has_reported: bool
    report: ProgressReport | None
    extension: ExtensionRequest | None
    extended: Extended | None
    refused: ExtensionRequest | None
    can_review: bool
    can_remind: bool


@dataclass(frozen=True)
class Told:
    """Somebody was told of this project: a rung of the ladder, or a reminder by hand."""

    on: datetime.date
    about: str
    what: str
    note: str


def project_page(request: HttpRequest, model_admin: Any, project: Project) -> HttpResponse:
    """Render the page; the caller has found `project` through the wall."""
    today, user = timezone.localdate(), person(request)
    milestones = list(
        Milestone.objects.visible_to(user).filter(project=project).select_related("submitted_by")
    )
    for milestone in milestones:
        milestone.project = project
    episodes = OverdueEpisode.objects.visible_to(user).filter(milestone__project=project)
    submissions = submissions_of(project, user, limit=SUBMISSIONS_SHOWN)
    rounds = [row.submission for row in submissions]
    section = section_of(project, user, today)
    close_out = _at_work(CloseOut.objects.visible_to(user).filter(project=project), user).get(project.pk)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": project.name,
        "opts": model_admin.opts,
        "project": project,
        "in_force": project.programme.in_force(today),
        "rows": _rows(milestones, user, today),
        "episodes": [
            (episode, episode.days(today))
            for episode in episodes.select_related("milestone__project__programme").order_by(
                "-opened_on", "-pk"
            )
        ],
        "submissions": submissions,
        "evidence_count": _evidence_count(project, user),
        "close_out": close_out,
        "can_close_out": (close_out is None or close_out.state == "draft")
        and may(user, "report", project)
        and not close_outs.cannot_ask(project, user, today),
        "certificate": CloseOut.objects.visible_to(user)
        .filter(project=project, state="approved")
        .order_by("-round")
        .first(),
        "status_steps": lifecycle.steps_for(project, user, today),
        "entries": history_of(
            [project, *milestones, *rounds, *section.visits, *(row.item for row in section.items)],
            user,
            limit=40,
            without=hidden_drafts(user, rounds),
        ),
        "told": _told(project, user),
        "visits": section,
        "can_remind": not reminders.refusal(project, user, today),
        "can_change": model_admin.has_change_permission(request, project),
        "can_approve": not project.approved_on and may(user, "approve", project),
        "party_branches": project.party_branches.visible_to(user),  # type: ignore[attr-defined]
        "supporting": project.supporting_enterprises.visible_to(user),  # type: ignore[attr-defined]
    }
    return TemplateResponse(request, "admin/projects/project/page.html", context)


def _told(project: Project, user: User) -> list[Told]:
    """The latest rungs and reminders of a project, newest first."""
    climbed = (
        Escalation.objects.visible_to(user).filter(milestone__project=project).select_related("milestone")
    )
    sent = Reminder.objects.visible_to(user).filter(project=project).select_related("milestone", "sent_by")
    found = [_told_by_ladder(row) for row in climbed.order_by("-pk")[:TOLD_SHOWN]]
    found += [
        Told(
            row.sent_on, str(row.milestone or ""), _("Reminder by %(name)s") % {"name": row.sent_by}, row.note
        )
        for row in sent.order_by("-pk")[:TOLD_SHOWN]
    ]
    return sorted(found, key=lambda told: told.on, reverse=True)[:TOLD_SHOWN]


def _told_by_ladder(row: Escalation) -> Told:
    post = POST_NAMES[row.recipient]
    if row.days < 0:
        what = ngettext(
            "%(n)d working day before the date: %(post)s",
            "%(n)d working days before the date: %(post)s",
            -row.days,
        ) % {"n": -row.days, "post": post}
    else:
        what = ngettext(
            "%(n)d working day overdue: %(post)s", "%(n)d working days overdue: %(post)s", row.days
        ) % {"n": row.days, "post": post}
    note = (
        _("the post is vacant, told instead: %(who)s") % {"who": POST_NAMES[row.told_instead]}
        if row.told_instead
        else ""
    )
    return Told(row.on, str(row.milestone), what, note)


def _at_work(rows: Any, user: User) -> dict[int, Any]:
    """The undecided round of each subject, by the subject's id; drafts only for those who may write them."""
    shown = rows.at_work().filter(~Q(state="draft") | permitted_q(rows.model, user, "change"))
    return {
        row.project_id if isinstance(row, CloseOut) else row.milestone_id: row
        for row in shown.select_related("submitted_by")
    }


def _rows(milestones: list[Milestone], user: User, today: datetime.date) -> list[MilestoneRow]:
    ids = [milestone.pk for milestone in milestones]
    by_report = _at_work(ProgressReport.objects.visible_to(user).filter(milestone__in=ids), user)
    by_request = _at_work(ExtensionRequest.objects.visible_to(user).filter(milestone__in=ids), user)
    extended = extensions.granted(ids)
    refused = _refused(ids, user)
    reported = set(
        ProgressReport.objects.filter(milestone__in=ids)
        .exclude(state="draft")
        .order_by()
        .values_list("milestone_id", flat=True)
    )
    reviews = user.has_perm("projects.review_progressreport")
    rows = []
    for milestone in milestones:
        report, request = by_report.get(milestone.pk), by_request.get(milestone.pk)
        rows.append(
            MilestoneRow(
                milestone=milestone,
                tone=tone_of(milestone, today),
                days=days_shown(milestone, today),
                steps=steps_for(milestone, user, today),
                can_report=_free(report) and not reports.cannot_report(milestone, user, today),
                can_extend=_free(request) and not extensions.cannot_ask(milestone, user, today),
                has_reported=milestone.pk in reported and milestone.state != MilestoneState.RETURNED,
                refused=refused.get(milestone.pk),
                report=report,
                extension=request,
                extended=extended.get(milestone.pk),
                can_review=reviews,
                can_remind=not reminders.refusal(milestone, user, today),
            )
        )
    return rows


def _refused(ids: list[int], user: User) -> dict[int, ExtensionRequest]:
    requests = ExtensionRequest.objects.visible_to(user).filter(milestone__in=ids).exclude(state="draft")
    latest = requests.order_by("milestone_id", "-round").distinct("milestone_id")
    return {row.milestone_id: row for row in latest if row.state in ("returned", "rejected")}


def _free(submission: Submission | None) -> bool:
    return submission is None or not submission.is_waiting


def _evidence_count(project: Project, user: User) -> int:
    return Evidence.objects.visible_to(user).filter(project=project).handed_in().count()
