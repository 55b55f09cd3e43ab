"""The page that says why a light shows, and the page of a programme's rules."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from django.utils import timezone

from projects.models import LightPolicyVersion, LightSpan, Milestone, Programme, Project
from projects.services.lights import refresh_lights
from tests import factories
from tests.test_pages import built, client_of

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
NOW = {"warning_days": 7, "yellow_gap": 10, "red_gap": 30, "red_fades": "on", "cycle": "month", "seen": 1}


@pytest.fixture
def world() -> dict[str, Any]:
    return built()


def _why(world: dict[str, Any]) -> str:
    return f"/projects/project/{world['project'].pk}/light/"


def _rules(world: dict[str, Any]) -> str:
    return f"/projects/programme/{world['project'].programme_id}/lights/"


@pytest.mark.parametrize("role", ["staff", "officer", "leader"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_everyone_who_sees_a_project_may_ask_why(world: dict[str, Any], role: str, language: str) -> None:
    answer = client_of(world[role], language).get(_why(world))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'id="red-days"' in page
    assert page.count('data-state="fits"') == 1
    assert page.count('data-state="unasked"') == 9  # overdue is the fourth of thirteen
    assert page.count("strip-day") == 90
    assert "style=" not in page


def test_the_shares_of_the_milestones_add_up_to_the_gap(world: dict[str, Any]) -> None:
    context = client_of(world["staff"]).get(_why(world)).context
    dated = [row for row in context["shares"] if row.milestone.due_on]
    assert round(sum(row.gap for row in dated)) == context["facts"]["gap"]
    assert [row.days for row in context["shares"]] == [3, 0, 0]


@pytest.mark.parametrize("state", ["cancelled", "accepted"])
def test_a_page_without_anything_to_add_up(world: dict[str, Any], state: str) -> None:
    Milestone.objects.update(state=state, claimed_on=world["today"], accepted_on=world["today"])
    refresh_lights(as_of=world["today"])
    assert client_of(world["staff"]).get(_why(world)).status_code == 200
    Milestone.objects.all().delete()
    refresh_lights(as_of=world["today"])
    assert client_of(world["staff"]).get(_why(world)).status_code == 200


def test_a_project_that_was_never_judged_says_so(world: dict[str, Any]) -> None:
    LightSpan.objects.all().delete()
    Project.objects.update(light="", light_reason={})
    page = client_of(world["staff"]).get(_why(world)).content.decode()
    assert 'data-state="fits"' not in page


def test_an_archived_programme_counts_no_further(world: dict[str, Any]) -> None:
    Programme.objects.update(archived_on=world["today"])
    answer = client_of(world["staff"]).get(_why(world))
    assert answer.status_code == 200
    assert answer.context["last"] == world["today"] - DAY


@pytest.mark.parametrize("page", ["/projects/project/{}/light/", "/projects/programme/{}/lights/"])
@pytest.mark.parametrize("role", ["officer", "staff"])
def test_a_foreign_id_is_answered_like_one_that_does_not_exist(
    world: dict[str, Any], role: str, page: str
) -> None:
    elsewhere = factories.sasac("另一个国资委")
    project = factories.project(elsewhere, factories.programme(elsewhere))
    foreign = project.pk if "/project/" in page else project.programme_id
    for method in ("get", "post"):
        ask = getattr(client_of(world[role]), method)
        found, missing = ask(page.format(foreign)), ask(page.format(10**9))
        assert (found.status_code, found["Location"]) == (missing.status_code, missing["Location"])


def test_a_light_links_to_its_reason_and_costs_a_list_no_query(
    world: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    client = client_of(world["staff"])
    assert f'href="{_why(world)}"' in client.get(f"/projects/project/{world['project'].pk}/").content.decode()
    list_page = "/projects/project/"
    assert f'href="{_why(world)}"' in client.get(list_page).content.decode()
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(list_page)
    for _n in range(5):
        factories.project(world["group"], world["project"].programme)
    refresh_lights(as_of=world["today"])
    with django_assert_max_num_queries(len(one)):
        client.get(list_page)


def test_staff_tries_rules_and_nothing_is_saved(world: dict[str, Any]) -> None:
    client = client_of(world["staff"])
    page = client.post(_rules(world), {**NOW, "warning_days": 1, "_try": "1"})
    assert page.status_code == 200
    assert page.context["tried"].total == 1
    assert 'id="tried"' in page.content.decode()
    assert Programme.objects.get().warning_days == 7
    assert LightPolicyVersion.objects.count() == 1


def test_staff_saves_a_version_with_its_reason(world: dict[str, Any]) -> None:
    client = client_of(world["staff"])
    form = {**NOW, "warning_days": 1, "_save": "1", "reason": "节点更密"}
    assert client.post(_rules(world), form).status_code == 302
    version = LightPolicyVersion.objects.get(number=2)
    assert (version.warning_days, version.reason, version.made_by) == (1, "节点更密", world["staff"])
    assert version.since == timezone.localdate()
    assert "节点更密" in client.get(_rules(world)).content.decode()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"yellow_gap": 40}, "red_gap"),
        ({"yellow_gap": 0}, "yellow_gap"),
        ({"red_gap": "many"}, "red_gap"),
        ({"warning_days": 99}, "warning_days"),
        ({"cycle": "day"}, "cycle"),
        ({"reason": "长" * 301}, "reason"),
        ({"seen": 10**30}, "seen"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(world: dict[str, Any], values: Any, field: str) -> None:
    answer = client_of(world["staff"]).post(_rules(world), {**NOW, **values, "_save": "1"})
    assert answer.status_code == 200
    assert field in answer.context["form"].errors
    assert LightPolicyVersion.objects.count() == 1


def test_saving_without_a_reason_or_after_a_colleague_is_a_conflict(world: dict[str, Any]) -> None:
    client = client_of(world["staff"])
    assert client.post(_rules(world), {**NOW, "red_gap": 40, "_save": "1"}).status_code == 409
    Programme.objects.update(red_gap=35)
    form = {**NOW, "red_gap": 40, "reason": "放宽", "_save": "1"}
    answer = client.post(_rules(world), form)
    assert answer.status_code == 409
    assert Programme.objects.get().red_gap == 35
    # The page now shows what was missed; saving from there goes through.
    seen = re.search(r'name="seen" value="(\d+)"', answer.content.decode())
    assert seen
    assert seen.group(1) == "2"
    assert client.post(_rules(world), {**form, "seen": 2}).status_code == 302
    assert Programme.objects.get().red_gap == 40


@pytest.mark.parametrize("role", ["officer", "leader"])
def test_others_read_the_rules_and_change_nothing(world: dict[str, Any], role: str) -> None:
    client = client_of(world[role])
    page = client.get(_rules(world))
    assert page.status_code == 200
    assert page.context["form"] is None
    assert world["root"].name not in page.content.decode() or role == "leader"
    client.post(_rules(world), {**NOW, "red_gap": 40, "reason": "放宽", "_save": "1"})
    assert Programme.objects.get().red_gap == 30


@pytest.mark.parametrize("role", ["system", "security", "audit"])
def test_administrators_have_neither_page(world: dict[str, Any], role: str) -> None:
    for page in (_why(world), _rules(world)):
        assert client_of(world[role]).get(page).status_code in (302, 403)


def test_thresholds_stand_on_their_own_page_once_there_is_a_programme(world: dict[str, Any]) -> None:
    client = client_of(world["staff"])
    change = client.get(f"/projects/programme/{world['project'].programme_id}/change/").content.decode()
    assert 'name="yellow_gap"' not in change
    assert f'href="{_rules(world)}"' in change
    assert 'name="yellow_gap"' in client.get("/projects/programme/add/").content.decode()


def test_an_archived_programmes_rules_are_read_only(world: dict[str, Any]) -> None:
    Programme.objects.update(archived_on=world["today"])
    assert client_of(world["staff"]).get(_rules(world)).context["form"] is None
