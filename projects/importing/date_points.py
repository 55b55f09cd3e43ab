"""Where in a text dates stand, and which days each of them may mean: the grammar of dates. Pure, no clock.

A *point* is one date as written (2021年7月底, 三季度, 10月1日, 7.31, 春节). It knows its words but not always its
year; `Point.part` gives the days once the year is known.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from functools import partial

from projects.importing.date_periods import NoSuchDay, Offer, Part, a_day, part_of
from projects.importing.date_words import FESTIVAL, Rewriting


@dataclass(frozen=True, slots=True)
class Point:
    """One date as written.

    Attributes:
        begin, end: where it stands in the text.
        year: as written; None when the text names none.
        shift: years to add to the year that is inferred (明年 is 1).
        words: the groups of the grammar that matched.
        codes: findings that its form alone brings.
        choices: the days it may be when its order of year, month and day is open; it then has no part.
    """

    begin: int
    end: int
    year: int | None
    shift: int
    words: dict[str, str]
    codes: tuple[str, ...] = ()
    choices: tuple[Offer, ...] = ()

    def part(self, year: int) -> Part:
        """The days meant, in the given year. Raises NoSuchDay, NotKnown."""
        return part_of(self.words, year)


_RELATIVE = {
    "今年": 0,
    "本年": 0,
    "当年": 0,
    "明年": 1,
    "次年": 1,
    "来年": 1,
    "翌年": 1,
    "去年": -1,
    "上年": -1,
    "后年": 2,
}

_YEAR = (
    r"(?:(?<!\d)(?P<y>\d{4})(?:年度?(?!前期)的?|[-./ ]?(?=\d{1,2}月|Q[1-9]|第?[1-9]季|[上下]半年|年[底末]|全年))"
    r"|(?<!\d)'?(?P<yy>\d\d)(?:年度?的?|[-./]?(?=Q[1-9]))"
    r"|(?P<rel>" + "|".join(_RELATIVE) + r")度?的?)"
)
_MONTH = (
    r"(?P<m>\d{1,2})月份?(?:(?P<d>\d{1,2})(?!\d)(?:日|号|(?![月年季旬个万户%.]))"
    r"|(?P<third>[上中下])旬|(?P<halfmonth>[上下])半月|月?(?P<mend>[底末])|(?P<mvague>初|中(?![标旬心]))|)"
)
_QUARTER = r"(?:第?(?P<q>\d)季度?|Q(?P<q2>\d)(?!\d)|(?<!\d)(?P<q3>\d)Q)(?P<qend>[底末])?"
_HALF = r"(?P<half>[上下])半年度?(?P<hend>[底末])?"
_OF_YEAR = r"(?<![\d个几半前后])(?:年?(?P<yend>[底末终])|年?(?P<yvague>初|中(?![标旬心]))|年?(?P<within>内|之内)|(?P<whole>全年)|岁(?P<yend2>末))"
_SEASON = r"(?P<season>[春夏秋冬])[季天]"
_WORDED = f"(?:{_YEAR})?(?:{_MONTH}|{_QUARTER}|{_HALF}|{_SEASON}|(?P<fest>{FESTIVAL})|{_OF_YEAR}|)"

_NUMERIC = (
    r"(?<!\d)(?P<fy>\d{4})(?P<fs>[-./ ])(?P<fm>\d{1,2})(?P=fs)(?P<fd>\d{1,2})(?!\d|月|年)日?"
    r"|(?<!\d)(?P<gy>\d{4})年(?P<gm>\d{1,2})[./](?P<gd>\d{1,2})(?!\d|月)日?"
    r"|(?<!\d)(?P<cy>(?:19|20|21)\d\d)(?P<cm>\d\d)(?P<cd>\d\d)?(?![\d.年月季])"
    r"|(?<!\d)(?P<um>\d{1,2})(?P<us>[-./])(?P<ud>\d{1,2})(?P=us)(?P<uy>\d{4})(?!\d)"
    r"|(?<![\d.])(?P<sa>\d{1,2})(?P<ss>[-./])(?P<sb>\d{1,2})(?P=ss)(?P<sc>\d{1,2})(?![\d.]*\d)日?"
    r"|(?<!\d)(?P<ny>\d{4})(?P<ns>[-./])(?P<nm>\d{1,2})(?!\d|月|年)(?:(?P<nthird>[上中下])旬|(?P<nend>[底末]))?"
    r"|(?<![\d./])(?P<pa>\d{1,2})(?P<ps>[-./])(?P<pb>\d{1,2})(?!\d|[./]\d|%|月|年|万|亿|户|元)日?"
)
_POINT = re.compile(f"{_NUMERIC}|{_WORDED}")

_JOIN = r"(?:-+|~+|至|到)"
#: Short forms of ranges, written out so that each end is a point of its own.
_SHORT_RANGES = (
    (
        re.compile(
            rf"(\d{{4}})([-./])(\d{{1,2}})\2(\d{{1,2}})(?:[~至到]|(?!\2){_JOIN})(\d{{1,2}})(?![\d./年月-])日?"
        ),
        r"\1年\3月\4日-\1年\3月\5日",
    ),
    (re.compile(rf"(\d{{4}})[./](\d{{1,2}}){_JOIN}(\d{{1,2}})(?![\d./年-])月?"), r"\1年\2月-\1年\3月"),
    (re.compile(r"(\d{4})-(\d{1,2})[~至到](\d{1,2})(?![\d./年-])月?"), r"\1年\2月-\1年\3月"),
    (re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})月"), r"\1年\2月-\1年\3月"),
    (re.compile(rf"(\d{{4}})年(\d{{1,2}}){_JOIN}(\d{{1,2}})(?![\d./日号-])月?"), r"\1年\2月-\1年\3月"),
    (re.compile(rf"(?<![\d-])(\d{{1,2}}){_JOIN}(\d{{1,2}})月"), r"\1月-\2月"),
    (
        re.compile(rf"(?<!\d)(\d{{1,2}})月(\d{{1,2}})[日号]?{_JOIN}(\d{{1,2}})(?:[日号]|(?![\d./月年-]))"),
        r"\1月\2日-\1月\3日",
    ),
    (re.compile(rf"第?(?<!\d)([1-9])(?:季度?)?{_JOIN}第?([1-9])季"), r"\1季度-\2季"),
    (re.compile(rf"(?<!\d)(\d{{4}}){_JOIN}(\d{{4}})年"), r"\1年-\2年"),
    (re.compile(rf"(?<!\d)(\d{{1,2}}月)([上中])旬?(?:{_JOIN}|、|)([中下])旬"), r"\1\2旬-\1\3旬"),
)
_NEIGHBOURS = (
    (re.compile(r"(?<![\d.、])(\d{1,2})月?、(\d{1,2})月(?![、\d])"), "{0}月-{1}月"),
    (re.compile(r"第?(?<![\d.、])([1-9])(?:季度?)?、第?([1-9])季"), "{0}季度-{1}季"),
)


def _expanded(found: re.Match[str], form: str) -> str:
    return found.expand(form)


def _neighbours(found: re.Match[str], form: str) -> str:
    first, second = int(found[1]), int(found[2])
    return form.format(first, second) if second == first + 1 else found[0]


#: 3-12月 → 3月-12月; 7月1-15日 → 7月1日-7月15日; 7、8月 → 7月-8月, neighbours only. In this order.
RANGES: tuple[Rewriting, ...] = (
    (
        re.compile(r"(?<!\d)(\d{4})[、,](\d{1,2})[、,](\d{1,2})(?![\d月])"),
        lambda found: found.expand(r"\1.\2.\3"),
    ),
    *((pattern, partial(_expanded, form=form)) for pattern, form in _SHORT_RANGES),
    *((pattern, partial(_neighbours, form=form)) for pattern, form in _NEIGHBOURS),
)


def spelled_out(text: str) -> str:
    """The text with each end of a range as a date of its own (`RANGES`)."""
    for pattern, written in RANGES:
        text = pattern.sub(written, text)
    return text


def points(text: str, *, near: int | None) -> list[Point]:
    """Every date in a text that is in machine form, from left to right.

    Args:
        near: the year of the ledger; decides what two-digit years may mean.
    """
    found = (_point(match, near) for match in _POINT.finditer(text) if match.end() > match.start())
    return [point for point in found if point]


def full_year(short: str, near: int | None) -> int | None:
    """21 → 2021 when that is within a few years of the ledger's; else None, for it is no year then."""
    year = 2000 + int(short)
    return year if near is None or abs(year - near) <= 10 else None


