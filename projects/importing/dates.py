"""Deadlines and starts as people write them into a ledger. Pure: no clock, no settings, no rows.

A deadline is the end of the stated period, inclusive; a start is its beginning. What can be read in several
ways is offered, never chosen; what the calendar does not have is refused, never rolled over.
Rules: docs/ledgers.md. The grammar is in `date_points`, what may stand around a date in `date_sentences`.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from projects.importing.cells import Value
from projects.importing.cleaning import machine_form, shortened
from projects.importing.date_numbers import NumberMeaning, number_meaning
from projects.importing.date_periods import NoSuchDay, NotKnown, Offer, Part
from projects.importing.date_points import Point, points, spelled_out
from projects.importing.date_sentences import (
    Suffix,
    is_missing,
    is_open_ended,
    joins,
    judge,
    lists,
    without_noise,
)
from projects.importing.date_words import with_digits
from projects.importing.findings import Finding

Role = Literal["deadline", "start"]
Kind = Literal["date", "open_ended", "none", "ambiguous", "invalid"]

#: A cell longer than this is prose, and no one date is its meaning.
_LONGEST = 200
#: Years between a date and its programme from which on a slip of the pen is likelier than a plan.
_FAR = 5


@dataclass(frozen=True, slots=True)
class DateContext:
    """What the ledger around a cell says.

    Attributes:
        programme_year: year of the programme.
        sheet_year: year in the title or the 填报日期 of the sheet; goes before the programme's.
        is_untyped: the file has no numbers of its own (csv), so 2021.1 may have been 2021.10.
    """

    programme_year: int | None = None
    sheet_year: int | None = None
    is_untyped: bool = False

    @property
    def year(self) -> int | None:
        return self.sheet_year or self.programme_year


@dataclass(frozen=True, slots=True)
class Candidate:
    """A day that may be meant, and a key of `date_words.WHY`."""

    on: datetime.date
    why: str


@dataclass(frozen=True, slots=True)
class DateReading:
    """What a cell with a date says.

    Attributes:
        on: the date, when `kind` is "date".
        candidates: days to choose from, when it is "ambiguous"; () when none can be told.
        starts_on, until: both ends of a range, or the start beside 「起，长期坚持」.
        text: the cell as it stands in the file.
    """

    kind: Kind
    on: datetime.date | None = None
    candidates: tuple[Candidate, ...] = ()
    starts_on: datetime.date | None = None
    until: datetime.date | None = None
    findings: tuple[Finding, ...] = ()
    text: str = ""


def read_deadline(value: Value, context: DateContext) -> DateReading:
    """Read a cell as a deadline: the end of what it states. Never raises."""
    return _read(value, "deadline", context)


def read_start(value: Value, context: DateContext) -> DateReading:
    """Read a cell as a start: the beginning of what it states. Never raises."""
    return _read(value, "start", context)


@lru_cache(maxsize=65_536, typed=True)
def _read(value: Value, role: Role, context: DateContext) -> DateReading:
    return _Reader(value, role, context).read()


class _Reader:
    """One cell being read; collects the codes on the way."""

    def __init__(self, value: Value, role: Role, context: DateContext) -> None:
        self.value, self.role, self.context = value, role, context
        self.is_deadline = role == "deadline"
        self.raw = "" if value is None else str(value)
        self.codes: list[str] = []

    def read(self) -> DateReading:
        value = self.value
        if value is None:
            return self.none()
        if isinstance(value, datetime.datetime):
            if value.time() != datetime.time():
                self.codes.append("TIME_DROPPED")
            return self.date(value.date())
        if isinstance(value, datetime.date):
            return self.date(value)
        if isinstance(value, datetime.time | datetime.timedelta):
            return self.invalid()
        if isinstance(value, bool):
            return self.ambiguous()
        if isinstance(value, int | float):
            return self.number(number_meaning(value, self.context.year, is_deadline=self.is_deadline))
        return self.of_text(value)

    # answers

    def none(self) -> DateReading:
        found = (Finding("DEADLINE_MISSING"),) if self.is_deadline else ()
        return DateReading("none", findings=found, text=self.raw)

    def date(
        self, on: datetime.date, *, starts_on: datetime.date | None = None, until: datetime.date | None = None
    ) -> DateReading:
        if not 1900 <= on.year <= 2199:
            return self.invalid()
        base = self.context.programme_year or self.context.sheet_year
        if base and abs(on.year - base) > _FAR:
            self.codes.append("IMPLAUSIBLE_YEAR")
        return DateReading("date", on, (), starts_on, until, self.findings(on), self.raw)

    def ambiguous(
        self, offers: tuple[Offer, ...] = (), *, code: str = "", starts_on: datetime.date | None = None
    ) -> DateReading:
        self.codes.append(code or ("AMBIGUOUS_DEADLINE" if self.is_deadline else "AMBIGUOUS_START"))
        first: dict[datetime.date, str] = {}
        for day, why in offers:
            first.setdefault(day, why)
        candidates = tuple(Candidate(day, first[day]) for day in sorted(first))
        return DateReading("ambiguous", None, candidates, starts_on, None, self.findings(), self.raw)

    def invalid(self, *found: Finding) -> DateReading:
        findings = found or (Finding("INVALID_DATE", {"value": shortened(self.raw)}, self.role),)
        return DateReading("invalid", findings=findings, text=self.raw)

    def open_ended(self, starts_on: datetime.date | None = None) -> DateReading:
        return DateReading("open_ended", None, (), starts_on, None, self.findings(), self.raw)

    def findings(self, read: datetime.date | None = None) -> tuple[Finding, ...]:
        params = {
            "value": shortened(self.raw),
            "read": read.isoformat() if read else str(self.context.year or ""),
        }
        return tuple(Finding(code, params, self.role) for code in dict.fromkeys(self.codes))

    def number(self, meaning: NumberMeaning) -> DateReading:
        self.codes += meaning.codes
        if meaning.on:
            return self.date(meaning.on)
        return self.ambiguous(meaning.offers) if meaning.is_possible else self.invalid()

    # texts

    def of_text(self, raw: str) -> DateReading:
        text = machine_form(raw) if len(raw) <= _LONGEST else raw
        if is_missing(text):
            return self.none()
        if len(raw) > _LONGEST:
            return self.ambiguous()
        if re.fullmatch(r"\d{1,5}|\d{1,5}\.\d{5,}", text, re.ASCII) or (
            self.context.is_untyped and re.fullmatch(r"\d{1,4}\.\d", text, re.ASCII)
        ):
            return self.number(number_meaning(float(text), self.context.year, is_deadline=self.is_deadline))
        text, has_time = without_noise(with_digits(text))
        if has_time:
            self.codes.append("TIME_DROPPED")
        text = spelled_out(text)
        found = points(text, near=self.context.year)
        try:
            if not found:
                return self.open_ended() if is_open_ended(text) else self.ambiguous()
            if len(found) == 2 and joins(text[found[0].end : found[1].begin]):
                return self.range(text, found[0], found[1])
            if len(found) > 1:
                return self.several(text, found)
            return self.single(text, found[0])
        except NoSuchDay:
            return self.invalid()
        except NotKnown:
            return self.ambiguous()

    def year_of(self, point: Point, before: int | None = None, after: int | None = None) -> int | None:
        """The year of a point: its own, its neighbour's in a range, else the ledger's (noted)."""
        self.codes += point.codes
        if point.year is not None:
            return point.year
        if before is not None:
            return before + point.shift
        if after is not None and not point.shift:
            return after
        if self.context.year is None:
            return None
        self.codes.append("YEAR_INFERRED")
        return self.context.year + point.shift

    def single(self, text: str, point: Point) -> DateReading:
        if point.choices:
            self.codes += point.codes
            return self.ambiguous(point.choices)
        year = self.year_of(point)
        if year is None:
            point.part(2000)  # a day that no year has is refused even so
            return self.ambiguous()
        part = point.part(year)
        around = judge(text[: point.begin], text[point.end :], is_deadline=self.is_deadline)
        if around.is_open_ended:
            return (
                self.open_ended(part.first)
                if around.suffix in (Suffix.FROM, Suffix.AFTER)
                else self.unsure(part)
            )
        if around.suffix == Suffix.FROM and self.is_deadline:
            return self.ambiguous(starts_on=part.first)
        return self.settle(part, around.suffix, is_clear=around.is_clear, is_noisy=around.is_noisy)

    def unsure(self, part: Part) -> DateReading:
        return self.ambiguous(part.due or ((part.last if self.is_deadline else part.first, "in_sentence"),))

    def settle(self, part: Part, suffix: Suffix, *, is_clear: bool, is_noisy: bool) -> DateReading:
        if suffix == Suffix.BEFORE and not part.is_sharp:
            day_before = part.first - datetime.timedelta(days=1)
            end = (part.last, "end_of_period") if self.is_deadline else (part.first, "start_of_period")
            return self.ambiguous(((day_before, "before_period"), end))
        if suffix == Suffix.AFTER:
            return self.ambiguous()
        offers = part.due if self.is_deadline or suffix == Suffix.BEFORE else part.start
        if offers:
            return self.ambiguous(offers)
        if not is_clear or suffix == Suffix.ABOUT:
            return self.unsure(part)
        if is_noisy:
            self.codes.append("TEXT_NOISE_CLEANED")
        return self.date(part.last if self.is_deadline else part.first)

    def range(self, text: str, one: Point, other: Point) -> DateReading:
        if one.choices or other.choices:
            return self.several(text, [one, other])
        later_year = other.year if one.year is None and not one.shift else None
        first_year = self.year_of(one, after=later_year)
        if first_year is None:
            one.part(2000), other.part(2000)
            return self.ambiguous()
        last_year = self.year_of(other, before=first_year) or first_year
        first, last = one.part(first_year), other.part(last_year)
        if later_year and last.last < first.first:
            first = one.part(later_year - 1)
        if last.last < first.first:
            if other.year is None:
                return self.ambiguous(((other.part(last_year + 1).last, "next_year"),), starts_on=first.first)
            due, start = last.last.isoformat(), first.first.isoformat()
            params = {"due": due, "start": start, "value": shortened(self.raw)}
            return self.invalid(Finding("DEADLINE_BEFORE_START", params, self.role))
        around = judge(text[: one.begin], text[other.end :], is_deadline=self.is_deadline, is_range=True)
        if around.is_open_ended:
            return self.unsure(last if self.is_deadline else first)
        mine, suffix = (last, around.suffix) if self.is_deadline else (first, Suffix.NONE)
        reading = self.settle(mine, suffix, is_clear=around.is_clear, is_noisy=around.is_noisy)
        if reading.kind == "date":
            return DateReading("date", reading.on, (), first.first, last.last, reading.findings, self.raw)
        return reading

    def several(self, text: str, found: list[Point]) -> DateReading:
        """Several dates: each is offered. One that the calendar does not have makes the cell invalid."""
        offers: list[Offer] = []
        year: int | None = None
        is_exact = len(found) == 2
        for point in found:
            if point.choices:
                offers += point.choices
                is_exact = False
                continue
            own = self.year_of(point, before=year)
            part = point.part(own or 2000)
            if own is None:
                continue
            year = own
            vague = part.due if self.is_deadline else part.start
            is_exact = is_exact and part.is_sharp and not vague
            offers += vague or ((part.last if self.is_deadline else part.first, "one_of_several"),)
        if (
            is_exact
            and len({day for day, _why in offers}) == 1
            and lists(text[found[0].end : found[1].begin])
        ):
            return self.date(offers[0][0])  # 2021年7月31日(7月31日): the same day said twice
        return self.ambiguous(tuple(offers), code="MULTI_DATE")
