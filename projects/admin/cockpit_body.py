"""What stands below the head of the cockpit: numbers with their lists, drawn once for equal numbers.

Everything that is drawn from is a value (`Content`): text, numbers, days. Equal contents give the same page, so the
last ones are kept, and nothing has to be thrown away when a row changes: another number is another content.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from projects.cockpit.asking import Asked
from projects.cockpit.comparing import Comparison
from projects.cockpit.drawing import curve, lights_bar
from projects.cockpit.links import Place
from projects.cockpit.reading import Cockpit, CurvePoint, Line
from projects.cockpit.red_list import RedProject
from projects.tallies import SILENT_AFTER_DAYS, Counts

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


@dataclass(frozen=True)
class Content:
    """All that the page is drawn from, besides the language.

    Attributes:
        reviews: the reader decides on reports, so those that wait are among what needs a look first.
        The others are those of `Cockpit`.
    """

    question: Asked
    reviews: bool
    counts: Counts
    place: Place | None
    before: Counts | None
    before_on: datetime.date | None
    red: tuple[RedProject, ...]
    units: tuple[Line, ...]
    categories: tuple[Line, ...]
    curve: tuple[CurvePoint, ...]

    def change(self, name: str) -> int | None:
        """By how much a number changed since `before`; None where that is not known."""
        return None if self.before is None else getattr(self.counts, name) - getattr(self.before, name)


def drawn(found: Cockpit, *, reviews: bool, comparison: Comparison | None = None) -> SafeString:
    """The body of the page, in the active language.

    Args:
        comparison: of two days; with one the page is drawn anew, because it names projects by their rows.
    """
    content = Content(
        question=found.question.asked,
        reviews=reviews,
        counts=found.counts,
        place=found.place,
        before=found.before,
        before_on=found.before_on,
        red=tuple(found.red),
        units=tuple(found.units),
        categories=tuple(found.categories),
        curve=tuple(found.curve),
    )
    if comparison is not None:
        return _drawn(content, comparison)
    return _kept(content, get_language())


#: Some hundred kilobytes each.
@lru_cache(maxsize=32)
def _kept(content: Content, language: str | None) -> SafeString:
    return _drawn(content, None)


def _drawn(content: Content, comparison: Comparison | None) -> SafeString:
    context = {**_shown(content), "content": content, "comparison": comparison}
    return SafeString(render_to_string("projects/cockpit_body.html", context))


def address(asked: Asked, *, name: str = "cockpit", args: tuple[str, ...] = (), **other: Any) -> str:
    """The address of a question with some of it changed; None takes a part out."""
    query = {
        "programme": asked.programme_id,
        "unit": asked.unit_id,
        "on": asked.on if asked.is_past else None,
        "against": asked.against,
        "sort": ("-" if asked.reverse else "") + asked.order,
        "all": "1" if asked.everything else None,
        **other,
    }
    return f"{reverse(f'admin:{name}', args=args)}?{urlencode({k: v for k, v in query.items() if v is not None})}"


def _shown(found: Content) -> dict[str, Any]:
    wanted, counts = found.question, found.counts
    longest = max((line.counts.projects for line in found.units), default=1)
    longest_category = max((line.counts.projects for line in found.categories), default=1)
    points = found.curve
    by_size = found.categories if wanted.everything else sorted(found.categories, key=_of_interest)
    return {
        "needs": _needs(found),
        "lights": [_figure(found, name, label, name) for name, label in _LIGHTS],
        "bar": lights_bar(counts, found.place, counts.projects),
        "headings": _headings(wanted),
        "units": [_row(wanted, line, longest) for line in _first(wanted, found.units)],
        "categories": [_row(wanted, line, longest_category) for line in _first(wanted, by_size)],
        "all_url": address(wanted, all="1"),
        "rates": _rates(found),
        "red_url": found.place.link("red") if found.place else "",
        "curve": curve(points, wanted.starts_on, wanted.ends_on) if len(points) > 1 else "",
        "points": [*points[-1:], *[p for p in reversed(points[:-1]) if p.day.weekday() == 6][:12]],
        "promises": [_figure(found, name, label) for name, label in _PROMISES],
        "rest": [_figure(found, name, label) for name, label in _REST],
        "silent_days": SILENT_AFTER_DAYS,
    }


def _of_interest(line: Line) -> tuple[int, int]:
    return -line.counts.red, -line.counts.projects


def _first(wanted: Asked, lines: Sequence[Line]) -> Sequence[Line]:
    """A few more than fit are all shown: nobody should have to click for the last one."""
    return lines if wanted.everything or len(lines) <= SHOWN + 3 else lines[:SHOWN]


def _rates(found: Content) -> list[tuple[str, float | None, str]]:
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


def _figure(found: Content, name: str, label: Any, tone: str = "") -> Figure:
    url = found.place.link(name) if found.place else ""
    tone = "" if tone == "projects" else tone
    return Figure(name, str(label), getattr(found.counts, name), url, tone, found.change(name))


def _needs(found: Content) -> list[Figure]:
    """What needs a look first: for reviewers what waits for them here, for everyone what is late and who is silent."""
    figures = []
    for name, label, tone in (
        *([("reports_waiting", _("Reports waiting"), "yellow")] if found.reviews else []),
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


def _row(wanted: Asked, line: Line, longest: int) -> Row:
    names = ("projects", "red", "on_plan", "dated", "overdue", "kept", "silent", "reports_waiting")
    place = line.place
    figures = {
        name: Figure(name, "", getattr(line.counts, name), place.link(name) if place else "")
        for name in names
    }
    if line.unit_id is not None and not line.alone and line.unit_id != wanted.unit_id:
        url = address(wanted, unit=line.unit_id)
    else:
        url = line.place.link("projects") if line.place else ""
    return Row(line, lights_bar(line.counts, line.place, longest), url, figures)


def _headings(wanted: Asked) -> list[Heading]:
    found = []
    for name, label in COLUMNS:
        here = name == wanted.order
        sort = f"-{name}" if here and not wanted.reverse else name
        # Worst first is how the column is read, so that is "descending" for all but names.
        turned = wanted.reverse if name != "name" else not wanted.reverse
        state = ("ascending" if turned else "descending") if here else ""
        found.append(Heading(label, address(wanted, sort=sort), state, name != "name"))
    return found
