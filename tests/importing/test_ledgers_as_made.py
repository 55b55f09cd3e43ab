"""Whole ledgers as enterprises make them, through the command that prints a preview."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from django.core.management import call_command

from tests import factories
from tests.importing.ledgers import ON, World, world

pytestmark = pytest.mark.django_db

Rows = Sequence[Sequence[Any]]


@pytest.fixture
def here() -> World:
    made = world()
    factories.category(made.programme, "供水")
    return made


def book(
    rows: Rows,
    merged: Sequence[tuple[int, int, int, int]] = (),
    *,
    hidden: Sequence[int] = (),
    more: dict[str, Rows] | None = None,
    hidden_sheets: Sequence[str] = (),
) -> bytes:
    """An xlsx. `merged` holds (first row, first column, last row, last column), counted from 1 as rows are shown."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as made:
        for name, content in {"台账": rows, **(more or {})}.items():
            page = made.add_worksheet(name)
            for at, row in enumerate(content):
                for column, value in enumerate(row):
                    if value not in (None, ""):
                        page.write(at, column, value)
            if name in hidden_sheets:
                page.hide()
        page = made.worksheets()[0]
        for top, left, bottom, right in merged:
            page.merge_range(top - 1, left - 1, bottom - 1, right - 1, rows[top - 1][left - 1])
        for number in hidden:
            page.set_row(number - 1, None, None, {"hidden": True})
    return out.getvalue()


def printed(
    here: World,
    folder: Path,
    content: bytes,
    *,
    name: str = "台账.xlsx",
    user: str = "staff",
    status: int = 0,
) -> dict[str, Any]:
    """What `preview_ledger --json` prints."""
    file, out = folder / name, io.StringIO()
    file.write_bytes(content)
    person = getattr(here, user).username
    told = ["--programme", here.programme.code, "--as", person, "--on", ON.isoformat(), "--json"]
    try:
        call_command("preview_ledger", str(file), *told, stdout=out)
        assert status == 0
    except SystemExit as left:
        assert left.code == status
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def skipped(told: dict[str, Any]) -> dict[int, str]:
    return {one["row"]: one["why"] for one in told["skipped"]}


def named(told: dict[str, Any]) -> dict[int, str]:
    return {one["row"]: one["name"] for one in told["rows"]}


HEAD = ["序号", "项目名称", "责任单位", "完成时限", "备注"]
ONE = [1, "牛山上山门管网改造工程", "水务集团", "2021年7月底", ""]
TWO = [2, "社保卡便利服务", "水务集团", "2021年9月", ""]
GROUPS = ["序号", "项目名称", "责任单位", "时间", None, "进展", None, "备注"]
FIELDS = [None, None, None, "开工时间", "完成时限", "完成进度", "状态", None]
BODY = [1, "牛山上山门管网改造工程", "水务集团", "2021年3月", "2021年7月底", "60%", "推进中", ""]
MERGED = [(3, 1, 4, 1), (3, 2, 4, 2), (3, 3, 4, 3), (3, 4, 3, 5), (3, 6, 3, 7), (3, 8, 4, 8)]
TITLE = ["2021年“我为群众办实事”项目台账"]
METAS = [
    ["填报单位：水务集团", None, None, None, None, "填报日期：2021年6月11日"],
    ["填报单位", "水务集团", None, None, "填报日期", "2021年6月11日"],
    ["填报单位：", "水务集团", None, None, "填报日期：", "2021-06-11"],
    [
        "填报单位：水务集团（盖章）",
        None,
        "联系人：张三",
        None,
        "联系电话：22220000",
        None,
        "填报日期：2021.6.11",
    ],
    [None, None, None, None, None, None, None, "单位：万元"],
    ["填报单位"],
]


