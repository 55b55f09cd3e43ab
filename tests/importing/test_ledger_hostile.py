"""Somebody who does not mean well, over HTTP: foreign ledgers, foreign ids, odd values, values beyond every limit."""

from __future__ import annotations

import json
from typing import Any

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from enterprises.models import Membership
from projects.models import LedgerImport, LedgerRow, Project
from tests import factories
from tests.importing.ledgers import HEADINGS, World, confirmed, handed_in, ledger, workbook, world
from tests.test_pages import client_of

pytestmark = pytest.mark.django_db

PIPES = [1, "牛山上山门管网改造工程", "水务集团", "4月23日", "7月底前", "60%", "推进中", "抄表到户"]
OPEN = [2, "国庆前完成的项目", "水务集团", "", "国庆前", "", "", ""]
STEPS = ("page", "progress", "columns", "decide", "confirm", "undo", "faults")
ODD = [
    "\x00", "NaN", "1e400", "9" * 400, "-1", "²", "٣", "①", "1.5", "", " ", "null", "[" * 2000, "<script>", "’ OR 1=1",
    "\ud83d", "0x10", "Infinity", "甲" * 5000, "9" * 5000,
]  # fmt: skip


@pytest.fixture
def here() -> World:
    return world()


def url(name: str, of: LedgerImport | int) -> str:
    return reverse(f"admin:projects_ledgerimport_{name}", args=[of if isinstance(of, int) else of.pk])


def upload(client: Client, here: World, content: bytes, name: str = "台账.xlsx") -> LedgerImport:
    answer = client.post(
        reverse("admin:projects_ledgerimport_add"),
        {"programme": here.programme.pk, "files": SimpleUploadedFile(name, content)},
    )
    assert answer.status_code == 302, answer.content.decode()[:500]
    return LedgerImport.objects.latest("pk")


def take_in(client: Client, made: LedgerImport) -> LedgerImport:
    assert client.post(url("confirm", made), {"reading": made.reading_number}).status_code == 302
    made.refresh_from_db()
    return made


# -- the ledger of another person -------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("who", ["officer", "staff", "leader"])
def test_the_ledger_of_another_person_is_like_one_that_is_missing(
    here: World, who: str, step: str, method: str
) -> None:
    made = handed_in(ledger(PIPES, OPEN), here.staff, here.programme)
    row = LedgerRow.objects.filter(ledger=made).first()
    other = client_of(factories.user(who, here.water if who == "officer" else here.root))
    posted = {"reading": 1, "row": row.pk, "d-deadline": "none"}
    answers = [getattr(other, method)(url(step, pk), posted) for pk in (made.pk, made.pk + 1000)]
    assert len({answer.status_code for answer in answers}) == 1
    assert answers[0].status_code in (302, 403, 404)
    assert len({answer.headers.get("Location", "") for answer in answers}) == 1
    made.refresh_from_db()
    assert (made.state, made.reading_number) == (LedgerImport.State.READY, 1)
    assert not Project.objects.exists()


@pytest.mark.parametrize("step", STEPS)
def test_whoever_is_logged_out_is_asked_to_log_in(here: World, step: str) -> None:
    made = handed_in(ledger(PIPES), here.staff, here.programme)
    answer = Client().post(url(step, made), {"reading": 1})
    assert answer.status_code == 302
    assert "login" in answer.headers["Location"]
    assert not Project.objects.exists()


def test_whoever_lost_the_role_confirms_nothing(here: World) -> None:
    client, made = client_of(here.officer), handed_in(ledger(PIPES), here.officer, here.programme)
    Membership.objects.filter(user=here.officer).delete()
    client.post(url("confirm", made), {"reading": 1})
    assert not Project.objects.exists()


def test_nothing_happens_by_a_link(here: World) -> None:
    client, made = client_of(here.staff), handed_in(ledger(PIPES, OPEN), here.staff, here.programme)
    for step in ("columns", "decide", "confirm", "undo"):
        assert client.get(url(step, made), {"reading": 1, "row": 1}).status_code in (200, 302)
    made.refresh_from_db()
    assert (made.state, made.reading_number) == (LedgerImport.State.READY, 1)


def test_two_tabs_confirm_once(here: World) -> None:
    client, made = client_of(here.staff), handed_in(ledger(PIPES), here.staff, here.programme)
    take_in(client, made)
    take_in(client, made)
    assert Project.objects.count() == 1


