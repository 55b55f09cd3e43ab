"""What the cells of a workbook say, read on both roads."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.importing import xlsx
from projects.importing.cells import Mark, Row
from projects.importing.opening import open_ledger
from projects.importing.xlsx_fast import Odd
from tests.importing import workbooks as wb

D = datetime.date


def rows_of(folder: Path, content: bytes) -> list[Row]:
    with open_ledger(wb.kept(folder, content), "台账.xlsx") as book:
        return list(book.sheets[0].rows())


def values_of(folder: Path, rows: str, **more: Any) -> dict[int, list[Any]]:
    return {row.number: row.values for row in rows_of(folder, wb.packed(wb.sheet(rows), **more))}


def one(folder: Path, cell: str, **more: Any) -> tuple[Any, Mark]:
    (row,) = rows_of(folder, wb.packed(wb.sheet(f'<row r="1">{cell}</row>'), **more))
    return row.value(0), row.mark(0)


def test_strings_are_joined_and_readings_above_them_left_out(tmp_path: Path) -> None:
    strings = wb.shared("供水 &amp; 供气", "<r><rPr><b/></rPr><t>供</t></r><r><t>水</t></r><rPh sb='0' eb='1'><t>gong</t></rPh>", "甲_x000D_\n乙", "<t/>")  # fmt: skip
    inline = '<c r="E1" t="inlineStr"><is><r><rPr><color rgb="1"/></rPr><t>民</t></r><r><t xml:space="preserve"> 生</t></r></is></c>'
    cells = "".join(f'<c r="{letter}1" t="s"><v>{at}</v></c>' for at, letter in enumerate("ABCD"))
    found = values_of(tmp_path, f'<row r="1">{cells}{inline}</row>', strings=strings)
    assert found == {1: ["供水 & 供气", "供水", "甲\n乙", None, "民 生"]}


@pytest.mark.parametrize(
    ("code", "stored", "expected"),
    [
        (14, "44408", D(2021, 7, 31)),
        (27, "44408", D(2021, 7, 31)),
        (31, "44408", D(2021, 7, 31)),
        (36, "44408", D(2021, 7, 31)),
        (57, "44408", D(2021, 7, 31)),
        (58, "44408", D(2021, 7, 31)),
        ('yyyy"年"m"月"', "44408", D(2021, 7, 31)),
        ('[$-804]yyyy"年"m"月"d"日";@', "44408", D(2021, 7, 31)),
        ('m"月"', "44408", D(2021, 7, 31)),
        ("yyyy\\-mm\\-dd hh:mm", "44408.5", datetime.datetime(2021, 7, 31, 12)),
        ("h:mm", "0.5", datetime.time(12)),
        ("[h]:mm", "1.5", datetime.timedelta(days=1.5)),
        (14, "60", 60),
        (14, "1", D(1900, 1, 1)),
        (14, "-5", -5),
        (14, "99999999", 99999999),
        ("#,##0.00", "12.5", 12.5),
        ('0"月"', "7", 7),
        ('"days "0', "7", 7),
        ("0.00E+00", "7", 7),
        ("General", "44408", 44408),
        ("@", "44408", 44408),
    ],
)
def test_a_number_is_what_its_format_says(tmp_path: Path, code: Any, stored: str, expected: Any) -> None:
    value, mark = one(tmp_path, f'<c r="A1" s="1"><v>{stored}</v></c>', styles=wb.styles(code))
    assert value == expected and type(value) is type(expected)
    assert mark == Mark()


def test_workbooks_that_count_from_1904(tmp_path: Path) -> None:
    book = wb.BOOK.replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    value, _ = one(
        tmp_path, '<c r="A1" s="1"><v>42946</v></c>', styles=wb.styles(14), parts={"xl/workbook.xml": book}
    )
    assert value == D(2021, 7, 31)


@pytest.mark.parametrize(
    ("cell", "value", "mark"),
    [
        ('<c r="A1" s="1"><v>0.8</v></c>', 0.8, Mark(is_percent=True)),
        ('<c r="A1" s="1"/>', None, None),
        ('<c r="A1"><f>SUM(B1:B3)&amp;1</f><v>6</v></c>', 6, Mark(formula="SUM(B1:B3)&1")),
        ('<c r="A1" s="1"><f>1/2</f><v>0.5</v></c>', 0.5, Mark(is_percent=True, formula="1/2")),
        ('<c r="A1" t="str"><f t="array" ref="A1">A2</f><v>文</v></c>', "文", Mark(formula="A2")),
        ('<c r="A1"><f t="shared" si="7"/><v>6</v></c>', 6, Mark(formula="?")),
        ('<c r="A1"><f>NOW()</f></c>', None, Mark(formula="NOW()")),
        ('<c r="A1" t="e"><v>#REF!</v></c>', None, Mark(error="#REF!")),
        ('<c r="A1" t="e"><f>1/0</f><v>#DIV/0!</v></c>', None, Mark(error="#DIV/0!", formula="1/0")),
        ('<c r="A1" t="e" vm="1"><v>#VALUE!</v></c>', None, Mark(is_image=True)),
        ('<c r="A1" t="str"><f>_xlfn.DISPIMG("ID_1",1)</f><v>=DISPIMG("ID_1",1)</v></c>', None, Mark(is_image=True, formula='_xlfn.DISPIMG("ID_1",1)')),
        ('<c r="A1" t="inlineStr"><is><t>=DISPIMG("ID_1",1)</t></is></c>', None, Mark(is_image=True)),
        ('<c r="A1" t="s"><v>0</v></c>', None, Mark(is_image=True)),
        ('<c r="A1" t="b"><v>1</v></c>', True, Mark()),
        ('<c r="A1" t="d"><v>2021-07-31T00:00:00</v></c>', D(2021, 7, 31), Mark()),
        ('<c r="A1" t="s"><v>99</v></c>', None, None),
        ('<c r="A1" t="n"><v>1E3</v></c>', 1000.0, Mark()),
        ('<c r="A1" t="inlineStr"><is><t>=1+1</t></is></c>', "=1+1", Mark()),
    ],
)  # fmt: skip
def test_what_is_particular_about_a_cell_is_marked(
    tmp_path: Path, cell: str, value: Any, mark: Mark | None
) -> None:
    content = wb.packed(
        wb.sheet(f'<row r="1">{cell}</row>'), styles=wb.styles("0%"), strings=wb.shared('=DISPIMG("ID_1",1)')
    )
    rows = rows_of(tmp_path, content)
    if mark is None:
        assert rows == []
    else:
        assert (rows[0].value(0), rows[0].mark(0)) == (value, mark)


def test_merged_cells_fill_down_and_to_the_right(tmp_path: Path) -> None:
    text = '<c r="{0}" t="inlineStr"><is><t>{0}</t></is></c>'
    rows = "".join(
        f'<row r="{n}">' + "".join(text.format(f"{letter}{n}") for letter in letters) + "</row>"
        for n, letters in ((1, "ABC"), (2, "B"), (3, "BC"), (5, "AC"), (6, ""))
    )
    merged = '<mergeCells count="3"><mergeCell ref="A1:A3"/><mergeCell ref="A5:B6"/><mergeCell ref="A9:A7"/></mergeCells>'
    found = {row.number: row for row in rows_of(tmp_path, wb.packed(wb.sheet(rows, merged)))}
    assert found[2].values == ["A1", "B2"] and found[2].mark(0).is_filled_down and not found[1].marks
    assert found[3].values == ["A1", "B3", "C3"]
    assert found[5].values == ["A5", "A5", "C5"] and found[5].mark(1).is_filled_down
    assert 6 not in found


def test_hidden_rows_and_sheets_are_told(tmp_path: Path) -> None:
    book = wb.BOOK.replace('sheetId="1"', 'sheetId="1" state="veryHidden"')
    rows = '<row r="3" hidden="1"><c r="A3"><v>1</v></c></row><row r="7"><c r="C7"><v>2</v></c></row>'
    with open_ledger(
        wb.kept(tmp_path, wb.packed(wb.sheet(rows), parts={"xl/workbook.xml": book})), "a.xlsx"
    ) as opened:
        assert opened.sheets[0].is_hidden
        assert [(row.number, row.values, row.is_hidden) for row in opened.sheets[0].rows()] == [
            (3, [1], True),
            (7, [None, None, 2], False),
        ]


ODD_WAYS = {
    "spaced": lambda xml: xml.replace('r="A1"', "r = 'A1'"),
    "prefixed": lambda xml: xml.replace("<worksheet xmlns=", "<x:worksheet xmlns:x=").replace("</worksheet>", "</x:worksheet>")
    .replace("<sheetData", "<x:sheetData").replace("</sheetData", "</x:sheetData").replace("<row", "<x:row").replace("</row", "</x:row")
    .replace("<c ", "<x:c ").replace("</c>", "</x:c>").replace("<v>", "<x:v>").replace("</v>", "</x:v>")
    .replace("<is>", "<x:is>").replace("</is>", "</x:is>").replace("<t>", "<x:t>").replace("</t>", "</x:t>"),
    "utf-16": lambda xml: xml.replace('"UTF-8"', '"UTF-16"').encode("utf-16"),
    "commented": lambda xml: xml.replace("<row", "<!-- x --><row"),
    "without names": lambda xml: xml.replace(' r="A1"', "").replace(' r="B1"', "").replace(' r="1"', ""),
    "strict": lambda xml: xml.replace(wb.MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main"),
    "false dimension": lambda xml: xml.replace("<sheetData>", '<dimension ref="A1:XEP448"/><sheetData>'),
    "other order": lambda xml: xml.replace('r="A1" t="inlineStr"', 't="inlineStr" r="A1"'),
    "pretty": lambda xml: xml.replace("<row", "\n  <row").replace("<c ", "\n    <c ").replace("</row>", "\n  </row>"),
    "single quotes": lambda xml: re.sub(r'="([^"]*)"', r"='\1'", xml),
}  # fmt: skip


@pytest.mark.parametrize("way", ODD_WAYS)
def test_a_sheet_means_the_same_however_it_is_written(tmp_path: Path, way: str) -> None:
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>甲</t></is></c><c r="B1"><v>2</v></c></row><row r="5"><c r="B5"><v>3</v></c></row>'
    found = rows_of(tmp_path, wb.packed(ODD_WAYS[way](wb.sheet(rows))))
    assert [(row.number, row.values) for row in found] == [(1, ["甲", 2]), (5, [None, 3])]


def test_targets_may_be_absolute_or_in_another_folder(tmp_path: Path) -> None:
    xml = wb.sheet('<row r="1"><c r="A1"><v>1</v></c></row>')
    for target, part in (("/xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"), ("../other/s.xml", "other/s.xml"), ("Worksheets/Sheet1.xml", "xl/worksheets/sheet1.xml")):  # fmt: skip
        relations = wb.BOOK_RELATIONS.replace("worksheets/sheet1.xml", target)
        content = wb.packed(xml, parts={"xl/_rels/workbook.xml.rels": relations, part: xml})
        assert rows_of(tmp_path, content)[0].values == [1]


def test_cells_beyond_any_ledger_cost_nothing(tmp_path: Path) -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>1</v></c></row><row r="1048576"><c r="B1048576"><v>2</v></c></row>'
    assert values_of(tmp_path, rows) == {1: [1], 1_048_576: [None, 2]}


def test_ten_thousand_formatted_rows_are_no_rows(tmp_path: Path) -> None:
    rows = "".join(
        f'<row r="{n}" ht="15"><c r="A{n}" s="1"/><c r="B{n}" s="1"/></row>' for n in range(2, 10_000)
    )
    assert values_of(tmp_path, '<row r="1"><c r="A1"><v>1</v></c></row>' + rows, styles=wb.styles("0%")) == {
        1: [1]
    }


CELL = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.floats(-1e6, 1e6, allow_nan=False).map(lambda n: round(n, 4)),
    st.dates(D(1990, 1, 1), D(2090, 1, 1)), st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12), st.sampled_from(["甲公司", "推进中", "_x0041_", "a\nb", " 空 "]),
)  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(CELL, max_size=6), max_size=30), in_memory=st.booleans(), repeat=st.integers(1, 4)
)
def test_both_roads_read_the_same_and_what_was_written(
    tmp_path: Path, rows: list[list[Any]], in_memory: bool, repeat: int
) -> None:
    rows = [row for row in rows for _ in range(repeat)]
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": not in_memory}
    path = wb.kept(tmp_path, wb.written(rows, **options))
    with open_ledger(path, "a.xlsx") as book:
        fast = list(book.sheets[0].rows())
    with pytest.MonkeyPatch.context() as patch:

        class Never:
            emitted = 0

            def __init__(self, *_: Any) -> None: ...

            def __iter__(self) -> Any:
                raise Odd

        patch.setattr(xlsx, "FastRows", Never)
        with open_ledger(path, "a.xlsx") as book:
            exact = list(book.sheets[0].rows())
    assert fast == exact
    by_number = {row.number: row for row in fast}
    for at, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            found = by_number[at].value(column) if at in by_number else None
            assert found == (None if cell == "" else cell)


@pytest.mark.parametrize(
    ("said", "announced"),
    [('<dimension ref="A1:L42"/>', 42), ('<dimension ref="A9999999"/>', 1_048_576), ("", 0)],
)
def test_how_many_rows_a_sheet_announces_is_for_the_progress_bar(
    tmp_path: Path, said: str, announced: int
) -> None:
    content = wb.packed(wb.sheet('<row r="1"><c r="A1"><v>1</v></c></row>', before=said))
    with open_ledger(wb.kept(tmp_path, content), "台账.xlsx") as book:
        assert book.sheets[0].announced() == announced
        assert len(list(book.sheets[0].rows())) == 1
