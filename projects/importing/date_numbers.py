"""Numbers in a column of dates: serials of the spreadsheet, 2021.07, 20210731, 202107. Pure."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass

from projects.importing.date_periods import NoSuchDay, Offer, a_day, month_end

#: Day 0 of the spreadsheet's calendar (1900 system, after its invented 29 February 1900).
_EPOCH = datetime.date(1899, 12, 30)
_SERIALS = range(18_264, 80_000)  # 1950 to 2119
_YEARS = range(1900, 2101)


@dataclass(frozen=True, slots=True)
class NumberMeaning:
    """What a number means as a date: `on`, or `offers`, or nothing (`is_possible` False: no such day)."""

    on: datetime.date | None = None
    offers: tuple[Offer, ...] = ()
    codes: tuple[str, ...] = ()
    is_possible: bool = True


IMPOSSIBLE = NumberMeaning(is_possible=False)


def number_meaning(value: float, year: int | None, *, is_deadline: bool) -> NumberMeaning:
    """What a bare number means; `year` is the ledger's, for numbers that are a month or a month and day."""
    if not math.isfinite(value) or value < 0:
        return IMPOSSIBLE
    try:
        return _meaning(value, year, is_deadline)
    except NoSuchDay:
        return IMPOSSIBLE


def _month(year: int, month: int, is_deadline: bool) -> datetime.date:
    end = month_end(year, month)
    return end if is_deadline else end.replace(day=1)


def _meaning(value: float, year: int | None, is_deadline: bool) -> NumberMeaning:
    whole = int(value)
    fraction = repr(float(value)).partition(".")[2] if value < 1e15 and value != whole else ""
    if whole in _SERIALS:
        codes = ("SERIAL_DATE", "TIME_DROPPED") if fraction else ("SERIAL_DATE",)
        return NumberMeaning(_EPOCH + datetime.timedelta(days=whole), codes=codes)
    if whole in _YEARS:
        return _year_and_fraction(whole, fraction, is_deadline)
    if fraction:
        return _month_and_day(whole, fraction, year)
    digits = str(whole)
    if len(digits) == 8 and int(digits[:4]) in range(1900, 2200):
        return NumberMeaning(
            a_day(int(digits[:4]), int(digits[4:6]), int(digits[6:])), codes=("COMPACT_DATE",)
        )
    if len(digits) == 6:
        return _six_digits(digits, year, is_deadline)
    if 1 <= whole <= 12 and year:
        return NumberMeaning(
            offers=(
                (_month(year, whole, is_deadline), "end_of_period" if is_deadline else "start_of_period"),
            )
        )
    # Up to here a serial would be a day before 1950, or the number is a count of something.
    return NumberMeaning() if whole else IMPOSSIBLE


def _year_and_fraction(year: int, fraction: str, is_deadline: bool) -> NumberMeaning:
    if not fraction:
        on = datetime.date(year, 12, 31) if is_deadline else datetime.date(year, 1, 1)
        return NumberMeaning(offers=((on, "end_of_period" if is_deadline else "start_of_period"),))
    if fraction == "1":
        january, october = _month(year, 1, is_deadline), _month(year, 10, is_deadline)
        return NumberMeaning(
            offers=((january, "end_of_january"), (october, "end_of_october")), codes=("NUMERIC_MONTH",)
        )
    if len(fraction) <= 2:
        return NumberMeaning(_month(year, int(fraction), is_deadline), codes=("NUMERIC_MONTH",))
    if len(fraction) <= 4:  # 2021.0731 and 2021.731: a day typed as a number
        month = int(fraction[:2]) if len(fraction) == 4 or fraction[0] == "0" else int(fraction[0])
        rest = fraction[2:] if len(fraction) == 4 or fraction[0] == "0" else fraction[1:]
        return NumberMeaning(offers=((a_day(year, month, int(rest)), "month_day"),))
    return NumberMeaning()


def _month_and_day(month: int, fraction: str, year: int | None) -> NumberMeaning:
    """7.31, which a spreadsheet has as a number; 7.1 may have been 7.10."""
    if not 1 <= month <= 12 or len(fraction) > 2 or not year:
        return NumberMeaning()
    offers: list[Offer] = []
    for day in {int(fraction), int(fraction) * 10 if len(fraction) == 1 else int(fraction)}:
        try:
            offers.append((a_day(year, month, day), "month_day"))
        except NoSuchDay:
            continue
    return NumberMeaning(offers=tuple(sorted(offers))) if offers else IMPOSSIBLE


def _six_digits(digits: str, year: int | None, is_deadline: bool) -> NumberMeaning:
    """202107 is a month, 210731 a day with a short year; 201207 may be both when 2012 is far off."""
    try:
        short = a_day(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except NoSuchDay:
        short = None
    if int(digits[:4]) not in _YEARS:
        if short is None:
            return IMPOSSIBLE
        return NumberMeaning(offers=((short, "year_month_day"),), codes=("TWO_DIGIT_YEAR",))
    on = _month(int(digits[:4]), int(digits[4:]), is_deadline)
    if short and year and abs(on.year - year) > 5 >= abs(short.year - year):
        return NumberMeaning(
            offers=((on, "end_of_period"), (short, "year_month_day")), codes=("TWO_DIGIT_YEAR",)
        )
    return NumberMeaning(on, codes=("COMPACT_DATE",))
