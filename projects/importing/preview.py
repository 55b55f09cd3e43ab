"""A ledger from its file to what a person will look at: opened, found, understood, checked. Saves nothing."""

from __future__ import annotations

import contextlib
import datetime
import gc
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from projects.importing.cells import Row, column_letter
from projects.importing.checking import Checker
from projects.importing.dates import DateContext, read_deadline
from projects.importing.findings import Finding
from projects.importing.opening import open_ledger
from projects.importing.reading import Reading
from projects.importing.refusals import FileRefused, FileWarning
from projects.importing.registers import Registers
from projects.importing.said import text_of
from projects.importing.sheets import Book
from projects.importing.stated_columns import named_apart
from projects.importing.table import Body, Skipped, Table, tables_of
from projects.importing.understanding import Understanding

#: Rows that are compared with what is there in one go.
CHUNK = 2_000
#: Skipped rows that are named one by one; a sheet may have a million blank ones.
MOST_SKIPPED = 10_000


class Preview:
    """One reading of a file for one person and programme. Iterate `chunks()` once, then ask for the rest.

    Args:
        as_of: the day by which "overdue" is judged.
        choices: what a person said about sheets and columns (`LedgerImport.choices`).
    """

    def __init__(
        self,
        path: Path,
        name: str,
        registers: Registers,
        *,
        as_of: datetime.date,
        choices: Mapping[str, Any] | None = None,
    ) -> None:
        self.path, self.name, self.registers, self.as_of = path, name, registers, as_of
        self.choices = choices or {}
        self.checker = Checker(registers, as_of)
        self.skipped: list[dict[str, Any]] = []
        #: Rows that the file announces, titles included; 0 where it does not say.
        self.expected = 0
        self._counts: Counter[str] = Counter()
        self._warnings: list[FileWarning] = []
        self._sheets: list[dict[str, Any]] = []
        self._format = ""
        self._error: FileRefused | None = None

    def chunks(self) -> Iterator[list[Reading]]:
        """The rows, some thousand at a time. A file that cannot be read gives none; see `file_facts`."""
        try:
            with _fewer_collections(), open_ledger(self.path, self.name) as book:
                self._format = book.format
                self._warnings += book.warnings
                yield from self._of_book(book)
        except FileRefused as refused:
            self._error = refused

    def file_facts(self) -> dict[str, Any]:
        """What `preview_ledger` calls "file"."""
        error = self._error
        return {
            "name": self.name,
            "format": self._format,
            "error": {"code": error.code, "message": str(error.message)} if error else None,
            "warnings": list(dict.fromkeys(one.code for one in self._warnings)),
            "messages": [str(one.message) for one in self._warnings],
            "sheets": self._sheets,
        }

    def counts(self) -> dict[str, int]:
        """Rows by outcome; accepted ones by what they would change as well; and what was skipped."""
        keys = ("accepted", "needs_review", "rejected", "skipped", "new", "changed", "unchanged", "conflict")
        return {key: self._counts[key] for key in keys}

    # -- the way ------------------------------------------------------------------------------------

    def _of_book(self, book: Book) -> Iterator[list[Reading]]:
        columns = {
            sheet: {_position(letter): key for letter, key in choice.get("columns", {}).items()}
            for sheet, choice in self.choices.items()
            if choice.get("columns")
        }
        found = tables_of(book, columns or None)
        self._warnings += found.warnings
        read = {
            table.sheet_name
            for table in found.tables
            if not self.choices.get(table.sheet_name, {}).get("left_out")
        }
        self.expected = sum(sheet.announced() for sheet in book.sheets if sheet.name in read)
        for table in found.tables:
            left_out = bool(self.choices.get(table.sheet_name, {}).get("left_out"))
            self._sheets.append(_facts(table, left_out))
            for heading in table.unknown.values():
                self._warnings.append(unknown_column(table.sheet_name, heading))
            if not left_out:
                yield from self._of_table(table)

    def _of_table(self, table: Table) -> Iterator[list[Reading]]:
        programme = self.registers.programme
        context = DateContext(
            programme_year=programme.year,
            sheet_year=table.context.sheet_year,
            is_untyped=self._format in ("csv", "tsv"),
        )
        understanding = Understanding(self.registers, table.sheet_name, table.columns, context)
        is_text = self._format in ("csv", "tsv")
        waiting: list[Reading] = []
        for item in table.items():
            if isinstance(item, Skipped):
                self._skip(table.sheet_name, item)
                continue
            extra = (
                {_heading(table, at): text_of(value) for at, value in item.extra.items()}
                if item.extra
                else None
            )
            one = understanding.read(item.row, extra, item.category)
            if item.row.marks and any(
                mark.is_image and at not in table.columns for at, mark in item.row.marks.items()
            ):
                one.findings.append(Finding("EMBEDDED_IMAGE_IGNORED"))
            if table.milestones:
                _add_steps(one, item, table, context)
            if is_text and _has_other_width(item.row, table.width):
                params = {"cells": len(item.row.values), "columns": table.width}
                one.findings.append(Finding("COLUMN_COUNT_MISMATCH", params))
            waiting.append(one)
            if len(waiting) >= CHUNK:
                yield self._checked(waiting)
                waiting = []
        if waiting:
            yield self._checked(waiting)

    def _checked(self, rows: list[Reading]) -> list[Reading]:
        self.checker.check(rows)
        for one in rows:
            self._counts[one.outcome] += 1
            if one.outcome == "accepted":
                self._counts[one.change] += 1
        return rows

    def _skip(self, sheet: str, item: Skipped) -> None:
        self._counts["skipped"] += 1
        if len(self.skipped) < MOST_SKIPPED:
            self.skipped.append({"sheet": sheet, "row": item.row_number, "why": item.why})


