"""Every number of the cockpit is the length of the list that it leads to, for whoever looks."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from enterprises.models import User
from projects.cockpit.links import LISTS
from projects.models import DailyTally, Evidence, ExtensionRequest, Project, Tally
from projects.services.refusals import Refused
from projects.services.reviews import decide
from tests import factories
from tests.tallies.test_histories import World

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)

_LINKED = re.compile(
    r'<a[^>]*href="([^"]+)"[^>]*data-figure="(\w+)"[^>]*>([\d,]+)</a>'
    r'|<a[^>]*href="([^"]+)"[^>]*>(?:(?!</a>).)*?data-figure="(\w+)"[^>]*>([\d,]+)</b>',
    re.S,
)


_BAR = re.compile(r'<a href="([^"]+)" tabindex="-1"><title>\S+ ([\d,]+)</title>')


def numbers_of(page: str) -> Iterator[tuple[str, str, int]]:
    """(address, name, number) of every number that is a link."""
    for found in _LINKED.finditer(page):
        url, name, number = found.groups()[:3] if found[1] else found.groups()[3:]
        yield unescape(url), name, int(number.replace(",", ""))
    for url, number in _BAR.findall(page):
        yield unescape(url), "bar", int(number.replace(",", ""))


def seen_by(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def after_a_history(today: datetime.date, seed: int = 3) -> World:
    world = World(seed, today)
    for _ in range(14):
        world.begin_project()
    world.patrol()
    acts = [act for act in world.acts() if act != world.next_day]
    for _ in range(60):
        try:
            world.random.choice(acts)()
        except Refused:
            continue
    one_of_each(world)  # not counted yet: their marks are mended while reading
    return world


def one_of_each(world: World) -> None:
    """What a short history may lack: a late milestone, a report and a close-out that wait, a photo."""
    project = factories.project(world.firms[0], world.programme, approved_on=world.today - DAY * 40)
    factories.milestone(
        project,
        world.today - DAY * 9,
        state="accepted",
        claimed_on=world.today - DAY * 4,
        accepted_on=world.today,
        percent=100,
    )
    in_time = {"claimed_on": world.today - DAY * 9, "accepted_on": world.today, "percent": 100}
    factories.milestone(project, world.today - DAY * 8, state="accepted", **in_time)
    factories.close_out(project, world.officer, world.today)
    other = factories.project(world.firms[1], world.programme, approved_on=world.today - DAY * 40)
    sent = factories.report(factories.milestone(other, world.today + DAY * 50), world.officer, world.today)
    moved = factories.milestone(other, world.today + DAY * 20)
    asked = factories.extension(moved, world.officer, world.today, world.today + DAY * 30)
    at = factories.moment(world.today)
    decide(kind=ExtensionRequest, pk=asked.pk, action="approve", actor=world.staff[0], at=at, comment="同意")
    Evidence.objects.create(
        project=other,
        report=sent,
        kind="photo",
        name="现场.jpg",
        size=1,
        sha256="0" * 64,
        uploaded_by=world.officer,
    )


@pytest.mark.parametrize("counted", [True, False], ids=["counted", "marked"])
def test_each_number_counts_exactly_the_list_behind_it(today: datetime.date, counted: bool) -> None:
    world = after_a_history(today)
    if counted:
        world.count()
    people = [world.staff[0], factories.user("leader", world.root), factories.user("leader", world.groups[0])]
    names: set[str] = set()
    for person in people:
        client = seen_by(person)
        page = client.get("/cockpit/")
        assert page.status_code == 200
        numbers = list(numbers_of(page.content.decode()))
        assert len(numbers) > 10
        for url, name, number in numbers:
            if name == "desk":
                continue
            listed = client.get(url)
            assert listed.context["cl"].result_count == number, (person.roles, name, url)
            names.add(name)
    assert "bar" in names
    assert names >= set(LISTS) - {"dated", "submitted", "unjudged"}, set(LISTS) - names


def test_the_numbers_of_a_unit_below_lead_to_its_own_lists(today: datetime.date) -> None:
    world = after_a_history(today, seed=5)
    client = seen_by(world.staff[0])
    for unit in [world.groups[0], world.groups[2], world.firms[0]]:
        page = client.get("/cockpit/", {"unit": unit.pk}).content.decode()
        for url, name, number in numbers_of(page):
            if name != "desk":
                assert client.get(url).context["cl"].result_count == number, (unit, name, url)


def test_a_foreign_unit_is_answered_like_one_that_does_not_exist(today: datetime.date) -> None:
    world = after_a_history(today)
    inside, outside = world.groups[0], world.groups[1]
    client = seen_by(factories.user("leader", inside))
    foreign = client.get("/cockpit/", {"unit": outside.pk}).content.decode()
    missing = client.get("/cockpit/", {"unit": 999_999_999}).content.decode()
    assert outside.name not in foreign
    assert _without_tokens(foreign.replace(str(outside.pk), "?")) == _without_tokens(
        missing.replace("999999999", "?").replace(str(outside.pk), "?")
    )
    listed = client.get("/projects/project/", {"within": outside.pk, "programme": world.programme.pk})
    assert listed.context["cl"].result_count == 0


def _without_tokens(page: str) -> str:
    return re.sub(r'(csrfmiddlewaretoken" value=")[^"]+|unit=\d+', r"\1", page)


def test_nonsense_in_the_address_shows_the_usual_page(today: datetime.date) -> None:
    world = World(1, today)
    world.begin_project()
    client = seen_by(world.staff[0])
    for asked in (
        {"on": "2026-02-30"},
        {"on": "9999-12-31"},
        {"on": "0001-01-01", "against": "x"},
        {"programme": "²", "unit": "-1"},
        {"unit": "9" * 40, "sort": "'; DROP"},
        {"against": "2999-01-01"},
        {"sort": "-gap", "all": "1"},
    ):
        assert client.get("/cockpit/", asked).status_code == 200, asked


def test_a_past_day_is_shown_as_it_was_and_its_numbers_lead_nowhere(today: datetime.date) -> None:
    world = World(2, today)
    for _ in range(6):
        world.begin_project()
    world.patrol()
    was = DailyTally.objects.get(enterprise=world.root, day=today).counts
    world.next_day()
    for _ in range(5):
        world.begin_project()
    world.patrol()
    client = seen_by(world.staff[0])
    # The clock of the page stands at the first day: what is asked for lies a day ahead of the other way round.
    DailyTally.objects.filter(day=today).update(day=today - DAY)
    page = client.get("/cockpit/", {"on": (today - DAY).isoformat()})
    assert page.context["cockpit"].counts == was
    assert list(numbers_of(page.content.decode())) == []
    empty = client.get("/cockpit/", {"on": (today - 30 * DAY).isoformat()})
    assert empty.status_code == 200
    assert empty.context["cockpit"] is None


def test_the_page_asks_as_many_questions_for_many_projects_as_for_few(today: datetime.date) -> None:
    world = World(4, today)
    world.begin_project()
    milestone = factories.milestone(Project.objects.first(), today - 3 * DAY)
    world.patrol()
    leader = factories.user("leader", world.root)
    client = seen_by(leader)
    few = _queries(client)
    for _ in range(40):
        world.begin_project()
        factories.milestone(Project.objects.latest("pk"), today - 3 * DAY)
    world.patrol()
    assert Tally.objects.filter(whole=True).count() > 5
    assert milestone.pk
    assert _queries(client) == few


def _queries(client: Client) -> int:
    client.get("/cockpit/")
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/cockpit/").status_code == 200
    return len(asked)


def test_officers_see_their_own_and_administrators_none(today: datetime.date) -> None:
    world = after_a_history(today)
    mine = seen_by(factories.user("officer", world.groups[0])).get("/cockpit/")
    assert mine.context["question"].unit == world.groups[0]
    for role in ("system", "security", "audit"):
        assert seen_by(factories.user(role, world.root)).get("/cockpit/").status_code == 403


def test_a_light_that_a_number_led_to_is_the_one_that_the_list_shows_as_chosen(today: datetime.date) -> None:
    """Otherwise the next choice is added to it, and the list of yellow ones among the red ones is empty."""
    world = after_a_history(today)
    client = seen_by(world.staff[0])
    for page in ("/cockpit/", "/"):
        numbers = list(numbers_of(client.get(page).content.decode()))
        for url in [url for url, name, _number in numbers if name == "red"][:1] or _red_links(client, page):
            listed = client.get(url).context["cl"]
            light = next(spec for spec in listed.filter_specs if getattr(spec, "field_path", "") == "light")
            chosen = [choice for choice in light.choices(listed) if choice["selected"]]
            assert [str(choice["display"]) for choice in chosen] == ["红灯"], url
            other = next(c for c in light.choices(listed) if str(c["display"]) == "绿灯")
            address = url.partition("?")[0] + other["query_string"]
            assert {row.light for row in client.get(address).context["cl"].result_list} == {"green"}


def _red_links(client: Client, page: str) -> list[str]:
    found = re.findall(
        r'href="(/projects/project/\?[^"]*light[^"]*red[^"]*)"', client.get(page).content.decode()
    )
    assert found
    return [unescape(found[0])]
