"""Reading the journal: who, of which unit, what of what; page by page without a gap; found by filters."""

from __future__ import annotations

import datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enterprises.journal_scope import entries_q
from enterprises.models import Enterprise, EnterpriseAlias, Membership
from journal.context import acting
from journal.entries import Entry
from journal.reading import Search, every, history_of, key_from_link, key_in_link, latest
from journal.tracking import event_models
from portal.journal_filter import filter_of
from projects.models import Milestone, Project
from tests import factories
from tests.test_pages import built, client_of

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2026, 6, 10)


@pytest.fixture
def world() -> dict[str, Any]:
    return built()


def read(reader: Any, search: Search | None = None, size: int = 50, after: Any = None) -> Any:
    return latest(
        reader=reader, allowed=partial(entries_q, reader=reader), search=search, size=size, after=after
    )


def names(entries: list[Entry]) -> list[str]:
    return [entry.name for entry in entries]


# -- who and what ----------------------------------------------------------------------------------


def unlock(world: dict[str, Any]) -> Entry:
    """A change on a page: the security administrator lets the officer try to log in again."""
    client_of(world["security"]).post(f"/enterprises/user/{world['officer'].pk}/unlock/")
    return history_of([world["officer"]], world["security"])[0]


def test_an_entry_names_the_unit_as_it_was_called_then(world: dict) -> None:
    Enterprise.objects.filter(pk=world["root"].pk).update(name="旧名国资委")
    unlock(world)
    Enterprise.objects.filter(pk=world["root"].pk).update(name="新名国资委")
    entry = history_of([world["officer"]], world["security"])[0]
    assert (entry.by, entry.unit, entry.source) == (world["security"].name, "旧名国资委", "web")
    assert "旧名国资委" in client_of(world["audit"]).get("/journal/").content.decode()


def test_somebody_with_two_roles_is_named_with_both_units(world: dict) -> None:
    Membership.objects.create(user=world["security"], role="security", unit=world["group"])
    assert sorted(unlock(world).unit.split("、")) == sorted([world["group"].name, world["root"].name])


def test_commands_and_the_patrol_act_for_no_unit(world: dict) -> None:
    with acting(by="load_demo", source="command"):
        Project.objects.filter(pk=world["project"].pk).update(place="一")
    assert history_of([world["project"]], world["staff"])[0].unit == ""


def test_a_part_is_named_with_what_it_is_part_of(world: dict) -> None:
    EnterpriseAlias.objects.create(enterprise=world["group"], name="水司")
    entries = read(world["audit"]).entries
    parents = {(entry.kind_label, entry.parent) for entry in entries if entry.action == "insert"}
    assert ("projects.milestone", world["project"].name) in parents
    assert ("enterprises.enterprisealias", str(world["group"])) in parents
    assert ("projects.category", world["project"].programme.name) in parents
    assert ("enterprises.membership", str(world["officer"])) in parents
    assert all(
        "project" not in {c.field for c in e.changes} for e in entries if e.parent and e.action == "insert"
    )


def test_a_deleted_part_still_names_its_deleted_whole(world: dict) -> None:
    project = factories.project(world["group"], name="要删的项目")
    factories.milestone(project, name="要删的节点")
    project.delete()
    gone = next(e for e in read(world["audit"]).entries if e.name == "要删的节点" and e.action == "delete")
    assert gone.parent == "要删的项目"
    assert ("name", "要删的节点", "") in [(c.field, c.before, c.after) for c in gone.changes]


def test_what_lies_behind_the_wall_is_not_named(world: dict) -> None:
    elsewhere = factories.enterprise("墙外集团", parent=world["root"])
    world["project"].supporting_enterprises.add(elsewhere)

    def supporters(who: str) -> list[str]:
        told = history_of([world["project"]], world[who])
        return [c.after for entry in told for c in entry.changes if c.verb]

    assert supporters("officer") == [f"#{elsewhere.pk}"]
    assert supporters("staff") == ["墙外集团"], "the control"


def test_supporting_units_and_party_organisations_are_changes_of_the_project(world: dict) -> None:
    first, second = (factories.enterprise(name, parent=world["root"]) for name in ("甲集团", "乙集团"))
    branch = factories.branch(world["group"])
    with acting(by="某人", source="command"), transaction.atomic():
        world["project"].supporting_enterprises.add(first, second)
    with acting(by="某人", source="command"), transaction.atomic():
        world["project"].party_branches.add(branch)
        world["project"].supporting_enterprises.set([second])
    told = [
        [(c.field, c.verb, c.before or c.after) for c in entry.changes]
        for entry in history_of([world["project"]], world["staff"])
        if entry.changes and entry.changes[0].verb
    ]
    assert sorted(change for entry in told for change in entry) == sorted(
        [
            ("supporting_enterprises", "removed", "甲集团"),
            ("party_branches", "added", str(branch)),
            ("supporting_enterprises", "added", "乙集团"),
            ("supporting_enterprises", "added", "甲集团"),
        ]
    )
    entry = next(e for e in read(world["audit"]).entries if e.changes and e.changes[0].verb)
    assert (entry.kind_label, entry.name, entry.action) == (
        "projects.project",
        world["project"].name,
        "update",
    )


