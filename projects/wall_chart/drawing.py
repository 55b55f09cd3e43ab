"""Shapes → SVG, with classes for colours and no style of its own: the page's CSS or that of a sheet fills them in.

Every text that comes from outside goes through `xml`. Rows are drawn in units of their own, `ROW` high; whoever
puts them somewhere scales them.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable

from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.translation import gettext as _

from projects.wall_chart.layout import Bar, Diamond, Laid
from projects.wall_chart.rows import Row, Step
from projects.wall_chart.timeline import Span, Timeline

#: Heights in row units: a project, a milestone in a row of its own, one line of the head.
ROW, STEP_ROW, HEAD_LINE = 28, 22, 20
#: Width of a chart on a page, in row units; the page scales it to its room.
PAGE_WIDTH = 1000.0

_BAR, _STEP_BAR = 13, 6

#: What XML 1.0 has no way of saying; one such character makes the whole file unreadable.
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

#: The diamonds by light: each differs by its shape too, so that none is told by colour alone.
SYMBOLS = (
    '<g id="wall-red" class="d-red"><path class="fill" d="M0-8L8 0 0 8-8 0z"/>'
    '<path class="mark" d="M0-4V1M0 3.4V4.2"/></g>'
    '<g id="wall-yellow" class="d-yellow"><path class="fill" d="M0-7L7 0 0 7-7 0z"/>'
    '<circle class="dot" r="2"/></g>'
    '<g id="wall-green" class="d-green"><path class="ring" d="M0-6L6 0 0 6-6 0z"/></g>'
    '<g id="wall-blue" class="d-blue"><path class="fill" d="M0-7L7 0 0 7-7 0z"/>'
    '<path class="mark" d="M-2.8 0L-.8 2.2 3-2"/></g>'
    '<g id="wall-grey" class="d-grey"><path class="ring" d="M0-5L5 0 0 5-5 0z"/></g>'
)


def xml(text: object) -> str:
    """Text as it may stand in an SVG: escaped, without the characters that XML cannot hold."""
    return str(escape(_NOT_IN_XML.sub("", str(text))))


def number(value: float) -> str:
    """As short as it may be: one place, no zero behind the point."""
    return f"{value:.1f}".removesuffix(".0")


# -- a row ----------------------------------------------------------------------------------------------


def draw_row(row: Row, laid: Laid, timeline: Timeline) -> str:
    """The bar of a project with its ghost and its milestones; each is a link with a title.

    The links are reached by Tab only where nothing else leads there: a project's name stands beside its
    bar, its milestones have rows of their own on demand.
    """
    middle = ROW / 2
    parts = []
    if laid.ghost:
        ghost = laid.ghost
        parts.append(
            f'<rect class="ghost" x="{number(ghost.x)}" y="23" width="{number(ghost.width)}" height="2.5"/>'
        )
        if ghost.end is not None:
            parts.append(f'<path class="ghost-end" d="M{number(ghost.end)} 18v8"/>')
    if laid.bar:
        parts.append(_link(row.url, f"tone-{row.tone}", bar_title(row), _bar(laid.bar, middle, _BAR)))
        parts.append(_today_over(laid.bar, timeline, middle, _BAR))
    parts += [_diamond(diamond, middle) for diamond in laid.diamonds]
    return "".join(parts) + _out_of_sight(row.url, bar_title(row), laid, timeline, middle)


def draw_step(step: Step, laid: Laid, timeline: Timeline) -> str:
    """A milestone in a row of its own."""
    middle = STEP_ROW / 2
    bar = f'<g class="tone-{step.tone}">{_bar(laid.bar, middle, _STEP_BAR)}</g>' if laid.bar else ""
    diamonds = "".join(_diamond(diamond, middle) for diamond in laid.diamonds)
    return bar + diamonds + _out_of_sight(step.url, step_title(step), laid, timeline, middle)


def _bar(bar: Bar, middle: float, height: float) -> str:
    x, y = number(bar.x), number(middle - height / 2)
    kind = "track open" if bar.no_start or bar.no_end else "track"
    track = f'<rect class="{kind}" x="{x}" y="{y}" width="{number(bar.width)}" height="{height}" rx="1.5"/>'
    if not bar.done:
        return track
    return (
        track + f'<rect class="done" x="{x}" y="{y}" width="{number(bar.done)}" height="{height}" rx="1.5"/>'
    )


def _today_over(bar: Bar, timeline: Timeline, middle: float, height: float) -> str:
    """The today line where it crosses a bar; between the rows it lies behind them."""
    x = timeline.today_x
    if x is None or not bar.x <= x <= bar.x + bar.width:
        return ""
    return f'<path class="today" d="M{number(x)} {number(middle - height / 2)}v{height}"/>'


def _diamond(diamond: Diamond, middle: float) -> str:
    x, y, step = number(diamond.x), number(middle), diamond.step
    was = ""
    if diamond.was_at is not None:
        at = number(diamond.was_at)
        was = f'<path class="moved" d="M{at} {y}H{x}"/><path class="was" d="M{at} {number(middle - 4.5)}l4.5 4.5-4.5 4.5-4.5-4.5z"/>'
    drawn = f'{was}<use href="#wall-{step.tone}" x="{x}" y="{y}"/>'
    return _link(step.url, "", step_title(step), drawn)


def _out_of_sight(url: str, title: str, laid: Laid, timeline: Timeline, middle: float) -> str:
    """An arrow at the edge behind which the row lies, or the word that it has no date."""
    if laid.before:
        return _link(url, "edge", title, f'<path d="M10 {number(middle - 5)}v10L2 {number(middle)}z"/>')
    if laid.after:
        edge = number(timeline.width - 10)
        return _link(url, "edge", title, f'<path d="M{edge} {number(middle - 5)}v10l8-5z"/>')
    if laid.undated:
        return f'<text class="undated" x="8" y="{number(middle + 4)}">{xml(_("no date"))}</text>'
    return ""


def _link(url: str, kind: str, title: str, drawn: str) -> str:
    classes = f' class="{kind}"' if kind else ""
    return f'<a href="{xml(url)}"{classes} tabindex="-1"><title>{xml(title)}</title>{drawn}</a>'


# -- words ----------------------------------------------------------------------------------------------


def bar_title(row: Row) -> str:
    """What a bar says to a pointer and to a screen reader."""
    until = _("standing duty, no end") if row.is_standing else _shown(row.ends)
    said = [f"{_shown(row.begins)} — {until}", row.word]
    if row.reason:
        said.append(row.reason)
    elif row.actual is not None:
        said.append(_("actual progress %(actual)d%%") % {"actual": round(row.actual)})
    if row.has_moved:
        said.append(_("first promised: %(day)s") % {"day": _shown(row.baseline_due_on)})
    return " · ".join(said)


def step_title(step: Step) -> str:
    said = [step.name, _shown(step.due_on), step.word]
    if step.has_moved:
        said.append(_("first promised: %(day)s") % {"day": _shown(step.baseline_due_on)})
    return " · ".join(said)


def _shown(day: datetime.date | None) -> str:
    return str(date_format(day, "DATE_FORMAT")) if day else _("no date")


# -- the head and the lines behind the rows -----------------------------------------------------------------


def head_height(timeline: Timeline) -> int:
    """Two lines of labels and the flag of today; in row units."""
    return 2 * HEAD_LINE + 18


def draw_head(timeline: Timeline) -> str:
    """Years over months, or months over weeks, and the flag on the today line. Units of the timeline."""
    lower = timeline.weeks if timeline.zoom in ("quarter", "month") else timeline.months
    parts = [*_labels(timeline.years, 0, "upper"), *_labels(lower, HEAD_LINE, "lower")]
    if timeline.zoom == "half":
        parts += [f'<path class="week" d="M{number(x)} {2 * HEAD_LINE - 5}v5"/>' for x in timeline.week_lines]
    if timeline.today_x is not None:
        parts.append(_flag(timeline, timeline.today_x))
    return "".join(parts)


def _labels(spans: Iterable[Span], top: int, kind: str) -> Iterable[str]:
    for span in spans:
        if span.x > 0:
            yield f'<path class="{kind}-line" d="M{number(span.x)} {top}v{HEAD_LINE}"/>'
        # A stretch that is cut off by the edge may have no room for its label.
        if span.label and span.width >= 9 * len(span.label):
            now = " now" if span.is_now and kind == "lower" else ""
            x = number(span.x + span.width / 2)
            yield f'<text class="{kind}{now}" x="{x}" y="{top + 14}">{xml(span.label)}</text>'


def _flag(timeline: Timeline, x: float) -> str:
    """The label of the today line, kept inside the chart."""
    label = _("Today %(day)s") % {"day": date_format(timeline.today, "MONTH_DAY_FORMAT")}
    width = 6.2 * sum(2 if ord(sign) > 0x2E7F else 1 for sign in label) + 12
    left = min(max(x - width / 2, 0), timeline.width - width)
    top = 2 * HEAD_LINE
    return (
        f'<rect class="flag" id="wall-today" x="{number(left)}" y="{top}" width="{number(width)}" height="17" rx="2"/>'
        f'<text class="flag-word" x="{number(left + width / 2)}" y="{top + 13}">{xml(label)}</text>'
    )


def draw_lines(timeline: Timeline, height: float) -> str:
    """Lines of months, weeks and today behind rows that are `height` high together."""
    tall = number(height)
    parts = []
    if timeline.week_lines:
        weeks = "".join(f"M{number(x)} 0v{tall}" for x in timeline.week_lines)
        parts.append(f'<path class="week" d="{weeks}"/>')
    if timeline.month_lines:
        months = "".join(f"M{number(x)} 0v{tall}" for x in timeline.month_lines)
        parts.append(f'<path class="month" d="{months}"/>')
    if timeline.today_x is not None:
        parts.append(f'<path class="today" d="M{number(timeline.today_x)} 0v{tall}"/>')
    return "".join(parts)
