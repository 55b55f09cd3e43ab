"""A real Chromium against a real server: what no test client can see."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from tests import factories
from tests.test_pages import built

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("E2E") == "skip", reason="no browser on this machine (E2E=skip)"),
]

#: Playwright's own loop would make Django believe that it is called from asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()


class Visit:
    """A browser window in which every complaint of the browser is kept."""

    def __init__(self, chromium: Any, url: str, **options: Any) -> None:
        self.url = url
        self.context = chromium.new_context(locale="en-US", **options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on(
            "console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str) -> None:
        answer = self.page.goto(self.url + path)
        assert answer.status == 200, path

    def log_in(self, user: Any) -> None:
        self.open("/login/")
        self.page.fill("input[name=username]", user.username)
        self.page.fill("input[name=password]", factories.PASSWORD)
        self.page.click("main button")
        self.page.wait_for_url(self.url + "/")


@pytest.fixture
def visit(chromium: Any, live_server: Any) -> Iterator[Any]:
    visits: list[Visit] = []

    def begin(**options: Any) -> Visit:
        visits.append(Visit(chromium, live_server.url, **options))
        return visits[-1]

    yield begin
    for one in visits:
        one.context.close()
        assert one.complaints == []


def test_every_page_runs_under_the_strict_policy_without_a_complaint(visit: Any) -> None:
    world = built()
    paths = {
        "staff": (
            "/", "/projects/project/", "/projects/project/add/", f"/projects/project/{world['project'].pk}/",
            f"/projects/project/{world['project'].pk}/change/", "/projects/milestone/?when=overdue",
            "/enterprises/enterprise/", f"/enterprises/enterprise/{world['group'].pk}/change/", "/projects/programme/",
        ),
        "security": ("/", "/enterprises/user/add/", f"/enterprises/user/{world['officer'].pk}/change/"),
        "audit": ("/journal/",),
    }  # fmt: skip
    for role, pages in paths.items():
        window = visit()
        window.log_in(world[role])
        for path in pages:
            window.open(path)


def test_no_page_is_wider_than_a_phone(visit: Any) -> None:
    world = built()
    window = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    window.log_in(world["staff"])
    for path in ("/", "/projects/project/", f"/projects/project/{world['project'].pk}/", "/projects/milestone/", "/enterprises/enterprise/", f"/projects/project/{world['project'].pk}/change/", "/projects/programme/"):  # fmt: skip
        window.open(path)
        wide = window.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, (path, wide)


def test_an_officer_claims_a_return_follows_and_the_second_claim_is_accepted(visit: Any) -> None:
    world = built()
    officer, staff = visit(), visit()
    officer.log_in(world["officer"])
    staff.log_in(world["staff"])
    page = f"/projects/project/{world['project'].pk}/"
    late = world["late"]

    def step(window: Visit, action: str, comment: str = "") -> None:
        window.open(page)
        window.page.click(f'a[href$="/projects/milestone/{late.pk}/step/{action}/"]')
        if comment:
            window.page.fill("[name=comment]", comment)
        window.page.click("main form button")
        window.page.wait_for_url(officer.url + page)

    officer.open(page)
    assert officer.page.locator(f'a[href$="/milestone/{late.pk}/step/accept/"]').count() == 0
    step(officer, "submit")
    step(staff, "return", "缺少通水照片")
    officer.open(page)
    assert "缺少通水照片" in officer.page.inner_text("main")
    step(officer, "submit")
    step(staff, "accept")
    late.refresh_from_db()
    assert late.state == "accepted"
    assert late.days_late == 3
    history = staff.page.inner_text("main")
    assert world["officer"].name in history
    assert world["staff"].name in history


def test_the_first_look_is_chinese_and_one_click_makes_it_english(visit: Any) -> None:
    world = built()
    window = visit()
    window.log_in(world["leader"])
    assert window.page.get_attribute("html", "lang") == "zh-hans"
    window.page.click('button[value="en"], button[lang="en"]')
    window.page.wait_for_load_state()
    assert window.page.get_attribute("html", "lang") == "en"


def test_every_page_works_without_javascript(visit: Any) -> None:
    world = built()
    window = visit(java_script_enabled=False)
    window.log_in(world["officer"])
    window.open(f"/projects/project/{world['project'].pk}/")
    form = window.page.locator(f'form[action$="/milestone/{world["late"].pk}/percent/"]').first
    form.locator("input[name=percent]").fill("40")
    form.locator("button").click()
    world["late"].refresh_from_db()
    assert world["late"].percent == 40


def test_the_day_on_the_page_is_the_day_in_shanghai(visit: Any) -> None:
    world = built()
    window = visit(timezone_id="America/New_York")
    window.log_in(world["leader"])
    today = timezone.localdate()
    assert f"{today.year}年{today.month}月{today.day}日" in window.page.inner_text("body")
