"""Facts of a row → shapes with a place, in the units of its timeline. Pure: no database, no clock.

A shape says nothing about colour; drawing does. All places are measured from the left edge of the
timeline and the top of the row.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from projects.wall_chart.rows import TONES, Row, Step
from projects.wall_chart.timeline import DAY, Timeline


@dataclass(frozen=True)
class Bar:
    """A plan with its progress.

    Attributes:
        x, width: the part that is shown; `done` of it is filled.
        no_start, no_end: that date is not known, or there is none; the side is drawn open.
    """

    x: float
    width: float
    done: float
    no_start: bool = False
    no_end: bool = False


@dataclass(frozen=True)
class Ghost:
    """Where the plan first ended: from `x` on, `width` long. `end` is shown as a stroke, where it is in sight."""

    x: float
    width: float
    end: float | None


@dataclass(frozen=True)
class Diamond:
    """A milestone on its due date. `was_at`: where it was first promised, where it moved and that is in sight."""

    x: float
    step: Step
    was_at: float | None = None


@dataclass(frozen=True)
class Laid:
    """A row with everything that is in sight.

    Attributes:
        before, after: it lies wholly before or after the stretch that is shown.
        undated: it has no date at all.
    """

    bar: Bar | None = None
    ghost: Ghost | None = None
    diamonds: tuple[Diamond, ...] = ()
    before: bool = False
    after: bool = False
    undated: bool = False


def lay_out(row: Row, timeline: Timeline) -> Laid:
    """A project: its plan, its progress, where it first ended, its milestones."""
    begins, ends = row.begins, row.ends
    bar = _bar(begins, ends, row.actual or 0, timeline) if begins or ends else None
    diamonds = [found for step in row.steps if (found := _diamond(step, timeline))]
    undated = begins is None and ends is None and not any(step.due_on for step in row.steps)
    return Laid(
        bar=bar,
        ghost=_ghost(begins, row.baseline_due_on, timeline) if row.has_moved else None,
        # The worst is drawn last, so that nothing lies on top of a red one.
        diamonds=tuple(sorted(diamonds, key=lambda one: TONES.index(one.step.tone))),
        before=bar is None and ends is not None and ends < timeline.first,
        after=bar is None and begins is not None and begins > timeline.last,
        undated=undated,
    )


def lay_out_step(step: Step, timeline: Timeline) -> Laid:
    """A milestone in a row of its own: its stretch, where that is known, and its diamond."""
    bar = _bar(step.starts_on, step.due_on, step.percent, timeline) if step.starts_on else None
    diamond = _diamond(step, timeline)
    return Laid(
        bar=bar,
        diamonds=(diamond,) if diamond else (),
        before=not diamond and step.due_on is not None and step.due_on < timeline.first,
        after=not diamond and step.due_on is not None and step.due_on > timeline.last and bar is None,
        undated=step.due_on is None,
    )


def _bar(
    begins: datetime.date | None, ends: datetime.date | None, percent: float, timeline: Timeline
) -> Bar | None:
    """The part of a plan that is in sight; None when it lies wholly outside.

    Progress is a share of the whole plan, so a bar that begins before the chart shows the rest of it. Where a
    side is not known, the share is one of what is in sight.
    """
    left = timeline.x(begins) if begins else 0.0
    right = timeline.x(ends + DAY) if ends else timeline.width
    if right <= 0 or left >= timeline.width or right < left:
        return None
    done = left + (right - left) * min(max(percent, 0), 100) / 100
    shown_left, shown_right = max(left, 0.0), min(right, timeline.width)
    return Bar(
        x=shown_left,
        width=shown_right - shown_left,
        done=max(0.0, min(done, shown_right) - shown_left),
        no_start=begins is None,
        no_end=ends is None,
    )


def _ghost(begins: datetime.date | None, baseline: datetime.date | None, timeline: Timeline) -> Ghost | None:
    """The plan as it was first promised, as far as it is in sight."""
    if baseline is None:
        return None
    left = max(timeline.x(begins), 0.0) if begins else 0.0
    right = min(timeline.x(baseline + DAY), timeline.width)
    if right <= left:
        return None
    return Ghost(left, right - left, right if timeline.shows(baseline) else None)


def _diamond(step: Step, timeline: Timeline) -> Diamond | None:
    if step.due_on is None or not timeline.shows(step.due_on):
        return None
    was_at = None
    if step.has_moved and step.baseline_due_on and timeline.shows(step.baseline_due_on):
        was_at = timeline.middle(step.baseline_due_on)
    return Diamond(timeline.middle(step.due_on), step, was_at)
