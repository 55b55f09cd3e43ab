"""Tables as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from projects.importing.opening import FileRefused, open_ledger
from tests.importing import workbooks as wb

TEXT = '序号,项目名称,备注\n1,供水改造,"第一行\n第二行, 有逗号"\n\n2,供气改造\n3,"他说""好""",x,y\n'
ROWS = [
    (1, ["序号", "项目名称", "备注"]),
    (2, ["1", "供水改造", "第一行\n第二行, 有逗号"]),
    (4, ["2", "供气改造"]),
    (5, ["3", '他说"好"', "x", "y"]),
]


def rows_of(folder: Path, content: bytes, name: str = "a.csv") -> list[tuple[int, list[object]]]:
    with open_ledger(wb.kept(folder, content, "a.csv"), name) as book:
        assert not book.warnings
        return [(row.number, row.values) for row in book.sheets[0].rows()]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_every_encoding_says_the_same(tmp_path: Path, encoding: str) -> None:
    assert rows_of(tmp_path, TEXT.encode(encoding)) == ROWS


def test_rare_characters_of_gb_18030(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "项目名称,负责人\n甲,㐀\n".encode("gb18030"))[1] == (2, ["甲", "㐀"])


@pytest.mark.parametrize("delimiter", ["\t", ";", ","])
def test_delimiters_are_found(tmp_path: Path, delimiter: str) -> None:
    text = (
        delimiter.join(["项目名称", "责任单位", "备注"])
        + "\r\n"
        + delimiter.join(["甲", "乙", '"a,b;c"'])
        + "\r\n"
    )
    name = "a.tsv" if delimiter == "\t" else "a.csv"
    assert rows_of(tmp_path, text.encode(), name)[1] == (2, ["甲", "乙", "a,b;c"])


def test_the_delimiter_named_by_the_file(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "sep=;\n项目名称;x,y,z,w\n".encode()) == [(2, ["项目名称", "x,y,z,w"])]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("项目名称,进度\n甲\x00,1\n" * 20000, "UNSUPPORTED_TYPE"),
        ("项目名称,进度\n" * 20000 + "甲\x00,1\n", "CORRUPT"),
        (b"\x01\x02\x03\x04\x05\x06" * 100, "UNSUPPORTED_TYPE"),
        ("项目名称,进度\n供水改造工程,推进中".encode()[:-1], "CORRUPT"),
        ("项目名称\n" + '"' + "x" * 200_000, "CORRUPT"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes | str, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        rows_of(tmp_path, content if isinstance(content, bytes) else content.encode())
    assert refused.value.code == code
