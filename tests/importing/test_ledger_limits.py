"""Values beyond every limit: a cell must never keep the rest of a ledger from being taken in."""

from __future__ import annotations

import io
from typing import Any

import pytest
import xlsxwriter
from django.urls import reverse

from projects.models import LedgerImport, LedgerRow, Milestone, Project
from tests.importing.ledgers import HEADINGS, World, handed_in, ledger, world
from tests.importing.test_ledger_hostile import PIPES, take_in, upload, url
from tests.test_pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> World:
    return world()


LONG = "长" * 40_000
WIDE = [
    "项目编号", "项目类别", "内容分类", "对内/对外", "实施地点", "主要举措", "受益群众", "总投资", "进展情况", "阶段", "第一责任人",
    "直接责任人", "具体负责人", "挂点领导", "是否重点", "推进计划", "备注", "统一社会信用代码", "配合单位", "责任党组织", "奇怪的列",
]  # fmt: skip


@pytest.mark.parametrize("heading", WIDE)
@pytest.mark.parametrize(
    "text", [LONG[:32_000], "99999999999999999999户", "1e300", "0001年1月", "\U0001f600" * 300]
)
def test_no_text_is_too_much_for_the_confirmation(here: World, heading: str, text: str) -> None:
    client = client_of(here.staff)
    head = ["序号", "项目名称", "责任单位", "完成时限", heading]
    rows = [[1, "甲项目", "水务集团", "2021年7月", text], [2, "乙项目", "水务集团", "2021年7月", ""]]
    made = upload(client, here, ledger(*rows, headings=head))
    assert made.state == LedgerImport.State.READY
    for row in LedgerRow.objects.filter(ledger=made, outcome="needs_review"):
        for key in {field for _code, field, _params in row.data["findings"]}:
            client.post(url("decide", made), {"row": row.pk, f"d-{key}": "as_read"})
    assert client.get(url("page", made), {"show": "all"}).status_code == 200
    made = take_in(client, made)
    assert made.state == LedgerImport.State.CONFIRMED, made.fault
    assert Project.objects.filter(name="乙项目").exists()


NUMBERS = ["123456789012345户", "999999999999户", "12345678901234.56户", "0.001户", "1234.5678万人", "99999亿人", 1e15, 123456789012.999, -5, 1e-9]  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_no_number_is_too_much_for_the_confirmation(here: World, number: Any) -> None:
    client = client_of(here.staff)
    head = ["序号", "项目名称", "责任单位", "完成时限", "受益群众"]
    rows = [[1, "甲项目", "水务集团", "2021年7月", number], [2, "乙项目", "水务集团", "2021年7月", ""]]
    made = take_in(client, upload(client, here, ledger(*rows, headings=head)))
    assert made.state == LedgerImport.State.CONFIRMED, made.fault
    assert Project.objects.count() == 2
    again = handed_in(ledger(*rows, headings=head), here.staff, here.programme)
    assert again.counts["unchanged"] == 2, list(again.rows.values_list("data", flat=True))


PLANS = [
    "1.3月底前完成招标；2.5月底前完成招标", "\n".join(f"{n}.{1 + n % 12}月底前完成第{n}步" for n in range(1, 301)),
    "1.2099年3月底前招标；2.1950年5月完工", "招标（3月）" * 50, "3月底前：" + "长" * 300, "1.8月-3月施工；2.12月完工",
    "\n".join(["1.3月底前完成招标"] * 40),
]  # fmt: skip


@pytest.mark.parametrize("plan", range(len(PLANS)))
def test_no_plan_is_too_much_for_the_confirmation(here: World, plan: int) -> None:
    client = client_of(here.staff)
    head = ["序号", "项目名称", "责任单位", "完成时限", "推进计划"]
    made = upload(client, here, ledger([1, "甲项目", "水务集团", "2021年12月", PLANS[plan]], headings=head))
    for row in LedgerRow.objects.filter(ledger=made, outcome="needs_review"):
        client.post(url("decide", made), {"row": row.pk, "d-milestones": "as_read"})
    made = take_in(client, made)
    assert made.state == LedgerImport.State.CONFIRMED, made.fault
    for step in Milestone.objects.all():
        assert step.starts_on is None or step.due_on is None or step.starts_on <= step.due_on
    for project in Project.objects.all():
        assert client.get(reverse("admin:projects_project_page", args=[project.pk])).status_code == 200
    undone = client.post(url("undo", made))
    assert undone.status_code == 302
    assert not Project.objects.exists()


PAIRS = ["节点1", "节点1时间", "节点2", "节点2时间"]


@pytest.mark.parametrize(
    "pairs", [["招标", "3月", "招标", "5月"], ["长" * 500, "1950年", "", "2099年"], ["", "13月", "x", "/"]]
)
def test_nor_are_columns_of_milestones(here: World, pairs: list[str]) -> None:
    client = client_of(here.staff)
    head = ["序号", "项目名称", "责任单位", "完成时限", *PAIRS]
    made = upload(client, here, ledger([1, "甲项目", "水务集团", "2021年12月", *pairs], headings=head))
    for row in LedgerRow.objects.filter(ledger=made, outcome="needs_review"):
        client.post(url("decide", made), {"row": row.pk, "d-milestones": "as_read"})
    assert take_in(client, made).state == LedgerImport.State.CONFIRMED


def test_a_sheet_of_a_million_rows_and_a_table_of_thousands_of_columns(here: World) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        page = made.add_worksheet("台账")
        page.write_row(0, 0, HEADINGS)
        page.write_row(1, 0, PIPES)
        page.write(2**20 - 1, 1, "最后一行")
        wide = made.add_worksheet("宽")
        wide.write_row(0, 0, [*HEADINGS, *(f"列{n}" for n in range(2_000))])
        wide.write_row(1, 0, [2, "乙项目", *PIPES[2:], *range(2_000)])
    client = client_of(here.staff)
    told = upload(client, here, out.getvalue())
    assert told.state == LedgerImport.State.READY
    assert client.get(url("page", told), {"show": "all"}).status_code == 200
    assert take_in(client, told).receipt["created"] == 2
