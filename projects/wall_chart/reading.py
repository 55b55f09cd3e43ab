"""What a wall chart shows, asked through the wall. The number of queries does not depend on the number of rows."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from enterprises.models import Enterprise, User
from enterprises.scoping import outermost, units_for
from projects.lights import Light, reason_text
from projects.milestone_tones import days_shown, tone_of
from projects.models import Category, Milestone, Programme, Project
from projects.services.search import person_name
from projects.services.tally_reading import lights_of
from projects.wall_chart.rows import Group, Row, Step

#: Group → the column that it goes by, and the order of the groups. What has none comes last.
GROUPS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "enterprise": ("enterprise_id", (F("enterprise__sort_key"), F("enterprise_id"))),
    "category": (
        "category_id",
        (F("category__order").asc(nulls_last=True), F("category_id").asc(nulls_last=True)),
    ),
    "leader": (
        "liaison_leader_id",
        (F("liaison_leader__name").asc(nulls_last=True), F("liaison_leader_id").asc(nulls_last=True)),
    ),
}
DEFAULT_GROUP = "enterprise"
_NAMES = ("enterprise", "category", "liaison_leader", "accountable_lead", "direct_lead", "coordinator")
_LONG = ("measures", "source", "note")
#: Stands for "without a category" and "without a liaison leader" in addresses.
NONE = "-"


@dataclass(frozen=True)
class Filters:
    """Which projects of a programme.

    Attributes:
        unit: this enterprise and everything below it; found through the wall by whoever fills this in.
        category: an id, "-" for without, "" for all; `leader` likewise.
    """

    programme: Programme
    unit: Enterprise | None = None
    category: str = ""
    leader: str = ""
    light: str = ""


def projects_of(user: User, filters: Filters) -> QuerySet[Project]:
    """The chosen projects that `user` sees, in no order."""
    rows = Project.objects.visible_to(user).filter(programme=filters.programme).order_by()
    if filters.unit is not None:
        rows = rows.filter(enterprise__path__startswith=filters.unit.path)
    rows = rows.filter(
        _column_q("category_id", filters.category), _column_q("liaison_leader_id", filters.leader)
    )
    if filters.light:
        rows = rows.filter(light=filters.light)
    return rows


def counts_by_light(user: User, filters: Filters, as_of: datetime.date) -> dict[str, int]:
    """How many of the chosen projects show each light, whichever of them was asked for; those that occur.

    From the tallies, where these know the choice: a programme of 200,000 projects is not read for five numbers.
    Read inside one snapshot with the rows (`cockpit.snapshot`).
    """
    if not filters.leader:
        kept = lights_of(
            filters.programme,
            _units_of(user, filters.unit),
            as_of,
            _column_q("category_id", filters.category),
        )
        if kept is not None:
            return kept
    found = projects_of(user, replace(filters, light="")).values_list("light").annotate(n=Count("pk"))
    return dict(found)


def _units_of(user: User, unit: Enterprise | None) -> list[Enterprise]:
    """The units whose projects, with everything below, are those that `projects_of` finds."""
    reach = outermost(units_for(user, "projects.view_project"))
    if unit is not None:
        is_within = any(unit.path.startswith(path) for path in reach)
        # A unit may be in sight for another of somebody's roles, while projects are seen further down only.
        reach = [unit.path] if is_within else [path for path in reach if path.startswith(unit.path)]
    return list(Enterprise.objects.filter(path__in=reach))


def _column_q(column: str, value: str) -> Q:
    """A choice as a condition: an id, "-" for without, nothing for all."""
    if not value:
        return Q()
    return Q((f"{column}__isnull", True)) if value == NONE else Q((column, int(value)))


def read_groups(
    user: User,
    filters: Filters,
    *,
    group: str,
    as_of: datetime.date,
    offset: int = 0,
    limit: int,
    opened: frozenset[int] = frozenset(),
    all_open: bool = False,
    base: str = "",
) -> list[Group]:
    """Rows `offset` to `offset + limit` under their headings, in the order of the chart.

    Args:
        group: one of `GROUPS`.
        as_of: the day of the lights of milestones and of days overdue.
        opened: ids of projects whose milestones get rows of their own; `all_open`: of all of them.
        base: what stands before every path in a file ("https://…"), nothing on a page.
    """
    column, order = GROUPS[group]
    chosen = projects_of(user, filters)
    # Ids first: 200,000 rows are put in order without their texts and without the tables of names. One row more
    # than is shown, to know whether the first group began on the page before.
    skipped = min(offset, 1)
    listed = list(
        chosen.order_by(*order, "code", "pk").values_list("pk", column)[offset - skipped : offset + limit]
    )
    before = listed[0][1] if skipped and listed else None
    found = chosen.select_related(*_NAMES).defer(*_LONG).in_bulk([pk for pk, _key in listed[skipped:]])
    projects = [found[pk] for pk, _key in listed[skipped:] if pk in found]
    for project in projects:
        project.programme = filters.programme
    steps = _steps(user, projects, as_of, base)
    totals = _totals(chosen, column, {getattr(project, column) for project in projects})
    groups: list[Group] = []
    for key, members in groupby(projects, key=lambda project: getattr(project, column)):
        held = list(members)
        lights = totals.get(key, {})
        groups.append(
            Group(
                name=_group_name(group, held[0]),
                rows=tuple(
                    _row(
                        project,
                        steps.get(project.pk, ()),
                        as_of,
                        base=base,
                        is_open=all_open or project.pk in opened,
                        under="" if group == "enterprise" else str(project.enterprise),
                    )
                    for project in held
                ),
                count=sum(lights.values()),
                lights=lights,
                url=_group_url(group, held[0], filters, base),
                continued=not groups and offset > 0 and before == key,
            )
        )
    return groups


def _totals(chosen: QuerySet[Project], column: str, keys: set[Any]) -> dict[Any, dict[str, int]]:
    """Group → light → number of its projects, also of those on other pages."""
    wanted = Q(**{f"{column}__in": [key for key in keys if key is not None]})
    if None in keys:
        wanted |= Q(**{f"{column}__isnull": True})
    totals: dict[Any, dict[str, int]] = {}
    for key, light, n in chosen.filter(wanted).values_list(column, "light").annotate(n=Count("pk")):
        totals.setdefault(key, {})[light] = n
    return totals


def _steps(
    user: User, projects: list[Project], as_of: datetime.date, base: str
) -> dict[int, tuple[Step, ...]]:
    by_id = {project.pk: project for project in projects}
    milestones = (
        Milestone.objects.visible_to(user)
        .filter(project_id__in=list(by_id))
        .defer("comment", "weight")
        .order_by("project_id", "order", "pk")
    )
    found: dict[int, list[Step]] = {}
    for milestone in milestones:
        milestone.project = by_id[milestone.project_id]
        url = f"{_page(base, milestone.project_id)}#m{milestone.pk}"
        found.setdefault(milestone.project_id, []).append(
            Step(
                pk=milestone.pk,
                name=milestone.name,
                due_on=milestone.due_on,
                tone=tone_of(milestone, as_of),
                word=step_word(milestone, as_of),
                url=url,
                starts_on=milestone.starts_on,
                baseline_due_on=milestone.baseline_due_on,
                percent=milestone.percent,
            )
        )
    return {pk: tuple(steps) for pk, steps in found.items()}


def step_word(milestone: Milestone, as_of: datetime.date) -> str:
    """Where a milestone stands, as its badge says it."""
    if days := days_shown(milestone, as_of):
        return ngettext("%(n)d day overdue", "%(n)d days overdue", days) % {"n": days}
    if milestone.awaits_extension:
        return _("extension pending")
    return str(milestone.get_state_display())


def _row(
    project: Project, steps: Iterable[Step], as_of: datetime.date, *, base: str, is_open: bool, under: str
) -> Row:
    archived = bool(project.programme.archived_on)
    tone = "grey" if archived or not project.light else project.light
    if archived:
        word = _("Archived")
    else:
        word = str(Light(project.light).label) if project.light else _("Not judged")
    judged = project.light_on is not None
    return Row(
        pk=project.pk,
        name=project.name,
        tone=tone,
        word=word,
        reason="" if archived else reason_text(project.reason, project.programme.last_day_counted(as_of)),
        url=_page(base, project.pk),
        starts_on=project.starts_on,
        due_on=project.due_on,
        baseline_due_on=project.baseline_due_on,
        actual=float(project.actual_percent) if judged else None,
        planned=project.planned_percent,
        is_standing=project.is_standing,
        # It hangs on a wall and stands on slides: telephone numbers stay on the page of the project.
        who=person_name(project.who_answers),
        under=under,
        steps=tuple(steps),
        is_open=is_open,
    )


def _group_name(group: str, project: Project) -> str:
    if group == "category":
        return str(project.category) if project.category else _("Without category")
    if group == "leader":
        return str(project.liaison_leader) if project.liaison_leader else _("Without a liaison leader")
    return str(project.enterprise)


def _group_url(group: str, project: Project, filters: Filters, base: str) -> str:
    """The list with exactly the projects that the heading counts; blank where there is none.

    The list of projects filters by one enterprise, the chart by a unit with all below it: an enterprise leads to
    the list, a category or a liaison leader to the chart narrowed to it.
    """
    if group == "enterprise":
        if filters.leader:
            return ""
        query: dict[str, Any] = {"programme": filters.programme.pk, "enterprise": project.enterprise_id}
        if filters.category:
            query["category_name"] = project.category.name if project.category else NONE
        if filters.light:
            query["light__exact"] = filters.light
        return f"{base}{reverse('admin:projects_project_changelist')}?{urlencode(query)}"
    narrowed = (
        {"category": project.category_id or NONE}
        if group == "category"
        else {"leader": project.liaison_leader_id or NONE}
    )
    query = {
        "programme": filters.programme.pk,
        "unit": filters.unit.pk if filters.unit else "",
        "category": filters.category,
        "leader": filters.leader,
        "light": filters.light,
        "group": group,
        **narrowed,
    }
    tail = urlencode({name: value for name, value in query.items() if value})
    return f"{base}{reverse('admin:wall')}?{tail}"


def _page(base: str, project_id: int) -> str:
    return f"{base}{reverse('admin:projects_project_page', args=[project_id])}"


# -- what may be chosen -----------------------------------------------------------------------------------


def categories_of(user: User, programme: Programme) -> list[Category]:
    return list(Category.objects.visible_to(user).filter(programme=programme))


def leader_name(user: User, filters: Filters) -> str:
    """The liaison leader that is asked for, as the pages of their projects name them, also where none of these is
    chosen."""
    first = (
        projects_of(user, replace(filters, light="", unit=None, category=""))
        .select_related("liaison_leader")
        .first()
    )
    return str(first.liaison_leader) if first and first.liaison_leader else ""
