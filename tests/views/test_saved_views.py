"""Saved views: kept, opened, shared, changed, given up; and that none opens the wall."""

from __future__ import annotations

import re
import threading
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprises.models import SavedView
from enterprises.scoping import may
from tests import factories
from tests.racing import together
from tests.test_pages import built, client_of

LIST = "/projects/project/"
ADD = "/enterprises/savedview/add/"


@pytest.fixture
def world(db: None) -> dict[str, Any]:
    return built()


def kept(world: dict[str, Any], who: str = "officer", **values: Any) -> SavedView:
    """A view that was kept through the page."""
    columns = values.pop("columns", ["name_and_place", "due_on"])
    data = {
        "list": "projects.project",
        "name": "我的红灯",
        "query": "light__exact=red",
        "order": "-due_on",
        "unit": "",
        **{f"at-{key}": at for at, key in enumerate(columns, start=1)},
        **values,
    }
    response = client_of(world[who]).post(ADD, data)
    assert response.status_code == 302, response.context["form"].errors
    return SavedView.objects.latest("id")


def view_of(world: dict[str, Any], **values: Any) -> SavedView:
    facts = {"owner": world["officer"], "listed": "projects.project", "name": "一", **values}
    return SavedView.objects.create(**facts)


def test_a_list_is_kept_with_filters_columns_and_order(world: dict[str, Any]) -> None:
    view = kept(world, columns=["due_on", "name_and_place", "code"])
    assert (view.query, view.order, view.columns) == (
        "light__exact=red",
        ["-due_on"],
        ["due_on", "name_and_place", "code"],
    )
    client = client_of(world["officer"])
    url = next(one["url"] for one in client.get(LIST).context["views"]["own"])
    opened = client.get(url)
    assert opened.status_code == 200 and opened.context["cl"].list_display[-3:] == [
        "due_on",
        "name_and_place",
        "code",
    ]
    assert opened.context["views"]["opened"] == view and not opened.context["views"]["changed"]
    assert '"due_on" DESC' in str(opened.context["cl"].queryset.query)
    assert 'class="view-chip' in opened.content.decode()


def test_the_page_offers_the_list_on_screen(world: dict[str, Any]) -> None:
    client = client_of(world["officer"])
    add = client.get(f"{LIST}?status__exact=in_progress&o=-6.1&p=1").context["views"]["add"]
    page = client.get(add)
    assert page.status_code == 200
    assert page.context["view"].query == "status__exact=in_progress"
    assert page.context["view"].order == ["-due_on", "light_badge"]


def test_a_view_that_was_changed_says_so_and_can_be_kept_again(world: dict[str, Any]) -> None:
    view = kept(world)
    client = client_of(world["officer"])
    changed = client.get(f"{LIST}?status__exact=suspended&_view={view.pk}")
    assert changed.context["views"]["changed"]
    again = client.post(f"/enterprises/savedview/{view.pk}/again/", changed.context["views"]["now"])
    assert again.status_code == 302
    view.refresh_from_db()
    assert view.query == "status__exact=suspended" and view.order == []
    assert not client.get(again.url).context["views"]["changed"]


def test_only_what_the_list_accepts_is_kept(world: dict[str, Any]) -> None:
    odd = (
        "p=3&o=1&password__startswith=a&enterprise__parent__name=x&_popup=1&light__exact=red&light__exact="
        + "y" * 900
    )
    view = kept(world, query=odd, order="-due_on.owner__password.due_on")
    assert view.query == "light__exact=red" and view.order == ["-due_on", "due_on"]
    assert client_of(world["officer"]).get(f"{LIST}?{view.query}&_view={view.pk}").status_code == 200


