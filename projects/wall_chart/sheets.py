"""A wall chart on sheets of paper: each sheet one SVG that needs nothing else. Pure.

Measures are millimetres. Rows are made as high as the paper allows, because a chart on a wall is read from
metres away; many rows go onto several sheets, each with its head.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from projects.wall_chart.drawing import (
    ROW,
    STEP_ROW,
    SYMBOLS,
    draw_head,
    draw_lines,
    draw_row,
    draw_step,
    head_height,
    number,
    xml,
)
from projects.wall_chart.layout import lay_out, lay_out_step
from projects.wall_chart.legend import legend, light_words
from projects.wall_chart.rows import Group, Row, Step
from projects.wall_chart.style import SHEET_STYLE
from projects.wall_chart.timeline import Timeline


@dataclass(frozen=True)
class Paper:
    """A sheet. `least` and `most`: how high a row may be, in mm."""

    width: float
    height: float
    margin: float
    least: float
    most: float

    @property
    def k(self) -> float:
        """Everything that is the same on every sheet grows with its width; 1 on A3."""
        return self.width / 420


PAPERS = {
    "a3": Paper(420, 297, 10, least=6.2, most=11.5),
    "a1": Paper(841, 594, 18, least=11.5, most=21),
    "slide": Paper(338.7, 190.5, 8, least=6.4, most=11),
}

#: Heights of what surrounds the rows, in mm on A3.
_TITLE, _HEAD, _FOOT = 16.0, 12.5, 9.0
#: Shares of the width: light, name, who answers, progress. The chart has the rest.
_LIGHT, _NAME, _WHO, _PERCENT = 0.052, 0.24, 0.08, 0.042


@dataclass(frozen=True)
class Caption:
    """What every sheet says about itself. `filters`: what was chosen, in words; `demo`: its mark, or blank."""

    title: str
    filters: str
    as_of: str
    demo: str = ""


@dataclass(frozen=True)
class Line:
    """One line of a sheet: a heading (`continued`: from the sheet before), a project, or a milestone."""

    what: Group | Row | Step
    continued: bool = False


def sheets(groups: Iterable[Group], timeline: Timeline, paper: Paper, caption: Caption) -> list[str]:
    """All sheets as SVG documents; at least one.

    Args:
        timeline: its width is of no account, each sheet gives it its own.
    """
    pages, pitch = paginate(list(_lines(groups)), paper)
    return [
        _Sheet(timeline, paper, caption, pitch).draw(page, at + 1, len(pages))
        for at, page in enumerate(pages)
    ]


def _lines(groups: Iterable[Group]) -> Iterator[Line]:
    for group in groups:
        yield Line(group, group.continued)
        for row in group.rows:
            yield Line(row)
            if row.is_open:
                yield from (Line(step) for step in row.steps)


def paginate(lines: list[Line], paper: Paper) -> tuple[list[list[Line]], float]:
    """Lines by sheet, and how high a line is: as few sheets as possible, filled evenly."""
    room = paper.height - 2 * paper.margin - (_TITLE + _HEAD + _FOOT) * paper.k
    most_lines = max(4, math.floor(room / paper.least))
    pages = _filled(lines, most_lines)
    even = math.ceil(sum(len(page) for page in pages) / len(pages))
    for count in range(even, most_lines):
        # A heading that is said again, or that would stand alone at the foot, takes a line more.
        if len(tried := _filled(lines, count)) == len(pages):
            pages = tried
            break
    return pages, min(paper.most, room / max(len(page) for page in pages) if pages[0] else paper.most)


def _filled(lines: list[Line], count: int) -> list[list[Line]]:
    pages: list[list[Line]] = [[]]
    heading: Group | None = None
    for at, line in enumerate(lines):
        page = pages[-1]
        is_heading = isinstance(line.what, Group)
        # A heading at the foot of a sheet would have its projects on the next one.
        if len(page) >= count or (is_heading and len(page) == count - 1 and at + 1 < len(lines)):
            page = []
            pages.append(page)
            if heading is not None and not is_heading:
                page.append(Line(heading, continued=True))
        if isinstance(line.what, Group):
            heading = line.what
        page.append(line)
    return pages


class _Sheet:
    """One sheet being drawn."""

    def __init__(self, timeline: Timeline, paper: Paper, caption: Caption, pitch: float) -> None:
        self.paper, self.caption, self.pitch, self.k = paper, caption, pitch, paper.k
        self.left, self.width = paper.margin, paper.width - 2 * paper.margin
        self.chart = self.left + self.width * (_LIGHT + _NAME + _WHO + _PERCENT)
        self.chart_width = self.left + self.width - self.chart
        self.top = paper.margin + (_TITLE + _HEAD) * self.k
        self.scale = pitch / ROW
        self.timeline = replace(timeline, width=self.chart_width / self.scale)
        self.head_scale = _HEAD * self.k / head_height(timeline)
        self.head = replace(timeline, width=self.chart_width / self.head_scale)

    def draw(self, page: list[Line], at: int, of: int) -> str:
        bottom = self.top + self.pitch * len(page)
        lines = draw_lines(self.timeline, self.pitch * len(page) / self.scale)
        parts = [
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.paper.width}mm" height="{self.paper.height}mm"'
            f' viewBox="0 0 {self.paper.width} {self.paper.height}">'
            f"<title>{xml(self.caption.title)}</title><desc>{xml(self.caption.filters)} {xml(self.caption.as_of)}</desc>"
            f"<style>{SHEET_STYLE}</style><defs>{SYMBOLS}</defs>"
            f'<rect class="paper" width="{self.paper.width}" height="{self.paper.height}"/>',
            *self._caption(),
            *self._columns(),
            *self._stripes(page),
            f'<g class="lines" transform="translate({number(self.chart)} {number(self.top)}) scale({self.scale:.4f})">{lines}</g>',
            *self._rows(page),
            f'<path class="rule" d="M{number(self.left)} {number(bottom)}h{number(self.width)}"/>',
            *self._foot(at, of),
            "</svg>",
        ]
        return "".join(parts)

    # -- around the rows ------------------------------------------------------------------------------

    def _caption(self) -> Iterator[str]:
        k, right = self.k, self.left + self.width
        y = self.paper.margin + 7 * k
        room = self.width - (30 * k if self.caption.demo else 0)
        size = min(7.5 * k, room / max(1, wide(self.caption.title)))
        yield self._text("title", self.left, y, size, self.caption.title)
        yield self._text(
            "filters",
            self.left,
            y + 5.6 * k,
            3.5 * k,
            fitted(self.caption.filters, self.width * 0.7, 3.5 * k),
        )
        yield self._text("as-of", right, y + 5.6 * k, 3.5 * k, self.caption.as_of, anchor="end")
        if self.caption.demo:
            width = (wide(self.caption.demo) + 1.2) * 4.2 * k
            yield f'<rect class="demo" x="{number(right - width)}" y="{number(y - 6.6 * k)}" width="{number(width)}" height="{number(7 * k)}" rx="1"/>'
            yield self._text(
                "demo-word", right - width / 2, y - 1.5 * k, 4.2 * k, self.caption.demo, anchor="middle"
            )

    def _columns(self) -> Iterator[str]:
        k, at = self.k, self.left
        y = self.top - 2 * k
        for share, label in (
            (_LIGHT, _("Light")),
            (_NAME, _("Project")),
            (_WHO, _("Who answers")),
            (_PERCENT, _("Progress")),
        ):
            yield self._text("column", at, y, 2.9 * k, label)
            at += self.width * share
        head = self.top - _HEAD * k
        yield f'<g class="head" transform="translate({number(self.chart)} {number(head)}) scale({self.head_scale:.4f})">{draw_head(self.head)}</g>'
        yield f'<path class="rule" d="M{number(self.left)} {number(self.top)}h{number(self.width)}"/>'

    def _foot(self, at: int, of: int) -> Iterator[str]:
        k, x = self.k, self.left
        y = self.paper.height - self.paper.margin - 2.4 * k
        for drawn, word in legend():
            yield f'<g transform="translate({x + 2.4 * k:.2f} {y - 1.1 * k:.2f}) scale({0.24 * k:.3f})">{drawn}</g>'
            yield self._text("legend", x + 5.6 * k, y, 2.9 * k, word)
            x += (8.4 + 2.9 * wide(word)) * k
        label = _("Sheet %(n)d of %(all)d") % {"n": at, "all": of}
        yield self._text("legend", self.left + self.width, y, 3.2 * k, label, anchor="end")

    # -- the rows ---------------------------------------------------------------------------------------

    def _stripes(self, page: list[Line]) -> Iterator[str]:
        """The ground of headings and the rules between rows, behind everything else."""
        x, width = number(self.left), number(self.width)
        for at, line in enumerate(page):
            y = number(self.top + at * self.pitch)
            if isinstance(line.what, Group):
                yield f'<rect class="group" x="{x}" y="{y}" width="{width}" height="{number(self.pitch)}"/>'
            elif at:
                yield f'<path class="hair" d="M{x} {y}h{width}"/>'

    def _rows(self, page: list[Line]) -> Iterator[str]:
        for at, line in enumerate(page):
            y = self.top + at * self.pitch
            match line.what:
                case Group():
                    yield from self._heading(line.what, y, line.continued)
                case Row():
                    yield from self._project(line.what, y)
                case Step():
                    yield from self._step(line.what, y)

    def _heading(self, group: Group, y: float, continued: bool) -> Iterator[str]:
        size = self.pitch * 0.5
        name = _("%(name)s (continued)") % {"name": group.name} if continued else group.name
        counted = ngettext("%(n)d project", "%(n)d projects", group.count) % {"n": group.count}
        said = " · ".join([counted, *(f"{word} {n}" for word, n in light_words(group.lights))])
        room = self.width * (_LIGHT + _NAME + _WHO + _PERCENT) - 2 * self.k
        base = y + self.pitch * 0.66
        yield self._text("group-name", self.left + 1.2 * self.k, base, size, fitted(name, room, size))
        yield self._text("group-count", self.chart + 1.2 * self.k, base, size * 0.82, said)

    def _project(self, row: Row, y: float) -> Iterator[str]:
        pitch, at = self.pitch, self.left
        middle = y + pitch / 2
        small = min(pitch * 0.34, 4.2 * self.k)
        yield f'<g class="light-{row.tone}" transform="translate({at + pitch * 0.3:.2f} {middle:.2f}) scale({pitch * 0.024:.3f})">{LIGHT_MARKS[row.tone]}</g>'
        room = self.width * _LIGHT - pitch * 0.62
        yield self._text(
            "word", at + pitch * 0.6, y + pitch * 0.62, min(small, room / max(1, wide(row.word))), row.word
        )
        at += self.width * _LIGHT
        name = "".join(self._lines_of("name", at, y, self.width * _NAME - 1.5 * self.k, row.name, 0.5, 0.37))
        yield f'<a href="{xml(row.url)}">{name}</a>' if row.url else name
        at += self.width * _NAME
        yield from self._lines_of(
            "who", at, y, self.width * _WHO - 1.5 * self.k, row.under or row.who, 0.36, 0.3
        )
        at += self.width * _WHO
        if row.actual is not None:
            yield self._text(
                "percent", at + self.width * _PERCENT - 1.5 * self.k, y + pitch * 0.64,
                min(pitch * 0.4, 5.2 * self.k), f"{row.actual:.0f}%", anchor="end",
            )  # fmt: skip
        yield self._placed(y, draw_row(row, lay_out(row, self.timeline), self.timeline))

    def _step(self, step: Step, y: float) -> Iterator[str]:
        indent = self.width * _LIGHT + self.pitch * 0.4
        room = self.width * (_NAME + _WHO) - self.pitch * 0.4 - 1.5 * self.k
        words = f"{step.name}　{step.word}"
        yield from self._lines_of("step", self.left + indent, y, room, words, 0.38, 0.33)
        right = self.chart - 1.5 * self.k
        yield self._text(
            "percent", right, y + self.pitch * 0.62, self.pitch * 0.32, f"{step.percent}%", anchor="end"
        )
        shift = self.scale * (ROW - STEP_ROW) / 2
        yield self._placed(y + shift, draw_step(step, lay_out_step(step, self.timeline), self.timeline))

    def _placed(self, y: float, drawn: str) -> str:
        return f'<g transform="translate({number(self.chart)} {y:.2f}) scale({self.scale:.4f})">{drawn}</g>'

    # -- text -------------------------------------------------------------------------------------------

    def _lines_of(
        self, kind: str, x: float, y: float, room: float, text: str, one: float, two: float
    ) -> Iterator[str]:
        """Text in one line, or in two smaller ones where it is longer, cut where even these are too short.

        Args:
            one, two: height of the letters in one line and in two, as a share of the row.
        """
        pitch = self.pitch
        size = min(pitch * one, room / max(wide(text), 1))
        if size >= pitch * two:
            yield self._text(kind, x, y + pitch / 2 + size * 0.37, size, text)
            return
        size = pitch * two
        first = _that_fits(text, room / size)
        rest = text[len(first) :].strip()
        yield self._text(kind, x, y + pitch * 0.44, size, first)
        yield self._text(kind, x, y + pitch * 0.87, size, fitted(rest, room, size))

    def _text(self, kind: str, x: float, y: float, size: float, text: str, anchor: str = "") -> str:
        at = f' text-anchor="{anchor}"' if anchor else ""
        return f'<text class="{kind}" x="{x:.2f}" y="{y:.2f}" font-size="{size:.2f}"{at}>{xml(text)}</text>'


#: The lights as the portal's badges draw them, 16 units high.
LIGHT_MARKS = {
    "red": '<path d="M0-9L9 0 0 9-9 0z"/>',
    "yellow": '<path d="M0-8L8.5 7h-17z"/>',
    "green": '<circle r="7.5"/>',
    "blue": '<rect x="-7" y="-7" width="14" height="14" rx="1.5"/>',
    "grey": '<circle class="hollow" r="6"/>',
}


def wide(text: str) -> float:
    """About how wide a text is, in heights of its letters: Chinese signs are square, others half of that."""
    return sum(
        1.0 if ord(c) > 0x2E7F else 0.9 if c in "MWmw@%" else 0.62 if c.isupper() or c.isdigit() else 0.55
        for c in text
    )


def fitted(text: str, room: float, size: float) -> str:
    """The text, cut with “…” where it does not fit into `room`."""
    if wide(text) * size <= room:
        return text
    return _that_fits(text, room / size - 1) + "…"


def _that_fits(text: str, room: float) -> str:
    """The beginning of a text that is at most `room` letters wide; broken at a space where there is one near."""
    at, used = 0, 0.0
    for sign in text:
        used += wide(sign)
        if used > room:
            break
        at += 1
    if at < len(text) and text[:at].isascii() and (space := text.rfind(" ", 0, at + 1)) > at * 0.6:
        at = space
    return text[: max(at, 1)]
