"""Calendar sheets that are bombs: a few kilobytes that would fill gigabytes."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from projects.calendar_file import Unreadable, cells_of
from tests.test_calendar_pages import workbook


def remade(change: Any, extra: dict[str, bytes] | None = None) -> bytes:
    """A good workbook with its parts rewritten."""
    good = workbook([["日期", "类型", "名称"], ["2027-01-01", "放假", "元旦"]])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            for name, data in change(entry.filename, old.read(entry)):
                new.writestr(name, data)
        for name, data in (extra or {}).items():
            new.writestr(name, data)
    return out.getvalue()


def _spaced(name: str, data: bytes) -> Any:
    if name.startswith("xl/worksheets/"):
        data = data.replace(b'r="A1"', b'r = "XFD1048576"')
    yield name, data


def _behind_a_sign(name: str, data: bytes) -> Any:
    if name.startswith("xl/worksheets/"):
        data = data.replace(b'<c r="A1"', b'<c x=">" r="XFD1048576"')
    yield name, data


def _elsewhere(name: str, data: bytes) -> Any:
    if name.startswith("xl/worksheets/"):
        name, data = "xl/foo/sheet1.xml", data.replace(b'r="A1"', b'r="XFD1048576"')
    yield name, data.replace(b"worksheets/sheet1.xml", b"foo/sheet1.xml")


def _unnumbered(name: str, data: bytes) -> Any:
    if name.startswith("xl/worksheets/"):
        head, tail = data.split(b"<sheetData>")[0], data.split(b"</sheetData>")[1]
        cell = b"<c><v>1</v></c>"
        data = head + b"<sheetData><row>" + cell * 16_000 + b"</row>" + b"<row/>" * 60_000 + b"<row>" + cell + b"</row></sheetData>" + tail  # fmt: skip
    yield name, data


@pytest.mark.parametrize("change", [_spaced, _behind_a_sign, _elsewhere, _unnumbered])
def test_a_sheet_with_a_far_cell_is_refused_however_it_is_written(change: Any) -> None:
    with pytest.raises(Unreadable):
        cells_of(remade(change))