def _point(match: re.Match[str], near: int | None) -> Point | None:
    words = {name: value for name, value in match.groupdict().items() if value is not None}
    begin, end = match.span()
    for letter in "fg":
        if f"{letter}y" in words:
            return Point(
                begin, end, int(words[f"{letter}y"]), 0, {"m": words[f"{letter}m"], "d": words[f"{letter}d"]}
            )
    if "cy" in words:
        day = {"d": words["cd"]} if "cd" in words else {}
        return Point(begin, end, int(words["cy"]), 0, {"m": words["cm"], **day}, ("COMPACT_DATE",))
    if "um" in words or "sa" in words:
        return _triple(begin, end, words, near)
    if "pa" in words:
        return _pair(begin, end, words, near)
    if "ny" in words:
        renamed = {"nm": "m", "nthird": "third", "nend": "mend"}
        return Point(
            begin, end, int(words["ny"]), 0, {renamed[key]: words[key] for key in renamed if key in words}
        )
    return _worded(match, words, near)


_ORDERS = {"year_month_day": (0, 1, 2), "month_day_year": (2, 0, 1), "day_month_year": (2, 1, 0)}


def _triple(begin: int, end: int, words: dict[str, str], near: int | None) -> Point:
    """01/02/21: three numbers whose order must be found; dots and hyphens are written year first."""
    is_long = "um" in words
    numbers = (words["um"], words["ud"], words["uy"]) if is_long else (words["sa"], words["sb"], words["sc"])
    days: dict[str, datetime.date] = {}
    for why, (y, m, d) in _ORDERS.items():
        if is_long and y == 0:
            continue
        try:
            days[why] = a_day(int(numbers[y]) + (0 if is_long else 2000), int(numbers[m]), int(numbers[d]))
        except NoSuchDay:
            continue
    codes = () if is_long else ("TWO_DIGIT_YEAR",)
    likely = {why: day for why, day in days.items() if near is None or abs(day.year - near) <= 5} or days
    if words.get("ss") in (".", "-") and "year_month_day" in likely and int(numbers[0]) > 12:
        likely = {"year_month_day": likely["year_month_day"]}
    distinct = {day: why for why, day in reversed(likely.items())}
    if len(distinct) > 1:
        return Point(begin, end, None, 0, words, codes, tuple(sorted(distinct.items())))
    day = next(iter(distinct), None)
    if day is None:
        return Point(begin, end, 2000, 0, {"m": "13"}, codes)  # its part says that there is no such day
    return Point(begin, end, day.year, 0, {"m": str(day.month), "d": str(day.day)}, codes)


