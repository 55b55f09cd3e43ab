"""Entries as a table of text, one row for each changed field: Excel or CSV, in memory that does not grow."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import IO

import xlsxwriter
from django.utils import timezone
from django.utils.translation import gettext as _

from journal.entries import Entry
from journal.words import ACTIONS, DOORS, VALUES

FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
#: Below Excel's own limit of 1,048,576, head included; then another sheet is begun.
SHEET_ROWS = 1_000_000
CELL_LENGTH = 32_767
#: How a spreadsheet recognises a formula; some take one after a tab or a line break too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_WIDTHS = (19, 10, 22, 10, 8, 12, 30, 30, 16, 30, 30, 30, 34)


def columns() -> list[str]:
    return [
        _("time"),
        _("person"),
        _("unit"),
        _("door"),
        _("action"),
        _("kind of record"),
        _("name"),
        _("part of"),
        _("field"),
        _("before"),
        _("after"),
        _("reason"),
        _("act"),
    ]


def write(file: IO[bytes], entries: Iterable[Entry], form: str) -> int:
    """Write entries to a binary file.

    Args:
        entries: they are read once, in order.
        form: one of FORMATS.

    Returns:
        The number of entries (not of rows).
    """
    counted = _Counted(entries)
    (_xlsx if form == "xlsx" else _csv)(file, _rows(counted))
    return counted.count


class _Counted:
    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries, self.count = entries, 0

    def __iter__(self) -> Iterator[Entry]:
        for entry in self.entries:
            self.count += 1
            yield entry


def _rows(entries: Iterable[Entry]) -> Iterator[list[str]]:
    for entry in entries:
        head = [
            timezone.localtime(entry.at).strftime("%Y-%m-%d %H:%M:%S"),
            entry.by,
            entry.unit,
            str(DOORS.get(entry.source, entry.source)),
            str(ACTIONS.get(entry.action, entry.action)),
            entry.kind,
            entry.name,
            entry.parent,
        ]
        tail = [entry.why, entry.click]
        for change in entry.changes:
            verb = f"{VALUES[change.verb]} " if change.verb else ""
            before, after = (verb + text if text else "" for text in (change.before, change.after))
            yield [*head, change.label, before, after, *tail]
        if not entry.changes:
            yield [*head, "", "", "", *tail]


def _csv(file: IO[bytes], rows: Iterable[list[str]]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(columns())
    for row in rows:
        # A text file cannot say that a cell is text; the quote is what spreadsheets understand.
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    text.detach()


def _xlsx(file: IO[bytes], rows: Iterable[list[str]]) -> None:
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        bold = book.add_format({"bold": True})
        sheet, at = None, SHEET_ROWS
        for row in _or_one(rows):
            if at >= SHEET_ROWS:
                sheet, at = book.add_worksheet(), 1
                for column, (name, width) in enumerate(zip(columns(), _WIDTHS, strict=True)):
                    sheet.set_column(column, column, width)
                    sheet.write_string(0, column, name, bold)
                sheet.freeze_panes(1, 0)
            assert sheet is not None
            for column, cell in enumerate(row):
                sheet.write_string(at, column, cell[:CELL_LENGTH])
            at += 1


def _or_one(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """At least one row, so that a book without entries still has a sheet with its head."""
    found = False
    for row in rows:
        found = True
        yield row
    if not found:
        yield []
