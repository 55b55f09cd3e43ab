"""A real Chromium against a real server, shared by the tests that need one.

The fixtures `chromium` and `visit` come from conftest.py; a file says `pytestmark = BROWSER_TESTS`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests import factories

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

BROWSER_TESTS = [
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
        #: Words of complaints that the test provokes. They may come late, after the test's last line.
        self.provoked: set[str] = set()
        self.page.on(
            "console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def unprovoked(self) -> list[str]:
        return [said for said in self.complaints if not any(word in said for word in self.provoked)]

    def open(self, path: str) -> None:
        answer = self.page.goto(self.url + path)
        assert answer.status == 200, path

    def log_in(self, user: Any) -> None:
        self.open("/login/")
        self.page.fill("input[name=username]", user.username)
        self.page.fill("input[name=password]", factories.PASSWORD)
        self.follow("main button")
        assert self.page.url == self.url + "/"

    def follow(self, what: Any) -> None:
        """Click what leads to another page (a selector or a locator), and wait until that page is there.

        A click returns before the server has answered, and "loaded" is true of the page one leaves: what
        is read right after it may be read from the old page, rarely, and only on a busy machine.
        """
        with self.page.expect_navigation():
            if isinstance(what, str):
                self.page.click(what)
            else:
                what.click()


@pytest.fixture
def visit(chromium: Any, live_server: Any) -> Iterator[Any]:
    visits: list[Visit] = []

    def begin(**options: Any) -> Visit:
        visits.append(Visit(chromium, live_server.url, **options))
        return visits[-1]

    yield begin
    for one in visits:
        one.context.close()
        assert not one.unprovoked(), one.unprovoked()
