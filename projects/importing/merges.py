"""Merged cells: the value of the first one fills the others, so that each row says everything itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from projects.importing.cells import PLAIN, Mark, Row, Value
from projects.importing.xlsx_fast import column_position

MOST_AREAS = 100_000
#: A wider or longer area belongs to no table, and filling it would only cost memory.
_MOST_ROWS = 20_000
_MOST_COLUMNS = 256
_MOST_FILLED = 3_000_000
_AREA = re.compile(r"^\s*\$?([A-Za-z]{1,3})\$?(\d{1,9}):\$?([A-Za-z]{1,3})\$?(\d{1,9})\s*$")

#: First row, first column, last row, last column; rows from 1, columns from 0.
Area = tuple[int, int, int, int]


def areas_of(references: Iterable[str]) -> list[Area]:
    """Areas as written ("A3:B5") as numbers; what is none is left out."""
    areas = []
    for reference in references:
        found = _AREA.match(reference)
        if found is None:
            continue
        top, bottom = int(found[2]), int(found[4])
        left, right = column_position(found[1].upper()), column_position(found[3].upper())
        areas.append((top, left, bottom, right))
    return areas


def fill(rows: Iterator[Row], areas: list[Area]) -> Iterator[Row]:
    """Rows with the values of merged cells filled in. A row with nothing of its own stays blank."""
    usable = [
        (top, left, bottom, min(right, left + _MOST_COLUMNS - 1))
        for top, left, bottom, right in areas
        if bottom >= top and right >= left and bottom - top < _MOST_ROWS and right - left < 16_384
    ]
    if not usable:
        yield from rows
        return
    usable.sort()
    at, left_to_fill = 0, _MOST_FILLED
    open_: dict[int, tuple[int, Value, Mark]] = {}  # by column: last row, value, mark of the first cell
    ends = 0
    for row in rows:
        if open_ and row.number > ends:
            open_.clear()
        filled: dict[int, Mark] = {}
        while at < len(usable) and usable[at][0] <= row.number:
            top, left, bottom, right = usable[at]
            at += 1
            if top != row.number:
                continue  # its first row is blank, and so is its value
            value, mark = row.value(left), row.mark(left)
            if value is None and mark is PLAIN:
                continue
            for column in range(left, right + 1):
                open_[column] = (bottom, value, mark)
            ends = max(ends, bottom)
        for column, (bottom, value, mark) in list(open_.items()):
            if bottom < row.number:
                del open_[column]
                continue
            if row.value(column) is not None or column in row.marks or left_to_fill <= 0:
                continue
            left_to_fill -= 1
            if column >= len(row.values):
                row.values.extend([None] * (column + 1 - len(row.values)))
            row.values[column] = value
            filled[column] = replace(mark, is_filled_down=True)
        if filled:
            row.marks = {**row.marks, **filled}
        yield row
