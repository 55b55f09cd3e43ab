"""Every list as a file: exactly what the screen shows, on all its pages, and nothing from beyond the wall."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from django.contrib import admin
from django.db import DatabaseError, transaction

from enterprises.models import Enterprise, ExportLayout, ListExport, SavedView
from enterprises.scoped_export import ExportsList
from enterprises.spreadsheets import is_formula_like
from projects.exporting.columns import LEDGER
from tests import factories
from tests.exporting.files import content, exported, table_of
from tests.exporting.test_round_trip import HOSTILE
from tests.isolation.world import World, build, marker
from tests.test_pages import built, client_of

pytestmark = pytest.mark.django_db
FORMS = ("xlsx", "csv")
LISTS = [f"/{model._meta.app_label}/{model._meta.model_name}/" for model, one in admin.site._registry.items() if isinstance(one, ExportsList)]  # fmt: skip


@pytest.fixture
def walled() -> World:
    return build()


def texts_of(file: bytes) -> str:
    if file[:2] != b"PK":
        return file.decode("utf-8-sig")
    import io

    book = openpyxl.load_workbook(io.BytesIO(file))
    return "\n".join(str(cell.value) for page in book for row in page.iter_rows() for cell in row)


def test_the_lists_of_the_brief_can_be_taken_out() -> None:
    assert {one.strip("/").split("/")[1] for one in LISTS} >= {
        *("project", "milestone", "overdueepisode", "progressreport", "extensionrequest", "closeout"),
        *("reminder", "enterprise", "partybranch", "user"),
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "role", ["officer", "clerk", "group_leader", "staff", "leader", "security", "audit", "system"]
)
def test_no_file_holds_a_row_or_a_name_from_behind_the_wall(walled: World, role: str, form: str) -> None:
    client, taken = client_of(walled.users[role]), 0
    for one in LISTS:
        for query in ("", "?q=" + marker("b1"), "?programme=all", "?o=1&p=3"):
            response = client.get(f"{one}export/{form}/{query}")
            if response.status_code != 200:
                assert response.status_code in (302, 400, 403), (one, query)
                continue
            taken += 1
            text = texts_of(content(response))
            behind = [key for key in walled.units if key not in walled.sees[role] and marker(key) in text]
            assert not behind, (one, query, behind)
    assert taken >= 3 or role == "system"


def test_no_file_of_accounts_holds_what_guards_them(walled: World) -> None:
    for form in FORMS:
        text = texts_of(exported(walled.users["security"], form, of="/enterprises/user/"))
        assert "官甲" in text
        for user in walled.users.values():
            assert user.password not in text
        assert "pbkdf2" not in text and "argon2" not in text and "md5" not in text


def test_the_file_has_what_the_screen_shows_on_all_pages_and_in_its_order() -> None:
    world = built()
    programme = world["project"].programme
    for n in range(130):
        factories.project(world["group"], programme, name=f"供水{n:03}" if n % 2 else f"供电{n:03}")
    query = f"?programme={programme.pk}&q=供水&o=2"
    shown = client_of(world["staff"]).get(f"/projects/project/{query}").context["cl"]
    expected = list(shown.queryset.values_list("name", flat=True))
    assert len(expected) == 65
    for form in FORMS:
        head, *rows = table_of(exported(world["staff"], form, query=query))
        assert [row[head.index("项目名称")] for row in rows] == expected
    kept = ListExport.objects.order_by("-id")[0]
    assert (kept.by, kept.rows, kept.listed, kept.form) == (
        str(world["staff"]),
        65,
        "projects.project",
        "csv",
    )
    assert kept.filters == {"programme": str(programme.pk), "q": "供水", "o": "2"}


def test_an_export_is_written_down_once_and_for_good() -> None:
    world = built()
    exported(world["officer"], "csv", of="/projects/milestone/")
    kept = ListExport.objects.get()
    assert (kept.user, kept.unit, kept.rows) == (world["officer"], world["group"], 3)
    with pytest.raises(DatabaseError), transaction.atomic():
        ListExport.objects.update(rows=0)
    page = client_of(world["audit"]).get("/enterprises/listexport/")
    assert page.status_code == 200
    assert str(world["officer"]) in page.content.decode()
    assert client_of(world["staff"]).get("/enterprises/listexport/").status_code == 403


def test_what_was_filtered_for_two_groups_is_not_shown_to_the_auditor_of_one(walled: World) -> None:
    from enterprises.models import Membership

    both = walled.users["officer"]
    Membership.objects.create(user=both, role="officer", unit=walled.units["a2"].enterprise)
    auditor = factories.user("audit", walled.units["a2"].enterprise)
    exported(type(both).objects.get(pk=both.pk), "csv", query="?q=" + marker("a1"))
    page = client_of(auditor).get("/enterprises/listexport/")
    assert page.context["cl"].result_count == 2, "this one, and the one that the world begins with"
    assert marker("a1") not in page.content.decode()


def test_no_cell_of_a_file_is_run_by_a_spreadsheet() -> None:
    world = built()
    for n, text in enumerate(HOSTILE):
        milestone = factories.milestone(world["project"], None, name=f"{text[:90]}甲{n}")
        assert milestone.name
    csv_cells = [
        cell for row in table_of(exported(world["staff"], "csv", of="/projects/milestone/")) for cell in row
    ]
    assert not [cell for cell in csv_cells if cell.strip()[:1] and cell.strip()[0] in "=+-@＝＋－＠"]
    assert any(cell.startswith("'=HYPERLINK") for cell in csv_cells)
    import io

    book = openpyxl.load_workbook(io.BytesIO(exported(world["staff"], of="/projects/milestone/")))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row if isinstance(cell.value, str)]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    risky = [cell for cell in cells if is_formula_like(cell.value)]
    assert risky
    assert all(cell.quotePrefix for cell in risky)


def test_a_question_that_the_list_refuses_is_refused_for_the_file_too() -> None:
    world = built()
    client = client_of(world["officer"])
    assert client.get("/projects/project/export/csv/?enterprise__credit_code__startswith=9").status_code in (
        302,
        400,
    )
    assert client.get("/projects/project/export/csv/?nonsense=1").status_code in (302, 400)
    assert client_of(world["system"]).get("/projects/project/export/csv/").status_code == 403
    assert not ListExport.objects.exists()


# -- layouts -------------------------------------------------------------------------------------------------


def new_layout(world: dict[str, Any], who: str = "officer", **typed: str) -> Any:
    data = {"list": "projects.project", "name": "局里的顺序", "unit": world["group"].pk, "at-name": "2", "at-code": "1", "as-name": "=事项", **typed}  # fmt: skip
    return client_of(world[who]).post("/enterprises/exportlayout/add/", data)


@pytest.mark.parametrize("form", FORMS)
def test_a_layout_gives_columns_order_and_headings(form: str) -> None:
    world = built()
    assert new_layout(world).status_code == 302
    layout = ExportLayout.objects.get()
    assert layout.columns == [["code", ""], ["name", "=事项"]]
    menu = client_of(world["officer"]).get("/projects/project/?q=x&p=0").context["exports"]["offered"]
    assert [one["name"] for one in menu[2:]] == ["局里的顺序"]
    assert f"_layout={layout.pk}" in menu[2]["links"][0][1]
    assert "q=x" in menu[2]["links"][0][1]
    head, row = table_of(exported(world["officer"], form, query=f"?_layout={layout.pk}"))
    assert head == ["项目编号", "'=事项" if form == "csv" else "=事项"]
    assert row == [world["project"].code, world["project"].name]


# -- as on screen ----------------------------------------------------------------------------------------------


def test_every_column_of_every_list_is_in_its_file_or_is_known_to_be_missing() -> None:
    """A new column of a list without a place in the file would be left out of it without a word."""
    world = built()
    client = client_of(world["staff"])
    checked = 0
    for model, one in admin.site._registry.items():
        if not isinstance(one, ExportsList):
            continue
        response = client.get(f"/{model._meta.app_label}/{model._meta.model_name}/")
        if response.status_code != 200:
            continue
        keys = {column.key for column in one.columns_out(response.wsgi_request)}
        shown = [*one.list_display, *getattr(one, "more_columns", ())]  # type: ignore[attr-defined]
        for name in shown:
            in_file = one.columns_in_file.get(name, (name,))
            if name in one.columns_in_file and in_file:
                assert set(in_file) & keys, (model, name)
            else:
                assert set(in_file) <= keys, (model, name)
            checked += 1
        assert set(one.columns_in_file) <= set(shown), model
    assert checked > 70


@pytest.mark.parametrize("form", FORMS)
def test_the_file_has_the_columns_of_the_view_that_is_open(form: str) -> None:
    world = built()
    view = SavedView.objects.create(
        owner=world["staff"],
        listed="projects.project",
        name="例会",
        query="",
        columns=["status", "name_and_place", "code", "approved_on"],
    )
    client = client_of(world["staff"])
    menu = client.get(f"/projects/project/?_view={view.pk}&q=").context["exports"]["offered"]
    links = {url.split("/")[4]: url for _form, url in menu[1]["links"]}
    head, *rows = table_of(content(client.get(links[form])))
    headings = {column.key: column.heading for column in LEDGER}
    assert head == [headings[key] for key in ("status", "name", "place", "code")]
    assert len(rows) == 1 and rows[0][3] == world["project"].code
    whole = {url.split("/")[4]: url for _form, url in menu[0]["links"]}
    assert len(table_of(content(client.get(whole[form])))[0]) > 20, (
        "the ledger that comes back keeps its keys"
    )
    plain = table_of(exported(world["staff"], form, query="?_layout=screen"))[0]
    assert plain[0] == headings["light"] and headings["code"] not in plain, (
        "without a view: the list's own columns"
    )


def test_a_ledger_without_its_keys_says_that_it_is_no_way_back() -> None:
    world = built()
    for query, says in (("", False), ("?_layout=screen", True)):
        book = openpyxl.load_workbook(io.BytesIO(exported(world["staff"], "xlsx", query=query)))
        told = "".join(str(cell.value) for row in book["填表说明"].iter_rows() for cell in row)
        assert ("完整台账" in told) is says
        assert ("改完再导入" in told) is not says


def test_a_layout_of_another_unit_is_not_offered_and_not_used(walled: World) -> None:
    foreign = ExportLayout.objects.create(
        name="别家的", unit=walled.units["a2"].enterprise, listed="projects.project", columns=[["code", ""]]
    )
    officer = walled.users["officer"]
    page = client_of(officer).get("/projects/project/")
    assert "别家的" not in page.content.decode()
    assert len(table_of(exported(officer, "csv", query=f"?_layout={foreign.pk}"))[0]) > 10
    page = client_of(officer).post("/enterprises/exportlayout/add/", {
        "list": "projects.project", "name": "x", "unit": walled.units["a2"].enterprise.pk, "at-name": "1",
    })  # fmt: skip
    assert page.status_code == 400
    assert not ExportLayout.objects.filter(name="x").exists()


def test_a_layout_without_columns_or_with_a_taken_name_comes_back_with_what_is_wrong() -> None:
    world = built()
    empty = new_layout(world, **{"at-name": "", "at-code": ""})
    assert empty.status_code == 400
    assert new_layout(world).status_code == 302
    again = new_layout(world)
    assert again.status_code == 400
    assert again.context["form"].non_field_errors()
    leader = client_of(world["leader"])
    assert leader.get("/enterprises/exportlayout/add/?list=projects.project").status_code == 403


def test_a_broken_layout_gives_the_whole_list() -> None:
    world = built()
    layout = ExportLayout.objects.create(
        name="x", unit=world["group"], listed="projects.project", columns=[["gone", ""], "?", ["name"]]
    )
    assert len(table_of(exported(world["officer"], "csv", query=f"?_layout={layout.pk}"))[0]) > 10
    assert len(table_of(exported(world["officer"], "csv", query="?_layout=²"))[0]) > 10


def test_a_list_without_rows_is_a_file_with_a_head() -> None:
    world = built()
    for form in FORMS:
        assert len(table_of(exported(world["staff"], form, query="?q=没有这个词"))) == 1


def test_registers_give_numbers_and_the_parent_that_the_reader_sees() -> None:
    world = built()
    _head, *rows = table_of(exported(world["officer"], of="/enterprises/enterprise/"))
    (row,) = rows
    assert row[0] == world["group"].name
    assert Enterprise.objects.get(parent=None).name not in [str(cell) for cell in row]
    assert 1 in row, "the number of projects is a number"


def test_layouts_and_what_was_taken_out_are_a_click_away_for_whoever_may_read_them() -> None:
    world = built()
    layouts, taken = 'href="/enterprises/exportlayout/"', 'href="/enterprises/listexport/"'
    for role, finds in (("staff", True), ("officer", True), ("leader", True), ("audit", False)):
        page = "/projects/project/" if role != "audit" else "/enterprises/user/"
        assert (layouts in client_of(world[role]).get(page).content.decode()) is finds, role
    journal = client_of(world["audit"]).get("/journal/").content.decode()
    assert taken in journal
    assert client_of(world["audit"]).get("/enterprises/listexport/").status_code == 200
    assert client_of(world["staff"]).get("/enterprises/exportlayout/").status_code == 200
