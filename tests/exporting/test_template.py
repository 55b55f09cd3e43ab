"""The empty ledger: what it offers, what it locks, and that it takes nothing in by itself."""

from __future__ import annotations

import datetime
import io

import openpyxl
import pytest

from enterprises.spreadsheets import FORMATS
from projects.models import Project
from tests import factories
from tests.exporting.files import content, edited
from tests.importing.ledgers import World, confirmed, handed_in, previewed, world
from tests.test_pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> World:
    made = world()
    factories.category(made.programme, "供水")
    return made


def template(here: World, actor=None) -> bytes:
    response = client_of(actor or here.staff).get(f"/projects/ledgerimport/template/{here.programme.pk}/")
    assert response["Content-Type"] == FORMATS["xlsx"]
    return content(response)


def test_an_untouched_template_takes_nothing_in_and_says_so(here: World) -> None:
    made = handed_in(template(here), here.staff, here.programme)
    assert (made.state, made.file_facts["error"]) == ("ready", None)
    assert [sheet["name"] for sheet in made.file_facts["sheets"]] == ["台账"]
    assert made.file_facts["sheets"][0]["unknown_columns"] == []
    assert made.counts["accepted"] == made.counts["new"] == 0
    page = client_of(here.staff).get(f"/projects/ledgerimport/{made.pk}/")
    assert [one.reading.findings[0].code for one in page.context["rows"]] == ["SAMPLE_ROW"]
    assert len(page.context["rows"][0].refused) == 1
    assert not page.context["can_write"]
    assert not Project.objects.exists()


def test_a_filled_template_is_taken_in_without_a_question(here: World) -> None:
    row = (("项目名称", "牛山上山门管网改造工程"), ("责任单位", here.water.name), ("项目类别", "供水"), ("对内/对外", "对外"),
           ("开工时间", "4月"), ("完成时限", datetime.date(2021, 7, 31)), ("完成进度", 0.6), ("状态", "推进中"), ("所处阶段", None))  # fmt: skip
    file = edited(template(here), *((3, heading, value) for heading, value in row if value is not None))
    made = handed_in(file, here.staff, here.programme)
    assert (made.counts["new"], made.counts["needs_review"], made.counts["rejected"]) == (1, 0, 1)
    confirmed(made)
    project = Project.objects.get()
    assert (project.starts_on, project.due_on, project.audience) == (
        datetime.date(2021, 4, 1), datetime.date(2021, 7, 31), "external",
    )  # fmt: skip
    assert project.milestones.get().percent == 60


def test_whoever_types_over_the_sample_has_a_row(here: World, tmp_path) -> None:
    file = edited(template(here), (2, "项目名称", "真的项目"))
    _preview, (one,) = previewed(file, here.staff, here.programme, folder=tmp_path)
    assert (one.change, one.outcome) == ("new", "accepted")


def test_the_lists_hold_what_this_person_may_choose_and_no_more(here: World) -> None:
    for n in range(40):
        factories.enterprise(f"水务下属第{n}公司", parent=here.water)
    for actor, sees in ((here.staff, True), (here.officer, False)):
        book = openpyxl.load_workbook(io.BytesIO(template(here, actor)))
        assert book.sheetnames == ["台账", "填表说明", "选项"]
        assert book["选项"].sheet_state == "hidden"
        offered = {cell.value for cell in book["选项"]["A"]}
        assert here.water.name in offered
        assert (here.metro.name in offered) is sees
        everything = {str(cell.value) for page in book for row in page.iter_rows() for cell in row}
        assert (here.metro.name in everything) is sees


def test_keys_are_locked_and_everything_else_may_be_filled_sorted_and_widened(here: World) -> None:
    page = openpyxl.load_workbook(io.BytesIO(template(here)))["台账"]
    rules = page.protection
    assert rules.sheet
    assert not rules.password
    assert not rules.formatColumns
    assert not rules.sort
    heads = {cell.value: cell.column for cell in page[1]}
    # A blank cell looks like its column.
    locked = {cell.value for cell in page[1] if page.column_dimensions[cell.column_letter].protection.locked}
    assert not page.cell(2, heads["项目名称"]).protection.locked
    assert locked == {"项目编号", "版本"}
    assert page.freeze_panes == "A2"
    assert (page.page_setup.paperSize, page.page_setup.orientation) == (8, "landscape")
    assert page.print_title_rows == "$1:$1"
    assert page.cell(2, heads["开工时间"]).number_format == "yyyy-mm-dd"
    assert "%" in page.cell(2, heads["完成进度"]).number_format


def test_the_explanation_names_every_column(here: World) -> None:
    book = openpyxl.load_workbook(io.BytesIO(template(here)))
    told = {row[0].value for row in book["填表说明"].iter_rows()}
    assert {cell.value for cell in book["台账"][1]} <= told


def test_a_programme_behind_the_wall_has_no_template(here: World) -> None:
    foreign = factories.programme(factories.sasac("外市国资委"))
    client = client_of(here.staff)
    answers = [client.get(f"/projects/ledgerimport/template/{pk}/") for pk in (foreign.pk, 99999999, 10**30)]
    assert {answer.status_code for answer in answers} == {302}
    leader = factories.user("leader", here.root)
    assert client_of(leader).get(f"/projects/ledgerimport/template/{here.programme.pk}/").status_code == 403
    page = client.get("/projects/ledgerimport/add/").content.decode()
    assert f"/template/{here.programme.pk}/" in page
    assert f"/template/{foreign.pk}/" not in page
