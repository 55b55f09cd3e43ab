"""The wall chart (挂图作战): the page. Its files are in `wall_files`."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import User
from enterprises.scoped_admin import person
from projects.admin.wall_choice import (
    MANY_ROWS,
    ROWS,
    Choice,
    chosen,
    programmes_of,
    units_offered,
)
from projects.cockpit.snapshot import one_moment
from projects.lights import Light
from projects.models import Programme
from projects.wall_chart.drawing import (
    PAGE_WIDTH,
    ROW,
    STEP_ROW,
    SYMBOLS,
    draw_head,
    draw_lines,
    draw_row,
    draw_step,
    head_height,
)
from projects.wall_chart.layout import lay_out, lay_out_step
from projects.wall_chart.legend import ORDER, legend, light_words
from projects.wall_chart.reading import (
    GROUPS,
    NONE,
    categories_of,
    counts_by_light,
    leader_name,
    read_groups,
)
from projects.wall_chart.rows import Group, Row, Step
from projects.wall_chart.sheets import Caption
from projects.wall_chart.timeline import ZOOMS, Timeline, first_shown, months_later, timeline

_GROUP_LABELS = {
    "enterprise": gettext_lazy("Enterprise"),
    "category": gettext_lazy("Category"),
    "leader": gettext_lazy("Liaison leader"),
}
_ZOOM_LABELS = {
    "year": gettext_lazy("12 months"),
    "half": gettext_lazy("6 months"),
    "quarter": gettext_lazy("3 months"),
    "month": gettext_lazy("1 month"),
}


@dataclass(frozen=True)
class Link:
    """A choice that the page offers."""

    label: str
    url: str
    here: bool = False
    count: int | None = None
    tone: str = ""


@dataclass(frozen=True)
class ShownRow:
    """A project as the template shows it: `svg` and those of its milestones are drawn already."""

    row: Row
    svg: SafeString
    toggle: str
    steps: list[tuple[Step, SafeString]]


@dataclass(frozen=True)
class ShownGroup:
    group: Group
    lights: list[tuple[str, int]]
    rows: list[ShownRow]


def wall_page(site: Any, request: HttpRequest) -> HttpResponse:
    """GET /wall/."""
    user, today = reader_of(request), timezone.localdate()
    with one_moment():
        programmes = programmes_of(user)
        choice = chosen(request.GET, user, programmes, today)
        context = {**site.each_context(request), "title": _("Wall chart"), "choice": choice}
        if choice is not None:
            context |= _chart(choice, user, today) | _offered(choice, user, programmes, today)
        return TemplateResponse(request, "projects/wall.html", context).render()


def reader_of(request: HttpRequest) -> User:
    user = person(request)
    if not user.has_perm("projects.view_project"):
        raise PermissionDenied
    return user


# -- the chart ------------------------------------------------------------------------------------------


def timeline_of(choice: Choice, today: datetime.date) -> Timeline:
    programme = choice.filters.programme
    first = choice.from_month or first_shown(
        programme.starts_on, programme.ends_on, zoom=choice.zoom, today=today
    )
    return timeline(first, zoom=choice.zoom, width=PAGE_WIDTH, today=today)


def total_of(lights: dict[str, int], choice: Choice) -> int:
    light = choice.filters.light
    return lights.get(light, 0) if light else sum(lights.values())


def _chart(choice: Choice, user: User, today: datetime.date) -> dict[str, Any]:
    lights = counts_by_light(user, choice.filters, today)
    total = total_of(lights, choice)
    pages = max(1, -(-total // choice.rows))
    page = min(choice.page, pages)
    line = timeline_of(choice, today)
    asked = asked_for(choice, user)
    groups = read_groups(
        user,
        choice.filters,
        group=choice.group,
        as_of=today,
        offset=(page - 1) * choice.rows,
        limit=choice.rows,
        opened=choice.opened,
        all_open=choice.milestones,
    )
    return {
        "groups": [_shown(group, choice, line) for group in groups],
        "caption": caption_of(choice, asked, today),
        "active": [Link(words, choice.tail(**{name: ""})) for name, words in asked],
        "symbols": SafeString(SYMBOLS),
        "lines": SafeString(draw_lines(line, ROW)),
        "head": SafeString(draw_head(line)),
        "head_height": head_height(line),
        "chart_width": round(PAGE_WIDTH),
        "row_height": ROW,
        "step_height": STEP_ROW,
        "legend": [(SafeString(drawn), words) for drawn, words in legend()],
        "total": total,
        "page": page,
        "pages": pages,
        "all_in_pdf": total <= choice.most_in("pdf"),
        "first_row": (page - 1) * choice.rows + 1,
        "last_row": min(page * choice.rows, total),
        "previous": choice.tail(page=page - 1) if page > 1 else "",
        "next": choice.tail(page=page + 1) if page < pages else "",
        "lights": _light_links(choice, lights),
        "earlier": choice.tail(**{"from": _moved(line.first, choice, -1)}),
        "later": choice.tail(**{"from": _moved(line.first, choice, 1)}),
        # On a phone the chart begins at the left, and today is far to the right of it.
        "now": "#wall-today" if line.today_x is not None else choice.tail(**{"from": ""}),
        "period": _period(line),
    }


def _shown(group: Group, choice: Choice, line: Timeline) -> ShownGroup:
    """What is drawn was escaped where it was drawn (`wall_chart.drawing.xml`)."""
    return ShownGroup(
        group,
        light_words(group.lights),
        [
            ShownRow(
                row,
                SafeString(draw_row(row, lay_out(row, line), line)),
                "" if choice.milestones or not row.steps else choice.toggled(row.pk),
                [(step, SafeString(draw_step(step, lay_out_step(step, line), line))) for step in row.steps]
                if row.is_open
                else [],
            )
            for row in group.rows
        ],
    )


def _moved(first: datetime.date, choice: Choice, steps: int) -> str:
    """The month from which the next stretch is shown; half a stretch further, so that nothing is lost between."""
    months = max(1, ZOOMS[choice.zoom] // 2)
    return f"{months_later(first, steps * months):%Y-%m}"


def _period(line: Timeline) -> str:
    first, last = (date_format(day, "YEAR_MONTH_FORMAT") for day in (line.first, line.last))
    return first if first == last else f"{first} — {last}"


# -- what may be chosen, in words and as links --------------------------------------------------------------


def _offered(choice: Choice, user: User, programmes: list[Programme], today: datetime.date) -> dict[str, Any]:
    f = choice.filters
    units = units_offered(user, f.unit)
    categories = categories_of(user, f.programme)
    # Another programme has other categories and other months; the unit and the arrangement stay.
    fresh = {"category": "", "leader": "", "from": "", "open": ""}
    return {
        "programmes": [
            Link(one.name, choice.tail(programme=one.pk, **fresh), one.pk == f.programme.pk)
            for one in programmes
        ],
        "units": [
            Link(_("All enterprises"), choice.tail(unit=""), f.unit is None),
            *(Link(str(one), choice.tail(unit=one.pk), one == f.unit) for one in units),
        ],
        "categories": [
            Link(_("All"), choice.tail(category=""), not f.category),
            *(Link(one.name, choice.tail(category=one.pk), f.category == str(one.pk)) for one in categories),
            Link(_("Without category"), choice.tail(category=NONE), f.category == NONE),
        ],
        "groupings": [
            Link(str(_GROUP_LABELS[name]), choice.tail(group=name), choice.group == name) for name in GROUPS
        ],
        "zooms": [
            Link(str(_ZOOM_LABELS[name]), choice.tail(zoom=name), choice.zoom == name) for name in ZOOMS
        ],
        "papers": [
            Link(label, choice.tail(sheet=name), choice.sheet == name)
            for name, label in (("a3", "A3"), ("a1", "A1"))
        ],
        "downloads": _downloads(choice),
        "milestones_link": choice.tail(milestones="" if choice.milestones else "1", open=""),
        "rows_links": [
            Link(str(rows), choice.tail(rows=rows, page=""), choice.rows == rows)
            for rows in (ROWS, MANY_ROWS)
        ],
        "clear": choice.tail(unit="", category="", leader="", light=""),
        "in_force": f.programme.in_force(today),
        "paper": choice.sheet if choice.sheet in ("a3", "a1") else "a3",
    }


def _light_links(choice: Choice, lights: dict[str, int]) -> list[Link]:
    asked = choice.filters.light
    return [
        Link(_("All"), choice.tail(light=""), not asked, sum(lights.values())),
        *(
            Link(str(light.label), choice.tail(light=light.value), asked == light, lights.get(light.value, 0), light.value)
            for light in ORDER
        ),
    ]  # fmt: skip


def _downloads(choice: Choice) -> list[Link]:
    url = reverse("admin:wall_file")
    words = {
        "a3": ("pdf", _("PDF, A3")),
        "a1": ("pdf", _("PDF, A1 for the wall")),
        "slide": ("png", _("PNG for slides")),
    }
    made = [Link(label, url + choice.tail(sheet=sheet, form=form)) for sheet, (form, label) in words.items()]
    drawn = {"a3": _("SVG, A3"), "a1": _("SVG, A1")}
    return made + [Link(label, url + choice.tail(sheet=sheet, form="svg")) for sheet, label in drawn.items()]


def asked_for(choice: Choice, user: User) -> list[tuple[str, str]]:
    """What narrows the chart: (name in the address, words)."""
    f = choice.filters
    said = [("unit", str(f.unit))] if f.unit else []
    if f.category:
        names = {str(one.pk): one.name for one in categories_of(user, f.programme)}
        said.append(("category", names.get(f.category, _("Without category"))))
    if f.leader:
        named = (
            _("Without a liaison leader")
            if f.leader == NONE
            else _("Liaison leader: %(name)s") % {"name": leader_name(user, f)}
        )
        said.append(("leader", named))
    if f.light:
        said.append(("light", _("Light: %(light)s") % {"light": Light(f.light).label}))
    return said


def caption_of(choice: Choice, asked: list[tuple[str, str]], today: datetime.date) -> Caption:
    """What page and sheets say about themselves.

    Args:
        asked: of `asked_for`.
    """
    f = choice.filters
    said = [words for _name, words in asked]
    if f.unit is None:
        said.insert(0, _("All enterprises"))
    said.append(_("by %(group)s") % {"group": _GROUP_LABELS[choice.group]})
    return Caption(
        title=_("%(programme)s · wall chart") % {"programme": f.programme.name},
        filters=" · ".join(said),
        as_of=_("as of %(day)s") % {"day": date_format(today, "DATE_FORMAT")},
        demo=_("demonstration data") if f.programme.is_demo else "",
    )
