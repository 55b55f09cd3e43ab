"""Workbooks of the old form."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

import pytest
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.importing.opening import FileRefused, open_ledger
from projects.importing.table import Body, tables_of
from tests.importing import workbooks as wb


def saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ledger() -> bytes:
    book = xlwt.Workbook()
    page = book.add_sheet("台账")
    percent, day = xlwt.easyxf(num_format_str="0%"), xlwt.easyxf(num_format_str='yyyy"年"m"月"')
    page.write_merge(0, 0, 0, 5, "2021年民生项目台账")
    for at, text in enumerate(["项目名称", "责任单位", "完成时限", "进度", "是否完成", "备注"]):
        page.write(1, at, text)
    page.write_merge(2, 3, 1, 1, "甲公司")
    for row in (2, 3, 4):
        page.write(row, 0, f"项目{row}")
        page.write(row, 2, datetime.date(2021, 7, 31), day)
        page.write(row, 3, 0.8, percent)
        page.write(row, 4, True)
    page.write(2, 5, xlwt.Formula("1+1"))
    page.write(3, 5, "长" * 20_000)
    page.write(4, 5, 12345678)
    page.row(4).hidden = True
    other = book.add_sheet("隐")
    other.visibility = 1
    other.write(0, 0, "x")
    for at in range(3000):  # more strings than one record holds
        other.write(at + 1, 0, f"很长的文字{at}" * 4)
    return saved(book)


def test_an_old_workbook_says_the_same_as_a_new_one(tmp_path: Path) -> None:
    with open_ledger(wb.kept(tmp_path, ledger(), "a.xls"), "a.xls") as book:
        assert not book.warnings and [sheet.is_hidden for sheet in book.sheets] == [False, True]
        rows = {row.number: row for row in book.sheets[0].rows()}
        strings = [row.value(0) for row in book.sheets[1].rows()]
        assert strings == ["x", *(f"很长的文字{at}" * 4 for at in range(3000))]
        tables = tables_of(book)
        found = [item for item in tables.tables[0].items() if isinstance(item, Body)]
    assert rows[3].values[:5] == ["项目2", "甲公司", datetime.date(2021, 7, 31), 0.8, True]
    assert rows[3].mark(3).is_percent and rows[3].mark(5).formula and not rows[3].mark(1).is_filled_down
    assert (
        rows[4].value(1) == "甲公司" and rows[4].mark(1).is_filled_down and rows[4].value(5) == "长" * 20_000
    )
    assert rows[5].is_hidden and rows[5].value(5) == 12345678
    assert tables.tables[0].context.sheet_year == 2021
    assert [body.row.number for body in found] == [3, 4]
    assert [warning.code for warning in tables.warnings] == ["HIDDEN_SHEET_SKIPPED"]


def test_an_old_workbook_cut_anywhere_is_damaged(tmp_path: Path) -> None:
    content = ledger()
    for part in range(1, 20):
        with pytest.raises(FileRefused) as refused:
            read(tmp_path, content[: len(content) * part // 20])
        assert refused.value.code == "CORRUPT", part


def read(folder: Path, content: bytes) -> None:
    with open_ledger(wb.kept(folder, content, "a.xls"), "a.xls") as book:
        for sheet in book.sheets:
            for _ in sheet.rows():
                pass


def renamed(old: str, new: str) -> bytes:
    """The stream of the workbook under another name of the same length or shorter."""
    before, after = old.encode("utf-16-le"), new.encode("utf-16-le")
    content = ledger()
    at = content.rfind(before)
    entry = bytearray(content[at : at + 128])
    entry[: len(before) + 2] = bytes(len(before) + 2)
    entry[: len(after)] = after
    entry[64:66] = (len(after) + 2).to_bytes(2, "little")
    return content[:at] + bytes(entry) + content[at + 128 :]


@pytest.mark.parametrize(("name", "code"), [("EncryptedPackage", "ENCRYPTED"), ("WordDocument", "UNSUPPORTED_TYPE"), ("Other", "UNSUPPORTED_TYPE"), ("_VBA_PROJECT_CUR", "MACRO_FORBIDDEN")])  # fmt: skip
def test_other_compound_files_are_told_apart(tmp_path: Path, name: str, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read(tmp_path, renamed("Workbook", name))
    assert refused.value.code == code


def test_a_workbook_with_a_password_is_told(tmp_path: Path) -> None:
    content = ledger()
    at = content.index(b"\x09\x08\x10\x00\x00\x06")
    behind = at + 20
    locked = content[:behind] + b"\x2f\x00" + content[behind + 2 :]
    with pytest.raises(FileRefused) as refused:
        read(tmp_path, locked)
    assert refused.value.code == "ENCRYPTED"


@settings(max_examples=80, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_raises_anything_but_a_refusal(tmp_path: Path, data: Any) -> None:
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        read(tmp_path, bytes(content))
    except FileRefused as refused:
        assert refused.message


GOOD = ledger()
