"""The working calendar: what a sheet says, what is taken over, what a year without holidays says."""

from __future__ import annotations

import datetime
import io
import zipfile
from typing import Any

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from projects.calendar_file import Unreadable, cells_of
from projects.calendar_sheet import read_sheet
from projects.models import CalendarDay
from projects.services.working_calendar import working_calendar
from tests import factories
from tests.forms import form_of, shown_form
from tests.test_pages import client_of

D = datetime.date
YEAR = reverse("admin:projects_calendarday_changelist")
IMPORT = reverse("admin:projects_calendarday_import")
HEAD = ["日期", "类型", "名称"]


def workbook(rows: list[list[Any]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write(at, column, cell)
    return out.getvalue()


@pytest.fixture
def clerk(db: None) -> Any:
    return client_of(factories.user("staff", factories.sasac()))


def upload(client: Any, content: bytes, name: str = "2027.xlsx") -> Any:
    return client.post(IMPORT, {"sheet": SimpleUploadedFile(name, content)})


def test_the_seeded_years_know_their_worked_weekends(db: None) -> None:
    calendar = working_calendar()
    worked = [D(2026, 1, 4), D(2026, 2, 14), D(2026, 2, 28), D(2026, 5, 9), D(2026, 9, 20), D(2026, 10, 10)]
    assert all(calendar.is_working(day) and day.weekday() >= 5 for day in worked)
    assert calendar.covers(2026) and not calendar.covers(2027)
    assert calendar.is_working(D(2027, 10, 1)) and not calendar.is_working(D(2027, 10, 2))


def test_a_sheet_is_looked_at_first_and_written_when_confirmed(clerk: Any) -> None:
    content = workbook([
        ["2027年节假日安排"], [], HEAD,
        [D(2027, 1, 1), "放假", "元旦"], ["2027年2月5日", "休", "春节"], ["2027/2/20", "上班", "春节调休"],
        [20270403, "放假", "清明节"], ["2027-05-32", "放假", "劳动节"], ["明天", "放假", ""], ["2027-06-09", "看情况", "端午"],
    ])  # fmt: skip
    page = upload(clerk, content)
    todo = page.context["todo"]
    assert [(d.day, d.is_working, d.name) for d in todo.new] == [
        (D(2027, 1, 1), False, "元旦"), (D(2027, 2, 5), False, "春节"), (D(2027, 2, 20), True, "春节调休"),
    ]  # fmt: skip
    assert page.context["ordinary"] == 1  # 3 April 2027 is a Saturday
    assert [fault.row for fault in page.context["faults"]] == [8, 9, 10]
    assert not CalendarDay.objects.filter(day__year=2027).exists()
    answer = clerk.post(IMPORT, {"confirm": "1", "held": page.context["held"]})
    assert answer.status_code == 302
    assert working_calendar().covers(2027)
    assert working_calendar().is_working(D(2027, 2, 20))


def test_first_and_last_days_and_a_changed_day_are_understood(clerk: Any) -> None:
    rows = "开始日期,结束日期,类型,名称\n2027-10-01,2027-10-07,放假,国庆节\n"
    page = upload(clerk, rows.encode("gb18030"), "国庆.csv")
    assert len(page.context["todo"].new) == 5
    clerk.post(IMPORT, {"confirm": "1", "held": page.context["held"]})
    page = upload(clerk, "日期,类型,名称\n2027-10-01,放假,国庆\n2027-10-08,放假,国庆\n".encode(), "改.csv")
    todo = page.context["todo"]
    assert (len(todo.new), len(todo.changed), len(todo.missing)) == (1, 1, 4)
    clerk.post(IMPORT, {"confirm": "1", "held": page.context["held"], "drop": "1"})
    found = CalendarDay.objects.filter(day__year=2027).order_by("day").values_list("day", "name")
    assert list(found) == [(D(2027, 10, 1), "国庆"), (D(2027, 10, 8), "国庆")]


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (60 * 1024 * 1024))
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   \n",
        b"\x00\x01\x02\x03",
        b"\xff\xfe\xfa",
        b"PK\x03\x04 but no archive",
        b"\xd0\xcf\x11\xe0 an old workbook",
        workbook([[1]])[:200],
        _bomb(),
        b"x" * (1024 * 1024 + 1),
    ],
)
def test_a_file_that_is_no_sheet_is_answered_in_words(clerk: Any, content: bytes) -> None:
    page = (
        upload(clerk, content) if content else clerk.post(IMPORT, {"sheet": SimpleUploadedFile("a.csv", b"")})
    )
    assert page.status_code == 409 or page.context["faults"]
    assert page.context["todo"] is None or not page.context["todo"].new


