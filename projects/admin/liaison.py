"""The liaison leader's page (挂点领导): my projects, what needs me in them, the last visit, the open promises."""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Case, Count, Exists, F, IntegerField, Max, OuterRef, Q, Subquery, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import User
from enterprises.scoped_admin import person
from projects.addresses import is_id
from projects.admin.brief import MOST_SHEETS, Contact, briefs_of, contacts_of, last_visits
from projects.admin.visit_pages import ItemRow, item_row
from projects.deadlines import days_overdue, item_open_q, item_overdue_q, open_q, overdue_q
from projects.lights import Light
from projects.models import ActionItem, Milestone, Project, SiteVisit
from projects.states import RESTING_PROJECT_STATUSES

PER_PAGE = 30
#: What is due within these days is an open promise.
PROMISES_WITHIN = 30
#: A project whose leader was not there for a quarter is said to be unvisited.
VISITED_WITHIN = 90
PROMISES_SHOWN = 6

#: What can be looked at: name in the query string, label.
SHOWN: tuple[tuple[str, Promise], ...] = (
    ("", gettext_lazy("All my projects")),
    ("red", gettext_lazy("Red")),
    ("overdue", gettext_lazy("With an overdue milestone")),
    ("items", gettext_lazy("With open action items")),
    ("unvisited", gettext_lazy("Not visited for a quarter")),
)


@dataclass(frozen=True)
class Figure:
    """A number over the list, and the list that it counts."""

    label: str
    count: int
    url: str
    here: bool


@dataclass(frozen=True)
class DuePromise:
    """An open milestone that is overdue or due soon. `days`: past its date, 0 when in time."""

    milestone: Milestone
    days: int


@dataclass(frozen=True)
class Card:
    """One project as its leader needs it."""

    project: Project
    next: Milestone | None
    promises: list[DuePromise]
    items: list[ItemRow]
    more: int
    overdue: int
    visit: SiteVisit | None
    contacts: list[Contact]

    @property
    def is_at_rest(self) -> bool:
        """Nobody owes it a visit, and no figure counts it as unvisited."""
        return self.project.status in RESTING_PROJECT_STATUSES


@dataclass(frozen=True)
class LeaderLine:
    """A leader in the list from which one is chosen; each number with its address.

    Attributes:
        is_demo: all their projects are demonstration data.
    """

    name: str
    url: str
    figures: list[Figure]
    last_visit: datetime.date | None
    is_demo: bool


def liaison_page(site: Any, request: HttpRequest) -> HttpResponse:
    """GET /liaison/: the projects of one leader; without one, the leaders to choose from."""
    user, today = _reader(request), timezone.localdate()
    leader, leaders = _chosen(request, user, today)
    context = {
        **site.each_context(request),
        "title": _("Liaison projects"),
        "leaders": leaders,
        "leader": leader,
        "today": today,
        "visited_within": VISITED_WITHIN,
    }
    if leader is None:
        lines = _overview(user, today)
        context |= {"lines": lines, "is_demo": all(line.is_demo for line in lines)}
        return TemplateResponse(request, "projects/liaison_leaders.html", context)
    show = request.GET.get("show", "")
    mine = _judged(_projects(user, today).filter(liaison_leader=leader), user, today)
    rows = mine.filter(_shown_q(show, today)).order_by(
        "rank", F("last_visit").asc(nulls_first=True), "sort_key", "id"
    )
    pages = Paginator(_loaded(rows), PER_PAGE)
    page = pages.get_page(request.GET.get("p"))
    query = {"leader": leader.pk} | ({"show": show} if show else {})
    counted = mine.order_by().aggregate(**_counts(today))
    context |= {
        "title": _("My liaison projects")
        if leader == user
        else _("Liaison projects of %(name)s") % {"name": leader},
        "figures": _figures(counted, leader.pk, show),
        "is_demo": _all_demo(counted),
        "cards": _cards(list(page.object_list), user, today),
        "page": page,
        "pages": list(pages.get_elided_page_range(page.number)) if pages.num_pages > 1 else [],
        "query": urlencode(query),
        "brief_url": f"{reverse('admin:liaison_brief')}?{urlencode(query)}",
    }
    return TemplateResponse(request, "projects/liaison.html", context)


