"""The first page, by role: what needs me; for leaders the totals and the red list.

Every number is counted by the same queryset that the linked list shows, and carries that link.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.roles import Role
from projects.cockpit.red_list import SHOWN, first_red
from projects.lights import Light
from projects.models import ExtensionRequest, Milestone, Programme, ProgressReport, Project
from projects.services.desk import COUNT_CAP, waiting_count
from projects.services.tally_reading import all_in_force
from projects.tallies import Counts


@dataclass(frozen=True)
class Figure:
    """A number with the list that proves it. `tone` is a light or ""."""

    label: str
    value: int | None  #: None: a door without a number
    url: str
    tone: str = ""
    note: str = ""
    more: bool = False  #: there are more than `value`; nobody counted them


@dataclass(frozen=True)
class ProgrammeRow:
    """A programme with the number of its projects that this person may see."""

    programme: Programme
    in_force: bool
    projects: int
    url: str


@dataclass
class Home:
    as_of: datetime.date
    is_demo: bool = False
    needs_me: list[Figure] = field(default_factory=list)
    totals: list[Figure] = field(default_factory=list)
    red: list[Project] = field(default_factory=list)
    red_url: str = ""
    soon: list[Milestone] = field(default_factory=list)
    soon_url: str = ""
    programmes: list[ProgrammeRow] = field(default_factory=list)
    administrator: list[Figure] = field(default_factory=list)


def list_url(name: str, **query: Any) -> str:
    url = reverse(f"admin:{name}_changelist")
    return f"{url}?{urlencode(query)}" if query else url


def home_for(user: User, as_of: datetime.date) -> Home:
    """What this person should see first on this day."""
    home = Home(as_of=as_of)
    if user.has_perm("projects.view_project"):
        _business(home, user, as_of)
    _administration(home, user)
    return home


def _business(home: Home, user: User, as_of: datetime.date) -> None:
    projects = Project.objects.visible_to(user).in_force(as_of)
    milestones = Milestone.objects.visible_to(user).in_force(as_of)
    in_force = all_in_force(user, as_of)
    home.programmes = list(_programmes(user, as_of, in_force))
    home.is_demo = any(row.programme.is_demo and row.in_force for row in home.programmes)
    counts = sum(in_force.values(), Counts())
    home.totals = [
        Figure(_("Projects in force"), counts.projects, list_url("projects_project")),
        *(
            Figure(
                str(light.label),
                getattr(counts, light.value),
                list_url("projects_project", light__exact=light.value),
                light.value,
            )
            for light in (Light.RED, Light.YELLOW, Light.GREEN, Light.BLUE, Light.GREY)
        ),
    ]
    home.needs_me = list(_needs_me(user, counts))
    home.red = first_red(projects, milestones, as_of, red=counts.red, shown=SHOWN)
    home.red_url = list_url("projects_project", light__exact=Light.RED.value)
    home.soon = list(
        milestones.due_soon(as_of)
        .select_related("project__enterprise", "project__programme")
        .order_by("due_on", "pk")[:8]
    )
    home.soon_url = list_url("projects_milestone", when="soon")


def _programmes(user: User, as_of: datetime.date, in_force: Mapping[int, Counts]) -> Iterable[ProgrammeRow]:
    """The newest programmes, with what is history by now: published facts stay one click away."""
    programmes = list(Programme.objects.visible_to(user).order_by("-year", "code")[:6])
    history = [programme.pk for programme in programmes if programme.pk not in in_force]
    counted = {pk: counts.projects for pk, counts in in_force.items()}
    if history:
        seen = Project.objects.visible_to(user).filter(programme__in=history)
        counted |= dict(seen.order_by().values_list("programme").annotate(n=Count("pk")))
    for programme in programmes:
        yield ProgrammeRow(
            programme,
            programme.in_force(as_of),
            counted.get(programme.pk, 0),
            list_url("projects_project", programme=programme.pk),
        )


def _needs_me(user: User, counts: Counts) -> Iterable[Figure]:
    if Role.STAFF in user.roles:
        desk = waiting_count(user)
        yield Figure(
            _("Waiting for your decision"),
            min(desk, COUNT_CAP),
            reverse("admin:review"),
            "yellow" if desk else "",
            more=desk > COUNT_CAP,
        )
    if Role.OFFICER in user.roles:
        yield Figure(
            _("Returned to you"),
            counts.returned,
            list_url("projects_milestone", when="returned"),
            "yellow" if counts.returned else "",
        )
    yield Figure(
        _("Milestones overdue"),
        counts.overdue,
        list_url("projects_milestone", when="overdue"),
        "red" if counts.overdue else "",
    )
    soon = counts.due_soon
    yield Figure(_("Due soon"), soon, list_url("projects_milestone", when="soon"), "yellow" if soon else "")
    if Role.OFFICER not in user.roles:
        yield Figure(_("Without a date"), counts.no_date, list_url("projects_milestone", when="no_date"))
    else:
        for label, model, state in (
            (_("Reports awaiting review"), ProgressReport, "submitted"),
            (_("Extensions awaiting a decision"), ExtensionRequest, "submitted"),
            (_("Reports not handed in yet"), ProgressReport, "draft"),
        ):
            mine = model.objects.permitted(user, "change").filter(state=state).count()
            yield Figure(label, mine, list_url(f"projects_{model._meta.model_name}", state__exact=state))


def _administration(home: Home, user: User) -> None:
    from projects.models import SetAside

    if user.has_perm("projects.view_setaside") and not user.has_perm("projects.view_project"):
        aside = SetAside.objects.visible_to(user).filter(resolved_at__isnull=True).count()
        home.administrator.append(
            Figure(
                _("Rows set aside by the patrol"),
                aside,
                list_url("projects_setaside"),
                "red" if aside else "",
            )
        )
        home.administrator.append(Figure(_("Patrol runs"), None, reverse("admin:patrol")))
    if user.has_perm("enterprises.view_user"):
        accounts = User.objects.visible_to(user)
        home.administrator.append(Figure(_("Accounts"), accounts.count(), list_url("enterprises_user")))
        idle = accounts.filter(~Q(memberships__in=_in_force(home.as_of))).count()
        home.administrator.append(
            Figure(
                _("Accounts without a membership in force"),
                idle,
                list_url("enterprises_user", membership="none"),
                "yellow" if idle else "",
            )
        )
    if user.has_perm("journal.view_entry"):
        home.administrator.append(Figure(_("Journal"), None, reverse("admin:journal")))


def _in_force(on: datetime.date) -> QuerySet[Any]:
    from enterprises.models import Membership

    return Membership.objects.in_force(on)