def _pair(begin: int, end: int, words: dict[str, str], near: int | None) -> Point | None:
    """7.31 is a month and a day, 21.7 a short year and a month."""
    first, second = int(words["pa"]), int(words["pb"])
    if first <= 12:
        kept = {"m": words["pa"], "d": words["pb"]}
        if words["ps"] == "-" and first < second <= 12:
            kept["range"] = words["pb"]
        return Point(begin, end, None, 0, kept)
    year = full_year(words["pa"], near)
    if year is None or second > 12:
        return None
    return Point(begin, end, year, 0, {"m": words["pb"]}, ("TWO_DIGIT_YEAR",))


def _before(match: re.Match[str]) -> str:
    """The character before a match; a blank at the beginning of the text."""
    return match.string[match.start() - 1] if match.start() else " "


def _worded(match: re.Match[str], words: dict[str, str], near: int | None) -> Point | None:
    begin, end = match.span()
    year: int | None = None
    shift = 0
    codes: tuple[str, ...] = ()
    if "y" in words:
        year = int(words["y"])
        if match["y"] + words.get("m", "x") in match[0]:
            codes = ("COMPACT_DATE",)  # 201510月
    elif "yy" in words:
        year, codes = full_year(words["yy"], near), ("TWO_DIGIT_YEAR",)
        if year is None:
            return None
    elif "rel" in words:
        shift = _RELATIVE[words["rel"]]
    has_year = bool(words.keys() & {"y", "yy", "rel"})
    rest = {key: value for key, value in words.items() if key not in ("y", "yy", "rel")}
    if not has_year and (
        not rest
        # 本月底, 集中: only a year has such an end or middle, and none is named
        or (rest.keys() & {"yend", "yvague", "within"} and not match[0].startswith("年"))
        # 1.5月, 13季: a part of a longer number
        or (match[0][0].isdigit() and _before(match) in "0123456789.")
    ):
        return None
    return Point(begin, end, year, shift, rest, codes)