def liaison_brief(site: Any, request: HttpRequest) -> HttpResponse:
    """GET /liaison/brief/: the sheets of the projects that the list shows, to take along."""
    user, today = _reader(request), timezone.localdate()
    leader, _leaders = _chosen(request, user, today)
    if leader is None:
        raise Http404
    mine = _judged(_projects(user, today).filter(liaison_leader=leader), user, today)
    shown = mine.filter(_shown_q(request.GET.get("show", ""), today))
    rows = shown.order_by("rank", F("last_visit").asc(nulls_first=True), "sort_key", "id")
    projects = list(_loaded(rows)[: MOST_SHEETS + 1])
    context = {
        **site.each_context(request),
        "title": _("Briefs: %(name)s") % {"name": leader},
        "briefs": briefs_of(projects[:MOST_SHEETS], user, today),
        "is_batch": True,
        "more_sheets": len(projects) > MOST_SHEETS,
        "most_sheets": MOST_SHEETS,
        "back": f"{reverse('admin:liaison')}?{request.GET.urlencode()}",
    }
    return TemplateResponse(request, "projects/brief.html", context)


# -- whose page -----------------------------------------------------------------------------------------


def _reader(request: HttpRequest) -> User:
    user = person(request)
    if not user.has_perm("projects.add_sitevisit"):
        raise PermissionDenied
    return user


def _projects(user: User, today: datetime.date) -> Any:
    return Project.objects.visible_to(user).in_force(today)


def _chosen(
    request: HttpRequest, user: User, today: datetime.date
) -> tuple[User | None, list[dict[str, Any]]]:
    """The leader whose page it is, and the leaders of projects that `user` sees.

    Raises:
        Http404: nobody of this id keeps contact with a project that `user` sees; whether there is such an
            account is not said.
    """
    rows = _projects(user, today).filter(liaison_leader__isnull=False).order_by()
    leaders = list(
        rows.values("liaison_leader_id", "liaison_leader__name", "liaison_leader__username")
        .annotate(count=Count("pk"))
        .order_by("liaison_leader__name", "liaison_leader_id")
    )
    known = {row["liaison_leader_id"] for row in leaders}
    asked = request.GET.get("leader", "")
    if asked:
        if not is_id(asked) or (int(asked) not in known and int(asked) != user.pk):
            raise Http404
        chosen = int(asked)
    elif user.pk in known or not leaders:
        chosen = user.pk
    else:
        return None, leaders
    return user if chosen == user.pk else User._base_manager.get(pk=chosen), leaders


# -- what needs a leader ----------------------------------------------------------------------------------


def _judged(rows: Any, user: User, today: datetime.date) -> Any:
    """What the figures count and the order asks, as columns of each project."""
    items = ActionItem.objects.visible_to(user).filter(project=OuterRef("pk"))
    visits = SiteVisit.objects.visible_to(user).filter(project=OuterRef("pk")).order_by("-visited_on", "-id")
    milestones = Milestone.objects.filter(project=OuterRef("pk"))
    return rows.annotate(
        is_overdue=Exists(milestones.filter(overdue_q(today))),
        has_items=Exists(items.filter(item_open_q())),
        has_late_items=Exists(items.filter(item_overdue_q(today))),
        last_visit=Subquery(visits.values("visited_on")[:1]),
    ).annotate(
        rank=Case(
            When(status__in=RESTING_PROJECT_STATUSES, then=Value(9)),
            When(light=Light.RED, then=Value(0)),
            When(Q(is_overdue=True) | Q(has_late_items=True), then=Value(1)),
            When(light=Light.YELLOW, then=Value(2)),
            When(has_items=True, then=Value(3)),
            default=Value(4),
            output_field=IntegerField(),
        )
    )


def _shown_q(show: str, today: datetime.date) -> Q:
    since = today - datetime.timedelta(days=VISITED_WITHIN)
    unvisited = Q(last_visit__isnull=True) | ~Q(last_visit__gte=since)
    return {
        "red": Q(light=Light.RED),
        "overdue": Q(is_overdue=True),
        "items": Q(has_items=True),
        # Of what is closed out or terminated no visit is missing.
        "unvisited": unvisited & ~Q(status__in=RESTING_PROJECT_STATUSES),
    }.get(show, Q())


