"""A real Chromium against a real server: what no test client can see."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from tests.browsing import BROWSER_TESTS
from tests.test_pages import built

pytestmark = BROWSER_TESTS


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


def test_the_first_look_is_chinese_and_one_click_makes_it_english(visit: Any) -> None:
    world = built()
    window = visit()
    window.log_in(world["leader"])
    assert window.page.get_attribute("html", "lang") == "zh-hans"
    window.follow('button[value="en"], button[lang="en"]')
    assert window.page.get_attribute("html", "lang") == "en"


def test_every_page_works_without_javascript(visit: Any) -> None:
    world = built()
    window = visit(java_script_enabled=False)
    window.log_in(world["officer"])
    window.open(f"/projects/project/{world['project'].pk}/")
    window.follow(f'a[href$="/milestone/{world["late"].pk}/report/"]')
    window.page.fill("[name=percent]", "40")
    window.page.fill("[name=done]", "开挖 200 米")
    window.follow("button[name=_submit]")
    world["late"].refresh_from_db()
    assert world["late"].percent == 40


def test_the_day_on_the_page_is_the_day_in_shanghai(visit: Any) -> None:
    world = built()
    window = visit(timezone_id="America/New_York")
    window.log_in(world["leader"])
    today = timezone.localdate()
    assert f"{today.year}年{today.month}月{today.day}日" in window.page.inner_text("body")