def test_a_filter_or_column_that_is_no_more_is_dropped_with_a_word(world: dict[str, Any]) -> None:
    view = view_of(
        world, query="former_filter=1&light__exact=red", columns=["gone", "due_on"], order=["gone", "-due_on"]
    )
    client = client_of(world["officer"])
    url = client.get(LIST).context["views"]["own"][0]["url"]
    assert "former_filter" not in url
    page = client.get(url)
    assert page.context["views"]["gone"] == ["former_filter", "gone"] and not page.context["views"]["changed"]
    assert page.context["cl"].list_display[-2:] == ["name_and_place", "due_on"], (
        "the column that leads to the row stays"
    )
    assert view.columns == ["gone", "due_on"]


@pytest.mark.parametrize("stored", [None, "text", [1, {"a": 2}], {"x": 1}, [["name"]]])
def test_what_is_no_list_of_texts_is_no_columns(world: dict[str, Any], stored: Any) -> None:
    view = view_of(world, columns=stored or [], order=stored or [])
    assert client_of(world["officer"]).get(f"{LIST}?_view={view.pk}").status_code == 200


@pytest.mark.parametrize("wanted", ["0", "x", "²", "9" * 40, "-1", "1;2"])
def test_a_view_that_is_none_shows_the_list(world: dict[str, Any], wanted: str) -> None:
    page = client_of(world["officer"]).get(LIST, {"_view": wanted})
    assert page.status_code == 200 and page.context["views"].get("opened") is None


def test_a_view_shared_with_a_unit_is_offered_to_everyone_below_and_to_nobody_beside(
    world: dict[str, Any],
) -> None:
    below = factories.user(
        "officer", factories.enterprise("子公司", kind="subsidiary", parent=world["group"])
    )
    beside = factories.user("officer", factories.enterprise("别的集团", parent=world["root"]))
    view = kept(world, unit=world["group"].pk)

    def offered(user: Any) -> list[str]:
        return [one["view"].name for one in client_of(user).get(LIST).context["views"]["shared"]]

    assert offered(world["officer"]) == offered(below) == ["我的红灯"]
    assert offered(beside) == []
    assert client_of(below).get(f"{LIST}?_view={view.pk}").context["views"]["opened"] == view
    page = client_of(beside).get(f"{LIST}?_view={view.pk}")
    assert page.context["views"].get("opened") is None and "我的红灯" not in page.content.decode()
    assert (
        not may(below, "change", view)
        and not may(below, "delete", view)
        and may(world["officer"], "delete", view)
    )
    assert may(world["staff"], "delete", view) and not may(world["leader"], "delete", view)
    assert [may(u, "view", view) for u in (below, beside)] == [True, False]
    for user in (below, beside, world["officer"], world["staff"], world["leader"], world["audit"]):
        for action in ("view", "change", "delete"):
            rows = SavedView.objects.permitted(user, action).filter(pk=view.pk)
            assert rows.exists() == may(user, action, view), (user, action)


def test_a_personal_view_is_nobody_elses(world: dict[str, Any]) -> None:
    view = kept(world)
    colleague = factories.user("officer", world["group"])
    for user in (colleague, world["staff"], world["leader"]):
        assert not SavedView.objects.visible_to(user).exists()
        client = client_of(user)
        for path in ("change/", "delete/", "again/"):
            answer = client.get(f"/enterprises/savedview/{view.pk}/{path}")
            missing = client.get(f"/enterprises/savedview/{view.pk + 99}/{path}")
            assert answer.status_code == missing.status_code == 302 and answer.url == missing.url
        client.post(f"/enterprises/savedview/{view.pk}/again/", {"query": "status__exact=closed"})
        client.post(f"/enterprises/savedview/{view.pk}/delete/", {"post": "yes"})
    view.refresh_from_db()
    assert view.query == "light__exact=red"


