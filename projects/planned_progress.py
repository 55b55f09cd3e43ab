"""Planned progress (序时进度): how far the plan expects a project to be on a day (product rule 3.6).

Pure: no clock, no database. `projects.services.planned_sql` says the same in SQL; a test holds the two together.

Between two dates of its milestones the plan of a project is a straight line. The line is what is kept
(`Stretch`), not the percent of a day: on an ordinary day it holds for nearly every project, and nothing is written.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from projects.periods import DAY

#: Added before percents are cut to whole ones: halves go up, as everybody learnt. A little more than a half, or a
#: line and the sum that it stands for, equal but for the last digits of a float, would read 12 % and 13 %.
HALF = 0.5 + 1e-9
#: Two planned percents that are no further apart than this are the same one, computed in another order.
SAME = 1e-6


@dataclass(frozen=True)
class PlannedStep:
    """A milestone as the plan sees it. `percent` is what was reported, 0 to 100.

    While an extension awaits its decision the plan asks for no more than was reported: the date that it
    would be measured by is the one in question.
    """

    weight: int
    starts_on: datetime.date | None
    due_on: datetime.date | None
    percent: float
    accepted: bool
    awaits_extension: bool = False


@dataclass(frozen=True)
class Stretch:
    """The plan of a project from one day to the next bend: a straight line.

    Attributes:
        from_on: the first day.
        percent: what is planned by the end of that day, 0 to 100, not rounded.
        daily: percentage points a day.
        until_on: the last day; None where the plan bends no more.
    """

    from_on: datetime.date
    percent: float
    daily: float
    until_on: datetime.date | None

    def on(self, day: datetime.date) -> float:
        """Planned percent at the end of a day, not rounded. Outside the stretch its nearest end answers."""
        day = max(self.from_on, day if self.until_on is None else min(day, self.until_on))
        return self.percent + self.daily * (day - self.from_on).days


def whole(percent: float) -> int:
    """A percent as it is shown and judged; halves go up."""
    return math.floor(percent + HALF)


def planned_share(step: PlannedStep, as_of: datetime.date) -> float:
    """How much of a step the plan expects at the end of `as_of`, 0 to 1: linear from start to due.

    Without a start the plan expects nothing before the due day and everything on it: inventing a
    start would accuse an enterprise of being behind a plan that nobody made.
    """
    if step.due_on is None:
        return 0.0
    if as_of >= step.due_on:
        share = 1.0
    elif step.starts_on is None or as_of < step.starts_on:
        share = 0.0
    else:
        share = ((as_of - step.starts_on).days + 1) / _days(step.starts_on, step.due_on)
    return min(share, step.percent / 100) if step.awaits_extension else share


def progress(steps: Iterable[PlannedStep], as_of: datetime.date) -> tuple[float | None, float]:
    """Planned and actual progress of a project in percent, not rounded.

    Planned is None when no step has a date: there is no plan to be behind of. Steps without a date
    count in what was achieved, never in what was planned.
    """
    weights = planned = actual = dated = 0.0
    for step in steps:
        weights += step.weight
        actual += step.weight * (100.0 if step.accepted else step.percent)
        if step.due_on is not None:
            dated += step.weight
            planned += step.weight * planned_share(step, as_of)
    if not weights:
        return None, 0.0
    return (100.0 * planned / weights if dated else None), actual / weights


def stretch(steps: Sequence[PlannedStep], as_of: datetime.date) -> Stretch | None:
    """The straight line of the plan that begins on `as_of`; None where `progress` knows no plan."""
    planned, _actual = progress(steps, as_of)
    if planned is None:
        return None
    weights = sum(step.weight for step in steps)
    daily = sum(100.0 * step.weight * _daily(step, as_of) for step in steps) / weights
    bends = [bend for step in steps if (bend := _next_bend(step, as_of)) is not None]
    return Stretch(as_of, planned, daily, min(bends, default=None))


def _days(starts_on: datetime.date, due_on: datetime.date) -> int:
    return (due_on - starts_on).days + 1


def _daily(step: PlannedStep, as_of: datetime.date) -> float:
    """By how much the share of a step grows from `as_of` to the day after."""
    if step.awaits_extension or step.due_on is None or step.starts_on is None:
        return 0.0
    is_running = step.starts_on - DAY <= as_of < step.due_on
    return 1 / _days(step.starts_on, step.due_on) if is_running else 0.0


def _next_bend(step: PlannedStep, as_of: datetime.date) -> datetime.date | None:
    """The last day for which a step goes on as it does on `as_of`; None: it stays as it is for good."""
    if step.due_on is None or step.due_on <= as_of:
        return None
    if step.awaits_extension:
        # Held down to what was reported; until it has come so far, it is looked at again each day.
        return None if planned_share(step, as_of) >= step.percent / 100 else as_of
    if step.starts_on is None:
        return step.due_on - DAY
    return step.starts_on - DAY if as_of < step.starts_on - DAY else step.due_on
