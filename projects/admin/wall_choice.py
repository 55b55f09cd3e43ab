"""What somebody chose on the wall chart, as it stands in addresses. Nonsense chooses nothing."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F, Q
from django.http import QueryDict
from django.utils.http import urlencode

from enterprises.models import Enterprise, User
from enterprises.scoping import outermost, prefixes, units_for
from projects.addresses import is_id
from projects.lights import Light
from projects.models import Category, Programme, Project
from projects.wall_chart.reading import DEFAULT_GROUP, GROUPS, NONE, Filters
from projects.wall_chart.sheets import PAPERS
from projects.wall_chart.timeline import DEFAULT_ZOOM, EARLIEST, LATEST, ZOOMS

#: Rows on a page; all of one large group, for whoever wants to scroll.
ROWS, MANY_ROWS = 100, 500
#: More opened projects than this do not fit into an address.
MOST_OPENED = 50
SHEETS = tuple(PAPERS)
#: A menu of thousands of enterprises would help nobody: one level of the tree at a time.
UNITS_OFFERED = 300
#: A file is drawn while somebody waits for it: 3,000 projects take some three seconds, a picture much longer a sheet.
MOST_IN_FILE, MOST_IN_PICTURES = 3000, 400


@dataclass(frozen=True)
class Choice:
    """A chart. Every row that it names was found through the wall; a foreign one counts as none.

    Attributes:
        from_month: where the chart begins; None: where the programme stands today.
        opened: projects whose milestones have rows of their own; `milestones`: all of them have.
        rows: rows a page.
        sheet: size of the paper.
    """

    filters: Filters
    group: str = DEFAULT_GROUP
    zoom: str = DEFAULT_ZOOM
    from_month: datetime.date | None = None
    page: int = 1
    rows: int = ROWS
    opened: frozenset[int] = frozenset()
    milestones: bool = False
    sheet: str = "a3"

    @property
    def query(self) -> dict[str, str]:
        """The address's query: what differs from the defaults, the programme always."""
        f = self.filters
        return {
            "programme": str(f.programme.pk),
            "unit": str(f.unit.pk) if f.unit else "",
            "category": f.category,
            "leader": f.leader,
            "light": f.light,
            "group": self.group if self.group != DEFAULT_GROUP else "",
            "zoom": self.zoom if self.zoom != DEFAULT_ZOOM else "",
            "from": f"{self.from_month:%Y-%m}" if self.from_month else "",
            "milestones": "1" if self.milestones else "",
            "open": ",".join(str(pk) for pk in sorted(self.opened)),
            "rows": str(self.rows) if self.rows != ROWS else "",
            "page": str(self.page) if self.page > 1 else "",
            "sheet": self.sheet if self.sheet != "a3" else "",
        }

    def tail(self, **changed: Any) -> str:
        """The query of this chart with some of it changed; what narrows or orders it anew begins on page 1."""
        asked = {**self.query, **{name: str(value) for name, value in changed.items()}}
        if changed and not {*changed} <= {"page", "open", "zoom", "from", "sheet", "form", "part"}:
            asked["page"] = ""
        return f"?{urlencode({name: value for name, value in asked.items() if value})}"

    def toggled(self, project_id: int) -> str:
        """The same chart with the milestones of one project opened or closed."""
        opened = sorted(self.opened ^ {project_id})[-MOST_OPENED:]
        return self.tail(open=",".join(str(pk) for pk in opened))

    def most_in(self, form: str) -> int:
        """How many projects a file takes.

        Args:
            form: "svg", "pdf" or "png".
        """
        most = MOST_IN_PICTURES if form == "png" else MOST_IN_FILE
        return most // 5 if self.milestones else most  # about as many rows

    @property
    def is_filtered(self) -> bool:
        f = self.filters
        return bool(f.unit or f.category or f.leader or f.light)


def programmes_of(user: User) -> list[Programme]:
    """Programmes that somebody may choose, the newest first."""
    return list(Programme.objects.visible_to(user).order_by("-year", "-starts_on", "-pk")[:100])


def chosen(query: QueryDict, user: User, programmes: list[Programme], today: datetime.date) -> Choice | None:
    """What a query string asks for; None where the person sees no programme at all."""
    if not programmes:
        return None
    asked = query.get("programme", "")
    by_id = {str(programme.pk): programme for programme in programmes}
    programme = by_id.get(asked) or _default(programmes, today)
    filters = Filters(
        programme=programme,
        unit=_unit(query.get("unit", ""), user),
        category=_category(query.get("category", ""), user, programme),
        light=light if (light := query.get("light", "")) in Light.values else "",
    )
    filters = replace(filters, leader=_leader(query.get("leader", ""), user, programme))
    return Choice(
        filters=filters,
        group=group if (group := query.get("group", "")) in GROUPS else DEFAULT_GROUP,
        zoom=zoom if (zoom := query.get("zoom", "")) in ZOOMS else DEFAULT_ZOOM,
        from_month=_month(query.get("from", "")),
        page=max(1, _number(query.get("page", ""), 1)),
        rows=MANY_ROWS if query.get("rows") == str(MANY_ROWS) else ROWS,
        opened=frozenset(
            int(text) for text in query.get("open", "")[:1000].split(",")[:MOST_OPENED] if is_id(text)
        ),
        milestones=query.get("milestones") == "1",
        sheet=sheet if (sheet := query.get("sheet", "")) in SHEETS else "a3",
    )


def _default(programmes: list[Programme], today: datetime.date) -> Programme:
    """The newest programme in force; without one the newest."""
    return next((programme for programme in programmes if programme.in_force(today)), programmes[0])


def _unit(asked: str, user: User) -> Enterprise | None:
    return Enterprise.objects.visible_to(user).filter(pk=int(asked)).first() if is_id(asked) else None


def _category(asked: str, user: User, programme: Programme) -> str:
    if asked == NONE:
        return NONE
    if not is_id(asked):
        return ""
    found = Category.objects.visible_to(user).filter(programme=programme, pk=int(asked))
    return str(int(asked)) if found.exists() else ""


def _leader(asked: str, user: User, programme: Programme) -> str:
    """A liaison leader counts where the person sees a project of theirs: its page names them anyway."""
    if asked == NONE:
        return NONE
    if not is_id(asked):
        return ""
    theirs = Project.objects.visible_to(user).filter(programme=programme, liaison_leader_id=int(asked))
    return str(int(asked)) if theirs.exists() else ""


def _month(asked: str) -> datetime.date | None:
    """ "2026-06" or a whole date."""
    try:
        day = datetime.date.fromisoformat(f"{asked}-01" if len(asked) == 7 else asked)
    except ValueError:
        return None
    return day.replace(day=1) if EARLIEST <= day <= LATEST else None


def _number(asked: str, otherwise: int) -> int:
    return min(int(asked), 10_000) if is_id(asked) else otherwise


def units_offered(user: User, unit: Enterprise | None) -> list[Enterprise]:
    """One level of the tree: without a choice the person's own units and those right below; with one, the way
    up to them, the unit itself, and those right below it."""
    tops = outermost(units_for(user, "projects.view_project"))
    if unit is None:
        wanted = Q(path__in=tops) | Q(parent__path__in=tops)
    else:
        wanted = Q(path__in=prefixes(unit.path)) | Q(parent_id=unit.pk)
    rows = Enterprise.objects.visible_to(user).filter(wanted)
    return sorted(
        rows.order_by(F("parent_id").asc(nulls_first=True), "sort_key", "pk")[:UNITS_OFFERED],
        key=lambda one: (one.path.count("."), one.sort_key, one.pk),
    )
