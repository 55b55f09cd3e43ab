"""The patrol page: that it lives, what it did, what it could not do."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import redis
from django.urls import reverse
from django.utils import timezone

from portal import heartbeat
from portal.health import PATROL_LATE_AFTER
from projects.models import PatrolRun, SetAside
from projects.services.rounds import go_round
from tests import factories
from tests.test_pages import client_of

DAY = datetime.timedelta(days=1)
URL = reverse("admin:patrol")


@pytest.fixture
def world(db: None) -> dict[str, Any]:
    now = timezone.now()
    today = timezone.localdate(now)
    sasac, other = factories.sasac(), factories.sasac("外市国资委")
    group = factories.enterprise(parent=sasac)
    lead = factories.user("leader", group)
    programme = factories.programme(
        sasac, today.year, ends_on=today + DAY * 90, patrolled_until=today + DAY * 190
    )
    project = factories.project(group, programme, direct_lead=lead)
    return {
        "now": now,
        "today": today,
        "milestone": factories.milestone(project, today - DAY * 10),
        "foreign": factories.milestone(factories.project(other), today - DAY),
        "staff": factories.user("staff", sasac),
        "officer": factories.user("officer", group),
        "leader": lead,
        "system": factories.user("system", sasac),
        "security": factories.user("security", sasac),
    }


def test_it_says_what_the_patrol_opened_climbed_and_told(world: dict[str, Any]) -> None:
    go_round(at=world["now"])
    page = client_of(world["staff"]).get(URL)
    (day,) = page.context["days"]
    assert (day["n_opened"], day["n_closed"]) == (PatrolRun.objects.get().opened, 0)
    assert day["n_escalated"] >= 1 and day["n_told"] >= 1
    assert not page.context["is_late"]
    assert page.context["next_at"] > page.context["run"].finished_at


def test_a_late_patrol_is_said_on_this_page_and_to_staff_on_every_page(world: dict[str, Any]) -> None:
    go_round(at=world["now"])
    PatrolRun.objects.update(finished_at=timezone.now() - datetime.timedelta(seconds=PATROL_LATE_AFTER + 5))
    assert client_of(world["officer"]).get(URL).context["is_late"]
    home = client_of(world["staff"]).get(reverse("admin:index"))
    assert "site-banner" in home.content.decode()
    assert "site-banner" not in client_of(world["leader"]).get(reverse("admin:index")).content.decode()


def test_rows_set_aside_are_shown_within_the_wall_and_tried_again(world: dict[str, Any]) -> None:
    for row in (world["milestone"], world["foreign"]):
        SetAside.objects.create(milestone=row, as_of=world["today"], at=world["now"], error="ValueError: x")
    page = client_of(world["staff"]).get(URL)
    (row,) = page.context["aside"]
    assert row.milestone == world["milestone"]
    client_of(world["staff"]).post(reverse("admin:projects_setaside_retry", args=[row.pk]))
    row.refresh_from_db()
    assert row.resolved_at is not None
    assert 'id="h-aside"' not in client_of(world["leader"]).get(URL).content.decode()


@pytest.mark.parametrize(("who", "status"), [("system", 200), ("leader", 200), ("security", 403)])
def test_who_may_look(world: dict[str, Any], who: str, status: int) -> None:
    assert client_of(world[who]).get(URL).status_code == status


def test_a_broker_that_is_away_is_said_instead_of_an_error(
    world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> dict[str, float | None]:
        raise redis.ConnectionError

    monkeypatch.setattr(heartbeat, "ages", away)
    page = client_of(world["staff"]).get(URL)
    assert [part.state for part in page.context["parts"]] == ["away", "unknown", "unknown"]


def test_an_empty_list_of_runs_tells_how_often_the_patrol_runs(world: dict[str, Any], settings: Any) -> None:
    settings.PATROL_SECONDS = 45
    PatrolRun.objects.all().delete()
    page = client_of(world["staff"]).get("/projects/patrolrun/")
    assert " 45 " in page.content.decode().split('class="empty"')[1].split("</div>")[0]
