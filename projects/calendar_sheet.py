"""A sheet of holidays and make-up days, read row by row. Pure: cells in, days and faults out.

Accepted is what an office has: a column of days (or of first and last days), one that says whether the day
is free or worked, and perhaps the occasion. Whatever cannot be read is said with its row, and the others go on.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

DAY = datetime.timedelta(days=1)
FIRST, LAST = datetime.date(2000, 1, 1), datetime.date(2100, 12, 31)
LONGEST_SPAN = 31
MOST_ROWS = 2_000
#: Rows searched for the heading: a title and a note may stand above the table.
HEADING_WITHIN = 20

_COLUMNS = {
    "day": ("日期", "开始日期", "起始日期", "放假日期", "day", "date", "from", "start"),
    "until": ("结束日期", "截止日期", "至", "until", "to", "end"),
    "kind": ("类型", "类别", "性质", "放假或上班", "是否上班", "安排", "kind", "type", "is_working"),
    "name": ("名称", "节日", "假期", "事由", "说明", "节假日", "备注", "name", "occasion", "holiday name"),
}
_WORKED = {"班", "上班", "补班", "调休上班", "调休补班", "工作日", "是", "1", "true", "yes", "work", "working", "workday", "make-up"}  # fmt: skip
_FREE = {"休", "放假", "休假", "休息", "假", "假日", "假期", "节假日", "法定节假日", "否", "0", "false", "no", "holiday", "free", "off"}  # fmt: skip

_WRITTEN = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:\s+00:00(?::00)?)?$")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})$")


@dataclass(frozen=True)
class SheetDay:
    """One day of the sheet. `row` counts from 1, as the office program does."""

    day: datetime.date
    is_working: bool
    name: str
    row: int


@dataclass(frozen=True)
class Fault:
    """A row that was left out, and why: what stands there and what to do."""

    row: int
    said: str


@dataclass
class Sheet:
    """What a sheet says.

    Attributes:
        days: one for each day that differs from the ordinary week.
        ordinary: how many days the sheet names that follow the week anyway (a holiday on a Sunday).
        faults: rows that were left out.
    """

    days: list[SheetDay] = field(default_factory=list)
    ordinary: int = 0
    faults: list[Fault] = field(default_factory=list)


def read_sheet(rows: Sequence[Sequence[Any]]) -> Sheet:
    """Read a sheet of cells (texts, numbers, dates, None)."""
    sheet = Sheet()
    if len(rows) > MOST_ROWS:
        sheet.faults.append(
            Fault(
                0, _("The sheet has more than %(most)d rows; a year has some thirty.") % {"most": MOST_ROWS}
            )
        )
        return sheet
    heading, columns = _heading(rows)
    if columns is None:
        sheet.faults.append(
            Fault(
                0,
                _("No heading was found. The first columns should read 日期, 类型 (放假 or 上班) and 名称."),
            )
        )
        return sheet
    seen: dict[datetime.date, SheetDay] = {}
    for number, row in enumerate(rows[heading + 1 :], start=heading + 2):
        cells = {name: _cell(row, at) for name, at in columns.items()}
        if not any(_text(cell) for cell in cells.values()):
            continue
        try:
            found = list(_days(cells, number))
        except ValueError as fault:
            sheet.faults.append(Fault(number, str(fault)))
            continue
        for day in found:
            _take(day, seen, sheet)
    sheet.days = [day for _date, day in sorted(seen.items()) if day.is_working != (day.day.weekday() < 5)]
    sheet.ordinary = len(seen) - len(sheet.days)
    return sheet


def _take(day: SheetDay, seen: dict[datetime.date, SheetDay], sheet: Sheet) -> None:
    before = seen.setdefault(day.day, day)
    if before.is_working != day.is_working:
        said = _("%(day)s is free in row %(one)d and worked in row %(other)d. Only the first counts.")
        if before.is_working:
            said = _("%(day)s is worked in row %(one)d and free in row %(other)d. Only the first counts.")
        sheet.faults.append(Fault(day.row, said % {"day": day.day, "one": before.row, "other": day.row}))


def _heading(rows: Sequence[Sequence[Any]]) -> tuple[int, dict[str, int] | None]:
    for number, row in enumerate(rows[:HEADING_WITHIN]):
        found: dict[str, int] = {}
        for at, cell in enumerate(row[:50]):
            said = _text(cell).lower().rstrip("*:：")
            for name, aliases in _COLUMNS.items():
                if said in aliases:
                    found.setdefault(name, at)
        if "day" in found and "kind" in found:
            return number, found
    return 0, None


def _days(cells: dict[str, Any], row: int) -> Iterator[SheetDay]:
    """Raises: ValueError: the row cannot be read; the text says why."""
    first = _date(cells["day"])
    last = _date(cells["until"]) if _text(cells.get("until")) else first
    if last < first:
        raise ValueError(
            _("The last day, %(last)s, lies before the first, %(first)s.") % {"first": first, "last": last}
        )
    if (last - first).days >= LONGEST_SPAN:
        raise ValueError(_("From %(first)s to %(last)s are more than %(most)d days.") % {"first": first, "last": last, "most": LONGEST_SPAN})  # fmt: skip
    is_working = _kind(cells["kind"])
    name = _text(cells.get("name"))[:40]
    day = first
    while day <= last:
        yield SheetDay(day, is_working, name, row)
        day += DAY


def _date(cell: Any) -> datetime.date:
    if isinstance(cell, datetime.datetime):
        day = cell.date()
    elif isinstance(cell, datetime.date):
        day = cell
    else:
        said = _text(cell)
        found = _WRITTEN.match(said) or _COMPACT.match(said)
        if found is None or (not said.isascii() and not re.search("[年月]", said)):
            raise ValueError(_("“%(said)s” is no date. Write it like 2027-02-05.") % {"said": said[:40]})
        try:
            day = datetime.date(*(int(part) for part in found.groups()))
        except ValueError:
            raise ValueError(_("There is no day %(said)s.") % {"said": said[:40]}) from None
    if not FIRST <= day <= LAST:
        raise ValueError(_("%(day)s lies outside the years 2000 to 2100.") % {"day": day})
    return day


def _kind(cell: Any) -> bool:
    if isinstance(cell, bool):
        return cell
    said = _text(cell).lower()
    if said in _WORKED:
        return True
    if said in _FREE:
        return False
    raise ValueError(_("“%(said)s” says neither 放假 nor 上班.") % {"said": said[:40]})


def _cell(row: Sequence[Any], at: int) -> Any:
    return row[at] if at < len(row) else None


def _text(cell: Any) -> str:
    """A cell as text: full-width digits become plain ones, 1.0 becomes "1"."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "".join(c for c in unicodedata.normalize("NFKC", str(cell)) if c.isprintable()).strip()
