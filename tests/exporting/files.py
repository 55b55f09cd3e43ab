"""Reading back what the portal wrote, and the hands that edit it offline."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl

from enterprises.models import User
from projects.models import Programme
from tests.test_pages import client_of

LIST = "/projects/project/"


def content(response: Any) -> bytes:
    assert response.status_code == 200, (response.status_code, response.headers.get("Location"))
    return b"".join(response.streaming_content) if response.streaming else response.content


def exported(reader: User, form: str = "xlsx", *, of: str = LIST, query: str = "") -> bytes:
    """The file of a list, by the page that a person uses."""
    return content(client_of(reader).get(f"{of}export/{form}/{query}"))


def of_programme(programme: Programme) -> str:
    return f"?programme={programme.pk}"


def table_of(file: bytes, sheet: str = "") -> list[list[Any]]:
    """The cells of a sheet (the first one by default) or of a csv."""
    if file[:2] != b"PK":
        assert file.startswith(b"\xef\xbb\xbf"), "Excel takes a csv without the mark for GBK"
        return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))
    book = openpyxl.load_workbook(io.BytesIO(file))
    page = book[sheet] if sheet else book.worksheets[0]
    return [[cell.value for cell in row] for row in page.iter_rows()]


def edited(file: bytes, *edits: tuple[int, str, Any]) -> bytes:
    """The same file after somebody typed into it: (row as Excel shows it, heading, value)."""
    if file[:2] != b"PK":
        rows = table_of(file)
        for row, heading, value in edits:
            rows[row - 1][rows[0].index(heading)] = "" if value is None else value
        out = io.StringIO(newline="")
        csv.writer(out).writerows(rows)
        return out.getvalue().encode("utf-8-sig")
    book = openpyxl.load_workbook(io.BytesIO(file))
    page = book.worksheets[0]
    heads = [cell.value for cell in page[1]]
    for row, heading, value in edits:
        page.cell(row, heads.index(heading) + 1).value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