@contextlib.contextmanager
def _fewer_collections() -> Iterator[None]:
    """Let the garbage collector rest longer: rows hold no cycles, and looking for them took a sixth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def unknown_column(sheet: str, heading: str) -> FileWarning:
    """A column that the portal has no field for; its cells are kept beside the row."""
    words = _(
        "The column “%(heading)s” of sheet “%(sheet)s” is not known; its cells are kept beside the rows."
    )
    return FileWarning("UNKNOWN_COLUMN", words % {"heading": heading, "sheet": sheet})


def _facts(table: Table, left_out: bool) -> dict[str, Any]:
    columns = {column_letter(at): key for at, key in sorted(table.columns.items())}
    return {
        "name": table.sheet_name,
        "header_rows": table.header_rows,
        "columns": columns,
        "unknown_columns": [heading for _at, heading in sorted(table.unknown.items())],
        "unknown": {column_letter(at): heading for at, heading in sorted(table.unknown.items())},
        "headings": {
            column_letter(at): _heading(table, at) for at in sorted({*table.columns, *table.unknown})
        },
        **({"left_out": True} if left_out else {}),
    }


def _heading(table: Table, at: int) -> str:
    return table.heading(at) or column_letter(at)


def _has_other_width(row: Row, width: int) -> bool:
    """A record of a csv with more or fewer cells than its header: a comma within a text moved the rest."""
    cells = row.values
    return len(cells) < width or any(value not in (None, "") for value in cells[width:])


def _add_steps(one: Reading, item: Body, table: Table, context: DateContext) -> None:
    """Milestones of columns that come in pairs of what and when."""
    steps = list(one.values.get("steps", ()))
    for pair in table.milestones:
        name = text_of(item.row.value(pair.name)).strip() if pair.name is not None else ""
        when = item.row.value(pair.date) if pair.date is not None else None
        if not name and when in (None, ""):
            continue
        read = read_deadline(when, context)
        if read.on is None and read.kind not in ("none", "open_ended"):
            one.findings.append(Finding("MILESTONE_UNREAD", {"value": text_of(when)[:60]}, "milestones"))
        step = {
            "name": (name or _("Milestone %(n)s") % {"n": pair.number})[:120],
            "starts_on": read.starts_on.isoformat() if read.starts_on else None,
            "due_on": read.on.isoformat() if read.on else None,
        }
        steps.append(step)
    if steps:
        one.values["steps"] = named_apart(steps)


def _position(letter: str) -> int:
    position = 0
    for sign in letter:
        position = position * 26 + ord(sign) - 64
    return position - 1
