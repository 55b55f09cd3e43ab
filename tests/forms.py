"""What a browser would send back from a page that was opened."""

from __future__ import annotations

import re
from html import unescape
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
