"""Every rule for a cell, from the file to the preview: one ledger of one row for each."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from enterprises.models import EnterpriseAlias
from projects.importing.findings import MEANINGS
from projects.importing.reading import Reading
from tests import factories
from tests.importing.ledgers import World, codes, ledger, previewed, world

pytestmark = pytest.mark.django_db

#: The column that a case is about, by its place in a row of `ROW`.
HEADINGS = [
    "序号", "项目名称", "责任单位", "开工时间", "完成时限", "完成进度", "状态", "第一责任人", "受益群众", "统一社会信用代码",
    "项目类别", "推进计划", "配合单位", "责任党组织", "是否重点", "备注",
]  # fmt: skip
ROW: dict[str, Any] = {
    "序号": 1,
    "项目名称": "牛山上山门管网改造工程",
    "责任单位": "水务集团",
    "完成时限": "2021年12月31日",
}
ACCEPTED, REVIEW, REJECTED = "accepted", "needs_review", "rejected"

Case = tuple[str, str, Any, str, Any]
#: (code, column, cell, outcome, what the reading says: iso of the date, percentage, state, name; ... for nothing)
TEXT: list[Case] = [
    ("FULLWIDTH_NORMALISED", "项目名称", "Ｇ９４管网改造", ACCEPTED, "G94管网改造"),
    ("FULLWIDTH_NORMALISED", "备注", "共１２户", ACCEPTED, ...),
    ("INVISIBLE_REMOVED", "项目名称", "牛山\u200b管网改造\ufeff", ACCEPTED, "牛山管网改造"),
    ("WHITESPACE_TRIMMED", "项目名称", "  牛山管网改造　", ACCEPTED, "牛山管网改造"),
    ("TRADITIONAL_CONVERTED", "项目名称", "牛山管網改造工程", ACCEPTED, "牛山管网改造工程"),
    ("TEXT_NOISE_CLEANED", "备注", "抄表到户，，已安排。。", ACCEPTED, ...),
    ("NAME_MISSING", "项目名称", "", REJECTED, ""),
    ("NAME_MISSING", "项目名称", "/", REJECTED, ""),
    ("NAME_TOO_LONG", "项目名称", "管网改造" * 60, REJECTED, ...),
    ("TEXT_TOO_LONG", "第一责任人", "张" * 200, REVIEW, ...),
    ("PHONE_IN_PERSON", "第一责任人", "张三 13800138000", ACCEPTED, ...),
    ("PHONE_IN_PERSON", "第一责任人", "张三（0769-22220000）", ACCEPTED, ...),
    ("INVALID_NUMBER", "受益群众", "广大群众和职工", ACCEPTED, ...),
    ("NUMBER_APPROX", "受益群众", "约2000户", ACCEPTED, ...),
    ("INVALID_USCC", "统一社会信用代码", "91441900MA4W0000XX", REVIEW, ...),
    ("INVALID_USCC", "统一社会信用代码", "914419001234567", REVIEW, ...),
    ("FORMULA_LIKE_TEXT", "备注", "＝1+1", ACCEPTED, ...),
    ("FORMULA_LIKE_TEXT", "备注", "@SUM(A1)", ACCEPTED, ...),
    ("FORMULA_LIKE_TEXT", "备注", "-见附件", ACCEPTED, ...),
    ("FORMULA_LIKE_TEXT", "备注", "+86 769", ACCEPTED, ...),
    ("FORMULA_LIKE_TEXT", "备注", "\t见附件", ACCEPTED, ...),
    ("FORMULA_LIKE_TEXT", "项目名称", "=HYPERLINK(\"http://a\",\"b\")", ACCEPTED, ...),
    ("UNKNOWN_CATEGORY", "项目类别", "航天", REVIEW, ...),
    ("UNKNOWN_SUPPORTING", "配合单位", "市住建局", ACCEPTED, ...),
    ("UNKNOWN_BRANCH", "责任党组织", "不存在的支部", ACCEPTED, ...),
    ("UNKNOWN_CHOICE", "是否重点", "大概", ACCEPTED, ...),
    ("MILESTONE_UNREAD", "推进计划", "1.2月30日前完成招标；2.6月底前完工", REVIEW, ...),
]  # fmt: skip

UNITS: list[Case] = [
    ("", "责任单位", "东莞市水务集团有限公司", ACCEPTED, "SW"),
    ("", "责任单位", "水务集团", ACCEPTED, "SW"),
    ("", "责任单位", "牵头单位：水务集团\n配合单位：轨道公司", ACCEPTED, "SW"),
    ("", "责任单位", "水务集团（牵头）、轨道公司（配合）", ACCEPTED, "SW"),
    ("", "责任单位", "莞水公司", ACCEPTED, "SW"),
    ("NEAR_MISS_ENTERPRISE", "责任单位", "东莞水务集团公司", REVIEW, None),
    ("NEAR_MISS_ENTERPRISE", "责任单位", "水务集团公司", REVIEW, None),
    ("NEAR_MISS_ENTERPRISE", "责任单位", "东莞市水务集团", REVIEW, None),
    ("UNKNOWN_ENTERPRISE", "责任单位", "甲乙丙丁股份", REVIEW, None),
    ("UNKNOWN_ENTERPRISE", "责任单位", "东江水司", REVIEW, None),
    ("MULTIPLE_ENTERPRISES", "责任单位", "水务集团、轨道公司", REVIEW, None),
    ("MULTIPLE_ENTERPRISES", "责任单位", "水务集团；轨道公司", REVIEW, None),
    ("MULTIPLE_ENTERPRISES", "责任单位", "水务集团\n轨道公司", REVIEW, None),
    ("MULTIPLE_ENTERPRISES", "责任单位", "水务集团 轨道公司", REVIEW, None),
    ("MULTIPLE_ENTERPRISES", "责任单位", "水务集团/轨道公司", REVIEW, None),
    ("MULTIPLE_ENTERPRISES", "责任单位", "水务集团和轨道公司", REVIEW, None),
    ("ENTERPRISE_MISSING", "责任单位", "", REVIEW, None),
    ("ENTERPRISE_MISSING", "责任单位", "/", REVIEW, None),
    ("ENTERPRISE_MISSING", "责任单位", "待定", REVIEW, None),
]

DEADLINES: list[Case] = [
    ("", "完成时限", "2021年7月底", ACCEPTED, "2021-07-31"),
    ("", "完成时限", "2021年7月底前", ACCEPTED, "2021-07-31"),
    ("YEAR_INFERRED", "完成时限", "7月底前", ACCEPTED, "2021-07-31"),
    ("", "完成时限", "2021.07", ACCEPTED, "2021-07-31"),
    ("", "完成时限", "2021-07", ACCEPTED, "2021-07-31"),
    ("", "完成时限", "2021/7", ACCEPTED, "2021-07-31"),
    ("", "完成时限", "2021.7.31", ACCEPTED, "2021-07-31"),
    ("NUMERIC_MONTH", "完成时限", 2021.07, ACCEPTED, "2021-07-31"),
    ("NUMERIC_MONTH", "完成时限", 2021.12, ACCEPTED, "2021-12-31"),
    ("AMBIGUOUS_DEADLINE", "完成时限", 2021.1, REVIEW, {"2021-01-31", "2021-10-31"}),
    ("", "完成时限", "2021年7月上旬", ACCEPTED, "2021-07-10"),
    ("", "完成时限", "2021年7月中旬", ACCEPTED, "2021-07-20"),
    ("", "完成时限", "2021年2月下旬", ACCEPTED, "2021-02-28"),
    ("", "完成时限", "2021年一季度", ACCEPTED, "2021-03-31"),
    ("", "完成时限", "2021Q3", ACCEPTED, "2021-09-30"),
    ("YEAR_INFERRED", "完成时限", "四季度", ACCEPTED, "2021-12-31"),
    ("YEAR_INFERRED", "完成时限", "上半年", ACCEPTED, "2021-06-30"),
    ("YEAR_INFERRED", "完成时限", "年底前", ACCEPTED, "2021-12-31"),
    ("YEAR_INFERRED", "完成时限", "年内", ACCEPTED, "2021-12-31"),
    ("", "完成时限", "2021年全年", ACCEPTED, "2021-12-31"),
    ("YEAR_INFERRED", "完成时限", "元月", ACCEPTED, "2021-01-31"),
    ("YEAR_INFERRED", "完成时限", "十二月底", ACCEPTED, "2021-12-31"),
    ("", "完成时限", "二〇二一年九月", ACCEPTED, "2021-09-30"),
    ("", "完成时限", "２０２１年９月", ACCEPTED, "2021-09-30"),
    ("YEAR_INFERRED", "完成时限", "3-12月", ACCEPTED, "2021-12-31"),
    ("YEAR_INFERRED", "完成时限", "11月-次年1月", ACCEPTED, "2022-01-31"),
    ("", "完成时限", "2021年3月~2021年9月", ACCEPTED, "2021-09-30"),
    ("YEAR_INFERRED", "完成时限", "10月1日前", ACCEPTED, "2021-10-01"),
    ("", "完成时限", "长期", ACCEPTED, None),
    ("", "完成时限", "长期坚持", ACCEPTED, None),
    ("", "完成时限", "持续推进", ACCEPTED, None),
    ("", "完成时限", "常态化", ACCEPTED, None),
    *[("DEADLINE_MISSING", "完成时限", text, ACCEPTED, None) for text in ("待定", "/", "—", "无", "")],
    ("AMBIGUOUS_DEADLINE", "完成时限", "春节前", REVIEW, {"2021-02-11", "2022-01-31"}),
    ("AMBIGUOUS_DEADLINE", "完成时限", "国庆前", REVIEW, {"2021-09-30", "2021-10-01"}),
    ("AMBIGUOUS_DEADLINE", "完成时限", "12月前", REVIEW, {"2021-11-30", "2021-12-31"}),
    ("AMBIGUOUS_DEADLINE", "完成时限", "合同后90个工作日", REVIEW, None),
    ("SERIAL_DATE", "完成时限", 44408, ACCEPTED, "2021-07-31"),
    ("COMPACT_DATE", "完成时限", 20210731, ACCEPTED, "2021-07-31"),
    ("COMPACT_DATE", "完成时限", "20210731", ACCEPTED, "2021-07-31"),
    ("TWO_DIGIT_YEAR", "完成时限", "21.7.31", ACCEPTED, "2021-07-31"),
    ("AMBIGUOUS_DEADLINE", "完成时限", "01/02/21", REVIEW, ...),
    ("TIME_DROPPED", "完成时限", "2021-07-31 18:00", ACCEPTED, "2021-07-31"),
    ("MULTI_DATE", "完成时限", "一期2021年7月，二期2021年12月", REVIEW, {"2021-07-31", "2021-12-31"}),
    ("INVALID_DATE", "完成时限", "2月30日", REJECTED, None),
    ("INVALID_DATE", "完成时限", "2021年13月", REJECTED, None),
    ("INVALID_DATE", "完成时限", "2021-02-30", REJECTED, None),
    ("INVALID_DATE", "开工时间", "2021年2月30日", REJECTED, None),
    ("DEADLINE_BEFORE_START", "开工时间", "2022年3月", REJECTED, ...),
    ("IMPLAUSIBLE_YEAR", "完成时限", "2099年12月", REVIEW, ...),
    ("IMPLAUSIBLE_YEAR", "完成时限", "2012年12月", REVIEW, ...),
    ("OVERDUE_AT_IMPORT", "完成时限", "2021年5月底", ACCEPTED, "2021-05-31"),
    ("", "开工时间", "2021年2月下旬", ACCEPTED, "2021-02-21"),
    ("", "开工时间", "2021年3月", ACCEPTED, "2021-03-01"),
    ("NUMERIC_MONTH", "开工时间", 2021.03, ACCEPTED, "2021-03-01"),
    ("YEAR_INFERRED", "开工时间", "二季度", ACCEPTED, "2021-04-01"),
    ("AMBIGUOUS_START", "开工时间", "春节后", REVIEW, ...),
    ("AMBIGUOUS_START", "开工时间", 2021.1, REVIEW, ...),
]

PROGRESS: list[Case] = [
    ("", "完成进度", "80%", ACCEPTED, 80),
    ("", "完成进度", 80, ACCEPTED, 80),
    ("PERCENT_FRACTION", "完成进度", 0.8, ACCEPTED, 80),
    ("AMBIGUOUS_PERCENT", "完成进度", 1, REVIEW, None),
    ("AMBIGUOUS_PERCENT", "完成进度", "1", REVIEW, None),
    ("PROGRESS_APPROX", "完成进度", "约八成", ACCEPTED, 80),
    ("PROGRESS_APPROX", "完成进度", "80%左右", ACCEPTED, 80),
    ("PROGRESS_FROM_RATIO", "完成进度", "39/40", ACCEPTED, 97.5),
    ("PERCENT_OVER_100", "完成进度", "120%", ACCEPTED, 100),
    ("PROGRESS_TEXT_ONLY", "完成进度", "过半", ACCEPTED, None),
    ("INVALID_PERCENT", "完成进度", "abc", REVIEW, None),
    ("INVALID_PERCENT", "完成进度", -5, REVIEW, None),
    ("PROGRESS_FROM_TEXT", "完成进度", "已完成主体工程的65%，正在收尾", ACCEPTED, 65),
]

STATES: list[Case] = [
    ("", "状态", "未启动", ACCEPTED, "not_started"),
    ("", "状态", "推进中", ACCEPTED, "in_progress"),
    ("", "状态", "基本完成", ACCEPTED, "in_progress"),
    ("", "状态", "已完成", ACCEPTED, "done"),
    ("", "状态", "长期坚持", ACCEPTED, "ongoing"),
    ("", "状态", "暂停", ACCEPTED, "suspended"),
    ("STATUS_SYMBOL", "状态", "√", ACCEPTED, "done"),
    ("STATUS_SYMBOL", "状态", "○", ACCEPTED, ...),
    ("SELF_REPORTED_DELAY", "状态", "进度滞后", ACCEPTED, "in_progress"),
    ("SELF_REPORTED_DELAY", "状态", "征地受阻，正在协调", ACCEPTED, "in_progress"),
    ("UNKNOWN_STATUS", "状态", "呵呵", REVIEW, None),
]  # fmt: skip


@pytest.fixture
def here() -> World:
    made = world()
    for name, since, until in (
        ("莞水公司", datetime.date(2020, 1, 1), None),
        ("东江水司", datetime.date(2001, 1, 1), datetime.date(2019, 12, 31)),
    ):
        EnterpriseAlias.objects.create(enterprise=made.water, name=name, valid_from=since, valid_until=until)
    factories.category(made.programme, "供水")
    return made


def read(here: World, folder: Path, **cells: Any) -> Reading:
    row = [{**ROW, **cells}.get(heading) for heading in HEADINGS]
    _preview, rows = previewed(ledger(row, headings=HEADINGS), here.staff, here.programme, folder=folder)
    assert len(rows) == 1
    return rows[0]


def said(one: Reading, column: str) -> Any:
    part = {"完成时限": one.deadline, "开工时间": one.start}.get(column)
    if part is not None:
        return set(part["candidates"]) if part.get("candidates") else part["iso"]
    return {
        "项目名称": one.name,
        "责任单位": one.enterprise["code"],
        "完成进度": one.progress_pct,
        "状态": one.status,
    }.get(column)


@pytest.mark.parametrize(
    ("code", "column", "cell", "outcome", "meant"), [*TEXT, *UNITS, *DEADLINES, *PROGRESS, *STATES]
)
def test_a_cell_is_read_as_the_rules_say(
    here: World, tmp_path: Path, code: str, column: str, cell: Any, outcome: str, meant: Any
) -> None:
    one = read(here, tmp_path, **{column: cell})
    assert not code or code in codes(one), one.messages
    assert one.outcome == outcome, one.messages
    if isinstance(meant, set):
        assert meant <= said(one, column)
    elif meant is not ...:
        assert said(one, column) == meant


#: Codes that need more than one cell or row, or a file of its own; their tests are named here so that none is lost.
ELSEWHERE = {
    "MERGED_FILL_DOWN": "test_ledger_sheets", "DUPLICATE_IN_FILE": "test_ledger_sheets",
    "DUPLICATE_SERIAL": "test_ledger_sheets", "EXISTS_IN_SYSTEM": "test_ledger_sheets",
    "SIMILAR_NAME": "test_ledger_sheets", "SAME_NAME_OTHER_ENTERPRISE": "test_ledger_sheets",
    "STATUS_PROGRESS_CONFLICT": "test_ledger_sheets", "FORMULA_CELL": "test_ledger_sheets",
    "EXCEL_ERROR_VALUE": "test_ledger_sheets", "EMBEDDED_IMAGE_IGNORED": "test_ledger_sheets",
    "COLUMN_COUNT_MISMATCH": "test_ledger_sheets", "FIXED_BY_APPROVAL": "test_ledger_way",
}  # fmt: skip
#: Found in what the portal wrote itself, or said beside another code.
OF_OUR_OWN = {
    "SAMPLE_ROW", "NOT_OF_PROGRAMME", "CODE_GIVEN_BY_PORTAL", "NOT_CHANGEABLE", "PROGRESS_BY_REPORT", "NOT_YOUR_ENTERPRISE",
    "GONE_MEANWHILE",
}  # fmt: skip


def test_every_code_has_a_case() -> None:
    cases = {case[0] for case in (*TEXT, *UNITS, *DEADLINES, *PROGRESS, *STATES)}
    assert set(MEANINGS) - cases - set(ELSEWHERE) - OF_OUR_OWN == set()
    for code, place in ELSEWHERE.items():
        assert code in (Path(__file__).parent / f"{place}.py").read_text()
