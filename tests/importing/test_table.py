"""Ledgers as people make them: where the table is, what its columns mean, which rows are projects."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from projects.importing.columns import KEYS, match, milestone
from projects.importing.opening import FileRefused, open_ledger
from projects.importing.table import Body, Skipped, Table, tables_of
from tests.importing import workbooks as wb


def book_of(folder: Path, rows: list[list[Any]], merges: tuple[str, ...] = (), name: str = "台账") -> Any:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"}) as book:
        page = book.add_worksheet(name)
        for area in merges:
            page.merge_range(area, "")
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell is not None:
                    page.write(at, column, cell)
    return open_ledger(wb.kept(folder, out.getvalue()), "台账.xlsx")


def table_of(folder: Path, rows: list[list[Any]], merges: tuple[str, ...] = (), **more: Any) -> Table:
    with book_of(folder, rows, merges) as book:
        (table,) = tables_of(book, **more).tables
        table_items[id(table)] = list(table.items())
        return table


table_items: dict[int, list[Body | Skipped]] = {}


def kinds(table: Table) -> dict[int, str]:
    return {
        item.row.number if isinstance(item, Body) else item.row_number: ""
        if isinstance(item, Body)
        else item.why
        for item in table_items[id(table)]
    }


def bodies(table: Table) -> list[Body]:
    return [item for item in table_items[id(table)] if isinstance(item, Body)]


def test_a_ledger_with_everything_around_it(tmp_path: Path) -> None:
    rows = [
        ["2021年“我为群众办实事”民生项目台账"],
        ["填报单位：甲集团", None, None, None, None, "填报日期：2021年7月5日", None, "单位：万元"],
        ["序号", "项目", None, "责任\n单位", "时间安排", None, "总投资\n(万元)", "责任人", None],
        [None, "名称", "内容", None, "开工时间\n20XX.0X", "完成时限", None, "姓名", "电话"],
        ["一、供水类"],
        [1, "老旧小区供水", "换管", "甲公司", "2021.3", "2021年7月底", 12, "张三", "138"],
        [2, "一户一表", "换表", "乙公司", "2021.4", "2021年8月", 3, "李四", "139"],
        [None, "小计", None, None, None, None, 15],
        [],
        ["二、供气类（共1项）"],
        ["序号", "项目", None, "责任\n单位", "时间安排", None, "总投资\n(万元)", "责任人", None],
        [None, "名称", "内容", None, "开工时间\n20XX.0X", "完成时限", None, "姓名", "电话"],
        [3, "天然气进村", "铺管", "丙公司", "2021.5", "2021年底", 5],
        ["合  计", None, None, None, None, None, 20],
        ["注：进度为截至填报日。"],
        ["填表人：王五", None, None, "审核人：赵六"],
    ]  # fmt: skip
    merges = (
        "A1:I1",
        "A3:A4",
        "B3:C3",
        "D3:D4",
        "E3:F3",
        "G3:G4",
        "H3:I3",
        "A5:I5",
        "A10:I10",
        "B11:C11",
        "E11:F11",
        "H11:I11",
    )
    table = table_of(tmp_path, rows, merges)
    assert table.header_rows == [3, 4]
    assert table.columns == {0: "serial", 1: "name", 2: "measures", 3: "enterprise", 4: "start", 5: "deadline", 6: "investment", 7: "coordinator"}  # fmt: skip
    assert table.unknown == {8: "责任人 电话"} and table.heading(1) == "项目 名称"
    context = table.context
    assert (context.title, context.sheet_year, context.unit) == (
        "2021年“我为群众办实事”民生项目台账",
        2021,
        "甲集团",
    )
    assert context.reported_on == datetime.date(2021, 7, 5)
    assert kinds(table) == {
        1: "title", 2: "meta", 3: "header", 4: "header", 5: "category", 6: "", 7: "", 8: "subtotal", 9: "blank",
        10: "category", 11: "header", 12: "header", 13: "", 14: "subtotal", 15: "note", 16: "note",
    }  # fmt: skip
    assert [body.category for body in bodies(table)] == ["供水类", "供水类", "供气类"]
    assert bodies(table)[0].extra == {8: "138"}


def test_a_header_of_four_rows(tmp_path: Path) -> None:
    rows = [
        ["序号", "基本情况", None, None, "实施情况", None],
        [None, "项目", "责任", None, "时间", None],
        [None, "名称", "牵头单位", "配合单位", "计划", None],
        [None, None, None, None, "开工时间", "完成时间"],
        [1, "甲", "乙", "丙", "2021.1", "2021.2"],
    ]
    table = table_of(
        tmp_path, rows, ("A1:A4", "B1:D1", "E1:F1", "C2:D2", "E2:F2", "E3:F3", "B3:B4", "C3:C4", "D3:D4")
    )
    assert table.header_rows == [1, 2, 3, 4]
    assert list(table.columns.values()) == ["serial", "name", "enterprise", "supporting", "start", "deadline"]
    assert kinds(table)[5] == ""


def test_a_text_file_has_groups_without_merging(tmp_path: Path) -> None:
    text = "序号,项目名称,时间,,责任人,,备注\n,,开工,完成,姓名,电话,\n1,甲,2021.1,2021.2,张三,1,\n"
    with open_ledger(wb.kept(tmp_path, text), "a.csv") as book:
        (table,) = tables_of(book).tables
        assert table.header_rows == [1, 2]
        assert table.columns == {
            0: "serial",
            1: "name",
            2: "start",
            3: "deadline",
            4: "coordinator",
            6: "note",
        }


def test_the_better_name_wins_and_the_other_column_is_kept(tmp_path: Path) -> None:
    table = table_of(
        tmp_path,
        [
            ["项目", "项目名称", "单位", "责任单位", "完成情况", "状态", "1月", "2月"],
            ["民生", "甲", "总部", "乙", "已开工", "推进中", "x", "y"],
        ],
    )
    assert table.columns == {1: "name", 3: "enterprise", 4: "progress_note", 5: "status"}
    assert table.claimed == {0: "name", 2: "enterprise"}
    assert set(table.unknown) == {0, 2, 6, 7}
    assert bodies(table)[0].extra == {0: "民生", 2: "总部", 6: "x", 7: "y"}


def test_milestones_come_in_pairs(tmp_path: Path) -> None:
    table = table_of(
        tmp_path,
        [
            ["项目名称", "节点1", "节点1时间", "节点名称2", "节点时间2", "第三节点", "备注"],
            ["甲"] + ["x"] * 6,
        ],
    )
    assert [(m.number, m.name, m.date) for m in table.milestones] == [(1, 1, 2), (2, 3, 4), (3, 5, None)]
    assert table.columns == {0: "name", 6: "note"} and not table.unknown
    assert milestone(["节点1", "完成时间"]) == (1, "date") and milestone(["时间节点"]) is None


def test_merged_cells_belong_to_each_row(tmp_path: Path) -> None:
    rows = [
        ["类别", "项目名称", "责任单位", "时间节点"],
        ["供水", "甲", "乙", "一"],
        [None, None, None, "二"],
        [None, "丙", "丁", "三"],
    ]
    table = table_of(tmp_path, rows, ("A2:A4", "B2:B3", "C2:C3"))
    assert kinds(table) == {1: "header", 2: "", 3: "", 4: ""}
    assert bodies(table)[1].row.values == ["供水", "甲", "乙", "二"]
    assert bodies(table)[1].row.mark(1).is_filled_down


def test_rows_that_only_look_like_something_else_are_projects(tmp_path: Path) -> None:
    rows = [
        ["序号", "项目名称", "责任单位", "完成时限", "备注"],
        [1, "养老金合计发放核查", "甲", "2021.7", None],
        [2, "会计服务进社区", "甲", "2021.7", "合计"],
        [3, "小计", "甲", "2021.7", None],
        [4, "注：这也是项目", "甲", "2021.7", None],
        [5, None, "甲", "2021.7", None],
        [None, "只有名称", None, None, None],
        [6, None, None, None, None],
        ["7", "供暖类", None, None, None],
        ["（一）", "供暖类", None, None, None],
    ]
    found = kinds(table_of(tmp_path, rows))
    assert [found[at] for at in range(2, 11)] == ["", "", "", "", "", "", "blank", "", "category"]


def test_hidden_sheets_are_told_and_explanations_are_no_tables(tmp_path: Path) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        for name in ("填表说明", "字段", "2020年", "藏", "二"):
            page = book.add_worksheet(name)
            if name == "字段":
                for at, text in enumerate(["项目名称", "责任单位", "完成时限", "状态"]):
                    page.write_row(at, 0, [text, "必填"])
            else:
                page.write_row(0, 0, ["项目名称", "责任单位"])
                page.write_row(1, 0, ["甲", "乙"])
            if name == "藏":
                page.hide()
    with open_ledger(wb.kept(tmp_path, out.getvalue()), "a.xlsx") as opened:
        found = tables_of(opened)
        assert [table.sheet_name for table in found.tables] == ["2020年", "二"]
        assert [warning.code for warning in found.warnings] == ["HIDDEN_SHEET_SKIPPED"]
        assert found.tables[0].context.sheet_year == 2020


def test_a_person_may_decide_what_columns_and_header_are(tmp_path: Path) -> None:
    rows = [["甲栏", "乙栏", "项目名称"], ["供水", "甲公司", "一"], ["供气", "乙公司", "二"]]
    table = table_of(
        tmp_path, rows, columns={"台账": {0: "name", 1: "enterprise", 2: ""}}, header_rows={"台账": [1]}
    )
    assert table.columns == {0: "name", 1: "enterprise"} and set(table.unknown) == {2}
    assert [body.extra for body in bodies(table)] == [{2: "一"}, {2: "二"}]
    strange = [["甲栏", "乙栏"], ["供水", "甲公司"]]
    assert table_of(tmp_path, strange, columns={"台账": {0: "name"}}).header_rows == [1]
    with pytest.raises(FileRefused):
        table_of(tmp_path, strange)


def test_a_table_may_be_read_twice(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["标题行"],
        ["项目名称", "责任单位"],
        *([f"项目{at}", "甲"] for at in range(100)),
    ]
    with book_of(tmp_path, rows) as book:
        (table,) = tables_of(book).tables
        assert list(table.items()) == list(table.items())


def test_the_header_is_looked_for_among_the_first_rows_only(tmp_path: Path) -> None:
    far: list[list[Any]] = [["说明文字"]] * 41 + [["项目名称", "责任单位"], ["甲", "乙"]]
    with pytest.raises(FileRefused):
        table_of(tmp_path, far)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (["项 目 名 称"], "name"), (["项目名称（必填）"], "name"), (["*项目名称"], "name"), (["2021年民生项目名称"], "name"),
        (["实事项目"], "name"), (["总投资\n(万元)"], "investment"), (["总投资（万元）"], "investment"), (["开工时间\n20XX.0X"], "start"),
        (["完成时限（如：2021年7月）"], "deadline"), (["ＮＯ．"], "serial"), (["责任单位名称"], "enterprise"), (["责任单位", "牵头"], "enterprise"),
        (["责任单位", "配合"], "supporting"), (["配合责任单位"], "supporting"), (["责任单位联系人"], "coordinator"), (["责任单位联系电话"], None),
        (["责任人", "姓名"], "coordinator"), (["责任人", "职务"], None), (["第一责任人"], "accountable_lead"), (["主要举措及内容"], "measures"),
        (["受益群众\n（户/人）"], "beneficiaries"), (["进展情况"], "progress_note"), (["完成进度（%）"], "progress"), (["3月"], None),
        (["是否办结"], "status"), (["所属党支部"], "party_branches"), (["统一社会信用代码"], "credit_code"), (["挂点领导"], "liaison_leader"),
        (["版本"], "version"), (["对内／对外"], "audience"), (["时间节点"], "milestones"), (["是否重点"], "is_key"), ([""], None), (["（）"], None),
    ],
)  # fmt: skip
def test_headings_and_their_fields(path: list[str], key: str | None) -> None:
    found = match(path)
    assert (found.key if found else None) == key


def test_every_field_is_named_by_its_own_best_heading() -> None:
    from projects.importing.columns import COLUMNS

    assert len(set(KEYS)) == len(KEYS)
    for column in COLUMNS:
        found = match([column.aliases[0]])
        assert found is not None and found.key == column.key
