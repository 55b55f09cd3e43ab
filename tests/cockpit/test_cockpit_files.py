"""The bulletin, the workbook and the large screen say what the page says, and no more than they may."""

from __future__ import annotations

import datetime
import io
import re
from typing import Any

import openpyxl
import pytest
from docx import Document

from enterprises.models import ListExport
from projects.cockpit.comparing import compare
from projects.models import Project
from tests import factories
from tests.cockpit.test_cockpit_page import after_a_history, seen_by
from tests.tallies.test_histories import World

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def downloaded(response: Any) -> io.BytesIO:
    assert response.status_code == 200
    return io.BytesIO(b"".join(response.streaming_content))


def all_text(document: Any) -> str:
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return "\n".join([*(p.text for p in document.paragraphs), *cells])


def test_the_bulletin_tells_the_numbers_of_the_page_with_its_day_and_its_unit(today: datetime.date) -> None:
    world = after_a_history(today)
    client = seen_by(world.staff[0])
    counts = client.get("/cockpit/").context["cockpit"].counts
    text = all_text(Document(downloaded(client.get("/cockpit/file/docx/"))))
    assert f"共有项目{counts.projects}个，其中红灯{counts.red}个" in text
    assert f"（截至{today.year}年{today.month}月{today.day}日）" in text
    assert world.root.name in text
    for project in Project.objects.filter(light="red")[:5]:
        assert project.name in text
    assert ListExport.objects.get().form == "docx"


def test_the_workbook_has_the_rows_of_the_page(today: datetime.date) -> None:
    world = after_a_history(today)
    client = seen_by(world.staff[0])
    found = client.get("/cockpit/").context["cockpit"]
    book = openpyxl.load_workbook(downloaded(client.get("/cockpit/file/xlsx/")))
    sheets = [list(book[name].iter_rows(values_only=True)) for name in book.sheetnames]
    overview, red, units, categories = sheets[:4]
    assert dict(row[:2] for row in overview[1:])["项目"] == found.counts.projects
    assert dict(row[:2] for row in overview[1:])["日期"] == today.isoformat(), "not a number of days"
    assert len(red) - 1 == found.counts.red
    assert [row[0].split("（")[0] for row in units[1:]] == [line.name for line in found.units]
    assert sum(row[1] for row in units[1:]) == found.counts.projects
    assert sum(row[1] for row in categories[1:]) == found.counts.projects
    assert ListExport.objects.get().rows == found.counts.projects


def test_no_telephone_number_goes_out_with_a_file(today: datetime.date) -> None:
    world = after_a_history(today)
    Project.objects.update(accountable_lead=None, accountable_lead_text="欧阳某 13800000000")
    client = seen_by(world.staff[0])
    text = all_text(Document(downloaded(client.get("/cockpit/file/docx/"))))
    book = openpyxl.load_workbook(downloaded(client.get("/cockpit/file/xlsx/")))
    told = str([list(sheet.iter_rows(values_only=True)) for sheet in book])
    for said in (text, told):
        assert "欧阳某" in said and "13800000000" not in said


def test_files_of_a_foreign_unit_are_those_of_ones_own(today: datetime.date) -> None:
    world = after_a_history(today)
    inside, outside = world.groups[0], world.groups[1]
    client = seen_by(factories.user("leader", inside))
    text = all_text(Document(downloaded(client.get("/cockpit/file/docx/", {"unit": outside.pk}))))
    assert outside.name not in text
    assert client.get("/cockpit/file/exe/").status_code == 404
    assert client.get("/cockpit/file/docx/", {"on": (today - 90 * DAY).isoformat()}).status_code == 302
    assert seen_by(factories.user("audit", world.root)).get("/cockpit/file/docx/").status_code == 403


def test_the_screen_goes_round_names_nobody_and_goes_on_by_itself(today: datetime.date) -> None:
    world = after_a_history(today)
    Project.objects.update(accountable_lead_text="张三丰 13800000000", coordinator=world.officer)
    client = seen_by(world.staff[0])
    address, seen = "/cockpit/screen/", []
    for _ in range(20):
        page = client.get(address).content.decode()
        assert "张三丰" not in page
        assert world.officer.name not in page
        assert world.staff[0].name not in page
        seen.append(re.search(r"<h2>(.*?)</h2>", page)[1])  # type: ignore[index]
        following = re.search(r'http-equiv="refresh" content="\d+;url=([^"]+)"', page)
        assert following
        address = "/cockpit/screen/" + following[1].replace("&amp;", "&")
        if "page=0" in address:
            break
    assert len(set(seen)) >= 3
    red = Project.objects.filter(light="red").count()
    assert any(f"/ {red}</small>" in title for title in seen), "how many there are, shown or not"
    assert "refresh" not in client.get("/cockpit/screen/", {"still": "1"}).content.decode()
    assert client.get("/cockpit/screen/", {"page": "9" * 30}).status_code == 200


def test_two_days_show_what_turned_red_and_what_was_mended(today: datetime.date) -> None:
    world = World(2, today)
    late = factories.project(world.groups[0], world.programme)
    step = factories.milestone(late, today - DAY)
    soon = factories.project(world.groups[1], world.programme)
    factories.milestone(soon, today, percent=90)
    world.patrol()
    step.state, step.claimed_on, step.accepted_on = "accepted", today, today
    step.save()
    world.next_day()
    page = seen_by(world.staff[0]).get("/cockpit/")
    found = compare(world.staff[0], page.context["question"], today, today + DAY)
    assert [row.project for row in found.turned_red] == [soon]
    assert [row.project for row in found.mended] == [late]
    assert (found.before.red, found.after.red) == (1, 1)  # type: ignore[union-attr]
    foreign = factories.user("leader", world.groups[0])
    assert compare(foreign, page.context["question"], today, today + DAY).turned_red == []


def test_the_columns_of_the_bulletin_are_as_wide_in_the_grid_as_in_the_cells(today: datetime.date) -> None:
    """WPS and LibreOffice go by the grid: with equal columns there the bulletin was twice as long."""
    world = after_a_history(today)
    document = Document(downloaded(seen_by(world.staff[0]).get("/cockpit/file/docx/")))
    assert document.tables
    for table in document.tables:
        in_cells = [cell.width for cell in table.rows[0].cells]
        assert [column.width for column in table.columns] == in_cells
        assert len(set(in_cells)) > 1