def test_a_tab_from_before_the_columns_were_changed_confirms_nothing(here: World) -> None:
    client, made = client_of(here.staff), handed_in(ledger(PIPES), here.staff, here.programme)
    client.post(url("columns", made), {"c-0-B": "name", "c-0-C": "enterprise", "c-0-E": "deadline"})
    made.refresh_from_db()
    assert made.reading_number == 2
    client.post(url("confirm", made), {"reading": 1})
    made.refresh_from_db()
    assert made.state == LedgerImport.State.READY
    take_in(client, made)
    assert Project.objects.get().note == ""


# -- foreign ids in decisions -------------------------------------------------------------------------------


def test_an_officer_decides_for_the_own_group_only(here: World) -> None:
    client = client_of(here.officer)
    made = handed_in(ledger([1, "甲项目", "", "", "2021年7月", "", "", ""]), here.officer, here.programme)
    row = LedgerRow.objects.get(ledger=made)
    told = []
    for code in (here.metro.code, here.metro.name, here.metro.short_name, "不存在"):
        client.post(url("decide", made), {"row": row.pk, "t-enterprise": code})
        row.refresh_from_db()
        assert (row.enterprise_id, row.outcome) == (None, "needs_review")
        page = client.get(url("page", made)).content.decode()
        told.append(page.count("messagelist"))
    assert len(set(told)) == 1
    client.post(url("decide", made), {"row": row.pk, "t-enterprise": here.water.code})
    row.refresh_from_db()
    assert (row.enterprise_id, row.outcome) == (here.water.pk, "accepted")


def test_rows_of_another_ledger_are_not_decided(here: World) -> None:
    client = client_of(here.staff)
    mine = handed_in(ledger(OPEN), here.staff, here.programme)
    other = handed_in(ledger(OPEN), here.officer, here.programme)
    row = LedgerRow.objects.get(ledger=other)
    client.post(url("decide", mine), {"row": row.pk, "d-deadline": "2021-09-30"})
    row.refresh_from_db()
    assert (row.outcome, row.decided) == ("needs_review", {})


def test_categories_of_another_programme_are_not_chosen(here: World) -> None:
    factories.category(here.programme, "供水")
    foreign = factories.category(factories.programme(here.root, 2022), "别的")
    made = handed_in(
        ledger([1, "甲项目", "水务集团", "航天", "2021年7月"], headings=["序号", "项目名称", "责任单位", "项目类别", "完成时限"]),
        here.staff, here.programme,
    )  # fmt: skip
    row = LedgerRow.objects.get(ledger=made)
    for value in (foreign.pk, 10**30, "²", "٣"):
        client_of(here.staff).post(url("decide", made), {"row": row.pk, "d-category": value})
        row.refresh_from_db()
        assert row.outcome == "needs_review"


def test_a_foreign_programme_is_not_handed_in_to(here: World) -> None:
    elsewhere = factories.programme(factories.sasac("另一市国资委"), 2021)
    for value in (elsewhere.pk, 10**30, "²", "", "NaN"):
        answer = client_of(here.staff).post(
            reverse("admin:projects_ledgerimport_add"),
            {"programme": value, "files": SimpleUploadedFile("a.xlsx", ledger(PIPES))},
        )
        assert answer.status_code == 400
    assert not LedgerImport.objects.exists()


@pytest.mark.parametrize("value", ODD)
def test_odd_values_are_answered_not_stumbled_over(here: World, value: str) -> None:
    client, made = client_of(here.staff), handed_in(ledger(PIPES, OPEN), here.staff, here.programme)
    row = LedgerRow.objects.filter(ledger=made, outcome="needs_review").get()
    value = value.encode("utf-8", "replace").decode()
    for field in (
        "deadline",
        "start",
        "enterprise",
        "progress",
        "status",
        "category",
        "name",
        "row",
        "nothing",
    ):
        for kind in ("d", "t"):
            posted = {"row": row.pk, f"{kind}-{field}": value, "show": value, "everywhere": value}
            assert client.post(url("decide", made), posted).status_code in (302, 400)
    for step, posted in (
        ("decide", {"row": value, "d-deadline": "none"}),
        ("confirm", {"reading": value}),
        ("columns", {"c-0-B": value, "c-0-C": value, "out-0": value}),
    ):
        assert client.post(url(step, made), posted).status_code in (302, 400)
        assert client.get(url("page", made), {"show": value, "page": value}).status_code in (200, 400)
    made.refresh_from_db()
    assert made.state in (LedgerImport.State.READY, LedgerImport.State.REFUSED)
    take_in(client, made)


