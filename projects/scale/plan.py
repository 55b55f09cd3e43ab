"""Projects and milestones, relative to a day, with an exact number of milestones overdue on it."""

from __future__ import annotations

import datetime
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from projects.scale import names
from projects.scale.tree import Unit
from projects.states import MilestoneState, ProjectStatus

SEED = 20210731
#: Steps of this share of a whole fall evenly into it, whatever the whole (the golden ratio).
EVENLY = 0.618_033_988_75

PROJECT_COLUMNS = (
    "id", "enterprise_id", "category_id", "programme_id", "code", "name", "sort_key", "place", "status",
    "status_reason", "review_again_on", "starts_on", "due_on", "approved_on", "is_key", "beneficiaries_text",
)  # fmt: skip
MILESTONE_COLUMNS = (
    "id", "project_id", "name", "order", "weight", "starts_on", "baseline_due_on", "due_on", "state",
    "is_suspended", "percent", "closed_since", "claimed_on", "accepted_on", "awaits_extension",
)  # fmt: skip

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Size:
    """How much to make. `overdue` is exact, the rest of the milestones is not overdue."""

    projects: int
    milestones_per_project: int
    enterprises: int
    overdue: int = 0

    @property
    def milestones(self) -> int:
        return self.projects * self.milestones_per_project


def overdue_steps(size: Size) -> Iterator[list[int]]:
    """For each project the numbers of its overdue milestones; over all, exactly `size.overdue`.

    Multiplying by a number that shares no divisor with the total is a permutation, so exactly so
    many results lie below the limit, in no visible pattern.
    """
    total, each = size.milestones, size.milestones_per_project
    factor = max(1, int(EVENLY * total))
    while math.gcd(factor, total) != 1:
        factor += 1
    for project in range(size.projects):
        first = project * each
        yield [n for n in range(each) if (first + n) * factor % total < size.overdue]


@dataclass
class _Plan:
    """One project with its milestones, before they are rows."""

    status: str
    milestones: list[Row]
    starts_on: datetime.date
    due_on: datetime.date


class Planner:
    """Makes the rows, the same ones at every call with the same arguments.

    Args:
        today: overdue means due before this day.
        categories: ids by name.
    """

    def __init__(
        self,
        size: Size,
        tree: list[Unit],
        today: datetime.date,
        programme_id: int,
        categories: dict[str, int],
    ) -> None:
        self.size = size
        self.units = [unit for unit in tree if unit.group >= 0]
        self.today = today
        self.programme_id = programme_id
        self.categories = categories
        self.steps = names.step_names(size.milestones_per_project)
        self.spacing = max(1, 150 // size.milestones_per_project)

    def rows(self) -> Iterator[tuple[Row, list[Row]]]:
        """Each project with its milestones."""
        rng = random.Random(SEED)
        size = self.size
        for number, overdue in enumerate(overdue_steps(size)):
            # The projects of one unit follow each other, as the ledgers came that brought them.
            at = number * len(self.units) // size.projects
            first = -(-at * size.projects // len(self.units))
            unit = self.units[at]
            name, category, place = names.project_name(number - first, unit.id)
            plan = self._plan(number, overdue, rng)
            suspended = plan.status == ProjectStatus.SUSPENDED
            project = (
                number + 1,
                unit.id,
                self.categories[category],
                self.programme_id,
                f"P{number + 1:07d}",
                name.text,
                name.key,
                place,
                plan.status,
                "等待管线迁改" if suspended else "",
                self.today + datetime.timedelta(days=30) if suspended else None,
                plan.starts_on,
                plan.due_on,
                plan.starts_on if rng.random() < 0.9 else None,
                rng.random() < 0.05,
                f"惠及群众{rng.randrange(2, 400) * 50}人",
            )
            yield project, plan.milestones

    def _plan(self, number: int, overdue: list[int], rng: random.Random) -> _Plan:
        each, day = self.size.milestones_per_project, datetime.timedelta(days=1)
        # Milestones up to the last overdue one lie in the past, the rest does not.
        past = overdue[-1] + 1 if overdue else rng.randrange(each + 1)
        suspended = not overdue and past < each and rng.random() < 0.02
        late, soon = rng.randrange(1, 41), rng.randrange(0, 36)
        rows: list[Row] = []
        states: list[str] = []
        starts_on = due_on = self.today
        for step, name in enumerate(self.steps):
            if step < past:
                due_on = self.today - (late + (past - 1 - step) * self.spacing) * day
            else:
                due_on = self.today + (soon + (step - past) * self.spacing) * day
            began = due_on - self.spacing * day
            if step == 0:
                starts_on = began
            if step in overdue:
                state, percent, done = rng.choice(_OPEN), rng.randrange(0, 90), None
            elif step < past:
                state, percent = rng.choices(_DONE, _DONE_WEIGHTS)[0], 100
                # One claim in ten was made after the day; all before today.
                done = due_on + (min(late - 1, 5) if rng.random() < 0.1 else -rng.randrange(0, 4)) * day
            else:
                state, percent, done = MilestoneState.NOT_STARTED.value, 0, None
                if step == past and rng.random() < 0.7:
                    state, percent = MilestoneState.IN_PROGRESS.value, rng.randrange(5, 95)
            dated = step <= past or rng.random() >= 0.03
            # One date in twenty ahead was extended once; the first promise stays behind.
            promised = due_on - 20 * day if dated and step >= past and rng.random() < 0.05 else None
            states.append(state)
            rows.append(
                (
                    number * each + step + 1,
                    number + 1,
                    name,
                    step + 1,
                    100,
                    began if dated else None,
                    promised,
                    due_on if dated else None,
                    state,
                    suspended and done is None,
                    percent,
                    done or (self.today if suspended else None),
                    done if state != MilestoneState.CANCELLED else None,
                    done if state == MilestoneState.ACCEPTED else None,
                    False,
                )
            )
        return _Plan(_status(states, suspended), rows, starts_on, due_on)


_OPEN = (
    MilestoneState.IN_PROGRESS.value,
    MilestoneState.IN_PROGRESS.value,
    MilestoneState.NOT_STARTED.value,
    MilestoneState.RETURNED.value,
)
_DONE = (MilestoneState.ACCEPTED.value, MilestoneState.SUBMITTED.value, MilestoneState.CANCELLED.value)
_DONE_WEIGHTS = (88, 9, 3)


def _status(states: list[str], suspended: bool) -> str:
    if suspended:
        return ProjectStatus.SUSPENDED.value
    if all(state in (MilestoneState.ACCEPTED, MilestoneState.CANCELLED) for state in states):
        return ProjectStatus.CLOSED_OUT.value
    if all(state == MilestoneState.NOT_STARTED for state in states):
        return ProjectStatus.NOT_STARTED.value
    return ProjectStatus.IN_PROGRESS.value
