"""Taking entries out of the journal: everything that fits, nothing else's, and it is written down."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse

from enterprises.models import JournalExport, Membership, SignIn
from journal import exporting
from journal.context import acting
from projects.models import Milestone, Project
from tests import factories
from tests.test_pages import built, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    return built()


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def table(response: HttpResponse) -> list[list[str]]:
    raw = content(response)
    assert raw.startswith(b"\xef\xbb\xbf"), "Excel takes a CSV without the mark for GBK"
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))


def export(reader: Any, **filters: str) -> Any:
    return client_of(reader).post("/journal/export/", {"form": "csv", **filters})


def test_all_pages_of_what_fits_the_filter_are_taken_out(world: dict) -> None:
    project = factories.project(world["group"], name="导出项目")
    made = Milestone.objects.bulk_create(Milestone(project=project, name=f"批{n}") for n in range(120))
    with acting(by="某人", why="统一更正", source="command"):
        Milestone.objects.filter(project=project).update(weight=7)
    head, *rows = table(export(world["audit"], kind="projects.milestone", by="某人"))
    assert len(head) == 13
    assert sorted(row[6] for row in rows) == sorted(m.name for m in made)
    assert {tuple(row[i] for i in (1, 7, 9, 10, 11)) for row in rows} == {
        ("某人", "导出项目", "100", "7", "统一更正")
    }
    kept = JournalExport.objects.get()
    assert (kept.by, kept.entries, kept.form) == (world["audit"].name, 120, "csv")
    assert kept.filters["by"] == "某人"
    assert kept.filters["since"], "the days that were searched are part of what was taken out"
    page = client_of(world["audit"]).get("/journal/exports/")
    assert page.context["rows"][0] == kept
    assert "某人" in page.context["rows"][0].filter_words


def test_an_excel_file_opens_and_holds_text_only(world: dict) -> None:
    Project.objects.filter(pk=world["project"].pk).update(place="=1+1")
    response = client_of(world["audit"]).post("/journal/export/", {"form": "xlsx"})
    assert ".xlsx" in response.headers["Content-Disposition"]
    book = zipfile.ZipFile(io.BytesIO(content(response)))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert ">=1+1<" in sheet


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(world: dict, start: str) -> None:
    Project.objects.filter(pk=world["project"].pk).update(place=f"{start}cmd|' /C calc'!A0")
    rows = table(export(world["audit"], kind="projects.project"))
    assert any(row[10] == f"'{start}cmd|' /C calc'!A0" for row in rows)
    assert all(not cell.startswith(("=", "+", "-", "@", "\t")) for row in rows for cell in row)


def test_a_second_sheet_begins_before_excel_is_full(monkeypatch: Any, world: dict) -> None:
    monkeypatch.setattr(exporting, "SHEET_ROWS", 10)
    response = client_of(world["audit"]).post("/journal/export/", {"form": "xlsx"})
    names = zipfile.ZipFile(io.BytesIO(content(response))).namelist()
    assert "xl/worksheets/sheet2.xml" in names


def test_a_book_without_an_entry_still_has_its_head(world: dict) -> None:
    response = client_of(world["audit"]).post("/journal/export/", {"form": "xlsx", "by": "nobody at all"})
    sheet = zipfile.ZipFile(io.BytesIO(content(response))).read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<row ") == 1


def test_an_auditor_takes_nothing_out_that_lies_behind_the_wall(world: dict) -> None:
    other = factories.sasac("外地国资委")
    elsewhere = factories.project(factories.enterprise("外地集团", parent=other), name="外地项目")
    own = table(export(world["audit"]))
    abroad = table(export(factories.user("audit", other)))
    assert not any("外地" in cell for row in own for cell in row)
    assert elsewhere.name in {row[6] for row in abroad}, "the control"
    assert world["project"].name not in {row[6] for row in abroad}
    assert [row.user for row in JournalExport.objects.visible_to(world["audit"])] == [world["audit"]]


def test_an_export_over_two_trees_is_seen_from_both_and_its_words_only_by_who_reads_both(world: dict) -> None:
    other = factories.sasac("外地国资委")
    there, both = factories.user("audit", other), factories.user("audit", world["root"])
    for unit in (other, world["group"]):  # the group lies below the first: no row of its own
        Membership.objects.create(user=both, role="audit", unit=unit)
    export(both, by="张三")
    for reader, units in (
        (world["audit"], {world["root"]}),
        (there, {other}),
        (both, {world["root"], other}),
    ):
        rows = client_of(reader).get("/journal/exports/").context["rows"]
        assert {row.unit for row in rows} == units and len(rows) == len(units)
        for row in rows:
            assert row.partly_beyond == (reader != both)
            assert ("张三" in row.filter_words) == (reader == both)
    page = client_of(there).get("/journal/exports/").content.decode()
    assert both.name in page and "张三" not in page


@pytest.mark.parametrize("role", ["staff", "officer", "leader", "system", "security"])
def test_only_the_audit_administrator_takes_entries_out(world: dict, role: str) -> None:
    assert export(world[role]).status_code == 403
    for page in ("", "sign-ins/", "exports/", "archives/", "archives/1/"):
        assert client_of(world[role]).get(f"/journal/{page}").status_code == 403
    assert not JournalExport.objects.exists()


def test_a_link_exports_nothing(world: dict) -> None:
    assert client_of(world["audit"]).get("/journal/export/?form=csv").status_code == 302
    assert client_of(world["audit"]).post("/journal/export/", {"form": "exe"}).status_code == 302
    assert not JournalExport.objects.exists()


def test_the_days_stand_in_the_file_name(world: dict) -> None:
    response = export(world["audit"], since="2026-01-02", until="2026-03-04")
    assert "20260102-20260304.csv" in response.headers["Content-Disposition"]


# -- who came in -------------------------------------------------------------------------------------


def outcomes(reader: Any) -> list[tuple[str, str]]:
    rows = client_of(reader).get("/journal/sign-ins/").context["rows"]
    return [(row.outcome, row.username) for row in rows if row.user != reader]


def test_logging_in_and_out_and_failing_are_written_down(world: dict) -> None:
    client = client_of(world["officer"])
    client.post("/logout/")
    for name, password in ((world["officer"].username, "wrong"), ("MyPassword2026!", "x")):
        client.post("/login/", {"username": name, "password": password})
    client.post("/login/", {"username": world["officer"].username, "password": factories.PASSWORD})
    name = world["officer"].username
    assert outcomes(world["audit"]) == [
        ("in", name),
        ("failed", "MyP…"),
        ("failed", name),
        ("out", name),
        ("in", name),
    ]
    last = SignIn.objects.filter(username=name, outcome="in").first()
    assert last is not None
    assert (last.address, last.unit) == ("127.0.0.1", world["group"])


def test_a_lock_out_is_written_down_once_per_attempt(world: dict, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    client = client_of(world["officer"])
    client.post("/logout/")
    for _attempt in range(3):
        client.post("/login/", {"username": world["officer"].username, "password": "wrong"})
    told = [outcome for outcome, _name in outcomes(world["audit"])]
    assert told.count("locked") == 2
    assert told.count("failed") in (1, 2)


def test_sign_ins_stay_behind_the_wall(world: dict) -> None:
    stranger = factories.user("audit", factories.sasac("外地国资委"))
    client_of(world["officer"])
    assert outcomes(stranger) == []
    of_group = factories.user("audit", world["group"])
    assert [name for _outcome, name in outcomes(of_group)] == [world["officer"].username]


def test_a_sign_in_of_somebody_of_two_trees_is_seen_from_both(world: dict) -> None:
    other = factories.sasac("外地国资委")
    there, nowhere = factories.user("audit", other), factories.user("audit", factories.sasac("第三国资委"))
    for unit in (other, world["root"]):  # the group of the officer lies below the second
        Membership.objects.create(user=world["officer"], role="staff", unit=unit)
    client_of(world["officer"])
    name = world["officer"].username
    assert outcomes(world["audit"]) == outcomes(there) == [("in", name)]
    assert outcomes(nowhere) == []
    client_of(nowhere).post("/login/", {"username": name, "password": "wrong"})
    assert outcomes(there)[0] == ("failed", name)


@pytest.mark.parametrize(
    "tail", ["?before=x", "?before=²", "?before=" + "9" * 30, "?outcome=nope", "?before=1"]
)
def test_strange_links_to_the_records_are_answered(world: dict, tail: str) -> None:
    for page in ("sign-ins/", "exports/", "archives/"):
        assert client_of(world["audit"]).get(f"/journal/{page}{tail}").status_code == 200


@pytest.mark.parametrize("verb", ["UPDATE {} SET unit_id = NULL", "DELETE FROM {}"])
def test_nobody_changes_what_is_written_down(world: dict, verb: str) -> None:
    export(world["audit"])
    for model in (JournalExport, SignIn):
        with (
            connection.cursor() as cursor,
            pytest.raises(DatabaseError, match="Cannot"),
            transaction.atomic(),
        ):
            cursor.execute(verb.format(model._meta.db_table))
        row = model.objects.first()
        assert row is not None
        for change in (row.delete, row.save, model.objects.all().delete):
            with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
                change()
