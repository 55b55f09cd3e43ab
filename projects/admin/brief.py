"""The brief of a project (一页通): all that a leader needs on the way to the site, on one sheet of A4.

The rows and the length of every text are limited, because a sheet has an end; what was cut says where the
whole of it is.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import User
from enterprises.scoped_admin import person
from projects.milestone_tones import days_shown, tone_of
from projects.models import ActionItem, Evidence, Milestone, ProgressReport, Project, SiteVisit
from projects.services.extensions import Extended, granted
from projects.states import CLOSED_MILESTONE_STATES
from projects.templatetags.visits import split_phone

MILESTONES_SHOWN = 8
REPORTS_SHOWN = 2
ITEMS_SHOWN = 4
#: Sheets of one batch: what a leader takes along, not a register.
MOST_SHEETS = 60
_MOST_PHOTOS = 600

#: Above so many characters in its columns a sheet is set in smaller type (`Brief.is_full`).
_ROOMY, _ROOMY_MILESTONES = 400, 6

#: Characters that fit, measured with Chinese text on A4.
LONGEST = {
    "name": 60,
    "measures": 140,
    "fact": 40,
    "reason": 70,
    "milestone": 24,
    "done": 100,
    "problems": 50,
    "findings": 130,
    "item": 44,
    "person": 24,
    "who": 16,
}

_POSTS = {
    "accountable_lead": gettext_lazy("accountable lead"),
    "direct_lead": gettext_lazy("direct lead"),
    "coordinator": gettext_lazy("coordinator"),
}


@dataclass(frozen=True)
class Clip:
    """A text that fits its place; `cut` when it is not the whole of it."""

    text: str
    cut: bool = False

    def __str__(self) -> str:
        return self.text + ("…" if self.cut else "")

    def __bool__(self) -> bool:
        return bool(self.text)


def clip(text: str, place: str) -> Clip:
    """The beginning of a text on one line of thought: line ends become blanks."""
    plain, most = " ".join(text.split()), LONGEST[place]
    return Clip(plain) if len(plain) <= most else Clip(plain[: most - 1].rstrip(), cut=True)


@dataclass(frozen=True)
class Contact:
    """Who answers: `label` names the post."""

    label: str
    name: Clip
    phone: str


@dataclass(frozen=True)
class MilestoneLine:
    milestone: Milestone
    name: Clip
    tone: str
    days: int
    extended: Extended | None


@dataclass(frozen=True)
class ReportLine:
    report: ProgressReport
    about: Clip
    done: Clip
    problems: Clip
    needs: Clip


@dataclass(frozen=True)
class ItemLine:
    item: ActionItem
    text: Clip
    who: Clip
    is_overdue: bool


@dataclass
class Brief:
    """One sheet.

    Attributes:
        more_milestones, more_items: how many did not fit.
        extended: all granted extensions of the project together; None without one.
        before, after: photos of accepted reports, None where there is none.
    """

    project: Project
    name: Clip
    reason: Clip
    measures: Clip
    beneficiaries: Clip
    investment: Clip
    place: Clip
    contacts: list[Contact]
    milestones: list[MilestoneLine] = field(default_factory=list)
    more_milestones: int = 0
    extended: Extended | None = None
    reports: list[ReportLine] = field(default_factory=list)
    visit: SiteVisit | None = None
    findings: Clip | None = None
    items: list[ItemLine] = field(default_factory=list)
    more_items: int = 0
    before: Evidence | None = None
    after: Evidence | None = None

    @property
    def cut(self) -> bool:
        """Whether anything stands here shorter than it is."""
        return bool(self.more_milestones or self.more_items) or any(text.cut for text in _clips(self))

    @property
    def is_full(self) -> bool:
        """Whether it takes smaller type to get it onto one sheet."""
        running = sum(len(text.text) for text in self._running())
        return self.cut or running > _ROOMY or len(self.milestones) > _ROOMY_MILESTONES

    def _running(self) -> list[Clip]:
        texts = [text for row in self.reports for text in (row.done, row.problems, row.needs)]
        return [*texts, *(row.text for row in self.items), *([self.findings] if self.findings else [])]


def _clips(part: Any) -> Iterator[Clip]:
    """Every text of a sheet, wherever it stands: a list of fields would forget the next one."""
    if isinstance(part, Clip):
        yield part
    elif isinstance(part, list):
        for one in part:
            yield from _clips(one)
    elif is_dataclass(part):
        for one in fields(part):
            yield from _clips(getattr(part, one.name))


def brief_page(request: HttpRequest, model_admin: Any, project: Project) -> HttpResponse:
    """The brief of one project; the caller has found it through the wall."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Brief"),
        "opts": model_admin.opts,
        "up_project": project,
        "briefs": briefs_of([project], person(request), timezone.localdate()),
    }
    return TemplateResponse(request, "projects/brief.html", context)


