"""Pages: who gets what, in both languages, under a strict policy; and what wrong input is answered."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from projects.models import ExtensionRequest, ProgressReport
from projects.services.lights import refresh_lights
from projects.services.patrol import patrol
from tests import factories

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def world() -> dict[str, Any]:
    return built()


def built(*, named: str = "") -> dict[str, Any]:
    """One commission with a group, a project with three milestones, and one person of each role.

    Args:
        named: names of everything begin with it; blank leaves the factories' Chinese names.
    """

    def name(word: str) -> dict[str, str]:
        return {"name": f"{named} {word}"} if named else {}

    today = timezone.localdate()
    root = factories.sasac(**name("root"))
    group = factories.enterprise(parent=root, **name("group"))
    programme = factories.programme(
        root,
        today.year,
        **name("programme"),
        starts_on=today - DAY * 99,
        ends_on=today + DAY * 99,
        patrolled_until=today + DAY * 199,
    )
    project = factories.project(
        group, programme, category=factories.category(programme, **name("category")), **name("project")
    )
    late = factories.milestone(project, today - DAY * 3, **name("first"))
    factories.milestone(project, today + DAY * 3, **name("second"))
    factories.milestone(project, None, **name("third"))
    patrol(as_of=today)
    refresh_lights(as_of=today)
    users = {
        role: factories.user(role, group if role == "officer" else root, **name(role))
        for role in ("staff", "officer", "leader", "system", "security", "audit")
    }
    return {"root": root, "group": group, "project": project, "late": late, "today": today, **users}


def client_of(user: Any, language: str = "zh-hans") -> Client:
    client = Client()
    client.force_login(user, backend="enterprises.authentication.AccountBackend")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return client


PAGES = {
    "staff": (
        "/", "/projects/project/", "/projects/project/add/", "/projects/project/{project}/",
        "/projects/project/{project}/change/", "/projects/project/{project}/history/", "/projects/project/{project}/delete/",
        "/projects/milestone/", "/projects/milestone/?when=overdue", "/projects/milestone/?when=soon",
        "/projects/milestone/?when=no_date", "/projects/milestone/{late}/step/cancel/", "/projects/overdueepisode/",
        "/projects/programme/", "/projects/programme/{programme}/change/", "/enterprises/enterprise/",
        "/enterprises/enterprise/{group}/change/", "/enterprises/enterprise/add/", "/enterprises/partybranch/",
        "/enterprises/partybranch/add/", "/projects/patrolrun/", "/projects/setaside/", "/password_change/",
        "/review/", "/projects/progressreport/{report}/", "/projects/extensionrequest/{extension}/", "/projects/project/{project}/status/suspend/", "/projects/project/?q=nothing-fits", "/projects/project/?light__exact=red",
    ),
    "officer": ("/", "/projects/project/", "/projects/project/{project}/", "/projects/milestone/{late}/report/", "/projects/milestone/{open}/extension/", "/projects/progressreport/", "/projects/extensionrequest/", "/projects/closeout/", "/projects/progressreport/{report}/", "/projects/project/{approved}/", "/projects/project/{approved}/evidence/", "/projects/programme/", "/enterprises/enterprise/{group}/change/"),
    "leader": ("/", "/projects/project/", "/projects/project/{project}/", "/projects/project/{project}/change/", "/enterprises/enterprise/"),
    "system": ("/", "/projects/patrolrun/", "/projects/setaside/"),
    "security": ("/", "/enterprises/user/", "/enterprises/user/add/", "/enterprises/user/{user}/change/", "/enterprises/membership/", "/enterprises/membership/add/"),
    "audit": ("/", "/journal/?kind=projects.project", "/enterprises/user/", "/enterprises/membership/"),
}  # fmt: skip


def submitted(world: dict[str, Any]) -> dict[str, int]:
    """An approved project with a report and a request that wait, so that their pages have something to show."""
    today, officer = world["today"], world["officer"]
    plain = "group" in world["group"].name

    def named(word: str) -> dict[str, str]:
        return {"name": f"handed in {word}"} if plain else {}

    if not ProgressReport.objects.exists():
        project = factories.project(
            world["group"], world["project"].programme, approved_on=today - DAY * 60, **named("project")
        )
        for word, days in (("first", 20), ("second", 30)):
            milestone = factories.milestone(project, today + DAY * days, **named(word))
        factories.report(milestone, officer, today, done="200 m dug")
        factories.extension(milestone, officer, today, today + DAY * 40, reason="rain")
    milestone = ProgressReport.objects.get().milestone
    return {
        "report": milestone.reports.get().pk,
        "extension": ExtensionRequest.objects.get().pk,
        "open": milestone.project.milestones.order_by("due_on")[0].pk,
        "approved": milestone.project_id,
    }


def pages(world: dict[str, Any], role: str) -> list[str]:
    ids = {
        "project": world["project"].pk,
        "late": world["late"].pk,
        "group": world["group"].pk,
        "programme": world["project"].programme_id,
        "user": world["officer"].pk,
        **submitted(world),
    }
    return [page.format(**ids) for page in PAGES[role]]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("role", list(PAGES))
def test_every_page_opens_and_holds_nothing_that_the_policy_forbids(
    world: dict, role: str, language: str
) -> None:
    client = client_of(world[role], language)
    for page in pages(world, role):
        response = client.get(page)
        assert response.status_code == 200, page
        policy = set(response.headers["Content-Security-Policy"].split("; "))
        assert policy == {"default-src 'self'", *(f"{d} 'none'" for d in ("base-uri", "object-src", "frame-ancestors")), "form-action 'self'"}  # fmt: skip
        assert "no-store" in response.headers["Cache-Control"]
        html = response.content.decode()
        assert f'lang="{language}"' in html.lower(), page
        assert not re.search(r"<[^>]+\sstyle=", html), page
        assert not re.search(r"<[^>]+\son[a-z]+=", html), page
        assert not re.search(r"<style|javascript:|src=\"data:|href=\"data:", html), page
        for script in re.findall(r"<script[^>]*>", html):
            assert "src=" in script or 'type="application/json"' in script, page


@pytest.mark.parametrize("role", list(PAGES))
def test_the_english_pages_hold_no_chinese_of_the_portal(role: str) -> None:
    """With rows named in English nothing Chinese is left on an English page but the switch."""
    world = built(named="Plain")
    client = client_of(world[role], "en")
    for page in pages(world, role):
        html = client.get(page).content.decode()
        found = {line.strip() for line in html.splitlines() if HAN.search(line)}
        assert all("中文" in line or "lang=" in line for line in found), (page, found)


def test_the_last_patrol_is_on_the_page(world: dict) -> None:
    assert "上次巡检" in client_of(world["leader"]).get("/").content.decode()


def shown_by(page: Any) -> int:
    """How many rows a list says it has; the review desk adds up its three kinds."""
    return (
        sum(page.context["desk"].counts.values())
        if "desk" in page.context
        else page.context["cl"].result_count
    )


def test_each_number_on_the_home_page_is_the_length_of_the_list_behind_it(world: dict) -> None:
    for role in ("staff", "officer", "leader"):
        client = client_of(world[role])
        home = client.get("/").context["home"]
        figures = [*home.needs_me, *home.totals]
        assert len(figures) >= 8
        for figure in figures:
            assert shown_by(client.get(figure.url)) == figure.value, (role, figure)


def test_demonstration_data_says_that_it_is(world: dict) -> None:
    client = client_of(world["staff"])
    urls = ("/", "/projects/project/", f"/projects/project/{world['project'].pk}/", "/projects/milestone/")
    assert not any("演示数据" in client.get(url).content.decode() for url in urls)
    type(world["project"].programme)._base_manager.update(is_demo=True)
    for url in urls:
        assert "演示数据" in client.get(url).content.decode(), url
