"""The journal asked for one field: only what changed it, of the chosen kind, within the wall."""

from __future__ import annotations

import datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enterprises.journal_scope import entries_q
from journal.entries import Entry
from journal.reading import Search, fields_of, latest
from portal.journal_filter import filter_of
from projects.models import Milestone, Project
from tests import factories
from tests.test_pages import built, client_of

pytestmark = pytest.mark.django_db
PROJECT = "projects.project"


@pytest.fixture
def world() -> dict[str, Any]:
    return built()


def read(reader: Any, **search: str) -> list[Entry]:
    return latest(
        reader=reader, allowed=partial(entries_q, reader=reader), search=Search(**search), size=50
    ).entries


def changed(world: dict[str, Any], unit: Any = None) -> Project:
    """A project whose date was set, moved and taken away, and whose note was written in between."""
    project = factories.project(unit or world["group"], name="挪期项目")
    rows = Project.objects.filter(pk=project.pk)
    rows.update(due_on=datetime.date(2026, 6, 1))
    rows.update(note="先批后干")
    rows.update(due_on=datetime.date(2026, 9, 1), note="已批")
    rows.update(due_on=None)
    rows.update(note="又批")
    return project


def test_only_changes_of_the_field_are_found_nothing_being_a_value(world: dict) -> None:
    project = changed(world)
    found = read(world["audit"], kind=PROJECT, field="due_on", thing=f"#{project.pk}")
    dates = [[(c.before, c.after) for c in entry.changes if c.field == "due_on"] for entry in found]
    assert dates == [[("2026-09-01", "")], [("2026-06-01", "2026-09-01")], [("", "2026-06-01")]]
    assert len(read(world["audit"], kind=PROJECT, field="note", thing=f"#{project.pk}")) == 3
    assert read(world["audit"], kind=PROJECT, field="place", thing=f"#{project.pk}") == []


def test_control_without_the_field_all_changes_are_found(world: dict) -> None:
    project = changed(world)
    assert len(read(world["audit"], kind=PROJECT, action="update", thing=f"#{project.pk}")) == 5


def test_a_field_of_many_values_is_found_by_what_was_added_and_removed(world: dict) -> None:
    project = changed(world)
    project.supporting_enterprises.set([factories.enterprise("公交集团", parent=world["root"])])
    project.supporting_enterprises.clear()
    found = read(world["audit"], kind=PROJECT, field="supporting_enterprises")
    assert {c.verb for entry in found for c in entry.changes} == {"added", "removed"}
    assert {entry.object_id for entry in found} == {project.pk}


def test_a_field_without_a_kind_or_of_another_kind_finds_nothing(world: dict) -> None:
    changed(world)
    assert read(world["audit"], field="due_on") == []
    assert read(world["audit"], kind=PROJECT, field="percent") == []
    assert read(world["audit"], kind=PROJECT, field="pgh_obj") == []


def test_the_wall_stands_before_the_field(world: dict) -> None:
    inside, outside = changed(world), changed(world, factories.enterprise("公交集团", parent=world["root"]))
    own = factories.user("audit", world["group"])
    found = {entry.object_id for entry in read(own, kind=PROJECT, field="due_on")}
    assert inside.pk in found and outside.pk not in found


def test_a_secret_is_no_field_of_the_journal() -> None:
    assert not {"address", "secret"} & set(fields_of("notices.robot"))
    assert "password" not in fields_of("enterprises.user")
    assert "path" not in fields_of("enterprises.enterprise")
    assert {"due_on", "supporting_enterprises", "party_branches"} <= set(fields_of(PROJECT))


def test_the_page_offers_the_fields_of_the_kind_that_was_chosen(world: dict) -> None:
    changed(world)
    client = client_of(world["audit"])
    page = client.get("/journal/")
    assert page.context["form"].fields["field"].disabled
    page = client.get("/journal/", {"kind": PROJECT, "field": "due_on"})
    assert "due_on" in dict(page.context["form"].fields["field"].choices)
    assert len(page.context["entries"]) == 3
    assert page.context["form"].filled["since"], (
        "no index knows what changed: thirty days, and the page says so"
    )
    # Another kind was chosen in the same form: the field is not one of it, and is let go.
    page = client.get("/journal/", {"kind": "enterprises.user", "field": "due_on"})
    assert page.status_code == 200 and page.context["form"].is_valid()
    assert "field" not in page.context["form"].filled


def test_a_field_is_asked_for_with_as_many_questions_for_three_entries_as_for_three_hundred(
    world: dict,
) -> None:
    project, asked = factories.project(world["group"]), []
    client, first = client_of(world["audit"]), factories.milestone(project)
    client.get("/journal/")
    for n in (3, 300):
        for turn in range(n):
            Milestone.objects.filter(pk=first.pk).update(name=f"节点{n}-{turn}")
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/journal/", {"kind": "projects.milestone", "field": "name"})
        assert len(page.context["entries"]) == min(n, 50), "those that were read before are older ones"
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_what_was_taken_out_names_the_field(world: dict) -> None:
    changed(world)
    client = client_of(world["audit"])
    client.post("/journal/export/", {"form": "csv", "kind": PROJECT, "field": "due_on"})
    row = client.get("/journal/exports/").context["rows"][0]
    assert row.filters["field"] == "due_on" and row.entries == 3
    assert fields_of(PROJECT)["due_on"] in row.filter_words


def test_a_nonsense_field_is_let_go() -> None:
    typed = filter_of({"kind": PROJECT, "field": "'; DROP"}, timezone.localdate())
    assert typed.is_valid() and typed.search().field == ""