def briefs_of(projects: Sequence[Project], user: User, today: datetime.date) -> list[Brief]:
    """The sheets of some projects, in their order, with the same queries for any number.

    Args:
        projects: found through the wall, with programme, enterprise, category and the three people loaded.
    """
    ids = [project.pk for project in projects]
    milestones, reports = _milestones(projects, ids, user), _reports(ids, user)
    extended = granted([row.pk for rows in milestones.values() for row in rows])
    visits, items, photos = _visits(ids, user), _items(ids, user), _photos(ids, user)
    made = []
    for project in projects:
        plan, open_items = milestones[project.pk], items[project.pk]
        lines, more = _plan(plan, extended, today)
        times = [found for row in plan if (found := extended.get(row.pk))]
        visit = visits.get(project.pk)
        before, after = _pair(photos[project.pk])
        made.append(
            Brief(
                project=project,
                name=clip(project.name, "name"),
                reason=clip(project.light_reason_text, "reason"),
                measures=clip(project.measures, "measures"),
                beneficiaries=clip(_beneficiaries(project), "fact"),
                investment=clip(project.investment_text, "fact"),
                place=clip(project.place, "fact"),
                contacts=contacts_of(project),
                milestones=lines,
                more_milestones=more,
                extended=Extended(sum(x.times for x in times), sum(x.days for x in times)) if times else None,
                reports=[_report(row, latest=not n) for n, row in enumerate(reports[project.pk])],
                visit=visit,
                findings=clip(visit.findings, "findings") if visit else None,
                items=[_item(row, today) for row in open_items[:ITEMS_SHOWN]],
                more_items=max(0, len(open_items) - ITEMS_SHOWN),
                before=before,
                after=after,
            )
        )
    return made


def contacts_of(project: Project) -> list[Contact]:
    """The three who answer for a project, as far as they are named; whoever holds two posts stands once."""
    found: dict[tuple[Clip, str], list[str]] = {}
    for post in _POSTS:
        account = getattr(project, post)
        name, phone = (
            (str(account), account.phone) if account else split_phone(getattr(project, f"{post}_text"))
        )
        if name or phone:
            label = str(_POSTS[post])
            found.setdefault((clip(name, "person"), phone), []).append(label)
    return [Contact("、".join(labels), name, phone) for (name, phone), labels in found.items()]


def _beneficiaries(project: Project) -> str:
    if project.beneficiaries_number is None:
        return project.beneficiaries_text
    number = f"{project.beneficiaries_number.normalize():,f}"
    return f"{project.beneficiaries_text} {number} {project.beneficiaries_unit}".strip()


def _milestones(projects: Sequence[Project], ids: list[int], user: User) -> dict[int, list[Milestone]]:
    by_id = {project.pk: project for project in projects}
    found: dict[int, list[Milestone]] = defaultdict(list)
    for row in Milestone.objects.visible_to(user).filter(project__in=ids).order_by("order", "id"):
        row.project = by_id[row.project_id]
        found[row.project_id].append(row)
    return found


