"""Opening a small sheet that somebody uploaded: its cells, or a sentence about what is wrong with it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from typing import Any

import python_calamine
from django.utils.translation import gettext as _

LARGEST = 1024 * 1024
#: What a workbook may unpack to; a packed file of 100 KB can hold a gigabyte of nothing.
LARGEST_UNPACKED = 20 * 1024 * 1024
MOST_ROWS = 5_000
MOST_COLUMNS = 50
_PLACE = re.compile(rb"\br=[\"']([A-Za-z]{0,9})([0-9]{1,9})")


class Unreadable(Exception):
    """The file cannot be read. The message tells what it is and what to do."""


def cells_of(content: bytes) -> list[list[Any]]:
    """The cells of the first sheet of an xlsx workbook, or of a csv in UTF-8 or GB 18030.

    Raises:
        Unreadable: too large, empty, protected, broken, or something else altogether.
    """
    if len(content) > LARGEST:
        raise Unreadable(_("The file is larger than 1 MB; a calendar of one year has a few kilobytes."))
    if not content.strip():
        raise Unreadable(_("The file is empty."))
    if content.startswith(b"PK\x03\x04"):
        return _workbook(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable(
            _(
                "This is a workbook of the old form (xls), or a protected one. Save it as xlsx without a password."
            )
        )
    return _csv(content)


def _workbook(content: bytes) -> list[list[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > LARGEST_UNPACKED:
                raise Unreadable(
                    _("The workbook unpacks to more than 20 MB; a calendar of one year is far smaller.")
                )
            for entry in packed.infolist():
                if entry.filename.startswith("xl/worksheets/"):
                    _refuse_far_cells(packed.read(entry))
    except Unreadable:
        raise
    except Exception:  # a broken archive fails in many ways
        raise Unreadable(_("The workbook is damaged. Open it, save it again, and upload the copy.")) from None
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
        return [row[:MOST_COLUMNS] for row in rows]
    except python_calamine.PasswordError:
        raise Unreadable(_("The workbook is protected by a password. Save it without one.")) from None
    except Exception:  # a broken file fails in the reader's own many ways; none of them is ours to tell apart
        raise Unreadable(_("The workbook is damaged. Open it, save it again, and upload the copy.")) from None


def _refuse_far_cells(xml: bytes) -> None:
    """One cell at the far corner makes the reader fill in everything before it: gigabytes."""
    for found in _PLACE.finditer(xml):
        if len(found[1]) > 2 or int(found[2]) > MOST_ROWS:
            raise Unreadable(
                _("The sheet is far larger than a calendar. Copy the table into a new workbook.")
            )


def _csv(content: bytes) -> list[list[Any]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        try:
            delimiter = "\t" if "\t" in text.split("\n", 1)[0] else ","
            return [row[:MOST_COLUMNS] for row in csv.reader(io.StringIO(text), delimiter=delimiter)][
                :MOST_ROWS
            ]
        except csv.Error:
            break
    raise Unreadable(_("This is no sheet that can be read. Upload xlsx, or csv in UTF-8 or GBK."))
