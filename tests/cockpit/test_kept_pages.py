"""A cockpit is drawn once for equal numbers: what is kept is never what is not so any more."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db.models import Value
from django.db.models.functions import Concat
from django.test import Client

from enterprises.models import Enterprise
from projects.admin import cockpit_body
from projects.models import Category, Project
from projects.services.tallying import keep_tallies
from tests import factories
from tests.cockpit.test_cockpit_page import after_a_history, seen_by
from tests.tallies.test_histories import World

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def world(today: datetime.date) -> World:
    cockpit_body._kept.cache_clear()
    made = after_a_history(today)
    keep_tallies(as_of=today)
    return made


def body(client: Client, query: str = "") -> str:
    return str(client.get(f"/cockpit/{query}").context["body"])


def renamed(world: World) -> str:
    Project.objects.filter(light="red").update(name=Concat("name", Value("改过")))
    return "改过"


def answered_by_another(world: World) -> str:
    Project.objects.filter(light="red").update(accountable_lead_text="赵某某 13900000000")
    return "赵某某"


def another_reason(world: World) -> str:
    reason = {"rule": "overdue", "n": 77, "due_on": str(world.today - DAY)}
    Project.objects.filter(light="red").update(light_reason=reason)
    return "77"


def further(world: World) -> str:
    Project.objects.filter(light="red").update(actual_percent=43)
    return "43%"


def unit_renamed(world: World) -> str:
    Enterprise.objects.exclude(parent=None).update(short_name="改名集团")
    return "改名集团"


def category_renamed(world: World) -> str:
    Category.objects.filter(pk=Category.objects.values("pk")[:1]).update(name="改名类别")
    return "改名类别"


def one_more(world: World) -> str:
    before = Project.objects.count()
    for _n in range(3):
        factories.project(world.firms[0], world.programme)
    return f">{before + 3}<"


@pytest.mark.parametrize(
    "change",
    [renamed, answered_by_another, another_reason, further, unit_renamed, category_renamed, one_more],
)
def test_whatever_changes_is_on_the_next_page(world: World, change: Callable[[World], str]) -> None:
    client = seen_by(factories.user("staff", world.root))
    before = body(client)
    words = change(world)
    assert words not in before
    assert words in body(client)


def test_an_equal_page_is_not_drawn_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = seen_by(factories.user("staff", world.root))
    first, drawn = body(client), []
    draw = cockpit_body._drawn

    def counting(*given: Any) -> Any:
        drawn.append(given)
        return draw(*given)

    monkeypatch.setattr(cockpit_body, "_drawn", counting)
    assert body(client) == first
    assert drawn == []
    renamed(world)
    body(client)
    assert len(drawn) == 1


def test_each_language_and_each_reader_has_its_own(world: World) -> None:
    staff, officer = factories.user("staff", world.root), factories.user("officer", world.groups[0])
    chinese = body(seen_by(staff))
    english = seen_by(staff)
    english.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert "红灯" in chinese
    assert "红灯" not in body(english)
    assert body(seen_by(officer)) != chinese


def test_whoever_does_not_review_is_not_shown_what_waits_first(world: World) -> None:
    staff = body(seen_by(factories.user("staff", world.root)))
    leader = body(seen_by(factories.user("leader", world.root)))
    first = "".join(staff.partition("</ul>")[:1])
    assert 'data-figure="reports_waiting"' in first
    assert 'data-figure="reports_waiting"' not in leader.partition("</ul>")[0]


def test_nothing_that_is_drawn_from_can_change_under_it(world: World) -> None:
    """A row of the database among the contents would be equal to its older self."""
    client = seen_by(factories.user("staff", world.root))
    kept: list[Any] = []
    draw = cockpit_body._drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cockpit_body, "_drawn", lambda *given: kept.append(given[0]) or draw(*given))
        cockpit_body._kept.cache_clear()
        body(client)
    plain = (str, int, float, bool, type(None), datetime.date)

    def walk(value: Any) -> None:
        if isinstance(value, tuple):
            for one in value:
                walk(one)
        elif hasattr(value, "__dataclass_fields__"):
            assert value.__dataclass_params__.frozen
            for name in value.__dataclass_fields__:
                walk(getattr(value, name))
        else:
            assert isinstance(value, plain) or type(value).__name__ == "Decimal", value

    walk(kept[0])
