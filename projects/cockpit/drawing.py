"""Bars and curves of the cockpit as SVG text: no script, no inline style, each part with its words.

Numbers come from us, words are escaped here; whatever is returned may stand in a page as it is.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from projects.cockpit.links import Place
from projects.cockpit.reading import CurvePoint
from projects.lights import Light
from projects.tallies import Counts

#: From what needs a look to what does not, as everywhere.
LIGHTS = (Light.RED, Light.YELLOW, Light.GREEN, Light.BLUE, Light.GREY)

#: Size of the curve in units of its view box.
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 250, 44, 26, 10


def lights_bar(counts: Counts, place: Place | None, whole: int) -> SafeString:
    """The lights of some projects side by side, as long as their share of `whole`."""
    parts, words, x = [], [], 0.0
    for light in LIGHTS:
        number = getattr(counts, light.value)
        if not number:
            continue
        word, width = f"{light.label} {number:,}", 100.0 * number / max(whole, 1)
        rect = f'<rect class="fill-{light.value}" x="{x:.3f}" y="0" width="{width:.3f}" height="10"/>'
        title = f"<title>{conditional_escape(word)}</title>"
        if place is None:
            parts.append(f"<g>{title}{rect}</g>")
        else:
            # The numbers beside the bar are links too; a keyboard need not walk through both.
            href = conditional_escape(place.link(light.value))
            parts.append(f'<a href="{href}" tabindex="-1">{title}{rect}</a>')
        words.append(word)
        x += width
    label = conditional_escape("，".join(words) or _("No project"))
    # A picture has no links in it: who listens would be told of one thing and stand in another.
    role = "img" if place is None else "group"
    return SafeString(
        f'<svg class="lights-bar" viewBox="0 0 100 10" preserveAspectRatio="none" role="{role}" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


@dataclass(frozen=True)
class _Frame:
    """Where days and percents stand."""

    first: datetime.date
    last: datetime.date

    def x(self, day: datetime.date) -> float:
        days = max((self.last - self.first).days, 1)
        return LEFT + (WIDTH - LEFT - 12) * (day - self.first).days / days

    def y(self, percent: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (100 - percent) / 100


def curve(points: Sequence[CurvePoint], first: datetime.date, last: datetime.date) -> SafeString:
    """Planned against actual progress over the days with a snapshot (the S-curve).

    Args:
        points: in ascending order; days without a plan are passed over.
        first, last: the days at the ends of the axis, those of the programme.
    """
    frame = _Frame(first, max(last, points[-1].day if points else first))
    grid = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - 12}" y1="{frame.y(p):.1f}" y2="{frame.y(p):.1f}"/>'
        f'<text class="tick" x="{LEFT - 6}" y="{frame.y(p) + 4:.1f}" text-anchor="end">{p}%</text>'
        for p in (0, 25, 50, 75, 100)
    )
    body = _months(frame) + grid
    for name in ("planned", "actual"):
        known = [(p.day, getattr(p, name)) for p in points if getattr(p, name) is not None]
        if known:
            steps = " ".join(f"{frame.x(day):.1f},{frame.y(value):.1f}" for day, value in known)
            day, value = known[-1]
            body += f'<polyline class="curve {name}" points="{steps}"/>'
            body += f'<circle class="end {name}" cx="{frame.x(day):.1f}" cy="{frame.y(value):.1f}" r="4"/>'
    return SafeString(
        f'<svg class="s-curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_curve_words(points)}">'
        f"{body}</svg>"
    )


def _months(frame: _Frame) -> str:
    """A line and a name at the beginning of each month, of every other one where they stand close."""
    drawn, day = [], frame.first.replace(day=1)
    months = (frame.last.year - frame.first.year) * 12 + frame.last.month - frame.first.month + 1
    step = 1 if months <= 14 else 3
    for number in range(months):
        if day >= frame.first and number % step == 0:
            x = frame.x(day)
            drawn.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
            if x < WIDTH - 40:
                # Over a turn of the year a second January would look like the first one.
                word = conditional_escape(
                    str(day.year) if day.month == 1 and number else date_format(day, "M")
                )
                kind = "tick minor" if step == 1 and number % 2 else "tick"
                drawn.append(f'<text class="{kind}" x="{x + 3:.1f}" y="{HEIGHT - 8}">{word}</text>')
        day = (day + datetime.timedelta(days=32)).replace(day=1)
    return "".join(drawn)


def _curve_words(points: Sequence[CurvePoint]) -> str:
    known = [point for point in points if point.planned is not None and point.actual is not None]
    if not known:
        return str(conditional_escape(_("No snapshot with a plan yet")))
    last = known[-1]
    words = _("%(day)s: planned %(planned)d%%, actual %(actual)d%%") % {
        "day": date_format(last.day, "DATE_FORMAT"),
        "planned": round(last.planned or 0),
        "actual": round(last.actual or 0),
    }
    return str(conditional_escape(words))
