"""What a stored number means by its number format: a day, a time, a percentage or just a number."""

from __future__ import annotations

import datetime
import re

from projects.importing.cells import Value

PLAIN, DATE, TIME, SPAN, PERCENT = "plain", "date", "time", "span", "percent"

#: Formats without a text of their own; 27-36 and 50-58 are the dates of Chinese workbooks.
_BUILT_IN = {9: PERCENT, 10: PERCENT, 18: TIME, 19: TIME, 20: TIME, 21: TIME, 45: TIME, 46: SPAN, 47: TIME}
_BUILT_IN |= dict.fromkeys((14, 15, 16, 17, 22, *range(27, 32), 36, *range(50, 55), 57, 58), DATE)
_BUILT_IN |= dict.fromkeys((32, 33, 34, 35, 55, 56), TIME)
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE | re.DOTALL)
_GENERAL = re.compile(r"general", re.IGNORECASE)
_LAST_DAY = 2_958_465  # 31 December 9999
_1904 = 1_462


def kind_of(number: int, code: str) -> str:
    """The kind of a number format.

    Args:
        number: its id in the workbook.
        code: its text, "" for formats that have none.
    """
    if not code:
        return _BUILT_IN.get(number, PLAIN)
    bare = _GENERAL.sub("", _QUOTED.sub("", code.split(";")[0])).lower()
    if "%" in bare:
        return PERCENT
    if re.search(r"\[[hms]+\]", bare):
        return SPAN
    if "y" in bare or "d" in bare or "e" in bare.replace("e+", "").replace("e-", "") or "aaa" in bare:
        return DATE
    if "h" in bare or "s" in bare:
        return TIME
    # A month alone ("m"月"") is a date; zeros beside it would make it a number with a unit.
    if "m" in bare and not re.search(r"[0#?]", bare):
        return DATE
    return PLAIN


def day_of(serial: float, kind: str, year_1904: bool) -> Value:
    """A serial number as a date, date and time, time or span; the number itself if it is none.

    Args:
        serial: days since the beginning of 1900 (or 1904), the fraction is the time of day.
        kind: DATE, TIME or SPAN.
    """
    if kind == SPAN:
        return datetime.timedelta(days=serial) if 0 <= serial <= _LAST_DAY else serial
    if not 0 <= serial <= _LAST_DAY:
        return serial
    whole = int(serial)
    seconds = round((serial - whole) * 86_400)
    if whole == 0 and (kind == TIME or seconds) and not year_1904:
        seconds = min(seconds, 86_399)
        return datetime.time(seconds // 3600, seconds // 60 % 60, seconds % 60)
    if year_1904:
        whole += _1904
    elif whole < 60:
        whole += 1  # 1900 had no 29 February, but spreadsheets count one (serial 60)
    if whole == 60 and not year_1904 and int(serial) == 60:
        return serial
    try:
        day = datetime.date(1899, 12, 30) + datetime.timedelta(days=whole)
        if not seconds:
            return day if day.year >= 1900 else serial
        midnight = datetime.datetime(day.year, day.month, day.day)
        return midnight + datetime.timedelta(seconds=seconds)
    except OverflowError:
        return serial