@pytest.mark.parametrize("who", ["audit", "staff"])
def test_the_number_of_questions_does_not_grow_with_the_entries(world: dict, who: str) -> None:
    def asked(milestones: int) -> int:
        project = factories.project(world["group"])
        for number in range(milestones):
            person = factories.user()
            unit = factories.enterprise(f"支持{project.pk}-{number}", parent=world["root"])
            project.supporting_enterprises.add(unit)
            milestone = factories.milestone(project)
            Milestone.objects.filter(pk=milestone.pk).update(submitted_by=person)
        rows = [project, *project.milestones.all()]
        reader = type(world[who]).objects.get(pk=world[who].pk)
        with CaptureQueriesContext(connection) as queries:
            entries = (
                history_of(rows, reader, limit=500) if who == "staff" else read(reader, size=900).entries
            )
        assert len(entries) > milestones
        return len(queries)

    assert asked(3) == asked(60)


# -- page by page ------------------------------------------------------------------------------------


def test_entries_written_at_once_are_neither_skipped_nor_repeated(world: dict) -> None:
    project = factories.project(world["group"])
    Milestone.objects.bulk_create(Milestone(project=project, name=f"批{n}") for n in range(60))
    with transaction.atomic():
        assert Milestone.objects.filter(project=project).update(weight=7) == 60
        Project.objects.filter(pk=project.pk).update(place="同时")
    whole = read(world["audit"], size=1000).entries
    seen: list[Entry] = []
    after = None
    while True:
        page = read(world["audit"], size=7, after=after)
        seen += page.entries
        if page.older is None:
            break
        after = key_from_link(key_in_link(page.older))
        assert after == page.older
    assert [e.key for e in seen] == [e.key for e in whole]
    assert len({e.key for e in seen}) == len(seen)
    at = [e.at for e in seen]
    assert at == sorted(at, reverse=True)
    assert len(list(every(reader=world["audit"], allowed=partial(entries_q, reader=world["audit"]), search=Search(), chunk=9))) == len(whole)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "~", "2026-01-01", "2026-01-01T00:00:00~projects.milestone~1", "x~y~z", "2026-13-01T00:00:00+00:00~projects.project~1",
     "2026-01-01T00:00:00+00:00~auth.group~1", "2026-01-01T00:00:00+00:00~projects.project~²", "2026-01-01T00:00:00+00:00~projects.project~" + "9" * 40,
     "0001-01-01T00:00:00+23:59~projects.project~1", "9999-12-31T23:59:59-23:59~projects.project~1"],
)  # fmt: skip
def test_a_strange_key_is_no_key(text: str) -> None:
    assert key_from_link(text) is None


@pytest.mark.parametrize(
    "at",
    ["9999-01-01T00:00:00+00:00", "0001-01-02T00:00:00+23:59", "9999-12-30T23:59:59-23:59",
     "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"],
)  # fmt: skip
def test_the_largest_and_the_strangest_key_are_answered(world: dict, at: str) -> None:
    """PostgreSQL takes no displacement above 15:59; Python takes 23:59, on the first day of all years too."""
    before = f"{at}~projects.project~999999999999999999"
    assert client_of(world["audit"]).get("/journal/", {"before": before}).status_code == 200


# -- filters -------------------------------------------------------------------------------------------


def test_every_filter_finds_its_own_and_nothing_else(world: dict) -> None:
    project = factories.project(world["group"], name="过滤项目", code="F-77")
    with acting(by="甲人", source="command", why=""):
        Project.objects.filter(pk=project.pk).update(place="命令")
    unlock(world)
    reader = world["audit"]
    by_command = read(reader, Search(door="command", thing=f"#{project.pk}", kind="projects.project"))
    assert [c.after for e in by_command.entries for c in e.changes] == ["命令"]
    assert names(read(reader, Search(by="甲人")).entries) == ["过滤项目"]
    assert names(read(reader, Search(thing="f-77")).entries) == ["过滤项目", "过滤项目"]
    assert names(read(reader, Search(thing="过滤项", action="insert")).entries) == ["过滤项目"]
    by_unit = read(reader, Search(unit=world["root"].name[1:], door="web")).entries
    assert names(by_unit) == [world["officer"].name]
    assert {e.kind_label for e in read(reader, Search(kind="projects.category")).entries} == {
        "projects.category"
    }
    project.delete()
    assert names(read(reader, Search(action="delete")).entries) == ["过滤项目"]
    assert read(reader, Search(kind="auth.group")).entries == []