def test_one_cell_at_the_far_corner_costs_nothing() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "日期")
        sheet.write(1_048_575, 16_383, 1)
    with pytest.raises(Unreadable):
        cells_of(out.getvalue())


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [["日期"]],
        [["甲", "乙"], ["2027-01-01", "放假"]],
        [HEAD],
        [HEAD, ["", "", ""], [None, None, None]],
        [HEAD, ["2027-01-01"]],
        [HEAD, ["9999-01-01", "放假"]],
        [HEAD, [45678.5, "放假"]],
        [["开始日期", "结束日期", "类型"], ["2027-02-09", "2027-02-01", "放假"]],
        [["开始日期", "结束日期", "类型"], ["2027-01-01", "2037-01-01", "放假"]],
        [HEAD] + [["2027-01-01", "放假"]] * 3000,
    ],
)
def test_nonsense_names_its_row_and_invents_no_day(rows: list[list[Any]]) -> None:
    assert not read_sheet(rows).days


def test_a_day_named_twice_and_differently_counts_once_and_says_so() -> None:
    sheet = read_sheet([HEAD, ["2027-01-01", "放假", ""], ["2027-01-01", "上班", ""]])
    assert [(d.day, d.is_working) for d in sheet.days] == [(D(2027, 1, 1), False)]
    assert [fault.row for fault in sheet.faults] == [3]


@given(st.lists(st.lists(st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.dates(), st.booleans()), max_size=4), max_size=6))  # fmt: skip
def test_no_cell_however_odd_raises_or_invents(rows: list[list[Any]]) -> None:
    dates = {cell for row in rows for cell in row if isinstance(cell, D)}
    sheet = read_sheet([HEAD, *rows])
    written = {str(cell) for row in rows for cell in row}
    assert all(day.day in dates or any(str(day.day.year) in text for text in written) for day in sheet.days)


@given(st.binary(max_size=400))
def test_no_bytes_however_odd_raise_anything_else(content: bytes) -> None:
    for begin in (b"", b"PK\x03\x04", "日期,类型\n".encode()):
        try:
            read_sheet(cells_of(begin + content))
        except Unreadable as unreadable:
            assert str(unreadable)


def test_what_was_held_is_confirmed_only_unchanged_and_by_whoever_may(clerk: Any) -> None:
    page = upload(clerk, workbook([HEAD, [D(2027, 1, 1), "放假", "元旦"]]))
    held = page.context["held"]
    for broken in ("", "x", held[:-2], held + "x"):
        assert clerk.post(IMPORT, {"confirm": "1", "held": broken}).status_code == 409
    officer = client_of(factories.user("officer", factories.sasac("别")))
    assert officer.post(IMPORT, {"confirm": "1", "held": held}).status_code == 302
    assert not CalendarDay.objects.filter(day__year=2027).exists()


def test_the_year_page_says_when_it_counts_monday_to_friday(clerk: Any) -> None:
    known = clerk.get(YEAR, {"year": "2026"})
    assert known.context["covered"] and "calendar-note" not in known.content.decode()
    unknown = clerk.get(YEAR, {"year": "2027"})
    assert not unknown.context["covered"] and "calendar-note" in unknown.content.decode()
    assert unknown.context["working_days"] == 261
    for odd in ("", "x", "1", "99999", "²⁰²⁶"):
        assert clerk.get(YEAR, {"year": odd}).context["year"] == timezone.localdate().year


def test_a_day_is_entered_changed_and_taken_out_by_hand(clerk: Any) -> None:
    add = reverse("admin:projects_calendarday_add")
    page = clerk.get(add, {"day": "2027-02-20"})
    assert form_of(page)["is_working"] is True
    answer = clerk.post(add, {"day": "2027-02-20", "is_working": "on", "name": "春节调休", "source": ""})
    assert answer.url.endswith("?year=2027")
    row = CalendarDay.objects.get(day=D(2027, 2, 20))
    change = reverse("admin:projects_calendarday_change", args=[row.pk])
    clerk.post(change, form_of(clerk.get(change)) | {"name": "调休"})
    row.refresh_from_db()
    assert row.name == "调休"
    assert shown_form(clerk.get(IMPORT), "upload-sheet") is not None
