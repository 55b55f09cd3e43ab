"""Composing: the words of a message, from the notices that it carries.

A letter is made from its rows alone (no clock, no other table), so the row that is tried again makes the letter it
made before.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.utils import translation
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from notices.channels.letter import Letter, Line, Section
from notices.kinds import Kind, kind_of
from notices.models import Message, Notice
from notices.ways import Group

log = logging.getLogger(__name__)

#: What is overdue comes first, then what soon will be.
_ORDER = (
    (Group.OVERDUE, "red"),
    (Group.DUE, "yellow"),
    (Group.REMINDER, "blue"),
    (Group.DECISION, "green"),
    (Group.SYSTEM, "grey"),
)


@dataclass(frozen=True)
class Truth:
    """What was asked of the kinds: ids that still hold, and ids about which a kind could not say."""

    holds: frozenset[int]
    unknown: frozenset[int]


def truth_of(notices: Sequence[Notice]) -> Truth:
    """Which notices still hold."""
    open_ones = [notice for notice in notices if notice.settled_at is None]
    return _asked(open_ones, lambda kind, rows: kind.still_true(rows))


def reach_of(notices: Sequence[Notice], *, on: datetime.date) -> Truth:
    """Which notices are still for their recipients to know, by the memberships in force on a day."""
    return _asked(notices, lambda kind, rows: kind.still_theirs(rows, on))


def _asked(notices: Sequence[Notice], ask: Callable[[Kind, list[Notice]], set[int]]) -> Truth:
    """Ask each kind once for all its notices. A kind that raises stops its own notices only."""
    holds: set[int] = set()
    unknown: set[int] = set()
    by_kind: dict[str, list[Notice]] = {}
    for notice in notices:
        by_kind.setdefault(notice.kind, []).append(notice)
    for name, rows in by_kind.items():
        try:
            holds |= ask(kind_of(name), rows)
        except Exception:  # code of others: one kind in disorder must not hold back all messages
            log.exception("The notices of kind %s cannot be judged", name)
            unknown |= {row.pk for row in rows}
    return Truth(frozenset(holds), frozenset(unknown))


def compose(message: Message, notices: Iterable[Notice], *, portal_url: str, language: str) -> Letter:
    """The letter of a message.

    Args:
        notices: those that it tells, in any order.
        portal_url: address of the portal without a slash at the end.
        language: code of the language to write in.

    Raises:
        whatever the words of a kind raise; the caller keeps it with the message.
    """
    with translation.override(language):
        sections = _sections(_newest_of_each(notices), portal_url)
        return Letter(
            key=message.key,
            subject=message.subject or _subject(message, sections),
            on=message.on,
            opening=_opening(message, sections),
            sections=sections,
            inbox_url=f"{portal_url}/inbox/",
            settings_url=f"{portal_url}/inbox/settings/",
        )


def _newest_of_each(notices: Iterable[Notice]) -> list[Notice]:
    """A milestone that climbed several rungs while nothing could be sent is told once, as it stands last."""
    newest: dict[tuple[object, ...], Notice] = {}
    for notice in sorted(notices, key=lambda row: row.pk):
        group = kind_of(notice.kind).group
        about = (notice.subject, notice.subject_id) if notice.subject_id is not None else (notice.pk,)
        newest[(group, *about)] = notice
    return list(newest.values())


def _sections(notices: list[Notice], portal_url: str) -> tuple[Section, ...]:
    sections = []
    for group, tone in _ORDER:
        rows = [row for row in notices if kind_of(row.kind).group == group]
        rows.sort(key=lambda row: (not row.urgent, _waits_since(row), row.pk))
        if rows:
            lines = tuple(_line(row, tone, portal_url) for row in rows)
            sections.append(Section(capfirst(str(group.label)), tone, lines, len(lines)))
    return tuple(sections)


def _waits_since(notice: Notice) -> str:
    """The date by which lines are put in order: the due date, or else the day of the notice.

    By the day of the notice alone, what is due today stood below what is due next week, because that was told first.
    """
    return str(notice.data.get("due_on") or notice.on)


def _line(notice: Notice, tone: str, portal_url: str) -> Line:
    kind = kind_of(notice.kind)
    path = kind.url(notice)
    title = " ".join(str(kind.title(notice.data)).split())
    return Line(
        title,
        f"{portal_url}{path}" if path else "",
        kind.tone or tone,
        notice.on,
        unit=str(notice.data.get("enterprise") or ""),
    )


def _subject(message: Message, sections: tuple[Section, ...]) -> str:
    """At most 200 characters, as the column is."""
    lines = [line for section in sections for line in section.lines]
    if message.kind == Message.Kind.AT_ONCE and len(lines) == 1:
        return lines[0].title[:200]
    counts = _("; ").join(f"{section.label} {section.total}" for section in sections)
    day = date_format(message.on, "MONTH_DAY_FORMAT")
    template = (
        _("Digest of {day}: {counts}") if message.kind == Message.Kind.DIGEST else _("Urgent: {counts}")
    )
    return template.format(day=day, counts=counts)[:200]


def _opening(message: Message, sections: tuple[Section, ...]) -> str:
    total = sum(section.total for section in sections)
    if message.kind == Message.Kind.DIGEST:
        return _("{day}: {count} matters need your attention.").format(
            day=date_format(message.on, "DATE_FORMAT"), count=total
        )
    if message.kind == Message.Kind.AT_ONCE:
        return _("The following cannot wait for the next digest ({day}).").format(
            day=date_format(message.on, "DATE_FORMAT")
        )
    return _("This is a test message. Who reads it knows that messages of the portal arrive here.")
