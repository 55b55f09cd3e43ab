"""Which days the words of a date mean once its year is known: months, thirds of months, quarters, festivals. Pure."""

from __future__ import annotations

import calendar
import datetime
from dataclasses import dataclass

from projects.importing.date_words import festival_on, is_fixed

Offer = tuple[datetime.date, str]


class NoSuchDay(ValueError):
    """The words are a date by their form, but the calendar has no such day."""


class NotKnown(LookupError):
    """The words mean a day, but not one that can be told from them."""


@dataclass(frozen=True, slots=True)
class Part:
    """The days that a point names.

    Attributes:
        first, last: the stated period, both inclusive.
        is_sharp: a day or an end: 「前」 behind it does not change what is meant.
        due, start: offered instead of `last` / `first` when the words are too vague for one day.
    """

    first: datetime.date
    last: datetime.date
    is_sharp: bool = False
    due: tuple[Offer, ...] = ()
    start: tuple[Offer, ...] = ()


def month_end(year: int, month: int) -> datetime.date:
    if not 1 <= month <= 12 or not 1900 <= year <= 2199:
        raise NoSuchDay
    return datetime.date(year, month, calendar.monthrange(year, month)[1])


def a_day(year: int, month: int, day: int) -> datetime.date:
    if not 1900 <= year <= 2199:
        raise NoSuchDay
    try:
        return datetime.date(year, month, day)
    except ValueError:
        raise NoSuchDay from None


_THIRDS = {"上": (1, 10), "中": (11, 20), "下": (21, 0)}
_SEASONS = {"春": (3, 5), "夏": (6, 8), "秋": (9, 11), "冬": (12, 2)}


def part_of(words: dict[str, str], year: int) -> Part:
    """The days that the words of a point mean in a year. Raises NoSuchDay, NotKnown."""
    if not 1900 <= year <= 2199:
        raise NoSuchDay
    if "m" in words:
        return _month_part(words, year, int(words["m"]))
    quarter = words.get("q") or words.get("q2") or words.get("q3")
    if quarter:
        if not 1 <= int(quarter) <= 4:
            raise NoSuchDay
        return _period(year, int(quarter) * 3 - 2, int(quarter) * 3, is_end="qend" in words)
    if "half" in words:
        first = 1 if words["half"] == "上" else 7
        return _period(year, first, first + 5, is_end="hend" in words)
    if "season" in words:
        first, last = _SEASONS[words["season"]]
        begin, end = a_day(year, first, 1), month_end(year + (last < first), last)
        return Part(begin, end, due=((end, "end_of_period"),), start=((begin, "start_of_period"),))
    if "fest" in words:
        return _festival(words["fest"], year)
    if "yend" in words or "yend2" in words:
        return _period(year, 1, 12, is_end=True)
    if words.get("yvague") == "初":
        begin, end = a_day(year, 1, 1), month_end(year, 1)
        return Part(begin, end, due=((end, "end_of_period"), (month_end(year, 3), "end_of_period")))
    if words.get("yvague") == "中":
        begin, end = a_day(year, 6, 1), month_end(year, 6)
        return Part(
            begin, end, True, start=((begin, "start_of_period"), (a_day(year, 7, 1), "start_of_period"))
        )
    return _period(year, 1, 12, is_end=False)


def _period(year: int, first: int, last: int, *, is_end: bool) -> Part:
    """Whole months; 「底」 names the last day, in whichever column it stands."""
    end = month_end(year, last)
    return Part(end, end, True) if is_end else Part(a_day(year, first, 1), end)


def _month_part(words: dict[str, str], year: int, month: int) -> Part:
    end = month_end(year, month)
    if "d" in words:
        day = a_day(year, month, int(words["d"]))
        if "range" in words:
            offers = ((day, "month_day"), (month_end(year, int(words["range"])), "month_range"))
            return Part(
                day, day, True, due=offers, start=((a_day(year, month, 1), "month_range"), (day, "month_day"))
            )
        return Part(day, day, True)
    if "mend" in words:
        return Part(end, end, True)
    if "third" in words:
        first, last = _THIRDS[words["third"]]
        return Part(end.replace(day=first), end.replace(day=last) if last else end)
    if "halfmonth" in words:
        middle = end.replace(day=15)
        return (
            Part(end.replace(day=1), middle) if words["halfmonth"] == "上" else Part(end.replace(day=16), end)
        )
    if words.get("mvague") == "初":
        return Part(
            end.replace(day=1),
            end.replace(day=10),
            due=((end.replace(day=5), "end_of_period"), (end.replace(day=10), "end_of_period")),
        )
    if words.get("mvague") == "中":
        return Part(
            end.replace(day=11),
            end.replace(day=20),
            due=((end.replace(day=15), "that_day"), (end.replace(day=20), "end_of_period")),
            start=((end.replace(day=11), "start_of_period"), (end.replace(day=15), "that_day")),
        )
    return Part(end.replace(day=1), end)


def _festival(word: str, year: int) -> Part:
    """A festival as a deadline is asked about; a start on a fixed one is that day.

    春节 and 元旦 in a ledger of 2021 may be those at its beginning or at its end.
    """
    offers: list[Offer] = []
    for each in (year, year + 1) if word in ("春节", "元旦") else (year,):
        day = festival_on(word, each)
        if day:
            offers += [(day - datetime.timedelta(days=1), "day_before"), (day, "that_day")]
    day = festival_on(word, year)
    if day is None:
        raise NotKnown
    return Part(day, day, True, due=tuple(offers), start=() if is_fixed(word) else tuple(offers))
