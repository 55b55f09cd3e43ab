"""Tallies while people work: what is committed at the wrong moment is counted, or marked. With controls."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from projects.models import Project, TallyMark
from projects.models.tally_marks import ALL_COUNTED_LATER
from projects.services import tallying
from projects.services.tallying import counted_later, keep_tallies
from tests import factories
from tests.racing import together, until_somebody_waits
from tests.tallies.test_histories import World

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def world() -> World:
    made = World(1, timezone.localdate())
    project = factories.project(made.groups[0], made.programme)
    factories.milestone(project, made.today + DAY * 30)
    made.patrol()
    assert not TallyMark.objects.exists()
    return made


def turn_grey() -> None:
    Project.objects.update(light="grey")


def changed_at(moment: str, monkeypatch: Any) -> None:
    """Let a colleague commit a change before or after the counting, inside the transaction that counts."""
    count = tallying._count

    def counting(*given: Any) -> None:
        if moment == "before":
            together(turn_grey)
        count(*given)
        if moment == "after":
            together(turn_grey)

    monkeypatch.setattr(tallying, "_count", counting)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_is_committed_while_counting_is_counted_or_marked(
    world: World, moment: str, monkeypatch: Any
) -> None:
    factories.project(world.groups[1], world.programme)
    changed_at(moment, monkeypatch)
    keep_tallies(as_of=world.today)
    assert world.shown() == world.truth()
    monkeypatch.undo()
    keep_tallies(as_of=world.today)
    assert not TallyMark.objects.exists()
    assert world.shown() == world.truth()


def test_marks_that_were_taken_after_the_counting_would_lose_it(world: World, monkeypatch: Any) -> None:
    factories.project(world.groups[1], world.programme)
    changed_at("after", monkeypatch)
    keep_tallies(as_of=world.today)
    TallyMark.objects.all().delete()
    assert world.shown() != world.truth(), "the comparison can fail"


def judged_without_marks(held: Callable[[], Any], go_on: threading.Event, begun: threading.Event) -> None:
    with transaction.atomic(), held():
        begun.set()
        assert go_on.wait(30)
        turn_grey()


def counted_while_judging(world: World, held: Callable[[], Any], waits: bool) -> None:
    """Someone judges the lights of a new day; meanwhile another worker counts that day."""
    tomorrow = world.today + DAY
    go_on, begun = threading.Event(), threading.Event()

    def counting() -> None:
        assert begun.wait(30)
        keep_tallies(as_of=tomorrow)

    def watching() -> None:
        assert begun.wait(30)
        if waits:
            until_somebody_waits()
        else:
            for _ in range(3000):
                world.programme.refresh_from_db()
                if world.programme.tallied_on == tomorrow:
                    break
        go_on.set()

    together(lambda: judged_without_marks(held, go_on, begun), counting, watching)
    world.today = tomorrow


def test_whoever_counts_a_day_waits_for_lights_that_leave_no_marks(world: World) -> None:
    tomorrow = world.today + DAY
    counted_while_judging(world, lambda: counted_later(world.programme.pk, tomorrow), waits=True)
    assert not TallyMark.objects.exists()
    assert world.shown() == world.truth()


def test_without_the_lock_their_change_would_be_lost(world: World) -> None:
    def unheld() -> Any:
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL {ALL_COUNTED_LATER} = 'on'")
        return transaction.atomic()

    counted_while_judging(world, unheld, waits=False)
    assert world.shown() != world.truth(), "the comparison can fail"


def test_two_workers_that_count_at_once_count_once(world: World) -> None:
    factories.project(world.groups[1], world.programme)
    counts = together(*(lambda: keep_tallies(as_of=world.today) for _ in range(4)))
    assert sum(count for count in counts if count > 0) == 1
    assert world.shown() == world.truth()
