"""The page of the search: what it shows, to whom, at what price, and what it answers to nonsense."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects.models import Project
from tests import factories
from tests.test_pages import built, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    return built()


def test_found_rows_are_links_with_the_matching_part_marked(world: dict[str, Any]) -> None:
    project = factories.project(
        world["group"], world["project"].programme, name="<b>污水</b>管网", code="WS-1"
    )
    html = client_of(world["staff"]).get("/search/", {"q": "污水"}).content.decode()
    assert f'href="/projects/project/{project.pk}/"' in html
    assert "&lt;b&gt;<mark>污水</mark>&lt;/b&gt;管网" in html and "<b>污水" not in html
    assert "<mark>WS-1</mark>" in client_of(world["staff"]).get("/search/", {"q": "ws-1"}).content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "",
        " ",
        "水",
        "\0\0",
        "字" * 5_000,
        "%_\\",
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        "\ud83d\ude00",
        "a" * 5_000,
        "( [ *",
    ],
)
def test_nonsense_is_answered_calmly(world: dict[str, Any], query: str) -> None:
    query = query.encode("utf-16", "surrogatepass").decode("utf-16")
    for url in (
        "/search/",
        "/projects/project/",
        "/projects/milestone/",
        "/enterprises/enterprise/",
        "/enterprises/partybranch/",
    ):
        response = client_of(world["staff"]).get(url, {"q": query})
        # A NUL is no text anywhere in the portal.
        assert response.status_code == (400 if "\0" in query else 200), (url, query[:20])
        assert b"<script>alert" not in response.content
    named = client_of(world["staff"]).get("/projects/milestone/", {"named": query})
    assert named.status_code == (400 if "\0" in query else 200)


def test_each_group_leads_to_the_list_of_exactly_what_it_counts(world: dict[str, Any]) -> None:
    programme = world["project"].programme
    for number in range(13):
        project = factories.project(
            world["group"], programme, name=f"污水管网{number}", coordinator_text="王小二 1380000"
        )
        factories.milestone(project, name=f"污水竣工{number % 5}")
    factories.enterprise("污水处理公司", parent=world["group"], kind="subsidiary")
    client = client_of(world["staff"])
    groups = client.get("/search/", {"q": "污水"}).context["groups"]
    assert {group.key: group.count for group in groups} == {"project": 13, "milestone": 13, "enterprise": 1}
    for group in groups:
        assert len(group.hits) == min(10, group.count)
        assert client.get(group.more).context["cl"].result_count == group.count, group.key
    (person,) = (g for g in client.get("/search/", {"q": "王小"}).context["groups"] if g.key == "person")
    assert client.get(person.hits[0].url).context["cl"].result_count == 13


def test_a_count_stops_at_its_cap(world: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projects.services.search.MOST", 3)
    first = factories.project(world["group"], world["project"].programme, name="污水一号", code="ZZ")
    for number in range(5):
        factories.project(world["group"], world["project"].programme, name=f"污水管网{number}", place="zz")
    html = client_of(world["staff"]).get("/search/", {"q": "污水"}).content.decode()
    assert re.search(r'found-count">\s*3\+', html)
    rows = client_of(world["staff"]).get("/search/", {"q": "zz"}).context["groups"][0].hits
    assert rows[0].url.endswith(f"/{first.pk}/"), "the code goes first beyond the cap, too"


def test_a_foreign_project_is_neither_found_nor_counted(world: dict[str, Any]) -> None:
    foreign = factories.enterprise("外部集团", parent=world["root"])
    factories.project(foreign, world["project"].programme, name="外部污水处理", code="FOREIGN-1")
    client = client_of(world["officer"])
    for query in ("外部", "FOREIGN-1", "污水"):
        response = client.get("/search/", {"q": query})
        assert response.context["groups"] == []
    found = client.get("/projects/project/", {"q": "FOREIGN-1", "programme": "all"})
    assert found.context["cl"].result_count == 0
    assert client_of(world["staff"]).get("/search/", {"q": "FOREIGN-1"}).context["groups"][0].count == 1


def test_a_page_costs_the_same_queries_for_three_rows_and_for_three_hundred(world: dict[str, Any]) -> None:
    programme = world["project"].programme

    def made(count: int) -> None:
        for number in range(count):
            project = factories.project(
                world["group"],
                programme,
                name=f"污水管网{count}-{number}",
                coordinator_text=f"污水员{number}",
            )
            factories.milestone(project, name=f"污水竣工{number}")

    client = client_of(world["staff"])
    client.get("/search/", {"q": "污水"})
    made(3)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/search/", {"q": "污水"})
    made(300)
    with CaptureQueriesContext(connection) as many:
        client.get("/search/", {"q": "污水"})
    assert len(few) == len(many) < 25, [q["sql"][:90] for q in many]


def test_every_page_has_the_box_and_the_way_to_it(world: dict[str, Any]) -> None:
    html = client_of(world["officer"]).get("/").content.decode()
    assert 'action="/search/"' in html and 'data-search-key="/"' in html and 'class="site-search-link' in html


def test_the_list_finds_what_the_search_finds(world: dict[str, Any]) -> None:
    project = factories.project(
        world["group"], world["project"].programme, name="青山区污水管网改造", code="A-77"
    )
    client = client_of(world["officer"])
    for query in ("污水", "wsgw", "a-77", "改造 青山"):
        found = client.get("/projects/project/", {"q": query, "programme": "all"}).context["cl"]
        assert list(found.queryset.filter(name="青山区污水管网改造")) == [project]
    assert client.get("/projects/project/", {"q": "造改", "programme": "all"}).context["cl"].result_count == 0
    assert client.get("/projects/project/", {"q": "污", "programme": "all"}).context["cl"].result_count == 1


def test_a_milestone_list_asks_the_project_as_well(world: dict[str, Any]) -> None:
    project = factories.project(world["group"], world["project"].programme, name="口袋公园建设")
    milestone = factories.milestone(project, name="苗木进场")
    client = client_of(world["officer"])
    for query in ("公园", "苗木", "公园 苗木"):
        assert list(client.get("/projects/milestone/", {"q": query}).context["cl"].queryset) == [milestone], (
            query
        )
    assert not client.get("/projects/milestone/", {"named": "公园"}).context["cl"].queryset
    assert client.get("/projects/milestone/", {"q": "公园 竣工"}).context["cl"].result_count == 0


def test_nothing_that_was_looked_for_is_written_down(world: dict[str, Any]) -> None:
    from journal.tracking import event_models

    before = [model.objects.count() for model in event_models()]
    client_of(world["staff"]).get("/search/", {"q": "机密字样"})
    assert [model.objects.count() for model in event_models()] == before


def test_words_are_kept_for_rows_that_were_there_before(world: dict[str, Any]) -> None:
    """The migration fills the table; here its statement is run again over an emptied one."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM projects_projectwords")
        cursor.execute("SELECT projects_refresh_words((SELECT array_agg(id) FROM projects_project))")
        cursor.execute("SELECT count(*) FROM projects_projectwords")
        assert cursor.fetchone()[0] == Project.objects.count()
