"""What a message says, before a channel gives it its form."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Line:
    """One thing to know. `url` is a full address, "" for none; `unit` is whom it concerns, "" for nobody."""

    title: str
    url: str
    tone: str
    on: datetime.date
    unit: str = ""


@dataclass(frozen=True)
class Section:
    """The lines of one group of notices. `total` counts the left-out ones as well."""

    label: str
    tone: str
    lines: tuple[Line, ...]
    total: int


@dataclass(frozen=True)
class Letter:
    """Everything a channel needs. The same row makes the same letter at every attempt.

    Args:
        key: of the message; it becomes the Message-ID and the number at the foot.
        on: the day it is for.
        opening: the first sentence.
        inbox_url, settings_url: full addresses in the portal.
    """

    key: uuid.UUID
    subject: str
    on: datetime.date
    opening: str
    sections: tuple[Section, ...]
    inbox_url: str
    settings_url: str

    @property
    def total(self) -> int:
        return sum(section.total for section in self.sections)

    @property
    def left_out(self) -> int:
        return self.total - sum(len(section.lines) for section in self.sections)

    @property
    def number(self) -> str:
        """By which two copies of one message are recognised where there is no Message-ID."""
        return self.key.hex[:8].upper()

    def cut(self, at_most: int) -> Letter:
        """The first lines only; the rest is counted."""
        kept, room = [], at_most
        for section in self.sections:
            lines = section.lines[:room]
            room -= len(lines)
            kept.append(replace(section, lines=lines))
        return replace(self, sections=tuple(kept))

    def lines(self) -> Iterator[Line]:
        for section in self.sections:
            yield from section.lines