def test_many_to_many_changes_are_found_as_changes_of_the_project(world: dict) -> None:
    world["project"].supporting_enterprises.add(factories.enterprise("甲集团", parent=world["root"]))
    search = Search(kind="projects.project", thing=f"#{world['project'].pk}", action="update")
    assert [c.verb for e in read(world["audit"], search).entries for c in e.changes] == ["added"]
    assert all(not c.verb for e in read(world["audit"], Search(action="insert")).entries for c in e.changes)


def test_days_are_days_in_shanghai_and_inclusive(world: dict) -> None:
    today = timezone.localdate()
    day = today.isoformat()
    client = client_of(world["audit"])
    assert client.get("/journal/", {"since": day, "until": day}).context["entries"]
    before = (today - datetime.timedelta(days=1)).isoformat()
    assert not client.get("/journal/", {"since": before, "until": before}).context["entries"]
    search = filter_of({"since": "2026-06-10", "until": "2026-06-10"}, TODAY).search()
    assert search.since is not None
    assert search.until is not None
    assert search.since.isoformat() == "2026-06-10T00:00:00+08:00"
    assert search.until.isoformat() == "2026-06-11T00:00:00+08:00"


def test_a_text_without_a_day_is_looked_for_in_the_last_thirty_days() -> None:
    typed = filter_of({"by": "张三"}, TODAY)
    assert typed["since"].value() == "2026-05-11", "and the field shows it"
    assert filter_of({"by": "张三", "since": "2025-01-01"}, TODAY)["since"].value() == "2025-01-01"
    assert filter_of({"kind": "projects.project"}, TODAY)["since"].value() == ""
    assert filter_of({"thing": "#12", "kind": "projects.project"}, TODAY)["since"].value() == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [("since", "gestern"), ("until", "2026-02-31"), ("since", "0001-01-01"), ("until", "9999-12-31"), ("kind", "auth.group"),
     ("action", "'; drop"), ("door", "fenster"), ("by", "x" * 500), ("unit", "x" * 500), ("thing", "y" * 500), ("click", "f" * 99),
     ("at", "sometimes"), ("at", "2026-01-01T00:00:00"), ("at", "9999-12-31T23:59:59+00:00"), ("click", "abc"), ("before", "~~~")],
)  # fmt: skip
def test_bad_input_is_kept_and_answered(world: dict, name: str, value: str) -> None:
    response = client_of(world["audit"]).get("/journal/", {name: value})
    assert response.status_code == 200
    if name not in ("before", "click", "at"):
        assert response.context["form"][name].value() == value
        assert response.context["form"].errors
        assert not response.context["entries"]
    posted = client_of(world["audit"]).post("/journal/export/", {name: value, "form": "csv"})
    assert posted.status_code == (200 if name == "before" else 302)


@pytest.mark.parametrize(
    ("at", "known"),
    [
        ("1971-01-01T00:00:00+23:59", False),
        ("8999-12-31T23:59:59-23:59", False),
        ("1971-01-02T00:00:00+23:59", True),
        ("8999-12-30T23:59:59-23:59", True),
    ],
)
def test_the_time_of_an_act_may_come_from_any_displacement(world: dict, at: str, known: bool) -> None:
    client, sent = client_of(world["audit"]), {"at": at, "click": "x"}
    page = client.get("/journal/", sent)
    assert page.status_code == 200
    assert page.context["form"].is_valid() == known
    assert client.post("/journal/export/", sent | {"form": "csv"}).status_code == (200 if known else 302)


def test_everything_that_one_act_changed_has_an_address(world: dict) -> None:
    with acting(by="某人", source="command"):
        Project.objects.filter(pk=world["project"].pk).update(place="同")
        Milestone.objects.filter(pk=world["late"].pk).update(weight=3)
    with acting(by="另人", source="command"):
        Milestone.objects.filter(pk=world["late"].pk).update(weight=4)
    client = client_of(world["audit"])
    entry = next(e for e in client.get("/journal/").context["entries"] if e.by == "某人")
    page = client.get("/journal/", {"click": entry.click, "at": entry.at.isoformat()})
    assert sorted(names(page.context["entries"])) == sorted([world["project"].name, world["late"].name])
    later = (entry.at + datetime.timedelta(hours=1)).isoformat()
    assert not client.get("/journal/", {"click": entry.click, "at": later}).context["entries"]


def test_every_table_of_the_journal_has_the_index_that_its_pages_walk() -> None:
    for model in event_models():
        assert ["pgh_created_at", "pgh_id"] in [index.fields for index in model._meta.indexes], model