DECIDED = [
    ("deadline", "0001-01-01"), ("deadline", "9999-12-31"), ("deadline", "2021-W30-1"), ("deadline", "20210731"),
    ("deadline", "2021-03-01"), ("start", "0001-01-01"), ("start", "2031-01-01"), ("progress", "nan"), ("progress", "1e-400"),
    ("progress", "٣٤"), ("progress", "100.004"), ("name", "甲\u202e\u200b\x01乙"), ("name", "=1+1"), ("name", "甲" * 200),
    ("name", "【示例】甲"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), DECIDED)
def test_what_is_decided_can_be_taken_in_or_is_refused(here: World, field: str, value: str) -> None:
    client = client_of(here.staff)
    made = handed_in(
        ledger([1, "甲项目", "水务集团", "3月5日", "国庆前", "1", "", ""]), here.staff, here.programme
    )
    row = LedgerRow.objects.get(ledger=made)
    for key, usual in (("deadline", "2021-09-30"), ("progress", "100"), (field, value)):
        client.post(url("decide", made), {"row": row.pk, f"t-{key}": usual})
    made = take_in(client, made)
    assert made.fault == ""
    for project in Project.objects.all():
        assert project.due_on is None or 1900 <= project.due_on.year <= 2199
        assert project.starts_on is None or project.due_on is None or project.starts_on <= project.due_on
        assert "\u202e" not in project.name
        assert client.get(reverse("admin:projects_project_page", args=[project.pk])).status_code == 200


# -- files and cells -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd.xlsx", "C:\\\\temp\\\\台账.xlsx", '"><script>alert(1)</script>.xlsx', "=cmd|' /C calc'!A0.xlsx",
     "台" * 300 + ".xlsx", "\u202exslx.台账.xlsx", "a\nb.xlsx", ".xlsx", "%s%d%(x)s.xlsx", "台账"],
)  # fmt: skip
def test_names_of_files_do_no_harm(here: World, name: str) -> None:
    client = client_of(here.staff)
    made = upload(client, here, ledger(PIPES, OPEN), name)
    assert "/" not in made.file_name.replace("</script>", "")
    for page in (url("page", made), reverse("admin:projects_ledgerimport_changelist")):
        told = client.get(page).content.decode()
        assert "<script>alert(1)" not in told
    faults = client.get(url("faults", made))
    assert faults.status_code == 200
    assert "\n" not in faults.headers["Content-Disposition"]
    take_in(client, made)
    assert Project.objects.count() == 1


NASTY = ["<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", '=HYPERLINK("http://a","b")', "@SUM(1)", "+1", "%s %(a)s", "{{7*7}}", "a\x0bb", "\\N", "a\\", "\tb"]  # fmt: skip


def test_nasty_texts_are_shown_as_texts_and_taken_in_as_they_are(here: World) -> None:
    client = client_of(here.staff)
    rows = [
        [at, f"项目{text}", "水务集团", text, "2021年7月", text, text, text] for at, text in enumerate(NASTY)
    ]
    rows += [
        [90 + at, f"好项目{at}{text}", "水务集团", "", "2021年7月", "", "", text]
        for at, text in enumerate(NASTY)
    ]
    made = upload(client, here, ledger(*rows))
    for show in ("all", "needs_review", "rejected", "new"):
        page = client.get(url("page", made), {"show": show}).content.decode()
        assert "<img src=x" not in page
        assert 'href="javascript' not in page
    content = b"".join(client.get(url("faults", made)).streaming_content)  # type: ignore[attr-defined]
    assert b"<f>" not in content
    take_in(client, made)
    assert Project.objects.count() >= len(NASTY) - 1


# -- what an officer learns of others ------------------------------------------------------------------------


def test_an_officer_learns_nothing_of_another_group(here: World) -> None:
    """Projects, codes and names of a group next door: the preview is the same as if they were not there."""

    def told() -> list[Any]:
        head = ["项目编号", "项目名称", "责任单位", "完成时限", "配合单位", "版本"]
        rows = [
            ["GD-01", "地铁便民驿站", "水务集团", "2021年7月", "轨道公司", ""],
            ["", "地铁便民驿站项目", "水务集团", "2021年7月", "轨道", ""],
            ["", "别的项目", "轨道公司", "2021年7月", "", ""],
            ["", "别的项目二", "东莞市轨道交通公司", "2021年7月", "", ""],
            ["", "别的项目三", "水务集团、轨道公司", "2021年7月", "", ""],
            ["GD-01", "地铁便民驿站", "轨道公司", "2021年7月", "", "1"],
            ["", "别的项目四", here.metro.code, "2021年7月", "", ""],
        ]
        made = handed_in(ledger(*rows, headings=head), here.officer, here.programme)
        found = list(
            LedgerRow.objects.filter(ledger=made).order_by("position").values("outcome", "change", "data")
        )
        client = client_of(here.officer)
        b"".join(client.get(url("faults", made)).streaming_content)  # type: ignore[attr-defined]
        return json.loads(json.dumps(found))

    without = told()
    factories.project(here.metro, here.programme, name="地铁便民驿站", code="GD-01")
    assert told() == without
    assert here.metro.name not in json.dumps(
        [row["data"]["enterprise"]["candidates"] for row in without], ensure_ascii=False
    )


