"""The cockpit on the wall of a meeting room: dark, large, without names of persons, changing by itself.

A page refreshes into the next one by the browser's own means, so it needs no script and goes on after an hour
without network: what comes then is the browser's error page, and the next try is its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from enterprises.scoped_admin import person
from projects.addresses import is_id
from projects.admin.cockpit_page import asked_question
from projects.cockpit.drawing import curve, lights_bar
from projects.cockpit.reading import Cockpit, Line, cockpit_for
from projects.cockpit.snapshot import one_moment

#: Seconds that a page stands; as long as it takes to read it aloud.
STANDS = 20
#: Lines on a page of units or of red projects: more cannot be read from five metres.
LINES = 8


@dataclass(frozen=True)
class Page:
    """What one page of the cycle shows: the whole, some red projects, some units, or the trend.

    Attributes:
        first, last: which of the red projects or units these are; `of` how many there are, shown or not.
    """

    kind: str
    title: str
    red: list[Any]
    units: Sequence[tuple[Line, str]]
    first: int = 0
    last: int = 0
    of: int = 0


def screen_page(site: Any, request: HttpRequest) -> HttpResponse:
    """One page of the cycle; `page` counts round, so any number is good."""
    user = person(request)
    with one_moment():
        wanted = asked_question(request, user)
        found = cockpit_for(user, wanted) if wanted else None
        if wanted is None or found is None or not found.counts.projects:
            return redirect(reverse("admin:cockpit"))
        pages = _pages(found)
        number = int(asked) if is_id(asked := request.GET.get("page", "0")) else 0
        page = pages[number % len(pages)]
        following: dict[str, int | str] = {
            "programme": wanted.programme.pk,
            "unit": wanted.unit.pk,
            "page": (number + 1) % len(pages),
        }
        here = {**following, "page": number % len(pages), "still": "1"}
        context = {
            **site.each_context(request),
            "title": _("Large screen"),
            "question": wanted,
            "cockpit": found,
            "page": page,
            "number": number % len(pages) + 1,
            "pages": len(pages),
            "stands": "" if request.GET.get("still") == "1" else STANDS,
            "following": f"?{urlencode(following)}",
            "still": f"?{urlencode(here)}",
            "back": f"{reverse('admin:cockpit')}?programme={wanted.programme.pk}&unit={wanted.unit.pk}",
            "bar": lights_bar(found.counts, None, found.counts.projects),
            "curve": curve(found.curve, wanted.programme.starts_on, wanted.programme.ends_on),
            "lights": [(name, label, getattr(found.counts, name)) for name, label in _lights()],
        }
        return TemplateResponse(request, "projects/screen.html", context).render()


def _lights() -> list[tuple[str, str]]:
    return [
        ("red", _("Red")),
        ("yellow", _("Yellow")),
        ("green", _("Green")),
        ("blue", _("Blue")),
        ("grey", _("Grey")),
    ]


def _pages(found: Cockpit) -> list[Page]:
    pages = [Page("whole", _("Overview"), [], [])]
    for first in range(0, len(found.red), LINES):
        red = found.red[first : first + LINES]
        pages.append(Page("red", _("Red list"), red, [], first + 1, first + len(red), found.counts.red))
    longest = max((line.counts.projects for line in found.units), default=1)
    drawn = [(line, lights_bar(line.counts, None, longest)) for line in found.units[: LINES * 4]]
    for first in range(0, len(drawn), LINES):
        units = drawn[first : first + LINES]
        title = _("Enterprises side by side")
        pages.append(Page("units", title, [], units, first + 1, first + len(units), len(found.units)))
    if len(found.curve) > 1:
        pages.append(Page("trend", _("Trend"), [], []))
    return pages
