"""A cockpit is put together once for unchanged rows, and drawn once for equal numbers: what is kept is never what is
not so any more.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Concat
from django.test import Client
from django.test.utils import CaptureQueriesContext

from enterprises.models import Enterprise, User
from projects.admin import cockpit_body, cockpit_kept
from projects.models import Category, Programme, Project
from projects.services.refusals import Refused
from projects.services.tallying import keep_tallies
from tests import factories
from tests.cockpit.test_cockpit_page import after_a_history, seen_by
from tests.tallies.test_histories import World

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def world(today: datetime.date) -> World:
    forget()
    made = after_a_history(today)
    keep_tallies(as_of=today)
    return made


def forget() -> None:
    cockpit_body._kept.cache_clear()
    caches["pages"].clear()


def body(client: Client, query: str = "") -> str:
    return str(client.get(f"/cockpit/{query}").context["main"])


def renamed(world: World) -> str:
    Project.objects.filter(light="red").update(name=Concat("name", Value("改过")))
    return "改过"


def answered_by_another(world: World) -> str:
    Project.objects.filter(light="red").update(
        accountable_lead=None, accountable_lead_text="赵某某 13900000000"
    )
    return "赵某某"


def another_reason(world: World) -> str:
    reason = {"rule": "overdue", "n": 77, "due_on": str(world.today - DAY)}
    Project.objects.filter(light="red").update(light_reason=reason)
    return "77 个节点逾期"


def further(world: World) -> str:
    Project.objects.filter(light="red").update(actual_percent=43)
    return "43%"


def unit_renamed(world: World) -> str:
    Enterprise.objects.exclude(parent=None).update(short_name="改名集团")
    return "改名集团"


def category_renamed(world: World) -> str:
    Category.objects.filter(pk=Category.objects.values("pk")[:1]).update(name="改名类别")
    return "改名类别"


def person_renamed(world: World) -> str:
    return named(world, "钱某某")


def programme_renamed(world: World) -> str:
    Programme.objects.update(name="改名方案")
    return "改名方案"


def own_unit_renamed(world: World) -> str:
    Enterprise.objects.filter(parent=None).update(short_name="改名国资委", name="改名国资委")
    return "改名国资委"


def another_programme(world: World) -> str:
    return str(factories.programme(world.root, world.today.year + 1).name)


def named(world: World, name: str) -> str:
    """The person who answers for every project gets another name."""
    User.objects.filter(username="answers").update(name=name)
    return name


def one_more(world: World) -> str:
    before = Project.objects.count()
    for _n in range(3):
        factories.project(world.firms[0], world.programme)
    return f">{before + 3}<"


@pytest.mark.parametrize(
    "change",
    [
        *(renamed, answered_by_another, another_reason, further, unit_renamed, category_renamed, one_more),
        *(person_renamed, programme_renamed, own_unit_renamed, another_programme),
    ],
)
def test_whatever_changes_is_on_the_next_page(world: World, change: Callable[[World], str]) -> None:
    answers = factories.user("leader", world.root, username="answers")
    Project.objects.update(accountable_lead=answers)
    keep_tallies(as_of=world.today)
    client = seen_by(factories.user("staff", world.root))
    before = body(client)
    assert body(client) == before
    assert put_together(client) == []
    words = change(world)
    after = body(client)
    assert after != before
    assert words in after


def test_an_equal_page_is_not_drawn_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = seen_by(factories.user("staff", world.root))
    first, drawn = body(client), []
    draw = cockpit_body._drawn

    def counting(*given: Any) -> Any:
        drawn.append(given)
        return draw(*given)

    monkeypatch.setattr(cockpit_body, "_drawn", counting)
    caches["pages"].clear()
    assert body(client) == first
    assert drawn == []
    renamed(world)
    body(client)
    assert len(drawn) == 1


def put_together(client: Client) -> list[str]:
    """What a page asks the database for besides the frame of every page: nothing, but for the mark."""
    with CaptureQueriesContext(connection) as asked:
        body(client)
    return [query["sql"] for query in asked if 'FROM "projects_tally"' in query["sql"]]


def test_a_kept_page_asks_for_its_mark_only(world: World) -> None:
    client = seen_by(factories.user("staff", world.root))
    body(client)
    with CaptureQueriesContext(connection) as asked:
        body(client)
    told = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    # Session, person, memberships; the mark; the last patrol and the inbox.
    assert len(told) == 6
    assert "xmin" in told[3]


def test_what_is_marked_to_be_counted_again_is_put_together_each_time(world: World) -> None:
    client = seen_by(factories.user("staff", world.root))
    other = seen_by(factories.user("officer", world.groups[0]))
    one_more(world)  # in a firm
    for page in (client, other):
        body(page)
    for unit in (world.firms[0], world.groups[0]):
        unit.refresh_from_db()  # units moved in the history
    is_above = world.firms[0].path.startswith(world.groups[0].path)
    assert put_together(client) != []
    assert (put_together(other) != []) == is_above
    keep_tallies(as_of=world.today)
    for page in (client, other):
        body(page)
        assert put_together(page) == []


def test_control_without_its_mark_an_old_page_would_be_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cockpit_kept, "mark_of", lambda subject: "always the same")
    client = seen_by(factories.user("staff", world.root))
    before = body(client)
    renamed(world)
    assert body(client) == before


@pytest.mark.parametrize("seed", range(4))
def test_after_every_step_of_a_random_history_the_page_is_the_one_put_together_anew(
    today: datetime.date, seed: int
) -> None:
    world = after_a_history(today, seed)
    readers = [
        seen_by(factories.user("staff", world.root)),
        seen_by(factories.user("leader", world.groups[1])),
    ]
    acts = [act for act in world.acts() if act != world.next_day]
    kept = 0
    for number in range(40):
        with contextlib.suppress(Refused):
            world.random.choice(acts)()
        if number % 3 == 0:
            keep_tallies(as_of=today)
        for reader in readers:
            shown = body(reader)
            kept += put_together(reader) == []
            forget()
            assert body(reader) == shown, number
    assert kept > 20


def test_the_day_after_is_another_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = seen_by(factories.user("staff", world.root))
    before = body(client)
    tomorrow = world.today + DAY
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *_given: tomorrow)
    after = body(client)
    assert before != after


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
    forget()
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
