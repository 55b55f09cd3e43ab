"""What stands above a table: its title, the day of the report, the unit that filled it in."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from projects.importing.cells import Row

_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?:\s*[-—~至]\s*(?:20)\d{2})?\s*(?:年|度)?(?![\d])")
_CHINESE_YEAR = re.compile(r"([二一][〇零○oO0-9一二三四五六七八九]{3})\s*年")
_DIGIT = {
    **{numeral: str(at) for at, numeral in enumerate("〇一二三四五六七八九")},
    "零": "0",
    "○": "0",
    "o": "0",
    "O": "0",
}
_DAY = re.compile(r"((?:19|20)\d{2})\s*[年.\-/]\s*(\d{1,2})\s*[月.\-/]\s*(\d{1,2})\s*日?")
_DAY_LABEL = re.compile(
    r"(?:填\s*报|填\s*表|制\s*表|上\s*报|统\s*计|更\s*新|报\s*送|截\s*[至止]|编\s*制)\s*(?:日\s*期|时\s*间|到)?|^\s*(?:日\s*期|时\s*间)\s*[:：]"
)
_UNIT = re.compile(
    r"(?:填\s*报\s*单\s*位|填\s*表\s*单\s*位|报\s*送\s*单\s*位|编\s*制\s*单\s*位|上\s*报\s*单\s*位|单\s*位\s*名\s*称|单\s*位|企\s*业)(?:\s*[(（][^)）]{0,8}[)）])?\s*[:：]\s*([^\s:：]{2,60})?"
)
_MONEY = re.compile(r"^(?:人民币)?[万亿千百]?元|^[个项户人%％米吨亩]")
_META = re.compile(
    r"(?:单\s*位|日\s*期|时\s*间|填\s*报\s*人|填\s*表\s*人|制\s*表|联\s*系\s*人|电\s*话|编\s*号|负\s*责\s*人|密\s*级|附\s*件\s*\d*)\s*(?:[(（][^)）]{0,8}[)）])?\s*[:：]|^\s*附\s*(?:件|表)\s*\d*\s*$|^\s*(?:填报|制表|统计|更新)(?:日期|时间)|^\s*(?:填\s*报|填\s*表|报\s*送|编\s*制|上\s*报)\s*单\s*位"
)


@dataclass(frozen=True, slots=True)
class TableContext:
    """What the sheet says of itself.

    Attributes:
        title: the heading above the table, "" for none.
        sheet_year: of the title, else of the report's day, else of the sheet's name; None when nothing says one.
        reported_on: 填报日期, None for none.
        unit: the unit named above the table (填报单位：…), "" for none.
    """

    title: str = ""
    sheet_year: int | None = None
    reported_on: datetime.date | None = None
    unit: str = ""


def year_in(text: str) -> int | None:
    """The year that a title names: 2021年, 2021年度, 二〇二一年."""
    found = _CHINESE_YEAR.search(text)
    if found is not None:
        digits = "".join(_DIGIT.get(sign, sign) for sign in found[1])
        if digits.isdigit() and 1990 <= int(digits) <= 2099:
            return int(digits)
    for number in _YEAR.finditer(text):
        if 1990 <= int(number[1]) <= 2099:
            return int(number[1])
    return None


def is_meta(texts: list[str]) -> bool:
    """Whether a row says who filled the ledger in, and when: 填报单位：…, 填报日期, a full date."""
    return _META.search("  ".join(texts)) is not None or any(_DAY.fullmatch(text) for text in texts)


def context_of(rows: list[Row], sheet_name: str) -> tuple[TableContext, list[str]]:
    """What the rows above the header say, and for each whether it is a title or a meta row."""
    title, unit = "", ""
    reported: datetime.date | None = None
    years: list[int] = []
    kinds = []
    for row in rows:
        own = [
            value
            for at, value in enumerate(row.values)
            if value not in (None, "") and not row.mark(at).is_filled_down
        ]
        texts = [value.strip() for value in own if isinstance(value, str) and value.strip()]
        whole = "  ".join(texts)
        is_meta = _META.search(whole) is not None or len(own) > 2
        if not is_meta and len(whole) > 3 and len(whole) > len(title):
            title = whole
        kinds.append("title" if not is_meta else "meta")
        if _DAY_LABEL.search(whole) and reported is None:
            reported = _day(whole) or next(
                (_date(value) for value in own if isinstance(value, datetime.date)), None
            )
        if is_meta and not unit:
            unit = _unit(texts)
        if is_meta:
            years.extend(year for year in (year_in(whole),) if year is not None)
        elif (
            _DAY.search(whole)
            and reported is None
            and re.fullmatch(r"[(（]?\s*" + _DAY.pattern + r"\s*[)）]?", whole)
        ):
            reported = _day(whole)
    year = (
        year_in(title)
        or (reported.year if reported else None)
        or next(iter(years), None)
        or year_in(sheet_name)
    )
    return TableContext(title, year, reported, unit), kinds


def _unit(texts: list[str]) -> str:
    for at, text in enumerate(texts):
        for found in _UNIT.finditer(text):
            name = found[1] or (
                texts[at + 1] if at + 1 < len(texts) and text.rstrip().endswith((":", "：")) else ""
            )
            if name and not _MONEY.match(name):
                return name.strip("（）()，,;；")
    return ""


def _day(text: str) -> datetime.date | None:
    found = _DAY.search(text)
    if found is None:
        return None
    try:
        return datetime.date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def _date(value: datetime.date) -> datetime.date:
    return value.date() if isinstance(value, datetime.datetime) else value
