"""What a wall chart shows, as facts without a place: groups, projects, milestones. Pure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

#: Lights as a chart names and draws them, worst last, so that the worst of two is drawn on top.
TONES = ("grey", "blue", "green", "yellow", "red")


@dataclass(frozen=True)
class Step:
    """A milestone.

    Attributes:
        word: where it stands, in words: "overdue by 3 days", "accepted".
        percent: reported progress.
    """

    pk: int
    name: str
    due_on: datetime.date | None
    tone: str
    word: str
    url: str = ""
    starts_on: datetime.date | None = None
    baseline_due_on: datetime.date | None = None
    percent: int = 0

    @property
    def has_moved(self) -> bool:
        return None not in (self.due_on, self.baseline_due_on) and self.due_on != self.baseline_due_on


@dataclass(frozen=True)
class Row:
    """A project.

    Attributes:
        tone, word, reason: its light; the reason is the sentence beside it.
        actual, planned: percent; None where it was never judged or has no dated plan.
        who: the person who answers; under: its enterprise, where the group does not say it.
        is_open: its milestones have rows of their own.
    """

    pk: int
    name: str
    tone: str
    word: str
    reason: str = ""
    url: str = ""
    toggle_url: str = ""
    starts_on: datetime.date | None = None
    due_on: datetime.date | None = None
    baseline_due_on: datetime.date | None = None
    actual: float | None = None
    planned: float | None = None
    is_standing: bool = False
    who: str = ""
    under: str = ""
    steps: tuple[Step, ...] = ()
    is_open: bool = False

    @property
    def begins(self) -> datetime.date | None:
        """Its start, or the first start of a milestone."""
        return self.starts_on or min((s.starts_on for s in self.steps if s.starts_on), default=None)

    @property
    def ends(self) -> datetime.date | None:
        """Its due date, or the last one of a milestone; None for a standing duty."""
        if self.is_standing:
            return None
        return self.due_on or max((s.due_on for s in self.steps if s.due_on), default=None)

    @property
    def has_moved(self) -> bool:
        return None not in (self.due_on, self.baseline_due_on) and self.due_on != self.baseline_due_on


@dataclass(frozen=True)
class Group:
    """Projects under one heading.

    Attributes:
        count, lights: of all its projects that were chosen, also those on other pages.
        continued: the page before holds its beginning.
    """

    name: str
    rows: tuple[Row, ...]
    count: int
    lights: dict[str, int] = field(default_factory=dict)
    url: str = ""
    continued: bool = False
