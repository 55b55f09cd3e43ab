"""The design system as a page: every part that pages are made of, drawn by the templates that they use.

Staff only: it is a reference for whoever builds or reviews a page. Nothing on it is data of the portal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import forms
from django.contrib.staticfiles import finders
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.roles import Role
from enterprises.scoped_admin import person
from projects.cockpit.drawing import LIGHTS, lights_bar
from projects.tallies import Counts


@dataclass(frozen=True)
class Token:
    """A custom property of the theme, with its value in light and, where it has one, in dark."""

    name: str
    light: str
    dark: str


class Sample(forms.Form):
    """One field of each kind that forms of the portal have."""

    name = forms.CharField(label=gettext_lazy("Text"), help_text=gettext_lazy("What it is for, in one line."))
    day = forms.DateField(label=gettext_lazy("Date"), widget=forms.DateInput(attrs={"type": "date"}))
    choice = forms.ChoiceField(label=gettext_lazy("Choice"), choices=[("a", "A"), ("b", "B")])
    words = forms.CharField(label=gettext_lazy("Long text"), widget=forms.Textarea(attrs={"rows": 3}))
    tick = forms.BooleanField(label=gettext_lazy("Yes or no"), required=False)


def design_page(site: Any, request: HttpRequest) -> HttpResponse:
    """The parts of the face, in the scheme of whoever looks."""
    if Role.STAFF not in person(request).roles:
        raise PermissionDenied
    counts = Counts(projects=100, red=12, yellow=18, green=52, blue=10, grey=8)
    context = {
        **site.each_context(request),
        "title": _("Design system"),
        "colours": [token for token in tokens() if token.light.startswith("#")],
        "sizes": [token for token in tokens() if token.name.startswith("--t-")],
        "spaces": [token for token in tokens() if token.name.startswith("--s-")],
        "lights": [(light.value, light.label) for light in LIGHTS],
        "bar": lights_bar(counts, None, 100),
        "form": Sample({"name": "", "day": "", "choice": "a", "words": ""}),
        "bars": [(0, 20), (45, 62), (80, 60), (100, 100)],
    }
    return TemplateResponse(request, "portal/design.html", context)


@lru_cache
def tokens() -> tuple[Token, ...]:
    """The custom properties of tokens.css, in its order: the page cannot show a colour that the theme has not."""
    text = Path(str(finders.find("portal/tokens.css"))).read_text(encoding="utf-8")
    light, _at, dark = text.partition("@media (prefers-color-scheme: dark)")
    names = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", light))
    turned = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", dark.partition("\n}")[0]))
    return tuple(Token(name, value, turned.get(name, "")) for name, value in names.items())
