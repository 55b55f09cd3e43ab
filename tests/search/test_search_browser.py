"""The search in a real browser: the key, the phone, and that nothing overflows."""

from __future__ import annotations

import os
from typing import Any

from enterprises.models import SavedView
from projects.models import Project
from tests import factories
from tests.browsing import BROWSER_TESTS
from tests.test_pages import built

pytestmark = BROWSER_TESTS

#: A folder for pictures of the pages, for whoever wants to look at them.
PICTURES = os.environ.get("PICTURES", "")


def picture(window: Any, name: str) -> None:
    if PICTURES:
        window.page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


def filled() -> dict[str, Any]:
    world = built()
    programme = world["project"].programme
    for number in range(14):
        project = factories.project(
            world["group"], programme, name=f"青山区污水管网改造（{number}期）", place="牛山社区", code=f"WS-{number:02}",
            coordinator_text="李晓明 13800001234",
        )  # fmt: skip
        factories.milestone(project, world["today"], name="污水泵站验收")
    factories.enterprise("污水处理有限公司", parent=world["group"], kind="subsidiary", short_name="污水公司")
    return world


def test_the_slash_goes_to_the_box_and_enter_finds(visit: Any) -> None:
    world = filled()
    for scheme in ("light", "dark"):
        window = visit(color_scheme=scheme)
        window.log_in(world["staff"])
        picture(window, f"home-{scheme}")
        window.page.keyboard.press("/")
        assert window.page.evaluate("document.activeElement.id") == "site-search"
        window.page.keyboard.type("污水")
        window.page.keyboard.press("Enter")
        window.page.wait_for_url("**/search/?q=*")
        assert window.page.locator("mark").count() > 20
        picture(window, f"found-{scheme}")
        window.page.keyboard.press("/")
        assert window.page.evaluate("document.activeElement.id") == "search-here"
        window.page.keyboard.type("a/b")
        assert window.page.input_value("#search-here").endswith("a/b"), "while typing the key is a sign"
        window.open("/search/?q=%E6%B0%B4")
        picture(window, f"short-{scheme}")


def test_a_view_is_kept_opened_and_changed_by_hand(visit: Any) -> None:
    world = filled()
    window = visit(java_script_enabled=False)
    window.log_in(world["staff"])
    window.open("/projects/project/?status__exact=in_progress&o=-6")
    window.page.click(".views-menu summary")
    picture(window, "views-menu")
    window.follow(".menu-line a")
    window.page.fill("#id_name", "灰灯项目")
    window.page.fill("#id_at-code", "1")
    picture(window, "view-form")
    window.follow("main .submit-row button")
    assert "_view=" in window.page.url and window.page.locator(".view-chip strong").inner_text() == "灰灯项目"
    window.follow("thead th.column-due_on a")
    picture(window, "view-changed")
    window.follow(".view-chip form button")
    assert SavedView.objects.get().order == ["due_on"]
    window.open("/enterprises/savedview/")
    picture(window, "views")


def test_the_phone_has_a_way_to_the_search_and_no_page_is_wider(visit: Any) -> None:
    world = filled()
    view = SavedView.objects.create(
        owner=world["staff"], listed="projects.project", name="全部重点项目", columns=["due_on"]
    )
    window = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    window.log_in(world["staff"])
    picture(window, "home-phone")
    window.follow(".site-search-link")
    window.page.fill("#search-here", "污水")
    window.page.keyboard.press("Enter")
    window.page.wait_for_url("**q=*")
    picture(window, "found-phone")
    pages = (
        window.page.url.removeprefix(window.url),
        f"/projects/project/?status__exact=suspended&_view={view.pk}",
        f"/enterprises/savedview/{view.pk}/change/",
        "/enterprises/savedview/",
        f"/projects/project/set/category/?id={world['project'].pk}",
    )
    for number, path in enumerate(pages):
        window.open(path)
        picture(window, f"phone-{number}")
        wide = window.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, (path, wide)


#: Texts that reach out of their cell, but for those that only a screen reader gets.
OUTSIDE_THEIR_BOX = """() => {
    const found = [], texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode, box = text.parentElement.closest("th, td, li");
        if (!box || !text.data.includes("WWW") || text.parentElement.closest(".visually-hidden, svg")) continue;
        const words = document.createRange();
        words.selectNode(text);
        if (words.getBoundingClientRect().right > box.getBoundingClientRect().right + 2) found.push(box.className);
    }
    return found;
}"""


def test_a_word_without_a_break_pushes_no_page_wider(visit: Any) -> None:
    world = filled()
    long = "W" * 80
    Project.objects.filter(pk=world["project"].pk).update(
        name=long, accountable_lead=None, accountable_lead_text=long, light="red"
    )
    for width in (390, 1280):
        window = visit(viewport={"width": width, "height": 844})
        window.log_in(world["staff"])
        for path in ("/", "/search/?q=WWW", "/wall/", "/cockpit/"):
            window.open(path)
            # What is drawn over its neighbours makes no page wider: the letters themselves are measured.
            outside = window.page.evaluate(OUTSIDE_THEIR_BOX)
            wide = window.page.evaluate("document.documentElement.scrollWidth")
            assert (outside, wide <= width) == ([], True), (width, path)


def test_many_projects_are_changed_from_the_list(visit: Any) -> None:
    world = filled()
    window = visit()
    window.log_in(world["staff"])
    window.open("/projects/project/")
    for box in window.page.locator("input.action-select").all()[:4]:
        box.check()
    window.page.select_option("select[name=action]", "set_is_key")
    window.follow(".bulk button")
    picture(window, "bulk")
    window.page.select_option("#id_value", "yes")
    window.follow("main .submit-row button.primary")
    assert window.page.locator(".outcomes li").count() == 4
    picture(window, "bulk-told")
