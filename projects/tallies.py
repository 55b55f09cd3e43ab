"""What is counted about projects, side by side: the one list of measures behind every number of the cockpit.

Pure: no clock, no database. `projects.services.tally_sql` counts them, `projects.models.tally` keeps them,
the cockpit shows them with the list that each one counts.
"""

from __future__ import annotations

import operator
from typing import NamedTuple

#: A project under way of which nobody has reported for so many days is silent.
SILENT_AFTER_DAYS = 14


class Counts(NamedTuple):
    """Sums over some projects on one day. They add up: those of two sets without overlap can be added.

    Attributes:
        projects: all of them; `red` to `grey` by light, `unjudged` without one.
        with_evidence: projects with a photo or document that was handed in.
        silent: under way, and nothing reported for `SILENT_AFTER_DAYS`.
        planned, actual: sums of whole percents over the `dated` projects, those that have a plan.
        milestones: without the cancelled ones; `overdue` to `submitted` as the lists have them.
        kept, late: accepted milestones whose completion was claimed in time, or after the date in force.
        first_kept, first_missed: the same by the date first promised; missed as well when it has passed.
        reports_waiting to close_outs_waiting: what the SASAC owes a decision.
        extensions: approved ones, with `extension_days` between the old dates and the new.
    """

    projects: int = 0
    red: int = 0
    yellow: int = 0
    green: int = 0
    blue: int = 0
    grey: int = 0
    unjudged: int = 0
    with_evidence: int = 0
    silent: int = 0
    dated: int = 0
    planned: int = 0
    actual: int = 0
    milestones: int = 0
    overdue: int = 0
    due_soon: int = 0
    no_date: int = 0
    returned: int = 0
    submitted: int = 0
    kept: int = 0
    late: int = 0
    first_kept: int = 0
    first_missed: int = 0
    reports_waiting: int = 0
    extensions_waiting: int = 0
    close_outs_waiting: int = 0
    extensions: int = 0
    extension_days: int = 0

    def __add__(self, other: Counts) -> Counts:  # type: ignore[override]  # sums, no longer tuple
        return Counts(*map(operator.add, self, other))

    def __sub__(self, other: Counts) -> Counts:
        return Counts(*map(operator.sub, self, other))

    @property
    def on_plan(self) -> int:
        """Neither red nor yellow, and begun: green or closed out."""
        return self.green + self.blue

    @property
    def on_time_rate(self) -> float | None:
        """Percent of the milestones that were due or done which kept the date in force; None without any."""
        return _percent(self.kept, self.kept + self.late + self.overdue)

    @property
    def first_rate(self) -> float | None:
        """The same by the date first promised (按原定时间考核)."""
        return _percent(self.first_kept, self.first_kept + self.first_missed)

    @property
    def planned_percent(self) -> float | None:
        """Mean planned progress of the projects that have a plan, 0 to 100."""
        return self.planned / self.dated if self.dated else None

    @property
    def actual_percent(self) -> float | None:
        """Mean actual progress of the same projects."""
        return self.actual / self.dated if self.dated else None


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


NAMES: tuple[str, ...] = Counts._fields