def _counts(today: datetime.date) -> dict[str, Count]:
    """What is counted of the projects of a leader: each of `SHOWN`, and those that are demonstration data."""
    counts = {
        f"n_{name}": Count("pk", filter=_shown_q(name, today)) if name else Count("pk") for name, _l in SHOWN
    }
    return {**counts, "n_demo": Count("pk", filter=Q(programme__is_demo=True))}


def _all_demo(counted: dict[str, Any]) -> bool:
    """The mark stands once in the head of the page then; where real projects stand beside, at each row."""
    return bool(counted["n_demo"] == counted["n_"] > 0)


def _figures(counted: dict[str, Any], leader_id: int, show: str | None = None) -> list[Figure]:
    return [
        Figure(str(label), counted[f"n_{name}"], _url(leader_id, name), name == show) for name, label in SHOWN
    ]


def _url(leader_id: int, show: str) -> str:
    query: dict[str, Any] = {"leader": leader_id} | ({"show": show} if show else {})
    return f"{reverse('admin:liaison')}?{urlencode(query)}"


def _overview(user: User, today: datetime.date) -> list[LeaderLine]:
    """The leaders who keep contact with projects that `user` sees, each with the figures of their page."""
    judged = _judged(_projects(user, today).filter(liaison_leader__isnull=False), user, today)
    rows = (
        judged.order_by()
        .values("liaison_leader_id", "liaison_leader__name", "liaison_leader__username")
        .annotate(**_counts(today), visited=Max("last_visit"))
        .order_by("-n_red", "liaison_leader__name", "liaison_leader_id")
    )
    return [
        LeaderLine(
            name=row["liaison_leader__name"] or row["liaison_leader__username"],
            url=_url(row["liaison_leader_id"], ""),
            figures=_figures(row, row["liaison_leader_id"]),
            last_visit=row["visited"],
            is_demo=_all_demo(row),
        )
        for row in rows
    ]


# -- the cards --------------------------------------------------------------------------------------------


def _loaded(rows: Any) -> Any:
    return rows.select_related(
        *("programme", "enterprise", "category", "liaison_leader"),
        *("accountable_lead", "direct_lead", "coordinator"),
    )


def _cards(projects: list[Project], user: User, today: datetime.date) -> list[Card]:
    ids = [project.pk for project in projects]
    milestones: dict[int, list[Milestone]] = defaultdict(list)
    owed = Milestone.objects.visible_to(user).filter(open_q(), project__in=ids, due_on__isnull=False)
    for milestone in owed.order_by("due_on", "id"):
        milestones[milestone.project_id].append(milestone)
    items: dict[int, list[ItemRow]] = defaultdict(list)
    given = ActionItem.objects.visible_to(user).filter(project__in=ids).open().select_related("responsible")
    for item in given.order_by("due_on", "id"):
        items[item.project_id].append(item_row(item, today))
    visits = {visit.project_id: visit for visit in last_visits(ids, user)}
    return [
        _card(project, milestones[project.pk], items[project.pk], visits.get(project.pk), today)
        for project in projects
    ]


def _card(
    project: Project,
    owed: list[Milestone],
    items: list[ItemRow],
    visit: SiteVisit | None,
    today: datetime.date,
) -> Card:
    last = today + datetime.timedelta(days=PROMISES_WITHIN)
    promises = [
        DuePromise(milestone, days_overdue(milestone.due_on, today))
        for milestone in owed
        if milestone.due_on and milestone.due_on <= last
    ]
    shown = promises[:PROMISES_SHOWN]
    kept = items[: max(2, PROMISES_SHOWN - len(shown))]
    return Card(
        project=project,
        next=next((row for row in owed if row.due_on and row.due_on >= today), None),
        promises=shown,
        items=kept,
        more=len(promises) - len(shown) + len(items) - len(kept),
        overdue=sum(1 for promise in promises if promise.days),
        visit=visit,
        contacts=contacts_of(project),
    )
