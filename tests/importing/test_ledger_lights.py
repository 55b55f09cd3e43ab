"""New projects of a ledger are written with the light that the rules give them: nothing is written twice."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from projects.importing import confirming, creating
from projects.models import LedgerImport, LightSpan, Project
from projects.services.lights import refresh_lights
from tests.importing.ledgers import ON, World, confirmed, handed_in, ledger, world

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
PLAN = "3-4月:招标 5月底:开工 9月-12月:施工"


@pytest.fixture
def here() -> World:
    return world()


def rows() -> list[list[Any]]:
    """Every kind of beginning and of date, with every progress and state: some of each light."""
    starts = (None, ON - 90 * DAY, ON + 5 * DAY)
    dues = (None, "长期坚持", ON - DAY, ON, ON + 3 * DAY, ON + 8 * DAY, ON + 200 * DAY)
    found = []
    for start in starts:
        for due in dues:
            if isinstance(due, datetime.date) and start and due < start:
                continue
            for done in (None, 0, 0.3, 0.9, 1):
                for state in ("", "推进中", "未启动"):
                    found.append(
                        [len(found) + 1, f"第{len(found)}号管网改造", "水务集团", start, due, done, state, ""]
                    )
    return found


def taken_in(content: bytes, here: World) -> LedgerImport:
    return confirmed(handed_in(content, here.staff, here.programme))


def written_anew(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lights the confirmation had to write after the projects stood."""
    changed: list[int] = []

    def counting(**asked: Any) -> int:
        changed.append(refresh_lights(**asked))
        return changed[-1]

    monkeypatch.setattr(confirming, "refresh_lights", counting)
    return changed


def shown() -> list[tuple[Any, ...]]:
    names = (
        "light",
        "light_reason",
        "actual_percent",
        "last_red_on",
        "light_on",
        "planned_from",
        "planned_until",
    )
    rows = Project.objects.order_by("name").values_list("name", *names, "planned_start", "planned_daily")
    # The database adds up in another order: the last digits of a float differ.
    return [tuple(round(v, 9) if isinstance(v, float) else v for v in row) for row in rows]


def test_no_light_is_written_a_second_time(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = written_anew(monkeypatch)
    made = taken_in(ledger(*rows()), here)
    assert made.receipt["created"] == Project.objects.count() > 150
    assert changed == [0]
    assert set(Project.objects.values_list("light", flat=True)) >= {"red", "yellow", "green", "grey"}
    assert LightSpan.objects.filter(until_on=None).count() == Project.objects.count()


def test_control_without_the_light_at_hand_the_same_lights_are_written_afterwards(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_in(ledger(*rows()), here)
    expected = shown()
    Project.objects.all().delete()
    changed = written_anew(monkeypatch)
    monkeypatch.setattr(creating, "_light", lambda *_args: {})
    taken_in(ledger(*rows()), here)
    assert changed == [len(expected)]
    assert shown() == expected


def test_a_plan_in_words_gives_the_same_light(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = written_anew(monkeypatch)
    headings = ["序号", "项目名称", "责任单位", "完成时限", "节点"]
    taken_in(ledger([1, "甲项目", "水务集团", "12月底", PLAN], headings=headings), here)
    assert Project.objects.get().milestones.count() == 3
    assert changed == [0]


def test_a_programme_that_is_over_gives_no_light(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here.programme.ends_on = here.programme.patrolled_until = ON - DAY
    here.programme.save()
    written_anew(monkeypatch)
    taken_in(ledger(*rows()[:5]), here)
    assert set(Project.objects.values_list("light", "planned_from")) == {("", None)}
