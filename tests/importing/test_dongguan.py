"""The six projects of Dongguan that are named in public, from ledgers as an office makes them."""

from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import xlwt

import enterprises
import projects
from enterprises.models import Enterprise, User
from enterprises.services.register import import_enterprises, read_csv
from projects.models import Programme, Project
from tests import factories
from tests.importing.ledgers import ON, codes, confirmed, handed_in, previewed

pytestmark = pytest.mark.django_db
PUBLISHED = Path(projects.__file__).parent / "data" / "dongguan_2021.csv"
HEADINGS = [
    "序号",
    "项目名称",
    "责任单位",
    "实施地点",
    "主要举措",
    "开工时间",
    "完成时限",
    "进展情况",
    "受益群众",
]
TITLE = "2021年市属企业“我为群众办实事”重点民生项目台账"


@pytest.fixture
def staff() -> User:
    data = Path(enterprises.__file__).parent / "data"
    assert not import_enterprises(read_csv(data / "dongguan_enterprises.csv")).errors
    return factories.user("staff", Enterprise.objects.get(code="DG-GZW"))


@pytest.fixture
def programme(staff: User) -> Programme:
    return factories.programme(Enterprise.objects.get(code="DG-GZW"), 2021)


def published() -> list[dict[str, str]]:
    with PUBLISHED.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def rows() -> list[list[Any]]:
    """The facts as they were published, the enterprises as they are called."""
    short = dict(Enterprise.objects.values_list("code", "short_name"))
    names = dict(Enterprise.objects.values_list("code", "name"))
    return [
        [
            number,
            one["name"],
            short[one["enterprise_code"]] or names[one["enterprise_code"]],
            one["place"],
            one["measures"],
            "4月23日" if one["starts_on"] else "",
            one["deadline_text"],
            one["status_text"],
            one["beneficiaries_text"],
        ]
        for number, one in enumerate(published(), start=1)
    ]


def by_hand() -> bytes:
    """Merged titles, a report line, headings of two rows, a note below."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    page = book.add_worksheet("重点民生项目")
    page.merge_range(0, 0, 0, 8, TITLE, book.add_format({"bold": True, "align": "center"}))
    page.write(1, 0, "填报单位：市国资委")
    page.write(1, 6, "填报日期：2021年6月11日")
    for at, heading in enumerate(HEADINGS):
        if at in (5, 6):
            page.write(3, at, heading)
        else:
            page.merge_range(2, at, 3, at, heading)
    page.merge_range(2, 5, 2, 6, "时间安排")
    for number, row in enumerate(rows(), start=4):
        for at, value in enumerate(row):
            page.write(number, at, value)
    page.merge_range(10, 0, 10, 8, "注：以上项目均由责任单位领导挂点。")
    page.write(11, 0, "填表人：张某某")
    book.close()
    return file.getvalue()


def as_gbk() -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([[TITLE], HEADINGS, *rows()])
    return text.getvalue().encode("gb18030")


def as_xls() -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet("台账")
    page.write_merge(0, 0, 0, 8, TITLE)
    for number, row in enumerate([HEADINGS, *rows()], start=1):
        for at, value in enumerate(row):
            page.write(number, at, value)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("made", "name"), [(by_hand, "台账.xlsx"), (as_gbk, "台账.csv"), (as_xls, "台账.xls")]
)
def test_the_six_projects_are_taken_in_with_exactly_the_facts_published(
    staff: User, programme: Programme, made: Any, name: str
) -> None:
    done = confirmed(handed_in(made(), staff, programme, name=name))
    assert done.receipt["created"] == 6, done.counts
    for fact in published():
        project = Project.objects.get(name=fact["name"])
        assert project.enterprise.code == fact["enterprise_code"]
        assert str(project.due_on or "") == fact["due_on"]
        assert str(project.starts_on or "") == fact["starts_on"]
        assert project.place == fact["place"]
        assert project.measures == fact["measures"]
        assert project.milestones.count() == (1 if fact["due_on"] else 0)


def test_nothing_is_asked_about_the_hand_made_ledger(
    staff: User, programme: Programme, tmp_path: Path
) -> None:
    preview, read = previewed(by_hand(), staff, programme, folder=tmp_path, on=ON)
    assert [one.outcome for one in read] == ["accepted"] * 6
    sheet = preview.file_facts()["sheets"][0]
    assert sheet["header_rows"] == [3, 4]
    assert {one["why"] for one in preview.skipped} == {"title", "meta", "header", "note"}
    assert "YEAR_INFERRED" in codes(read[0])
    assert read[0].values["due_on"] == datetime.date(2021, 7, 31).isoformat()