def _plan(
    plan: list[Milestone], extended: dict[int, Extended], today: datetime.date
) -> tuple[list[MilestoneLine], int]:
    """Where more than fit: what is still to do comes first, from the plan's order on."""
    chosen = plan
    if len(plan) > MILESTONES_SHOWN:
        still = [row for row in plan if row.state not in CLOSED_MILESTONE_STATES]
        settled = [row for row in plan if row.state in CLOSED_MILESTONE_STATES]
        kept = {row.pk for row in (still + settled[::-1])[:MILESTONES_SHOWN]}
        chosen = [row for row in plan if row.pk in kept]
    lines = [
        MilestoneLine(
            row,
            clip(row.name, "milestone"),
            tone_of(row, today),
            days_shown(row, today),
            extended.get(row.pk),
        )
        for row in chosen
    ]
    return lines, len(plan) - len(chosen)


def _reports(ids: list[int], user: User) -> dict[int, list[ProgressReport]]:
    ranked = (
        ProgressReport.objects.visible_to(user)
        .filter(milestone__project__in=ids)
        .exclude(state="draft")
        .annotate(
            place=Window(
                RowNumber(),
                partition_by=F("milestone__project_id"),
                order_by=[F("submitted_on").desc(), F("id").desc()],
            )
        )
        .filter(place__lte=REPORTS_SHOWN)
        .select_related("milestone")
        .order_by("-submitted_on", "-id")
    )
    found: dict[int, list[ProgressReport]] = defaultdict(list)
    for row in ranked:
        found[row.milestone.project_id].append(row)
    return found


def _report(row: ProgressReport, *, latest: bool) -> ReportLine:
    """Problems are told of the latest report only: those of the one before are solved or repeated."""
    return ReportLine(
        row,
        clip(row.milestone.name, "milestone"),
        clip(row.done, "done"),
        clip(row.problems if latest else "", "problems"),
        clip(row.needs if latest else "", "problems"),
    )


def _visits(ids: list[int], user: User) -> dict[int, SiteVisit]:
    return {row.project_id: row for row in last_visits(ids, user)}


def last_visits(ids: Sequence[int], user: User) -> Any:
    """The last visit of each of these projects."""
    rows = SiteVisit.objects.visible_to(user).filter(project__in=ids).select_related("leader")
    return rows.order_by("project_id", "-visited_on", "-id").distinct("project_id")


def _items(ids: list[int], user: User) -> dict[int, list[ActionItem]]:
    found: dict[int, list[ActionItem]] = defaultdict(list)
    rows = ActionItem.objects.visible_to(user).filter(project__in=ids).open()
    for row in rows.select_related("leader", "responsible").order_by("due_on", "id"):
        found[row.project_id].append(row)
    return found


def _item(row: ActionItem, today: datetime.date) -> ItemLine:
    return ItemLine(row, clip(row.text, "item"), clip(row.who, "who"), row.is_overdue(today))


def _photos(ids: list[int], user: User) -> dict[int, list[Evidence]]:
    rows = (
        Evidence.objects.visible_to(user)
        .filter(
            Q(report__state="accepted") | Q(close_out__state="approved"),
            project__in=ids,
            kind=Evidence.Kind.PHOTO,
            stage__in=(Evidence.Stage.BEFORE, Evidence.Stage.AFTER),
        )
        .select_related("report")
    )
    found: dict[int, list[Evidence]] = defaultdict(list)
    for row in rows.order_by("-id")[:_MOST_PHOTOS]:
        found[row.project_id].append(row)
    return found


def _pair(photos: list[Evidence]) -> tuple[Evidence | None, Evidence | None]:
    """The newest picture after the work, and one from before it, of the same milestone where there is one."""
    after = next((row for row in photos if row.stage == Evidence.Stage.AFTER), None)
    befores = [row for row in photos if row.stage == Evidence.Stage.BEFORE]
    same = [row for row in befores if after is not None and _of(row) == _of(after)]
    return next(iter(same or befores), None), after


def _of(row: Evidence) -> int | None:
    return row.report.milestone_id if row.report else None
