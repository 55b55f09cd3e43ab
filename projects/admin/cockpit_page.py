"""The cockpit (驾驶舱): what leaders open before a meeting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import User
from enterprises.scoped_admin import person
from projects.cockpit.asking import Question, question
from projects.cockpit.comparing import compare
from projects.cockpit.drawing import curve, lights_bar
from projects.cockpit.reading import Cockpit, Line, cockpit_for, snapshots_around
from projects.cockpit.snapshot import one_moment
from projects.tallies import SILENT_AFTER_DAYS

#: So many units and categories stand on the page; all of them are one link away.
SHOWN = 15

#: Columns of the units: order, heading.
COLUMNS = (
    ("name", gettext_lazy("Unit")),
    ("projects", gettext_lazy("Projects")),
    ("red", gettext_lazy("Red")),
    ("on_plan", gettext_lazy("On plan")),
    ("gap", gettext_lazy("Behind")),
    ("overdue", gettext_lazy("Overdue")),
    ("on_time", gettext_lazy("On-time rate")),
    ("silent", gettext_lazy("Silent")),
    ("waiting", gettext_lazy("Reports waiting")),
)


@dataclass(frozen=True)
class Figure:
    """A number with the list that proves it, and by how much it changed."""

    name: str
    label: str
    value: int
    url: str
    tone: str = ""
    change: int | None = None
    note: str = ""

    @property
    def is_worse(self) -> bool:
        """More of something that nobody wants."""
        return bool(self.change and self.change > 0 and self.tone in ("red", "yellow"))


@dataclass(frozen=True)
class Row:
    """A unit or a category as the table shows it."""

    line: Line
    bar: str
    url: str
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Heading:
    label: Any
    url: str
    here: str  #: "", "ascending" or "descending"
    is_number: bool


def asked_question(request: HttpRequest, user: User) -> Question | None:
    """What the address asks for; the clock is read here.

    Raises:
        PermissionDenied: the person sees no projects.
    """
    if not user.has_perm("projects.view_project"):
        raise PermissionDenied
    asked = {name: value for name, value in request.GET.items() if isinstance(value, str)}
    return question(user, asked, timezone.localdate())


def cockpit_page(site: Any, request: HttpRequest) -> HttpResponse:
    """One page for a programme and a unit, of today or of a day of the past."""
    user = person(request)
    with one_moment():
        wanted = asked_question(request, user)
        found = cockpit_for(user, wanted) if wanted else None
        context = {**site.each_context(request), "title": _("Cockpit"), "question": wanted, "cockpit": found}
        if wanted is not None:
            context |= _around(wanted)
        if found is not None:
            context |= _shown(found, user)
        if wanted is not None and wanted.against:
            context["comparison"] = compare(user, wanted, wanted.against, wanted.on)
        return TemplateResponse(request, "projects/cockpit.html", context).render()


def _around(wanted: Question) -> dict[str, Any]:
    before, after = snapshots_around(wanted)
    return {
        "missed": [_MISSED[name] for name in wanted.missed],
        "earlier": address(wanted, on=before) if before else "",
        "later": address(wanted, on=None if after == wanted.today else after) if after else "",
        "to_today": address(wanted, on=None),
        "own": [(unit, address(wanted, unit=unit.pk)) for unit in wanted.own if unit.pk != wanted.unit.pk],
        "above": [(unit, address(wanted, unit=unit.pk)) for unit in wanted.above],
        "here": address(wanted),
    }


_MISSED = {
    "programme": gettext_lazy("There is no such programme; this is the newest one."),
    "unit": gettext_lazy("There is no such unit; this is your own."),
    "day": gettext_lazy("There is no such day, or it has not come yet; this is the latest."),
}


def address(wanted: Question, *, name: str = "cockpit", args: tuple[str, ...] = (), **other: Any) -> str:
    """The address of a question with some of it changed; None takes a part out."""
    query = {
        "programme": wanted.programme.pk,
        "unit": wanted.unit.pk,
        "on": wanted.on if wanted.is_past else None,
        "against": wanted.against,
        "sort": ("-" if wanted.reverse else "") + wanted.order,
        "all": "1" if wanted.everything else None,
        **other,
    }
    return f"{reverse(f'admin:{name}', args=args)}?{urlencode({k: v for k, v in query.items() if v is not None})}"


def _shown(found: Cockpit, user: User) -> dict[str, Any]:
    wanted, counts = found.question, found.counts
    longest = max((line.counts.projects for line in found.units), default=1)
    longest_category = max((line.counts.projects for line in found.categories), default=1)
    points = found.curve
    by_size = found.categories if wanted.everything else sorted(found.categories, key=_of_interest)
    return {
        "is_demo": wanted.programme.is_demo,
        "needs": _needs(found, user),
        "lights": [_figure(found, name, label, name) for name, label in _LIGHTS],
        "bar": lights_bar(counts, found.place, counts.projects),
        "headings": _headings(wanted),
        "units": [_row(wanted, line, longest) for line in _first(wanted, found.units)],
        "categories": [_row(wanted, line, longest_category) for line in _first(wanted, by_size)],
        "all_url": address(wanted, all="1"),
        "rates": _rates(found),
        "red_url": found.place.link("red") if found.place else "",
        "curve": curve(points, wanted.programme.starts_on, wanted.programme.ends_on)
        if len(points) > 1
        else "",
        "points": points[-1:] + [p for p in reversed(points[:-1]) if p.day.weekday() == 6][:12],
        "promises": [_figure(found, name, label) for name, label in _PROMISES],
        "rest": [_figure(found, name, label) for name, label in _REST],
        "silent_days": SILENT_AFTER_DAYS,
        "tools": _tools(wanted),
    }


def _of_interest(line: Line) -> tuple[int, int]:
    return -line.counts.red, -line.counts.projects


def _first(wanted: Question, lines: list[Line]) -> list[Line]:
    """A few more than fit are all shown: nobody should have to click for the last one."""
    return lines if wanted.everything or len(lines) <= SHOWN + 3 else lines[:SHOWN]


def _rates(found: Cockpit) -> list[tuple[str, float | None, str]]:
    """Shares of lists: each leads to the list that it is a share of, or a mean over."""
    counts, place = found.counts, found.place
    return [
        (label, value, place.link(name) if place else "")
        for label, value, name in (
            (_("Planned progress"), counts.planned_percent, "dated"),
            (_("Actual progress"), counts.actual_percent, "dated"),
            (_("On-time rate"), counts.on_time_rate, "kept"),
            (_("By the date first promised"), counts.first_rate, "first_kept"),
        )
    ]


def _tools(wanted: Question) -> list[tuple[str, str]]:
    here = {"programme": wanted.programme.pk, "unit": wanted.unit.pk}
    return [
        (_("Wall chart"), f"{reverse('admin:wall')}?{urlencode(here)}"),
        (_("Large screen"), f"{reverse('admin:cockpit_screen')}?{urlencode(here)}"),
        (_("Bulletin (Word)"), address(wanted, name="cockpit_file", args=("docx",))),
        (_("Workbook (Excel)"), address(wanted, name="cockpit_file", args=("xlsx",))),
    ]


_LIGHTS = (
    ("projects", gettext_lazy("Projects")),
    ("red", gettext_lazy("Red")),
    ("yellow", gettext_lazy("Yellow")),
    ("green", gettext_lazy("Green")),
    ("blue", gettext_lazy("Blue")),
    ("grey", gettext_lazy("Grey")),
)
_PROMISES = (
    ("kept", gettext_lazy("Done in time")),
    ("late", gettext_lazy("Done late")),
    ("first_kept", gettext_lazy("First date kept")),
    ("first_missed", gettext_lazy("First date missed")),
)
_REST = (
    ("extensions", gettext_lazy("Extensions approved")),
    ("extensions_waiting", gettext_lazy("Extensions waiting")),
    ("reports_waiting", gettext_lazy("Reports waiting")),
    ("close_outs_waiting", gettext_lazy("Close-outs waiting")),
    ("with_evidence", gettext_lazy("Projects with evidence")),
    ("no_date", gettext_lazy("Milestones without a date")),
)


def _figure(found: Cockpit, name: str, label: Any, tone: str = "") -> Figure:
    url = found.place.link(name) if found.place else ""
    tone = "" if tone == "projects" else tone
    return Figure(name, str(label), getattr(found.counts, name), url, tone, found.change(name))


def _needs(found: Cockpit, user: User) -> list[Figure]:
    """What needs a look first: for reviewers what waits for them here, for everyone what is late and who is silent."""
    figures = []
    reviews = user.has_perm("projects.review_progressreport")
    for name, label, tone in (
        *([("reports_waiting", _("Reports waiting"), "yellow")] if reviews else []),
        ("overdue", _("Milestones overdue"), "red"),
        ("due_soon", _("Due soon"), "yellow"),
        ("returned", _("Returned for rework"), "yellow"),
        ("silent", _("Silent for %(n)d days") % {"n": SILENT_AFTER_DAYS}, "yellow"),
    ):
        figure = _figure(found, name, label)
        figures.append(
            Figure(name, figure.label, figure.value, figure.url, tone if figure.value else "", figure.change)
        )
    return figures


def _row(wanted: Question, line: Line, longest: int) -> Row:
    names = ("projects", "red", "on_plan", "dated", "overdue", "kept", "silent", "reports_waiting")
    place = line.place
    figures = {
        name: Figure(name, "", getattr(line.counts, name), place.link(name) if place else "")
        for name in names
    }
    if line.unit is not None and not line.alone and line.unit.pk != wanted.unit.pk:
        url = address(wanted, unit=line.unit.pk)
    else:
        url = line.place.link("projects") if line.place else ""
    return Row(line, lights_bar(line.counts, line.place, longest), url, figures)


def _headings(wanted: Question) -> list[Heading]:
    found = []
    for name, label in COLUMNS:
        here = name == wanted.order
        sort = f"-{name}" if here and not wanted.reverse else name
        # Worst first is how the column is read, so that is "descending" for all but names.
        turned = wanted.reverse if name != "name" else not wanted.reverse
        state = ("ascending" if turned else "descending") if here else ""
        found.append(Heading(label, address(wanted, sort=sort), state, name != "name"))
    return found
