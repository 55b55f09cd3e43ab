"""The number at each light comes from the tallies or from the rows, and is the same by either road."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enterprises.models import Membership
from projects.models import Programme, Project, Tally, TallyMark
from projects.services.rounds import go_round
from projects.services.tallying import keep_tallies
from projects.wall_chart import reading
from projects.wall_chart.reading import NONE, Filters, counts_by_light
from tests import factories
from tests.test_pages import built, client_of

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def world() -> dict[str, Any]:
    """Projects of every light in two groups with subsidiaries, with and without a category; all of them tallied."""
    found = built()
    today, programme = found["today"], found["project"].programme
    found["programme"] = programme
    found["aside"] = factories.enterprise("城投集团", parent=found["root"])
    found["below"] = factories.enterprise("水务子公司", kind="subsidiary", parent=found["group"])
    found["gas"] = factories.category(programme, "供气")
    for unit in (found["group"], found["aside"], found["below"]):
        for category in (found["gas"], None):
            for days in (-60, 3, 200):
                project = factories.project(
                    unit, programme, category=category, liaison_leader=found["leader"]
                )
                factories.milestone(project, today + DAY * days)
        factories.project(unit, programme, status="closed_out", category=found["gas"])
    go_round(at=timezone.now())
    assert Tally.objects.exists()
    return found


def filters(world: dict[str, Any], **narrowed: Any) -> Filters:
    return Filters(programme=Programme.objects.get(pk=world["programme"].pk), **narrowed)


def by_rows(monkeypatch: pytest.MonkeyPatch, *asked: Any) -> dict[str, int]:
    with monkeypatch.context() as patched:
        patched.setattr(reading, "lights_of", lambda *_args: None)
        return counts_by_light(*asked)


def chosen(world: dict[str, Any]) -> list[Filters]:
    units = [None, world["root"], world["group"], world["below"], world["aside"]]
    return [
        filters(world, unit=unit, category=category, light=light)
        for unit in units
        for category in ("", NONE, str(world["gas"].pk))
        for light in ("", "red")
    ]


def test_tallies_and_rows_say_the_same_for_every_choice_and_reader(
    world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    two_roles = factories.user("officer", world["aside"])
    Membership.objects.create(user=two_roles, role="officer", unit=world["below"])
    readers = [world["staff"], world["leader"], world["officer"], two_roles]
    lights: set[str] = set()
    for stage in ("counted", "marked"):
        if stage == "marked":
            # What changed since the last count: a light, a category, a unit, a project more and one less.
            rows = Project.objects.filter(enterprise=world["below"]).order_by("pk")
            first, second, third, last = rows[0], rows[1], rows[2], rows[3]
            Project.objects.filter(pk=first.pk).update(light="")
            Project.objects.filter(pk=second.pk).update(category=None, light="blue")
            Project.objects.filter(pk=third.pk).update(enterprise=world["aside"])
            last.delete()
            factories.project(world["group"], world["programme"], category=world["gas"])
            assert TallyMark.objects.exists()
        for user in readers:
            for one in chosen(world):
                kept = counts_by_light(user, one, world["today"])
                assert kept == by_rows(monkeypatch, user, one, world["today"]), (stage, user, one)
                lights |= set(kept)
    assert len(lights) > 3


def test_the_rows_of_projects_are_not_counted_where_tallies_are_kept(world: dict[str, Any]) -> None:
    def tables(one: Filters) -> str:
        with CaptureQueriesContext(connection) as queries:
            counts_by_light(world["staff"], one, world["today"])
        return " ".join(query["sql"] for query in queries)

    keep_tallies(as_of=world["today"])
    assert '"projects_project"' not in tables(filters(world))
    assert '"projects_project"' not in tables(filters(world, unit=world["group"], category=NONE))
    assert '"projects_project"' in tables(filters(world, leader=str(world["leader"].pk)))


def test_the_comparison_would_notice_tallies_that_are_wrong(
    world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    Tally.objects.filter(enterprise=world["root"], whole=True).update(red=77)
    asked = (world["staff"], filters(world), world["today"])
    assert counts_by_light(*asked) != by_rows(monkeypatch, *asked)


def test_where_no_tallies_of_today_are_kept_the_rows_answer(world: dict[str, Any]) -> None:
    true = counts_by_light(world["staff"], filters(world), world["today"])
    Tally.objects.update(red=77)
    Programme.objects.update(tallied_on=world["today"] - DAY)
    assert counts_by_light(world["staff"], filters(world), world["today"]) == true
    page = client_of(world["staff"]).get("/wall/")
    assert page.context["total"] == Project.objects.filter(programme=world["programme"]).count()


def test_the_whole_programme_is_counted_anew_from_rows_where_the_tree_was_rearranged(
    world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world["below"].parent = world["aside"]
    world["below"].save()
    assert TallyMark.objects.filter(enterprise=None).exists()
    world["aside"].refresh_from_db()
    asked = (world["staff"], filters(world, unit=world["aside"]), world["today"])
    assert counts_by_light(*asked) == by_rows(monkeypatch, *asked)
