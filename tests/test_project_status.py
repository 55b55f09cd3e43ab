"""Suspending, resuming, terminating and reopening on the page: what it asks, what it refuses."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.utils import timezone

from journal.reading import history_of
from projects.models import Milestone, Project
from projects.services.lifecycle import LOOK_AGAIN_WITHIN, change_status
from tests import factories
from tests.test_pages import DAY, built, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    return built()


def url_of(world: dict, action: str) -> str:
    return f"/projects/project/{world['project'].pk}/status/{action}/"


def post(world: dict, action: str, who: str = "staff", **form: Any) -> Any:
    form = {"reason": "征地未完成，市政府专题会议议定", **form}
    return client_of(world[who]).post(url_of(world, action), form)


def change(world: dict, action: str, **values: Any) -> None:
    change_status(
        project_id=world["project"].pk, action=action, actor=world["staff"], as_of=world["today"],
        reason="已议定", **values,
    )  # fmt: skip


def status(world: dict) -> str:
    return str(Project.objects.values_list("status", flat=True).get(pk=world["project"].pk))


def test_the_page_asks_for_a_reason_and_offers_a_day_in_a_month(world: dict) -> None:
    page = client_of(world["staff"]).get(url_of(world, "suspend"))
    html = page.content.decode()
    assert page.status_code == 200
    assert f'value="{(world["today"] + DAY * 30).isoformat()}"' in html
    assert f'max="{(world["today"] + LOOK_AGAIN_WITHIN).isoformat()}"' in html
    assert 'name="reason"' in html
    assert 'name="reopened"' not in html
    assert status(world) == "in_progress"


def test_a_suspension_keeps_its_reason_on_the_project_and_in_the_journal(world: dict) -> None:
    day = world["today"] + DAY * 20
    answer = post(world, "suspend", look_again_on=day.isoformat())
    assert answer.status_code == 302
    project = Project.objects.get(pk=world["project"].pk)
    assert (project.status, project.review_again_on) == ("suspended", day)
    assert project.status_reason.startswith("征地未完成")
    entries = history_of([project], world["staff"], limit=5)
    assert any("征地未完成" in entry.why for entry in entries)


@pytest.mark.parametrize(
    ("form", "kept"),
    [
        ({"reason": "  ", "look_again_on": "2020-01-01"}, 'value="2020-01-01"'),
        ({"look_again_on": "2020-01-01"}, "市政府专题会议议定"),
        ({"look_again_on": "2999-01-01"}, 'value="2999-01-01"'),
        ({"look_again_on": "2026-02-31"}, "市政府专题会议议定"),
        ({"look_again_on": "下周"}, 'value="下周"'),
        ({"look_again_on": ""}, "市政府专题会议议定"),
        ({"reason": "长" * 301, "look_again_on": ""}, "长" * 301),
    ],
)
def test_what_is_wrong_is_said_with_everything_that_was_typed(world: dict, form: dict, kept: str) -> None:
    answer = post(world, "suspend", **form)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert 'class="errornote"' in html
    assert kept in html
    assert status(world) == "in_progress"


def test_suspended_then_resumed_then_terminated_then_reopened(world: dict) -> None:
    post(world, "suspend", look_again_on=(world["today"] + DAY).isoformat())
    assert status(world) == "suspended"
    post(world, "resume")
    assert status(world) == "in_progress"
    post(world, "terminate")
    assert status(world) == "terminated"
    assert set(Milestone.objects.values_list("state", flat=True)) == {"cancelled"}
    page = client_of(world["staff"]).get(url_of(world, "reopen")).content.decode()
    for milestone in Milestone.objects.all():
        assert f'name="reopened" value="{milestone.pk}"' in page
    post(world, "reopen", reopened=[world["late"].pk])
    assert status(world) == "in_progress"
    assert dict(Milestone.objects.order_by("pk").values_list("pk", "state"))[world["late"].pk] == "returned"
    assert Milestone.objects.filter(state="cancelled").count() == 2


@pytest.mark.parametrize("chosen", ["99999999", "²", "9" * 5000, "-1", ""])
def test_a_forged_milestone_reopens_nothing_foreign(world: dict, chosen: str) -> None:
    other = factories.milestone(
        factories.project(world["group"], world["project"].programme),
        state="accepted", percent=100, claimed_on=world["today"], accepted_on=world["today"],
    )  # fmt: skip
    change(world, "terminate")
    assert post(world, "reopen", reopened=[chosen]).status_code in (302, 409)
    answer = post(world, "reopen", reopened=[other.pk])
    assert answer.status_code == 409
    other.refresh_from_db()
    assert other.state == "accepted"


def test_ticks_stay_ticked_when_the_reason_is_missing(world: dict) -> None:
    change(world, "terminate")
    html = post(world, "reopen", reason="", reopened=[world["late"].pk]).content.decode()
    assert f'value="{world["late"].pk}" checked' in html


@pytest.mark.parametrize("who", ["officer", "leader"])
def test_whose_step_it_is_not_is_told_so_without_a_form(world: dict, who: str) -> None:
    page = client_of(world[who]).get(url_of(world, "suspend"))
    assert page.status_code == 200
    assert 'class="errornote"' in page.content.decode()
    assert 'name="reason"' not in page.content.decode()
    answer = post(world, "suspend", who, look_again_on=(world["today"] + DAY).isoformat())
    assert answer.status_code == 409
    assert status(world) == "in_progress"


def test_a_step_from_a_stale_page_is_refused_in_words(world: dict) -> None:
    change(world, "terminate")
    answer = post(world, "suspend", look_again_on=(world["today"] + DAY).isoformat())
    assert answer.status_code == 409
    assert status(world) == "terminated"


def test_a_foreign_project_and_a_step_that_there_is_not_are_missing(world: dict) -> None:
    stranger = factories.user("staff", factories.sasac("外市国资委"))
    client = client_of(stranger)
    there, nowhere = (
        client.get(url_of(world, "suspend")),
        client.get("/projects/project/99999999/status/suspend/"),
    )
    assert there.status_code == nowhere.status_code == 302
    assert there.headers["Location"] == nowhere.headers["Location"]
    for action in ("begin", "await", "close", "explode"):
        assert client_of(world["staff"]).get(url_of(world, action)).status_code == 302, action
    assert client_of(world["staff"]).post(url_of(world, "close"), {"reason": "x"}).status_code == 302
    assert status(world) == "in_progress"


def test_a_suspension_whose_day_has_come_stands_in_the_list_of_reviews(world: dict) -> None:
    change(world, "suspend", look_again_on=world["today"] + DAY)
    client = client_of(world["staff"])

    def listed(which: str) -> bool:
        html = client.get(f"/projects/project/?look_again={which}").content.decode()
        return f"/projects/project/{world['project'].pk}/" in html

    assert listed("later")
    assert not listed("due")
    Project.objects.filter(pk=world["project"].pk).update(review_again_on=timezone.localdate())
    assert listed("due")
    assert not listed("later")
    Project.objects.filter(pk=world["project"].pk).update(
        review_again_on=datetime.date(2020, 1, 1), status="in_progress"
    )
    assert not listed("due")
