"""Everybody gets through: no serious finding of axe in light and dark, and a keyboard reaches every figure.

axe-core comes from PyPI and not from npm, because the test run needs no second package manager. Its script is
evaluated by the browser's driver, which the pages' strict policy does not bind: nothing is loosened for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.browsing import BROWSER_TESTS
from tests.furnished import furnished, many_unread

pytestmark = BROWSER_TESTS
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]

#: The large screen goes on by the browser's refresh, as nobody stands at a keyboard before it. Whoever does
#: stops it by its link "Stand still", which is what the guideline behind this rule asks for (2.2.1, turn off).
EXCUSED = {"/cockpit/screen/": ["meta-refresh"]}

PEOPLE: dict[str, tuple[str, ...]] = {
    "": ("/login/",),
    "staff": (
        "/", "/cockpit/", "/cockpit/?on={yesterday}", "/cockpit/?against={yesterday}", "/cockpit/screen/",
        "/cockpit/screen/?still=1&page=1", "/wall/?milestones=1", "/search/?q=1", "/search/?q=nothing-fits",
        "/projects/project/", "/projects/project/?_view={view}", "/projects/milestone/?when=overdue",
        "/projects/project/{project}/", "/projects/project/{project}/light/", "/projects/project/{project}/change/",
        "/review/", "/projects/progressreport/{report}/", "/projects/ledgerimport/add/", "/inbox/",
        "/projects/programme/{programme}/lights/", "/projects/programme/{programme}/ladder/", "/patrol/", "/design/",
        "/projects/sitevisit/", "/projects/actionitem/", "/enterprises/savedview/",
    ),
    "leader": (
        "/", "/cockpit/", "/wall/?milestones=1&group=leader", "/liaison/", "/liaison/brief/",
        "/projects/project/{project}/", "/projects/project/{project}/brief/", "/projects/project/{project}/visit/",
        "/projects/project/{project}/instruct/",
    ),
    "officer": (
        "/", "/cockpit/", "/wall/", "/projects/project/", "/projects/project/{approved}/",
        "/projects/milestone/{late}/report/", "/projects/milestone/{open}/extension/", "/projects/progressreport/",
        "/inbox/", "/inbox/settings/",
    ),
    "audit": ("/journal/?kind=projects.project", "/journal/sign-ins/"),
}  # fmt: skip


def paths_of(world: dict[str, Any], role: str) -> list[str]:
    return [path.format(**world["ids"]) for path in PEOPLE[role]]


# -- axe ------------------------------------------------------------------------------------------------------


def findings(
    page: Any, excused: Sequence[str] = (), only: list[str] | None = None, within: str = "html"
) -> list[str]:
    """What axe calls serious or critical on the page as it is now shown, a line for each element.

    Args:
        excused: rules that are not asked.
        only: rules instead of all that bear one of `TAGS`.
        within: what is looked at; a selector of one element.
    """
    # What scripts do when the page is ready, they have done: jQuery calls back in turn.
    page.evaluate(
        "() => new Promise((done) => (window.django?.jQuery ?? ((ready) => ready()))(() => done()))"
    )
    if page.evaluate("typeof window.axe") == "undefined":
        page.evaluate(AXE_SCRIPT)
    said = page.evaluate(
        "([within, options]) => axe.run(document.querySelector(within), options)",
        [
            within,
            {
                "resultTypes": ["violations"],
                "preload": False,  # every style sheet once more, for pages with sound; none has any
                "runOnly": {"type": "rule", "values": only} if only else {"type": "tag", "values": TAGS},
                "rules": {rule: {"enabled": False} for rule in excused},
            },
        ],
    )
    return [
        f"{found['id']} ({found['impact']}): {node['html'][:160]} — {' '.join(node['failureSummary'].split()[:40])}"
        for found in said["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


#: The rules whose answer depends on the layout; the others were asked of the same elements on the wide page.
LAYOUT = [
    "color-contrast",
    "scrollable-region-focusable",
    "link-in-text-block",
    "link-name",
    "button-name",
    "label",
    "select-name",
    "aria-hidden-focus",
]
#: The pages of which every part is looked at on a wide dark screen too; the others are dark on a phone only.
OFTEN = ("/", "/cockpit/", "/wall/", "/liaison/", "/review/", "/design/", "/projects/project/", "/inbox/")


def look_at(page: Any, path: str, excused: list[str]) -> list[str]:
    """Findings of one page: light and wide, dark and on a phone, with its width there."""
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    said = [f"light, wide: {line}" for line in findings(page, excused)]
    page.emulate_media(color_scheme="dark")
    if path.split("?")[0] in OFTEN:
        said += [f"dark, wide: {line}" for line in findings(page, excused, ["color-contrast"])]
    page.set_viewport_size(PHONE)
    said += [f"dark, phone: {line}" for line in findings(page, excused, LAYOUT)]
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [*said, f"wider than a phone: {wide}"] if wide > PHONE["width"] else said


@pytest.mark.parametrize("role", list(PEOPLE))
def test_axe_has_nothing_serious_to_say_and_no_page_is_wider_than_a_phone(visit: Any, role: str) -> None:
    world = furnished()
    # Colours that are still changing would be measured half way.
    window = visit(viewport=WIDE, reduced_motion="reduce")
    if role:
        window.log_in(world[role])
    said = []
    for path in paths_of(world, role):
        window.open(path)
        excused = EXCUSED.get(path, [])
        said += [f"{path} {line}" for line in look_at(window.page, path, excused)]
        if excused:
            assert window.page.locator("footer nav a[href*=still]").count() == 1
    assert not said, "\n".join(said)


def test_axe_would_find_what_is_wrong(visit: Any) -> None:
    world = furnished()
    window = visit(viewport=WIDE, reduced_motion="reduce")
    window.log_in(world["staff"])
    window.page.evaluate(
        "() => { const p = document.querySelector('main p'); p.innerHTML = '<button></button>'; }"
    )
    assert any(line.startswith("button-name") for line in findings(window.page, []))


def test_open_menus_can_be_read_too(visit: Any) -> None:
    world = furnished()
    window = visit(viewport=WIDE, reduced_motion="reduce")
    window.log_in(world["staff"])
    page, said, seen = window.page, [], 0
    for path in ("/", "/projects/project/", "/wall/"):
        window.open(path)
        for menu in page.locator("details:has(> summary:visible)").all():
            menu.evaluate("menu => { menu.open = true; menu.classList.add('looked-at'); }")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                said += [f"{path} {scheme}: {line}" for line in findings(page, within=".looked-at")]
            menu.evaluate("menu => { menu.open = false; menu.classList.remove('looked-at'); }")
            seen += 1
    assert seen > 8
    assert not said, "\n".join(said)


def test_the_header_has_room_for_the_widest_number_in_both_languages(visit: Any) -> None:
    world = furnished()
    many_unread(world["staff"], world["officer"])
    for role in ("staff", "officer"):
        window = visit(viewport=PHONE, has_touch=True, is_mobile=True)
        window.log_in(world[role])
        for language in ("zh-hans", "en"):
            window.context.add_cookies([{"name": "language", "value": language, "url": window.url}])
            for path in ("/", "/cockpit/", "/wall/", "/projects/project/"):
                window.open(path)
                assert window.page.locator(".bell b").inner_text() == "99+"
                wide = window.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= PHONE["width"], (path, language, wide)


# -- the keyboard -----------------------------------------------------------------------------------------------

#: Where the focus is: what it is on, whether that comes in the order of the page, whether it can be seen
#: and nothing that stays in place while the page scrolls lies over it.
STOP = """forward => {
    const now = document.activeElement, before = window.stopBefore;
    window.stopBefore = now;
    if (now === document.body) return null;
    const outlined = [now, ...document.querySelectorAll(":focus-within")].some((one) => {
        const style = getComputedStyle(one);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    const way = forward ? Node.DOCUMENT_POSITION_FOLLOWING : Node.DOCUMENT_POSITION_PRECEDING;
    const box = now.getClientRects()[0];
    const top = box && document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 20));
    return {
        what: now.outerHTML.slice(0, 120),
        href: now.getAttribute("href"),
        inMain: !!now.closest("main"),
        inOrder: !before || before === document.body || before === now || !!(before.compareDocumentPosition(now) & way),
        outlined,
        uncovered: !!top && (now.contains(top) || top.contains(now)),
    };
}"""


def walked(page: Any, key: str = "Tab", most: int = 400) -> list[dict[str, Any]]:
    """Press a key until the focus has left the page; each stop is told."""
    page.evaluate("window.stopBefore = null")
    stops: list[dict[str, Any]] = []
    for _step in range(most):
        page.keyboard.press(key)
        stop = page.evaluate(STOP, key == "Tab")
        if stop is None or (stops and stop["what"] == stops[0]["what"]):
            return stops
        stops.append(stop)
    pytest.fail(f"the focus does not leave the page: {stops[-3:]}")


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("leader", "/cockpit/"),
        ("leader", "/wall/?milestones=1"),
        ("leader", "/liaison/"),
        ("staff", "/projects/project/{project}/change/"),
        ("officer", "/projects/milestone/{late}/report/"),
    ],
)
def test_tab_goes_through_a_page_in_its_order_and_always_shows_where_it_is(
    visit: Any, role: str, path: str
) -> None:
    world = furnished()
    window = visit(viewport=WIDE, reduced_motion="reduce")
    window.log_in(world[role])
    window.open(path.format(**world["ids"]))
    page = window.page
    links = page.locator("main a:visible:not([tabindex='-1'])").evaluate_all(
        "all => all.map((a) => a.getAttribute('href'))"
    )
    stops, back = walked(page), walked(page, "Shift+Tab")
    assert "skip-link" in stops[0]["what"] and "skip-link" in back[-1]["what"]
    assert len(back) == len(stops)
    for stop in stops + back:
        assert stop["inOrder"] and stop["outlined"] and stop["uncovered"], str(stop)
    assert links
    assert set(links) <= {stop["href"] for stop in stops}
    if path == "/cockpit/":
        figures = page.locator("a[data-figure], a:has([data-figure])")
        reached = figures.evaluate_all("all => all.map((a) => a.getAttribute('href'))")
        assert len(reached) > 8 and set(reached) <= set(links)


def test_what_is_long_can_be_passed_over(visit: Any) -> None:
    world = furnished()
    window = visit(viewport=WIDE, reduced_motion="reduce")
    window.log_in(world["leader"])
    page = window.page
    for path in ("/cockpit/", "/wall/?milestones=1"):
        window.open(path)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0, "it shows itself"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content-start"
        page.keyboard.press("Tab")
        assert page.evaluate(STOP, True)["inMain"]
    page.locator(".wall-skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "wall-end"


def test_escape_closes_a_menu_and_gives_the_focus_back(visit: Any) -> None:
    world = furnished()
    window = visit(viewport=WIDE, reduced_motion="reduce")
    window.log_in(world["staff"])
    page = window.page
    for menu in (".tools .menu", ".nav-more"):
        page.locator(f"{menu} > summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate(f"document.activeElement.closest('{menu} .menu-panel') !== null")
        page.keyboard.press("Escape")
        assert page.locator(menu).get_attribute("open") is None
        assert page.evaluate(f"document.activeElement.matches('{menu} > summary')")


def test_enter_opens_the_red_list_and_a_red_project(visit: Any) -> None:
    world = furnished()
    window = visit(viewport=WIDE, reduced_motion="reduce")
    window.log_in(world["leader"])
    for link, leads_to in (
        ("section:has(.red-list) .section-head a", r"/projects/project/\?.*red"),
        (".red-list a.row-title", r"/projects/project/\d+/"),
        (".red-list .why a", r"/projects/project/\d+/light/"),
        ("[data-tone=red].figure", r"\?"),
    ):
        window.open("/cockpit/")
        window.page.locator(link).first.focus()
        window.page.keyboard.press("Enter")
        window.page.wait_for_url(re.compile(leads_to))