def test_a_view_that_names_a_foreign_unit_shows_nothing_foreign(world: dict[str, Any]) -> None:
    foreign = factories.enterprise("外部集团", parent=world["root"])
    factories.project(foreign, world["project"].programme, name="外部项目")
    query = f"enterprise={foreign.pk}&programme=all"
    view = kept(world, "staff", unit=world["root"].pk, query=query)
    assert client_of(world["staff"]).get(f"{LIST}?{query}&_view={view.pk}").context["cl"].result_count == 1
    client = client_of(world["officer"])
    (offered,) = client.get(LIST).context["views"]["shared"]
    page = client.get(offered["url"])
    own = client.get(f"{LIST}?programme=all").context["cl"].result_count
    assert page.context["cl"].result_count == own == 1 and "外部" not in page.content.decode()


def test_nobody_shares_with_a_unit_at_which_they_have_no_role(world: dict[str, Any]) -> None:
    for who, unit in (("officer", world["root"]), ("leader", world["root"]), ("staff", world["group"])):
        data = {"list": "projects.project", "name": "越界", "unit": unit.pk, "at-name_and_place": 1}
        assert client_of(world[who]).post(ADD, data).status_code == 400, who
    assert not SavedView.objects.exists()


def test_a_view_is_renamed_unshared_and_deleted(world: dict[str, Any]) -> None:
    view = kept(world, unit=world["group"].pk)
    client = client_of(world["officer"])
    change = f"/enterprises/savedview/{view.pk}/change/"
    assert client.get(change).status_code == 200
    data = {"name": "新名", "unit": "", "at-due_on": 2, "at-name_and_place": 1, "seen": view.state}
    assert client.post(change, data).status_code == 302
    view.refresh_from_db()
    assert (view.name, view.unit, view.columns, view.query) == (
        "新名",
        None,
        ["name_and_place", "due_on"],
        "light__exact=red",
    )
    assert client.post(f"/enterprises/savedview/{view.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not SavedView.objects.exists()


def test_one_name_stands_for_one_view(world: dict[str, Any]) -> None:
    kept(world)
    again = client_of(world["officer"]).post(
        ADD, {"list": "projects.project", "name": "我的红灯", "at-due_on": 1}
    )
    assert again.status_code == 400 and SavedView.objects.count() == 1
    kept(world, "staff")
    kept(world, "officer", unit=world["group"].pk)


@pytest.mark.parametrize(
    "url",
    [
        "/projects/project/",
        "/projects/milestone/",
        "/enterprises/enterprise/",
        "/projects/overdueepisode/",
        "/projects/progressreport/",
        "/projects/extensionrequest/",
        "/projects/closeout/",
    ],
)
def test_every_column_of_every_list_can_be_shown_at_no_query_more(world: dict[str, Any], url: str) -> None:
    from django.contrib import admin
    from django.urls import resolve

    model_admin = resolve(url).func.model_admin  # type: ignore[attr-defined]
    assert model_admin in admin.site._registry.values()
    listed = model_admin.opts.label_lower

    class Request:
        GET: dict[str, str] = {}

    columns = list(model_admin.columns_offered(Request()))
    view = SavedView.objects.create(owner=world["staff"], listed=listed, name="全", columns=columns)

    def grown(count: int) -> None:
        for _n in range(count):
            leader = factories.user("leader", world["root"])
            project = factories.project(
                world["group"],
                world["project"].programme,
                liaison_leader=leader,
                coordinator=factories.user(),
            )
            factories.milestone(project, world["today"])

    client = client_of(world["staff"])
    grown(3)
    client.get(f"{url}?_view={view.pk}")
    with CaptureQueriesContext(connection) as few:
        page = client.get(f"{url}?_view={view.pk}")
    assert page.status_code == 200
    assert [c for c in page.context["cl"].list_display if c != "action_checkbox"] == columns
    grown(30)
    with CaptureQueriesContext(connection) as many:
        client.get(f"{url}?_view={view.pk}")
    assert len(few) == len(many)


def test_the_page_of_all_views_names_no_unit_above(world: dict[str, Any]) -> None:
    kept(world, "staff", unit=world["root"].pk, name="全市")
    kept(world, name="我的")
    client = client_of(world["officer"])
    html = client.get("/enterprises/savedview/").content.decode()
    assert "全市" in html and "我的" in html and world["root"].name not in html
    assert client_of(world["system"]).get("/enterprises/savedview/").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_of_two_who_share_one_name_at_once_the_second_is_told() -> None:
    world = built()
    colleague = factories.user("officer", world["group"])
    start, answers = threading.Barrier(2), []

    def keep(user: Any) -> None:
        client = client_of(user)
        start.wait()
        data = {"list": "projects.project", "name": "同名", "unit": world["group"].pk, "at-due_on": 1}
        answers.append(client.post(ADD, data).status_code)
        connection.close()

    people = [threading.Thread(target=keep, args=[user]) for user in (world["officer"], colleague)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert sorted(answers) == [302, 400] and SavedView.objects.count() == 1


def test_whoever_changes_a_shared_view_second_is_told_and_may_do_it_all_the_same(
    world: dict[str, Any],
) -> None:
    view = kept(world, unit=world["group"].pk)
    mine, theirs = client_of(world["officer"]), client_of(factories.user("officer", world["group"]))
    change = f"/enterprises/savedview/{view.pk}/change/"
    opened = [
        re.search(r'name="seen" value="(\w+)"', c.get(change).content.decode())[1] for c in (mine, theirs)
    ]  # type: ignore[index]
    data = {"unit": world["group"].pk, "at-name_and_place": 1}
    assert theirs.post(change, {**data, "name": "他的名", "seen": opened[1]}).status_code == 302
    told = mine.post(change, {**data, "name": "我的名", "seen": opened[0]})
    view.refresh_from_db()
    html = told.content.decode()
    assert told.status_code == 409 and view.name == "他的名" and "他的名" in html and "我的名" in html
    again = {**data, "name": "我的名", "seen": told.context["seen"]}
    assert mine.post(change, again).status_code == 302
    assert mine.post(change, again).status_code == 302, "a second click finds the work of the first"
    view.refresh_from_db()
    assert view.name == "我的名"
    assert mine.post(change, {**data, "name": "没看过"}).status_code == 409, "without having seen it"


def test_filters_kept_by_a_colleague_meanwhile_are_not_overwritten_unseen(world: dict[str, Any]) -> None:
    view = kept(world, unit=world["group"].pk)
    mine, theirs = client_of(world["officer"]), client_of(factories.user("officer", world["group"]))
    again = f"/enterprises/savedview/{view.pk}/again/"
    asked = [
        c.get(f"{LIST}?status__exact={status}&_view={view.pk}").context["views"]["now"]
        for c, status in ((mine, "suspended"), (theirs, "closed"))
    ]
    assert theirs.post(again, asked[1]).status_code == 302
    answer = mine.post(again, asked[0])
    view.refresh_from_db()
    assert view.query == "status__exact=closed"
    back = mine.get(answer.url)
    assert "status__exact=suspended" in answer.url and back.context["views"]["changed"], (
        "nothing typed is lost"
    )
    mine.post(again, back.context["views"]["now"])
    view.refresh_from_db()
    assert view.query == "status__exact=suspended"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_change_a_view_at_once_one_is_told() -> None:
    world = built()
    view = kept(world, unit=world["group"].pk)
    change = f"/enterprises/savedview/{view.pk}/change/"
    data = {"unit": world["group"].pk, "at-name_and_place": 1, "seen": view.state}
    clients = [client_of(world["officer"]), client_of(factories.user("officer", world["group"]))]
    answers = together(
        *(partial(c.post, change, {**data, "name": name}) for c, name in zip(clients, "甲乙", strict=True))
    )
    assert sorted(answer.status_code for answer in answers) == [302, 409]


def test_the_journal_tells_of_views_but_not_of_what_was_looked_for(world: dict[str, Any]) -> None:
    from journal.tracking import event_model_of

    kept(world, query="q=" + "机密字样")
    event = event_model_of(SavedView).objects.get()  # type: ignore[union-attr]
    assert event.name == "我的红灯" and not hasattr(event, "query")
