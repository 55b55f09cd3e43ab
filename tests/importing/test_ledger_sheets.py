"""What stands in the sheets of a ledger besides its rows: hidden ones, merged units, formulas, years, encodings."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import xlsxwriter

from tests import factories
from tests.importing.ledgers import World, world
from tests.importing.test_ledgers_as_made import (
    BODY,
    FIELDS,
    GROUPS,
    HEAD,
    ONE,
    TWO,
    book,
    named,
    printed,
    skipped,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> World:
    made = world()
    factories.category(made.programme, "供水")
    return made


def test_every_sheet_with_a_table_is_read_and_hidden_ones_are_told(here: World, tmp_path: Path) -> None:
    more = {"二季度": [HEAD, TWO], "旧表": [HEAD, ONE], "填表说明": [["本表由各单位填写"]], "空": []}
    told = printed(here, tmp_path, book([HEAD, ONE], more=more, hidden_sheets=["旧表"]))
    assert [sheet["name"] for sheet in told["file"]["sheets"]] == ["台账", "二季度"]
    assert told["file"]["warnings"] == ["HIDDEN_SHEET_SKIPPED"]
    assert [(one["sheet"], one["row"]) for one in told["rows"]] == [("台账", 2), ("二季度", 2)]


def test_hidden_rows_are_told_not_read(here: World, tmp_path: Path) -> None:
    told = printed(here, tmp_path, book([HEAD, ONE, TWO], hidden=[2]))
    assert skipped(told)[2] == "hidden_row"
    assert list(named(told)) == [3]


def test_a_unit_that_is_merged_downwards_counts_for_each_row(here: World, tmp_path: Path) -> None:
    rows = [HEAD, ONE, [2, "社保卡便利服务", None, "2021年9月"], [3, "公交便民", None, "2021年9月"]]
    told = printed(here, tmp_path, book(rows, [(2, 3, 4, 3)]))
    assert [one["enterprise"]["code"] for one in told["rows"]] == ["SW"] * 3
    assert ["MERGED_FILL_DOWN" in one["warnings"] for one in told["rows"]] == [False, True, True]


def test_pictures_of_wps_are_left_out_and_told(here: World, tmp_path: Path) -> None:
    picture = '_xlfn.DISPIMG("ID_1A2B",1)'
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        page = made.add_worksheet("台账")
        page.write_row(0, 0, [*HEAD, "现场照片"])
        page.write_row(1, 0, ONE[:4])
        page.write_formula(1, 4, "=" + picture, None, '=DISPIMG("ID_1A2B",1)')
        page.write_row(2, 0, TWO[:4])
        page.write_formula(2, 5, "=" + picture, None, '=DISPIMG("ID_1A2B",1)')
    told = printed(here, tmp_path, out.getvalue())
    assert ["EMBEDDED_IMAGE_IGNORED" in one["warnings"] for one in told["rows"]] == [True, True]
    assert [one["outcome"] for one in told["rows"]] == ["accepted", "accepted"]


@pytest.mark.parametrize(
    ("formula", "value", "column", "code"),
    [("=A2&\"x\"", "1x", 4, "FORMULA_CELL"), ("=C9", "水务集团", 2, "FORMULA_CELL"), ("=#REF!", "#REF!", 3, "EXCEL_ERROR_VALUE"),
     ("=VLOOKUP(1,A:B,2)", "#N/A", 1, "EXCEL_ERROR_VALUE")],
)  # fmt: skip
def test_formulas_and_their_errors_are_asked_about(
    here: World, tmp_path: Path, formula: str, value: str, column: int, code: str
) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        page = made.add_worksheet("台账")
        page.write_row(0, 0, HEAD)
        page.write_row(1, 0, ONE)
        page.write_formula(1, column, formula, None, value)
    (one,) = printed(here, tmp_path, out.getvalue())["rows"]
    assert code in one["warnings"]
    assert one["outcome"] != "accepted"


def test_the_year_comes_from_the_title_then_the_day_of_the_report_then_the_programme(
    here: World, tmp_path: Path
) -> None:
    for above, year in (
        ([["2020年台账"]], 2020),
        ([["填报日期：2022年3月1日"]], 2022),
        ([["民生台账"]], 2021),
    ):
        told = printed(here, tmp_path, book([*above, HEAD, [*ONE[:3], "7月底前"]]))
        assert told["rows"][0]["deadline"]["iso"] == f"{year}-07-31"
        assert "YEAR_INFERRED" in told["rows"][0]["warnings"]


def test_doubled_numbers_and_projects_are_told(here: World, tmp_path: Path) -> None:
    factories.project(here.water, here.programme, name="牛山上山门管网改造工程")
    factories.project(here.water, here.programme, name="老旧小区供水管网改造项目")
    factories.project(here.metro, here.programme, name="便民驿站")
    rows = [
        HEAD, ONE, [1, "社保卡便利服务", "水务集团", "2021年9月"], [3, "社保卡便利服务", "水务集团", "2021年9月"],
        [4, "老旧小区供水管网改造", "水务集团", "2021年9月"], [5, "便民驿站", "水务集团", "2021年9月"],
    ]  # fmt: skip
    told = printed(here, tmp_path, book(rows))["rows"]
    assert [one["warnings"] for one in told] == [
        ["EXISTS_IN_SYSTEM"], ["DUPLICATE_SERIAL"], ["DUPLICATE_IN_FILE"], ["SIMILAR_NAME"], ["SAME_NAME_OTHER_ENTERPRISE"],
    ]  # fmt: skip
    assert [one["change"] for one in told] == ["changed", "new", "new", "new", "new"]
    assert told[2]["outcome"] == "needs_review"


def test_state_and_progress_that_contradict_each_other_are_asked_about(here: World, tmp_path: Path) -> None:
    told = printed(here, tmp_path, book([GROUPS, FIELDS, [*BODY[:5], "100%", "推进中"]]))
    assert told["rows"][0]["warnings"] == ["STATUS_PROGRESS_CONFLICT"]
    assert told["rows"][0]["outcome"] == "needs_review"


def test_the_credit_code_names_the_unit_where_its_name_is_missing(here: World, tmp_path: Path) -> None:
    type(here.water).objects.filter(pk=here.water.pk).update(credit_code="91441900MA4W0000XP")
    head = [*HEAD, "统一社会信用代码"]
    for cell in ("", "/", "待定"):
        told = printed(
            here, tmp_path, book([head, [1, "甲项目", cell, "2021年7月", "", "91441900MA4W0000XP"]])
        )
        assert told["rows"][0]["enterprise"]["code"] == "SW"
        assert told["rows"][0]["outcome"] == "accepted", told["rows"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_texts_are_read_in_every_encoding(here: World, tmp_path: Path, encoding: str) -> None:
    text = "\r\n".join(",".join(map(str, row)) for row in (HEAD, ONE))
    told = printed(here, tmp_path, text.encode(encoding), name="台账.csv")
    assert (told["file"]["format"], told["rows"][0]["outcome"], told["rows"][0]["row"]) == (
        "csv",
        "accepted",
        2,
    )
    assert told["rows"][0]["name"] == ONE[1]


def test_shifted_records_and_wrong_names_are_told(here: World, tmp_path: Path) -> None:
    rows = [
        "序号,项目名称,责任单位,完成时限,备注",
        "1,甲项目,水务集团,2021年7月,无",
        "2,乙项目,水务集团,2021年7月",
        "3,丙,项目,水务集团,2021年7月,无",
    ]
    told = printed(here, tmp_path, "\n".join(rows).encode("gb18030"), name="台账.xlsx")
    assert told["file"]["warnings"] == ["EXTENSION_MISMATCH"]
    assert ["COLUMN_COUNT_MISMATCH" in one["warnings"] for one in told["rows"]] == [False, True, True]
    assert told["rows"][0]["outcome"] == "accepted"
    assert {one["outcome"] for one in told["rows"][1:]} <= {"needs_review", "rejected"}
