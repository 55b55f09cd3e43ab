"""One model of a cell, whatever the file was: readers make it, parsers take it.

A row is a plain list of values, because a ledger may have two hundred thousand rows; what is not plain about
a cell (a percentage, a formula, an error, a value that came from a merged cell) stands beside it as a `Mark`.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

#: Numbers are int or float as the reader found them; empty is None or "".
Value = (
    None | str | bool | int | float | datetime.date | datetime.datetime | datetime.time | datetime.timedelta
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is particular about one cell.

    Attributes:
        is_percent: shown as a percentage (0.8 is seen as 80%).
        formula: the formula without "=", as in the file; "" for none. The value is its stored result.
        error: "#REF!" and the like; the value is then None.
        is_filled_down: the cell is empty itself; its value comes from the merged cell that covers it.
        is_image: a picture put into the cell (`=DISPIMG(...)` of WPS); the value is then None.
    """

    is_percent: bool = False
    formula: str = ""
    error: str = ""
    is_filled_down: bool = False
    is_image: bool = False


PLAIN = Mark()
PERCENT = Mark(is_percent=True)
NO_MARKS: Mapping[int, Mark] = {}


@dataclass(slots=True)
class Row:
    """One row of a sheet.

    Attributes:
        number: as the spreadsheet shows it, from 1; for csv the number of the record.
        values: from the first column (A) on; may be shorter than the table is wide.
        marks: by column position from 0.
        is_hidden: the row is hidden in the spreadsheet.
    """

    number: int
    values: list[Value]
    marks: Mapping[int, Mark] = field(default_factory=lambda: NO_MARKS)
    is_hidden: bool = False

    def value(self, column: int) -> Value:
        return self.values[column] if column < len(self.values) else None

    def mark(self, column: int) -> Mark:
        return self.marks.get(column, PLAIN)


def column_letter(position: int) -> str:
    """The name of a column as the spreadsheet shows it: 0 is A, 26 is AA."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
