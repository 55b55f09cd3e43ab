"""Tables as files that spreadsheets open: xlsx and csv, written row by row, in memory that does not grow.

XlsxWriter dresses a workbook (formats, lists, protection, print), which takes a moment; the rows are then streamed
into its sheet, because writing 200,000 of them through XlsxWriter takes six times as long as reading them from
the database. Nothing in a file is ever executed: texts that a spreadsheet would take for a formula are marked.
"""

from __future__ import annotations

import csv
import datetime
import io
import itertools
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, Any

import xlsxwriter
from django.utils import timezone

FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
#: Below Excel's own limit of 1,048,576; then another sheet is begun.
SHEET_ROWS = 1_000_000
CELL_LENGTH = 32_767
#: A higher level saves a fifth of the file and costs as long as the whole rest.
_LEVEL = 3
_MOST_KEPT = 2_000
_AT_ONCE = 500
#: How a spreadsheet recognises a formula; some take one after blanks, a tab or a line break too. The apostrophes
#: in front are ours or somebody's: one more is put there, and the importer takes one off again.
_FORMULA_LIKE = re.compile(r"'*(?:\s*[=+\-@＝＋－＠]|[\t\r\n])")
_MAY_BE_FORMULA = frozenset("'=+-@＝＋－＠ \t\r\n\u3000\xa0\x0b\x0c")
_TO_ESCAPE = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_DAY_NOUGHT = datetime.date(1899, 12, 30)
_NUMBER_FORMATS = {
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm",
    "percent": "0.##%",
    "number": "General",
}
_TAB = re.compile(r"[\[\]:*?/\\']")


@dataclass(frozen=True, slots=True)
class OutColumn:
    """A column of a table that goes out.

    Attributes:
        key: its name in code and in saved layouts.
        kind: text, date, datetime, number or percent (values 0 to 100).
        is_locked: not to be typed over; the sheet is protected when a column is.
    """

    key: str
    heading: str
    kind: str = "text"
    width: float = 16
    is_locked: bool = False
    wraps: bool = False


@dataclass(frozen=True, slots=True)
class OutSheet:
    """A sheet of many rows.

    Attributes:
        rows: read once, in order; each has a value for each column.
        expected: how many rows there are about; decides how many sheets are prepared.
        dress: called with the workbook and the sheet once its head is written: lists, filter.
        is_sortable: whether a protected sheet may be sorted. Where rows have locked keys it must not be: Excel
            would sort the other columns and leave the keys where they are.
    """

    name: str
    columns: Sequence[OutColumn]
    rows: Iterable[Sequence[Any]]
    expected: int = 0
    dress: Callable[[Any, Any], None] | None = field(default=None)
    is_sortable: bool = False


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet could take a text for a formula, or for one that was marked already."""
    return text[:1] in _MAY_BE_FORMULA and _FORMULA_LIKE.match(text) is not None


def marked(text: str) -> str:
    """A text as a csv may hold it: one apostrophe before what would be executed."""
    return f"'{text}" if is_formula_like(text) else text


# -- csv ---------------------------------------------------------------------------------------------------


def write_csv(file: IO[bytes], columns: Sequence[OutColumn], rows: Iterable[Sequence[Any]]) -> int:
    """Write a table as UTF-8 with the mark without which Excel takes Chinese for GBK.

    Returns:
        The number of rows.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow([marked(column.heading) for column in columns])
    percents = [at for at, column in enumerate(columns) if column.kind == "percent"]
    count = 0
    for row in rows:
        cells = [_plain(value) for value in row]
        for at in percents:
            if cells[at]:
                cells[at] = f"{_number(row[at])}%"
        writer.writerow(cells)
        count += 1
    text.flush()
    text.detach()
    return count


def _plain(value: Any) -> str:
    if value.__class__ is str:
        return (marked(value) if value[:1] in _MAY_BE_FORMULA else value).replace("\x00", "")
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime.datetime):
        return _local(value).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, Decimal):
        return _number(value)
    return str(value)


def _number(value: Any) -> str:
    """A number without the zeros at its end: 80, 97.5."""
    return f"{Decimal(str(value)).normalize():f}"


def _local(value: datetime.datetime) -> datetime.datetime:
    return timezone.localtime(value) if value.tzinfo is not None else value


# -- xlsx --------------------------------------------------------------------------------------------------


