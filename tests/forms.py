"""What a browser would send back from a page that was opened."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any


def form_of(page: Any) -> dict[str, Any]:
    """Every field of a change form and its inlines, as shown, with the version that it was opened on."""
    form = page.context["adminform"].form
    data = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    for inline in page.context["inline_admin_formsets"]:
        for inner in (inline.formset.management_form, *inline.formset.forms):
            data |= {
                inner[n].html_name: inner[n].value() for n in inner.fields if inner[n].value() is not None
            }
    if version := page.context.get("edit_version"):
        data["_version"] = version
    return data


def conflict_form(page: Any) -> dict[str, Any]:
    """What the conflict page sends back if nothing is clicked: hidden inputs and pre-selected choices."""
    html = page.content.decode()
    form = html[html.index('class="conflict-form"') :].split("</form>")[0]
    data: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        given = {name: unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', tag)}
        if given["type"] == "radio" and " checked" not in tag:
            continue
        if given["name"] != "csrfmiddlewaretoken":
            data.setdefault(given["name"], []).append(given.get("value", ""))
    return data


class _Form(HTMLParser):
    """Collects what a browser sends from the first form with a class."""

    def __init__(self, css_class: str) -> None:
        super().__init__()
        self.css_class, self.inside, self.done = css_class, False, False
        self.data: dict[str, Any] = {}
        self.select, self.area = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self.css_class in given.get("class", "").split() and not self.done:
            self.inside = True
        if not self.inside:
            return
        name = given.get("name", "")
        if tag == "input" and name and given.get("type") not in ("submit", "button"):
            ticked = given.get("type") in ("checkbox", "radio")
            if not ticked or "checked" in given:
                self.data[name] = given.get("value", "on" if ticked else "")
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and ("selected" in given or self.select not in self.data):
            self.data[self.select] = given.get("value", "")
        elif tag == "textarea":
            self.area = name
            self.data[name] = ""

    def handle_data(self, data: str) -> None:
        if self.inside and self.area:
            self.data[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self.inside:
            self.inside, self.done = False, True
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = ""


def shown_form(page: Any, css_class: str) -> dict[str, Any]:
    """What a browser would send from the first form of a page with this class, read from its HTML."""
    parser = _Form(css_class)
    parser.feed(page.content.decode())
    assert parser.done, f"no form of class {css_class}"
    parser.data.pop("csrfmiddlewaretoken", None)
    return parser.data
