"""Opening a small sheet that somebody uploaded: its cells, or a sentence about what is wrong with it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _

from projects.importing.opening import FileRefused, open_stream
from projects.importing.refusals import EMPTY_FILE

LARGEST = 1024 * 1024
MOST_ROWS = 5_000
MOST_COLUMNS = 50


class Unreadable(Exception):
    """The file cannot be read. The message tells what it is and what to do."""


def cells_of(content: bytes) -> list[list[Any]]:
    """The cells of the first sheet of a workbook or csv file; blank rows are empty lists.

    Raises:
        Unreadable: too large, empty, protected, broken, or something else altogether.
    """
    if len(content) > LARGEST:
        raise Unreadable(_("The file is larger than 1 MB; a calendar of one year has a few kilobytes."))
    try:
        with open_stream(BytesIO(content), len(content), "") as book:
            cells: list[list[Any]] = []
            for row in book.sheets[0].rows():
                if row.number > MOST_ROWS or len(row.values) > MOST_COLUMNS:
                    raise Unreadable(
                        _("The sheet is far larger than a calendar. Copy the table into a new workbook.")
                    )
                cells.extend([] for _blank in range(row.number - 1 - len(cells)))
                cells.append(row.values)
            return cells
    except FileRefused as refused:
        raise Unreadable(_("The file is empty.") if refused.code == EMPTY_FILE else refused.message) from None
