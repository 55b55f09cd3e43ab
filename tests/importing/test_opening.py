"""A file is judged by what it holds, and refused in words that name the cure."""

from __future__ import annotations

import io
import random
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.importing.opening import FileRefused, open_ledger
from projects.importing.table import tables_of
from tests.importing import workbooks as wb

HEAD = ["序号", "项目名称", "责任单位", "完成时限"]
ROW = [1, "供水改造", "甲公司", "2021年7月底"]


def code_of(folder: Path, content: bytes, name: str = "台账.xlsx") -> str:
    """What reading the file to its end comes to: the code of its refusal, or ""."""
    path = wb.kept(folder, content, "uploaded")
    try:
        with open_ledger(path, name) as book:
            for table in tables_of(book).tables:
                for _ in table.items():
                    pass
    except FileRefused as refused:
        assert refused.message and "Traceback" not in refused.message
        return refused.code
    return ""


def archive(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return out.getvalue()


GOOD = wb.written([HEAD, ROW])
MAIN = f"<x xmlns='{wb.MAIN}'/>"
DTD = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
VBA = archive(
    {"[Content_Types].xml": wb.TYPES.encode(), "xl/workbook.xml": b"<x/>", "xl/vbaProject.bin": b"1"}
)
MACRO_TYPE = wb.packed(wb.sheet(""), parts={"[Content_Types].xml": wb.TYPES.replace("application/xml", "application/vnd.ms-excel.sheet.macroEnabled.main+xml")})  # fmt: skip


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (GOOD, "台账.xlsx", ""),
        (b"", "a.xlsx", "EMPTY_FILE"),
        (b"  \r\n\r\n", "a.csv", "EMPTY_FILE"),
        (b"\xef\xbb\xbf", "a.csv", "EMPTY_FILE"),
        (b"\x00" * 5000, "a.csv", "EMPTY_FILE"),
        (b"<html><body><table><tr><td>1</td></tr></table>", "a.xls", "UNSUPPORTED_CONTENT"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE html><html>", "a.xls", "UNSUPPORTED_CONTENT"),
        ("<table><tr><td>项目".encode("utf-16"), "a.xls", "UNSUPPORTED_CONTENT"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "a.xls", "UNSUPPORTED_CONTENT"),
        (b"<?xml version='1.0'?><html xmlns='x'>", "a.xls", "UNSUPPORTED_CONTENT"),
        (b"<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'/>", "a.xls", "UNSUPPORTED_TYPE"),
        (DTD.encode(), "a.xls", "XML_DTD_FORBIDDEN"),
        (wb.packed(wb.sheet(""), parts={"xl/sharedStrings.xml": DTD}), "a.xlsx", "XML_DTD_FORBIDDEN"),
        (wb.packed(DTD), "a.xlsx", "XML_DTD_FORBIDDEN"),
        (wb.packed(DTD.replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16")), "a.xlsx", "XML_DTD_FORBIDDEN"),
        (wb.packed(DTD.replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16")[2:]), "a.xlsx", "XML_DTD_FORBIDDEN"),
        (wb.packed("<!--" + "x" * 100_000 + "-->" + DTD[21:]), "a.xlsx", "XML_DTD_FORBIDDEN"),
        (wb.packed(wb.sheet(""), parts={"docProps/app.xml": DTD}), "a.xlsx", "XML_DTD_FORBIDDEN"),
        (wb.packed(wb.sheet(""), parts={"../../evil.xml": DTD}), "a.xlsx", "XML_DTD_FORBIDDEN"),
        (VBA, "a.xlsx", "MACRO_FORBIDDEN"),
        (MACRO_TYPE, "a.xlsx", "MACRO_FORBIDDEN"),
        (b"%PDF-1.7 x", "a.xlsx", "UNSUPPORTED_TYPE"),
        (b"{\\rtf1 x", "a.xls", "UNSUPPORTED_TYPE"),
        (b"\x89PNG\r\n\x1a\n\x00", "a.xlsx", "UNSUPPORTED_TYPE"),
        (b"\xff\xd8\xff\xe0", "a.xlsx", "UNSUPPORTED_TYPE"),
        (b"Rar!\x1a\x07\x00", "a.xlsx", "UNSUPPORTED_TYPE"),
        (b"7z\xbc\xaf\x27\x1c", "a.xlsx", "UNSUPPORTED_TYPE"),
        (archive({"台账.xlsx": GOOD}), "a.zip", "UNSUPPORTED_TYPE"),
        (archive({}), "a.zip", "UNSUPPORTED_TYPE"),
        (archive({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), "a.docx", "UNSUPPORTED_TYPE"),
        (archive({"[Content_Types].xml": b"<x/>", "xl/workbook.bin": b"1"}), "a.xlsb", "UNSUPPORTED_TYPE"),
        (archive({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "a.ods", "UNSUPPORTED_TYPE"),
        (bytes(random.Random(1).randbytes(5000)), "a.xlsx", "UNSUPPORTED_TYPE"),
        ("这里只是一段话。\n没有表格。".encode(), "a.csv", "HEADER_NOT_FOUND"),
        (wb.written([["甲", "乙"], [1, 2]]), "a.xlsx", "HEADER_NOT_FOUND"),
        (wb.packed(wb.sheet("<row><c>")), "a.xlsx", "CORRUPT"),
        (wb.packed(wb.sheet("").replace("</worksheet>", "")), "a.xlsx", "CORRUPT"),
        (wb.packed("no xml"), "a.xlsx", "CORRUPT"),
        (wb.packed(wb.sheet(""), parts={"xl/worksheets/sheet1.xml": None}), "a.xlsx", "CORRUPT"),
    ],
)  # fmt: skip
def test_each_kind_of_file_has_its_answer(tmp_path: Path, content: bytes, name: str, code: str) -> None:
    assert code_of(tmp_path, content, name) == code


def test_a_name_that_does_not_fit_is_a_warning_only(tmp_path: Path) -> None:
    for name, expected in (
        ("台账.xlsx", []),
        ("台账.XLSX", []),
        ("台账.xls", ["EXTENSION_MISMATCH"]),
        ("台账", ["EXTENSION_MISMATCH"]),
    ):
        with open_ledger(wb.kept(tmp_path, GOOD), name) as book:
            assert [warning.code for warning in book.warnings] == expected


def test_what_is_missing_is_listed_beside_what_was_found(tmp_path: Path) -> None:
    path = wb.kept(tmp_path, wb.written([["甲栏", "乙栏"], [1, 2]]))
    with open_ledger(path, "a.xlsx") as book, pytest.raises(FileRefused) as refused:
        tables_of(book)
    assert all(word in refused.value.message for word in ("甲栏", "乙栏", "项目名称"))


def test_a_file_cut_at_any_of_twenty_places_is_damaged(tmp_path: Path) -> None:
    content = wb.written([HEAD, *([at, f"项目{at}", "甲公司", "2021.07"] for at in range(500))])
    for part in range(1, 20):
        cut = content[: len(content) * part // 20]
        assert code_of(tmp_path, cut) == "CORRUPT", part
    assert code_of(tmp_path, content[:-1]) == "CORRUPT"
    assert code_of(tmp_path, content[:2]) == "CORRUPT"


def test_damaged_bytes_in_the_middle_are_seen_before_the_first_row(tmp_path: Path) -> None:
    content = bytearray(wb.written([HEAD, *([at, f"项目{at}", "甲公司", "2021.07"] for at in range(5000))]))
    at = content.find(b"xl/worksheets/sheet1.xml") + 5000
    content[at : at + 40] = bytes(40)
    assert code_of(tmp_path, bytes(content)) == "CORRUPT"


def bomb(size: int) -> bytes:
    return wb.packed(wb.sheet(" " * size))


def lying() -> bytes:
    """The directory says 1,000 bytes, the member unpacks to 60 MB."""
    content = bytearray(bomb(60 * 1024 * 1024))
    size = len(wb.sheet(" " * (60 * 1024 * 1024)).encode())
    return bytes(content.replace(struct.pack("<I", size), struct.pack("<I", 1000)))


def many_members() -> bytes:
    return archive({f"m{at}": b"" for at in range(20_000)})


def endless(cells: str, rows: int) -> bytes:
    seeded = random.Random(2)
    body = "".join(f'<row r="{at}" x="{seeded.getrandbits(60):x}">{cells}</row>' for at in range(1, rows))
    return wb.packed(wb.sheet(body))


def deep() -> bytes:
    return wb.packed(wb.sheet("<a>" * 200_000))


HOSTILE: dict[str, Any] = {
    "bomb by ratio": lambda: bomb(100 * 1024 * 1024),
    "bomb by size": lambda: bomb(230 * 1024 * 1024),
    "a directory that lies": lying,
    "twenty thousand members": many_members,
    "2^20 empty rows": lambda: wb.packed(wb.sheet("".join(f'<row r="{n}" s="1" x="{n * 7919}"/>' for n in range(1, 2**20 + 1)))),
    "2^20 rows of formatted cells": lambda: wb.packed(wb.sheet("".join(f'<row r="{n}"><c r="A{n}" s="1"/><c r="B{n}" s="1"/></row>' for n in range(1, 2**20)))),
    "a far cell": lambda: wb.packed(wb.sheet('<row r="1"><c r="A1" t="inlineStr"><is><t>项目名称</t></is></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
    "far cells in many rows": lambda: wb.packed(wb.sheet("".join(f'<row r="{n}"><c r="XFD{n}"><v>{n * 31}</v></c></row>' for n in range(1, 300_000)))),
    "a merge over everything": lambda: wb.packed(wb.sheet("".join(f'<row r="{n}"><c r="A{n}"><v>{n * 31}</v></c></row>' for n in range(1, 200_000)), '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>')),
    "elements in elements": deep,
    "one endless word": lambda: wb.packed(wb.sheet('<row r="1"><c r="A1" t="inlineStr"><is><t>' + "".join(f"{n:x}" for n in range(6_000_000)) + "</t></is></c></row>")),
    "one endless name": lambda: wb.packed("<" + "".join(f"a{n:x}" for n in range(5_000_000)) + "/>"),
    "cells without names": lambda: wb.packed(wb.sheet("".join(f"<row><c><v>{n * 31}</v></c></row>" for n in range(300_000)))),
}  # fmt: skip


@pytest.mark.parametrize("which", HOSTILE)
def test_a_hostile_file_is_answered_soon_and_cheaply(tmp_path: Path, which: str) -> None:
    content = HOSTILE[which]()
    begun = time.perf_counter()
    code = code_of(tmp_path, content)
    took = time.perf_counter() - begun
    assert took < 5, took
    if "bomb" in which or "members" in which:
        assert code == "TOO_LARGE_UNCOMPRESSED"
    elif "lies" in which:
        assert code in ("CORRUPT", "TOO_LARGE_UNCOMPRESSED")


@pytest.mark.parametrize("which", ["a far cell", "a directory that lies", "2^20 empty rows"])
def test_memory_stays_small(tmp_path: Path, which: str) -> None:
    content = HOSTILE[which]()
    path = wb.kept(tmp_path, content, "x.xlsx")
    del content
    tracemalloc.start()
    try:
        with open_ledger(path, "x.xlsx") as book:
            for _ in book.sheets[0].rows():
                pass
    except FileRefused:
        pass
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 60 * 1024 * 1024


def test_members_with_ways_upwards_are_ignored_and_nothing_is_written(tmp_path: Path) -> None:
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>项目名称</t></is></c></row>'
    content = wb.packed(wb.sheet(rows), parts={"../../outside.txt": "x", "/etc/outside": "x"})
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    assert code_of(folder, content) == ""
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["uploaded"]


def test_an_encrypted_member_or_workbook_asks_for_the_password_to_be_removed(tmp_path: Path) -> None:
    content = bytearray(GOOD)
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 8] |= 1
        at = content.find(b"PK\x01\x02", at + 4)
    assert code_of(tmp_path, bytes(content)) == "ENCRYPTED"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=600), begin=st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "项目名称,进度\n".encode(), b"\xff\xfe", b"<?xml "]))  # fmt: skip
def test_no_bytes_raise_anything_but_a_refusal(tmp_path: Path, content: bytes, begin: bytes) -> None:
    code_of(tmp_path, begin + content)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_of_a_good_workbook_raises_anything_but_a_refusal(tmp_path: Path, data: Any) -> None:
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    code_of(tmp_path, bytes(content))
