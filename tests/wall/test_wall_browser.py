"""The wall chart in a real browser: on a phone, by keyboard, on paper."""

from __future__ import annotations

from typing import Any

import pytest

from projects.models import Programme, Project
from tests.browsing import BROWSER_TESTS
from tests.test_pages import built

pytestmark = BROWSER_TESTS

#: Width of the page's content and of what one would have to scroll to.
WIDTHS = "() => [document.querySelector('main').clientWidth, document.querySelector('main').scrollWidth]"


@pytest.fixture
def opened(visit: Any) -> Any:
    def begin(**options: Any) -> Any:
        world = built()
        one = visit(**options)
        one.log_in(world["staff"])
        one.open("/wall/?milestones=1")
        return one

    return begin


def test_on_a_phone_the_chart_scrolls_and_the_names_stay(opened: Any) -> None:
    page = opened(viewport={"width": 390, "height": 844}).page
    inner, outer = page.evaluate(WIDTHS)
    assert outer <= inner, "the page itself does not scroll sideways"
    name = page.locator("tbody .wall-name").first
    before = name.bounding_box()["x"]
    scrolled = page.evaluate(
        "() => { const box = document.querySelector('.wall-scroll'); box.scrollLeft = 400; return box.scrollLeft; }"
    )
    assert scrolled > 100
    assert name.bounding_box()["x"] == pytest.approx(before, abs=2)


def test_on_a_phone_the_chart_begins_on_the_first_screen(opened: Any) -> None:
    one = opened(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    Programme.objects.update(is_demo=True)  # the head is then at its longest
    Project.objects.update(light="red")
    unit = Project.objects.get().enterprise_id
    one.open(f"/wall/?unit={unit}&light=red")
    page = one.page
    tools, fold = page.locator(".wall-tools"), page.locator(".wall-fold > summary")
    assert page.locator("tbody .wall-name").first.bounding_box()["y"] < 844
    assert page.locator(".wall-active a").count() == 2 and page.locator(".wall-active a").first.is_visible()
    assert not tools.is_visible()
    fold.click()
    assert tools.is_visible() and tools.locator("summary").first.is_visible()
    page.set_viewport_size({"width": 1280, "height": 900})
    assert tools.is_visible() and not fold.is_visible()
    page.reload()
    assert tools.is_visible(), "open on a wide screen, without a tap"


def test_tab_reaches_every_name_and_passes_over_bars(opened: Any) -> None:
    page = opened().page
    page.locator(".wall-scroll").focus()
    stops = []
    for _step in range(4):
        page.keyboard.press("Tab")
        stops.append(
            page.evaluate(
                "() => document.activeElement.closest('svg') ? 'svg' : document.activeElement.tagName"
            )
        )
    assert set(stops) == {"A"}


def test_a_diamond_can_be_clicked(opened: Any) -> None:
    page = opened().page
    page.locator(".wall-step .wall-row a").first.click()
    page.wait_for_url("**/projects/project/*/#m*")


def test_paper_is_a3_and_a1_where_it_was_chosen(opened: Any) -> None:
    one = opened()
    for tail, width in (("", 420), ("?sheet=a1", 841)):
        one.open("/wall/" + tail)
        pdf = one.page.pdf(prefer_css_page_size=True)
        points = width / 25.4 * 72
        assert any(b"/MediaBox [0 0 %d" % round(points + d) in pdf for d in (-1, 0, 1)), width