@pytest.mark.parametrize("meta", METAS, ids=range(len(METAS)))
@pytest.mark.parametrize("merged", [[], MERGED, [(1, 1, 1, 8), *MERGED]], ids=["plain", "groups", "title"])
def test_a_row_about_the_report_is_no_part_of_the_header(
    here: World, tmp_path: Path, meta: list[Any], merged: list[Any]
) -> None:
    told = printed(here, tmp_path, book([TITLE, meta, GROUPS, FIELDS, BODY], merged))
    (sheet,) = told["file"]["sheets"]
    assert sheet["header_rows"] == [3, 4]
    assert sheet["columns"] == {
        "A": "serial", "B": "name", "C": "enterprise", "D": "start", "E": "deadline", "F": "progress",
        "G": "status", "H": "note",
    }  # fmt: skip
    assert skipped(told) == {1: "title", 2: "meta", 3: "header", 4: "header"}
    assert named(told) == {5: BODY[1]}


@pytest.mark.parametrize("meta", METAS, ids=range(len(METAS)))
def test_nor_where_a_column_has_no_heading(here: World, tmp_path: Path, meta: list[Any]) -> None:
    """The words above a column without a heading would become its heading."""
    groups, fields = [*GROUPS[:7], None], [None, None, None, "起", "止", "进度", "状态", None]
    told = printed(here, tmp_path, book([TITLE, meta, groups, fields, BODY], MERGED[:-1]))
    assert told["file"]["sheets"][0]["header_rows"] == [3, 4]


def test_fields_of_groups_are_no_project(here: World, tmp_path: Path) -> None:
    """Nothing is merged, and the second row names nothing that is better known than its group."""
    head = ["序号", "项目名称", "责任单位", None, "第一责任人", None]
    fields = [None, None, "牵头", "配合", "姓名", "电话"]
    body = [1, "牛山管网", "水务集团", "轨道公司", "张三", "13800138000"]
    told = printed(here, tmp_path, book([head, fields, body]))
    assert told["file"]["sheets"][0]["header_rows"] == [1, 2]
    assert named(told) == {3: "牛山管网"}


def test_a_heading_beside_a_column_without_group_is_not_its_group(here: World, tmp_path: Path) -> None:
    head = ["序号", "项目名称", "责任单位", None, None]
    fields = [None, None, None, "节点1", "节点1时间"]
    told = printed(here, tmp_path, book([head, fields, [1, "牛山管网", "水务集团", "完工", "2021年7月"]]))
    assert told["file"]["sheets"][0]["header_rows"] == [1, 2]
    assert told["file"]["sheets"][0]["unknown_columns"] == []