def test_the_code_of_a_foreign_project_is_no_way_to_it(here: World) -> None:
    foreign = factories.project(here.metro, here.programme, name="地铁便民驿站", code="GD-01")
    head = ["项目编号", "项目名称", "责任单位", "完成时限", "备注"]
    made = handed_in(
        ledger(["GD-01", "改了名的项目", "水务集团", "2021年7月", "改"], headings=head),
        here.officer,
        here.programme,
    )
    done = confirmed(made)
    foreign.refresh_from_db()
    assert (foreign.name, foreign.note) == ("地铁便民驿站", "")
    assert done.receipt["created"] + done.receipt["conflict"] + done.receipt["left_out"] == 1


def test_a_workbook_without_the_usual_names(here: World) -> None:
    """Names of sheets are shown, sent back, and become tabs of the workbook of faults."""
    for name in ("<b>", "'a'", "=1+1", "History", "台" * 31):
        client = client_of(here.staff)
        try:
            content = workbook([HEADINGS, OPEN], sheet=name)
        except xlsxwriter.exceptions.XlsxWriterException:
            continue
        made = upload(client, here, content)
        assert (
            "<b>"
            not in client.get(url("page", made)).content.decode().split("ledger-rows")[1].split("<tbody>")[0]
        )
        assert client.get(url("faults", made)).status_code == 200


# -- decisions and the workbook of faults ---------------------------------------------------------------------


def test_a_state_and_a_progress_that_disagree_are_both_asked_for(here: World) -> None:
    client = client_of(here.staff)
    made = upload(client, here, ledger([1, "甲项目", "水务集团", "", "2021年7月", "80%", "已完成", ""]))
    page = client.get(url("page", made)).content.decode()
    assert 'name="d-status"' in page
    assert 'name="t-progress"' in page
    row = LedgerRow.objects.get(ledger=made)
    client.post(url("decide", made), {"row": row.pk, "t-progress": "100"})
    row.refresh_from_db()
    assert (row.outcome, row.data["progress"]) == ("accepted", 100)


def test_one_name_is_not_given_to_every_row_without_one(here: World) -> None:
    client = client_of(here.staff)
    rows = [[at, "", "水务集团", "", "2021年7月", "", "", ""] for at in (1, 2, 3)]
    made = upload(client, here, ledger(*rows))
    row = LedgerRow.objects.filter(ledger=made).earliest("position")
    client.post(url("decide", made), {"row": row.pk, "t-name": "甲 项目", "everywhere": "1"})
    assert list(LedgerRow.objects.filter(ledger=made).order_by("position").values_list("name", flat=True)) == [
        "甲 项目", "", "",
    ]  # fmt: skip


def test_the_workbook_of_faults_is_read_as_the_ledger_was(here: World) -> None:
    """A number stays a number: 2021.1 may be October, the text 2021.1 is January."""
    client = client_of(here.staff)
    rows = [
        [1, "甲项目", "水务集团", 2021.1, 2021.1, 1, "呵呵", "=1+1"],
        [2, "乙项目", "/", "", "春节前", 0.5, "", ""],
        [3, "", "水务集团", "", "2月30日", "abc", "", ""],
    ]
    made = upload(client, here, ledger(*rows))
    content = b"".join(client.get(url("faults", made)).streaming_content)  # type: ignore[attr-defined]
    again = upload(client, here, content, "待修改.xlsx")
    told = [
        [
            (row.outcome, {code for code, _f, _p in row.data["findings"]} - {"PERCENT_FRACTION"})
            for row in one.rows.order_by("position")
        ]
        for one in (made, again)
    ]
    assert told[0] == told[1]


def test_signs_of_states_are_told_in_words(here: World) -> None:
    client = client_of(here.staff)
    made = upload(client, here, ledger([1, "甲项目", "水务集团", "", "2021年12月", "", "√", ""]))
    page = client.get(url("page", made), {"show": "all"}).content.decode()
    assert "“done”" not in page
