"""Words of dates: Chinese numerals, festivals, and the reasons why a date is offered. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

from django.utils.translation import gettext_lazy as _

#: Why a candidate is offered, for the person who chooses.
WHY = {
    "day_before": _("the last day before it"),
    "that_day": _("the day itself"),
    "end_of_period": _("the end of the period that is named"),
    "before_period": _("the day before that period begins"),
    "start_of_period": _("the beginning of the period that is named"),
    "end_of_january": _("read as January"),
    "end_of_october": _("read as October"),
    "year_month_day": _("read as year, month, day"),
    "month_day_year": _("read as month, day, year"),
    "day_month_year": _("read as day, month, year"),
    "month_day": _("read as month and day"),
    "month_range": _("read as a range of months"),
    "one_of_several": _("one of the dates in the cell"),
    "next_year": _("read as the year after"),
    "in_sentence": _("the date that is named, whatever the other words mean"),
}

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "○": 0,
    "O": 0,
    "o": 0,
    "两": 2,
}
_TENS = {"廿": "二十", "卅": "三十"}

_MONTH_WORD = re.compile(r"元月")
_YEAR_NUMERAL = re.compile(
    r"(?<![一二三四五六七八九十0-9])((?:[〇零○Oo一二三四五六七八九0-9]{2}){1,2})(?=年)"
)
_NUMERAL = re.compile(
    r"[一二三四五六七八九十廿卅]{1,4}"
    r"(?=(?:月|日|号|季|个月|年[内后])|第?(?:季度?|月份?|日|号)?[-~至到、和及]第?[一二三四五六七八九十廿卅]{1,3}(?:月|日|号|季))"
)


def number(numeral: str) -> int | None:
    """三十一 → 31; None when it is no number below 100."""
    for sign, written in _TENS.items():
        numeral = numeral.replace(sign, written)
    tens, ten, ones = numeral.partition("十")
    if not ten:
        return _DIGITS.get(numeral)
    if len(tens) > 1 or len(ones) > 1 or tens == "零":
        return None
    return _DIGITS.get(tens or "一", 0) * 10 + _DIGITS.get(ones or "零", 0)


def _digits(found: re.Match[str]) -> str:
    return "".join(str(_DIGITS.get(sign, sign)) for sign in found[0])


def _arabic(found: re.Match[str]) -> str:
    value = number(found[0])
    return found[0] if value is None else str(value)


Rewriting = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
#: 二〇二一年十二月 → 2021年12月; in this order.
NUMERALS: tuple[Rewriting, ...] = (
    (_MONTH_WORD, lambda found: "1月"),
    (_YEAR_NUMERAL, _digits),
    (_NUMERAL, _arabic),
)


def with_digits(text: str) -> str:
    """二〇二一年十二月 → 2021年12月; words that are no part of a date stay."""
    for pattern, written in NUMERALS:
        text = pattern.sub(written, text)
    return text


#: Festivals on a fixed day, by the words used for them.
FIXED = {
    "元旦": (1, 1),
    "妇女节": (3, 8),
    "植树节": (3, 12),
    "劳动节": (5, 1),
    "五一": (5, 1),
    "儿童节": (6, 1),
    "建党节": (7, 1),
    "七一": (7, 1),
    "建党": (7, 1),
    "建军节": (8, 1),
    "八一": (8, 1),
    "教师节": (9, 10),
    "国庆": (10, 1),
    "十一": (10, 1),
}

#: Festivals of the lunar calendar (and 清明), as announced; other years have no candidate rather than a guess.
MOVING = {
    "春节": "2018-02-16 2019-02-05 2020-01-25 2021-02-12 2022-02-01 2023-01-22 2024-02-10 2025-01-29 2026-02-17 "
    "2027-02-06 2028-01-26 2029-02-13 2030-02-03",
    "清明": "2018-04-05 2019-04-05 2020-04-04 2021-04-04 2022-04-05 2023-04-05 2024-04-04 2025-04-04 2026-04-05 "
    "2027-04-05 2028-04-04 2029-04-04 2030-04-05",
    "端午": "2018-06-18 2019-06-07 2020-06-25 2021-06-14 2022-06-03 2023-06-22 2024-06-10 2025-05-31 2026-06-19 "
    "2027-06-09 2028-05-28 2029-06-16 2030-06-05",
    "中秋": "2018-09-24 2019-09-13 2020-10-01 2021-09-21 2022-09-10 2023-09-29 2024-09-17 2025-10-06 2026-09-25 "
    "2027-09-15 2028-10-03 2029-09-22 2030-09-12",
}
_MOVING = {
    name: {day.year: day for day in map(datetime.date.fromisoformat, days.split())}
    for name, days in MOVING.items()
}
#: 十一 is also a number (十一月, 二十一日), 五一 stands in names; the words around them tell.
FESTIVAL = (
    r"(?:元旦|春节|清明|妇女节|植树节|劳动节|儿童节|端午|建党节|建军节|教师节|中秋|国庆"
    r"|(?<![一二三四五六七八九十〇零])(?:五一|七一|八一|十一)(?![一二三四五六七八九十月日号年个季])"
    r"|(?:中国共产党)?(?:成立|建党)(?:100|一百|百)周年)"
)


def festival_on(word: str, year: int) -> datetime.date | None:
    """The day of a festival in a year; None when it is not known."""
    if "周年" in word:
        return datetime.date(2021, 7, 1)
    if word in FIXED:
        return datetime.date(year, *FIXED[word])
    return _MOVING.get(word, {}).get(year)


def is_fixed(word: str) -> bool:
    return word in FIXED or "周年" in word