def write_xlsx(
    file: IO[bytes], sheets: Sequence[OutSheet], further: Callable[[Any], None] | None = None
) -> list[int]:
    """Write a workbook.

    Args:
        file: a binary file that can seek.
        further: adds short sheets of its own to the workbook: an explanation, lists of choices.

    Returns:
        The number of rows of each of `sheets`.
    """
    skeleton = io.BytesIO()
    book = xlsxwriter.Workbook(
        skeleton, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    parts: list[list[int]] = []
    made = 0
    for sheet in sheets:
        numbers = []
        for n in range(sheet.expected // SHEET_ROWS + 1):
            _head(book, sheet, f"{sheet.name}{n + 1}" if n else sheet.name)
            made += 1
            numbers.append(made)
        parts.append(numbers)
    if further is not None:
        further(book)
    book.close()
    counts = [0] * len(sheets)
    with (
        zipfile.ZipFile(skeleton) as from_,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as into,
    ):
        streamed = {f"xl/worksheets/sheet{n}.xml" for numbers in parts for n in numbers}
        for name in from_.namelist():
            if name not in streamed:
                into.writestr(name, from_.read(name))
        for at, (sheet, numbers) in enumerate(zip(sheets, parts, strict=True)):
            rows = iter(sheet.rows)
            for number in numbers:
                name = f"xl/worksheets/sheet{number}.xml"
                with into.open(name, "w", force_zip64=True) as out:
                    xml = from_.read(name).decode()
                    counts[at] += _stream(out, xml, sheet.columns, itertools.islice(rows, SHEET_ROWS))
    return counts


def _head(book: Any, sheet: OutSheet, name: str) -> None:
    """The head of a sheet, and two rows that only show which formats the streamed ones take."""
    page = book.add_worksheet(tab(name))
    shared = {"valign": "top", "font_name": "宋体", "font_size": 10, "border": 1, "border_color": "#BFBFBF"}
    head = book.add_format({**shared, "bold": True, "text_wrap": True, "align": "center", "valign": "vcenter", "bg_color": "#EDF1F7"})  # fmt: skip
    is_protected = any(column.is_locked for column in sheet.columns)
    page.freeze_panes(1, 0)
    page.set_row(0, 30)
    for at, column in enumerate(sheet.columns):
        look = {**shared, "text_wrap": column.wraps, "num_format": _NUMBER_FORMATS.get(column.kind, "@")}
        if column.is_locked:
            look |= {"bg_color": "#F2F2F2", "font_color": "#6B6B6B"}
        look["locked"] = column.is_locked
        usual, quoted = book.add_format(look), book.add_format({**look, "quote_prefix": True})
        page.set_column(at, at, column.width, usual)
        page.write_string(0, at, column.heading, head)
        page.write_blank(1, at, None, usual)
        page.write_blank(2, at, None, quoted)
    page.set_landscape()
    page.set_paper(8)  # A3
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    page.set_margins(0.4, 0.4, 0.5, 0.6)
    page.set_footer("&C&P / &N")
    if is_protected:
        page.protect("", {
            "format_columns": True, "format_rows": True, "format_cells": True, "insert_rows": True,
            "autofilter": True, "sort": sheet.is_sortable, "select_locked_cells": True, "select_unlocked_cells": True,
        })  # fmt: skip
    if sheet.dress is not None:
        sheet.dress(book, page)
    elif sheet.columns:
        page.autofilter(0, 0, max(1, min(sheet.expected, SHEET_ROWS)), len(sheet.columns) - 1)


def tab(name: str) -> str:
    """A name that a workbook allows for a sheet."""
    return _TAB.sub(" ", name)[:31] or "1"


_PATTERN = re.compile(r'<row r="2".*?</row><row r="3".*?</row>', re.DOTALL)
_STYLE = re.compile(r'<c r="([A-Z]+)[23]" s="(\d+)"')


def _stream(out: IO[bytes], xml: str, columns: Sequence[OutColumn], rows: Iterator[Sequence[Any]]) -> int:
    found = _PATTERN.search(xml)
    if found is None:
        raise ValueError("a sheet without its pattern rows")
    before, after = xml[: found.start()], xml[found.end() :]
    # What the sheet measures is not known yet, and readers that trust it would stop too soon.
    out.write(re.sub(r'<dimension ref="[^"]*"/>', "", before, count=1).encode())
    styles = _STYLE.findall(found[0])
    half = len(styles) // 2
    letters = [letter for letter, _style in styles[:half]]
    usual, quoted = [s for _letter, s in styles[:half]], [s for _letter, s in styles[half:]]
    percents = [column.kind == "percent" for column in columns]
    kept: list[dict[Any, str]] = [{} for _ in letters]
    places = list(zip(letters, kept, usual, quoted, percents, strict=True))
    held: list[str] = []
    number = 1
    for row in rows:
        number += 1
        cells = [f'<row r="{number}">']
        for value, (letter, known, style, marked_style, is_percent) in zip(row, places, strict=False):
            if value is None or value == "":
                continue  # the column has the same look
            written = known.get(value) if value.__class__ is not bool else None
            if written is None:
                written = _cell(value, style, marked_style, is_percent)
                if len(known) < _MOST_KEPT and value.__class__ is not bool:
                    known[value] = written
            cells.append(f'<c r="{letter}{number}"{written}')
        cells.append("</row>")
        held.append("".join(cells))
        if len(held) >= _AT_ONCE:
            out.write("".join(held).encode())
            held.clear()
    held.append(after)
    out.write("".join(held).encode())
    return number - 1


def _cell(value: Any, style: str, marked_style: str, is_percent: bool) -> str:
    """What stands in a cell's element behind its place."""
    if value is True or value is False:
        value = "是" if value else "否"
    if isinstance(value, str):
        if value[:1] in _MAY_BE_FORMULA and _FORMULA_LIKE.match(value):
            style = marked_style
            if value[0] == "'":
                value = f"'{value}"  # the importer takes one off
        value = value[:CELL_LENGTH]
        if _TO_ESCAPE.search(value):
            value = _escaped(value)
        space = ' xml:space="preserve"' if value[:1].isspace() or value[-1:].isspace() else ""
        return f' s="{style}" t="inlineStr"><is><t{space}>{value}</t></is></c>'
    if isinstance(value, datetime.datetime):
        moment = _local(value)
        serial = (moment.date() - _DAY_NOUGHT).days + (moment.hour * 60 + moment.minute) / 1440
        return f' s="{style}"><v>{serial:.10g}</v></c>'
    if isinstance(value, datetime.date):
        return f' s="{style}"><v>{(value - _DAY_NOUGHT).days}</v></c>'
    if is_percent:
        value = Decimal(str(value)) / 100
    return f' s="{style}"><v>{value}</v></c>'


def _escaped(text: str) -> str:
    text = _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _LOOKS_ESCAPED.sub("_x005F_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