#: (rows, merged, header rows, skipped, rows that are projects)
Shape = tuple[Rows, list[tuple[int, int, int, int]], list[int], dict[int, str], list[int]]
SHAPES: dict[str, Shape] = {
    "header first": ([HEAD, ONE, TWO], [], [1], {1: "header"}, [2, 3]),
    "merged title": ([TITLE, HEAD, ONE], [(1, 1, 1, 5)], [2], {1: "title", 2: "header"}, [3]),
    "two titles": (
        [["附件1"], TITLE, ["（截至2021年6月11日）"], HEAD, ONE], [(2, 1, 2, 5)], [4],
        {1: "meta", 2: "title", 3: ..., 4: "header"}, [5],
    ),
    "blank rows": ([TITLE, [], HEAD, ONE, [], TWO], [], [3], {1: "title", 2: "blank", 3: "header", 5: "blank"}, [4, 6]),
    "categories": (
        [HEAD, ["一、供水类"], ONE, ["（二）便民服务"], TWO], [(2, 1, 2, 5), (4, 1, 4, 5)], [1],
        {1: "header", 2: "category", 4: "category"}, [3, 5],
    ),
    "categories not merged": (
        [HEAD, ["一", "供水类"], ONE, ["二", "便民服务"], TWO], [], [1],
        {1: "header", 2: "category", 4: "category"}, [3, 5],
    ),
    "categories with count": (
        [HEAD, ["一、供水类（共1项）"], ONE], [], [1], {1: "header", 2: "category"}, [3],
    ),
    "subtotals": (
        [HEAD, ONE, ["小计", None, None, None, 1], TWO, [None, "小  计", None, None, 1], ["合计", "2项"], ["总计：2"]], [], [1],
        {1: "header", 3: "subtotal", 5: "subtotal", 6: "subtotal", 7: "subtotal"}, [2, 4],
    ),
    "repeated header": (
        [TITLE, HEAD, ONE, TITLE, HEAD, TWO], [(1, 1, 1, 5), (4, 1, 4, 5)], [2],
        {1: "title", 2: "header", 4: "title", 5: "header"}, [3, 6],
    ),
    "repeated two-row header": (
        [TITLE, [], GROUPS, FIELDS, BODY, GROUPS, FIELDS, [2, "社保卡便利服务", *BODY[2:]]], MERGED, [3, 4],
        {1: "title", 2: "blank", 3: "header", 4: "header", 6: "header", 7: "header"}, [5, 8],
    ),
    "notes": (
        [HEAD, ONE, ["注：1. 本表每月25日前报送。"], ["填表人：张三", None, "审核人：李四"], ["备注：一式两份"], ["说明：略"],
         ["填报人（签字）：", None, "联系电话："]], [], [1],
        {1: "header", 3: "note", 4: "note", 5: "note", 6: "note", 7: "note"}, [2],
    ),
    "serials in advance": ([HEAD, ONE, [2], [3]], [], [1], {1: "header", 3: "blank", 4: "blank"}, [2]),
    "three header rows": (
        [["序号", "基本情况", None, "时间", None], [None, "项目名称", "责任单位", "计划", None],
         [None, None, None, "开工时间", "完成时限"], [1, "牛山管网", "水务集团", "2021年3月", "2021年7月"]],
        [(1, 1, 3, 1), (1, 2, 1, 3), (1, 4, 1, 5), (2, 2, 3, 2), (2, 3, 3, 3), (2, 4, 2, 5)], [1, 2, 3],
        {1: "header", 2: "header", 3: "header"}, [4],
    ),
    "four header rows": (
        [["序号", "一、基本情况", None, "二、时间", None], [None, "项目", None, "节点", None], [None, "项目名称", "责任单位", "计划", None],
         [None, None, None, "开工时间\n20XX.0X", "完成时限\n（如2021.07）"], [1, "牛山管网", "水务集团", "2021年3月", "2021年7月"]],
        [(1, 1, 4, 1), (1, 2, 1, 3), (1, 4, 1, 5), (2, 2, 2, 3), (2, 4, 2, 5), (3, 2, 4, 2), (3, 3, 4, 3), (3, 4, 3, 5)],
        [1, 2, 3, 4], {1: "header", 2: "header", 3: "header", 4: "header"}, [5],
    ),
    "numbered columns": ([HEAD, ["①", "②", "③", "④", "⑤"], ONE], [], [1], {1: "header", 2: "header"}, [3]),
    "numbered columns (2)": ([HEAD, ["甲", "乙", 1, 2, 3], ONE], [], [1], {1: "header", 2: "header"}, [3]),
    "numbered columns (3)": ([HEAD, [1, 2, 3, 4, 5], ONE], [], [1], {1: "header", 2: "header"}, [3]),
    "columns shifted to the right": (
        [[], [None, None, *HEAD], [None, None, *ONE]], [], [2], {1: "blank", 2: "header"}, [3],
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_no_project_is_skipped_and_said_why(here: World, tmp_path: Path, shape: str) -> None:
    rows, merged, head, why, projects = SHAPES[shape]
    told = printed(here, tmp_path, book(rows, merged))
    assert told["file"]["sheets"][0]["header_rows"] == head
    found = skipped(told)
    assert found == {row: found.get(row) if word is ... else word for row, word in why.items()}
    assert list(named(told)) == projects
    assert {one["outcome"] for one in told["rows"]} == {"accepted"}, told["rows"]


def test_the_document_has_the_shape_that_was_agreed(here: World, tmp_path: Path) -> None:
    head = [*HEAD, "满意度"]
    told = printed(here, tmp_path, book([TITLE, head, [*ONE, "满意"], [3, "乙", "不存在", "国庆前", ""]]))
    assert told.keys() == {"file", "rows", "skipped", "counts"}
    assert told["file"].keys() >= {"name", "format", "error", "warnings", "sheets"}
    assert (told["file"]["name"], told["file"]["format"], told["file"]["error"]) == (
        "台账.xlsx",
        "xlsx",
        None,
    )
    assert told["file"]["warnings"] == ["UNKNOWN_COLUMN"]
    (sheet,) = told["file"]["sheets"]
    assert sheet.keys() >= {"name", "header_rows", "columns", "unknown_columns"}
    assert (sheet["name"], sheet["header_rows"], sheet["unknown_columns"]) == ("台账", [2], ["满意度"])
    assert sheet["columns"]["D"] == "deadline"
    first, second = told["rows"]
    assert first.keys() >= {
        "sheet", "row", "outcome", "change", "name", "enterprise", "start", "deadline", "progress_pct", "status",
        "warnings", "messages",
    }  # fmt: skip
    assert first["enterprise"] == {"raw": "水务集团", "code": "SW", "candidates": []}
    assert first["start"] == {"raw": "", "kind": "none", "iso": None}
    assert first["deadline"] == {"raw": "2021年7月底", "kind": "date", "iso": "2021-07-31", "candidates": []}
    assert (first["sheet"], first["row"], first["outcome"], first["change"]) == ("台账", 3, "accepted", "new")
    assert (first["progress_pct"], first["status"], first["warnings"], first["messages"]) == (
        None,
        None,
        [],
        [],
    )
    assert second["deadline"]["kind"] == "ambiguous"
    assert {"2021-09-30", "2021-10-01"} <= set(second["deadline"]["candidates"])
    assert all(isinstance(code, str) for code in second["warnings"])
    assert all(isinstance(text, str) and text for text in second["messages"])
    assert told["skipped"][0] == {"sheet": "台账", "row": 1, "why": "title"}
    assert told["counts"] == {"accepted": 1, "needs_review": 1, "rejected": 0, "skipped": 2}


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("长期", "open_ended"),
        ("待定", "none"),
        ("2月30日", "invalid"),
        ("春节前", "ambiguous"),
        ("2021.7", "date"),
    ],
)
def test_each_kind_of_deadline_has_its_word(here: World, tmp_path: Path, cell: str, kind: str) -> None:
    told = printed(here, tmp_path, book([HEAD, [*ONE[:3], cell]]))
    assert told["rows"][0]["deadline"]["kind"] == kind


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.xlsx", "EMPTY_FILE"),
        (b"<html><body><table><tr><td>1</td></tr></table></body></html>", "a.xls", "UNSUPPORTED_CONTENT"),
        (b"%PDF-1.4 nothing", "a.xlsx", "UNSUPPORTED_TYPE"),
        (b"PK\x03\x04 cut off", "a.xlsx", "CORRUPT"),
        ("序号,标题,说明\n1,甲,乙\n".encode(), "a.csv", "HEADER_NOT_FOUND"),
    ],
)
def test_a_file_that_is_not_read_says_why(
    here: World, tmp_path: Path, content: bytes, name: str, code: str
) -> None:
    told = printed(here, tmp_path, content, name=name, status=1)
    assert told["file"]["error"]["code"] == code
    assert told["file"]["error"]["message"]
    assert (told["rows"], told["skipped"]) == ([], [])
    assert told["counts"] == {"accepted": 0, "needs_review": 0, "rejected": 0, "skipped": 0}
