"""What the templates need to draw the pages: lists, bars, small words. No queries of its own."""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django import template
from django.conf import settings
from django.contrib.admin import BooleanFieldListFilter, EmptyFieldListFilter
from django.contrib.admin.templatetags.admin_list import result_headers, result_hidden_fields, results
from django.contrib.admin.views.main import PAGE_VAR
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from enterprises.roles import Role
from journal.words import DOORS
from projects.lights import Light

register = template.Library()

#: A filter with so few choices shows them all; a longer one is a menu.
PILLS = 6
#: "Yes" alone says nothing: such a filter is a menu with its title.
_NEED_A_TITLE = (BooleanFieldListFilter, EmptyFieldListFilter)
#: The order in which lights stand in every bar: what needs attention first.
LIGHTS = (Light.RED, Light.YELLOW, Light.GREEN, Light.BLUE, Light.GREY)
#: A day as the journal writes it, with its time where it has one.
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)( \d\d:\d\d:\d\d)?")


@register.simple_tag
def roles_of(user: Any) -> str:
    """ "SASAC staff", or several roles in the order of the role table."""
    return " · ".join(str(role.label) for role in Role if role.value in user.roles)


@register.simple_tag
def other_language() -> dict[str, str]:
    """The language to switch to, named in itself."""
    code, name = next((code, name) for code, name in settings.LANGUAGES if code != get_language())
    return {"code": code, "name": str(name)}


@register.filter
def with_days(text: str) -> str:
    """A value of the journal, which keeps days as 2026-07-31, as every other page writes a day."""
    found = _DAY.fullmatch(text)
    if found is None:
        return text
    try:
        day = datetime.date.fromisoformat(found[1])
    except ValueError:
        return text
    return date_format(day, "DATE_FORMAT") + (found[2] or "")


# -- lists --------------------------------------------------------------------------------------


@register.simple_tag
def filters_of(cl: Any) -> list[dict[str, Any]]:
    """The filters of a list: title, choices, which one is chosen. The first short one as pills."""
    bars = []
    for index, spec in enumerate(cl.filter_specs):
        choices = list(spec.choices(cl))
        chosen = next((c for c in choices if c["selected"]), None)
        bars.append(
            {
                "title": spec.title,
                "choices": choices,
                "chosen": chosen["display"] if chosen else "",
                "active": bool(chosen) and chosen is not choices[0],
                "pills": index == 0 and len(choices) <= PILLS and not isinstance(spec, _NEED_A_TITLE),
            }
        )
    return bars


@register.simple_tag
def table_of(cl: Any) -> dict[str, Any]:
    """Head and rows of a list. Each cell carries the word of its column, for the phone's cards."""
    heads = list(result_headers(cl))
    labels = ["" if "checkbox" in str(head["text"]) else capfirst(str(head["text"])) for head in heads]
    rows = [
        {
            "form": row.form,
            "cells": [_labelled(cell, label) for cell, label in zip(row, labels, strict=False)],
        }
        for row in results(cl)
    ]
    return {"heads": heads, "rows": rows, "hidden": list(result_hidden_fields(cl))}


#: A sign between two tags, or a picture or a field. Signs within tags are escaped, so a tag ends where it seems to; a parser of
#: HTML finds the same and takes a quarter of the time of a list of 100 rows.
_SAYS = re.compile(r">[^<]*[^\s<—]|<img|<input")


def _labelled(cell: str, label: str) -> SafeString:
    if not _SAYS.search(cell):
        cell = cell.replace('class="', 'class="blank ', 1)
    # `cell` was escaped by the admin; only the label is new here.
    return mark_safe(f'{cell[:3]} data-label="{escape(label)}"{_worded(cell[3:])}')


_ICON = re.compile(r'<img src="[^"]*/icon-(yes|no|unknown)[^"]*"[^>]*>')


def _worded(html: str) -> str:
    return _ICON.sub(lambda m: {"yes": _("yes"), "no": _("no")}.get(m[1], "—"), html)


@register.filter
def worded(html: str) -> SafeString:
    """The admin's yes and no pictures as words: a red cross at a harmless "no" is a false alarm."""
    return mark_safe(_worded(str(html)) or "—")


@register.simple_tag
def page_link(cl: Any, number: int) -> str:
    """The address of another page of the same list."""
    return cl.get_query_string({PAGE_VAR: number})


# -- bars ---------------------------------------------------------------------------------------


@register.inclusion_tag("portal/stacked_bar.html")
def totals_bar(figures: Sequence[Any]) -> dict[str, Any]:
    """All projects as one bar, from the figures of the first page (those that carry a light)."""
    by_light = {figure.tone: figure for figure in figures if figure.tone}
    parts = [
        (light, by_light[light.value].value, by_light[light.value].url)
        for light in LIGHTS
        if light.value in by_light
    ]
    return _stack(parts, max(sum(value for _light, value, _url in parts), 1), label=_("Projects by light"))


def _stack(parts: Iterable[tuple[Light, int, str]], whole: int, label: str) -> dict[str, Any]:
    segments, x, words = [], 0.0, []
    for light, value, url in parts:
        if not value:
            continue
        width = 100.0 * value / whole
        word = f"{light.label} {value:,}"
        segments.append(
            {"tone": light.value, "x": f"{x:.3f}", "width": f"{width:.3f}", "url": url, "word": word}
        )
        words.append(word)
        x += width
    return {"segments": segments, "label": f"{label}: {', '.join(words)}" if words else str(label)}


@register.simple_tag
def came_by(source: str) -> str:
    """Through which door a change came; the usual one needs no word."""
    return "" if source == "web" else str(DOORS.get(source, ""))


# -- projects ---------------------------------------------------------------------------------------


@register.simple_tag
def answers_for(project: Any) -> dict[str, str]:
    """The person to ask first: the highest of the three who is named."""
    level, who = project.answering
    return {"who": who, "as": level}


@register.simple_tag
def person(project: Any, field: str) -> str:
    """A responsible person: the account, else the name and phone that were given, else nothing."""
    user = getattr(project, field)
    return str(user) if user else getattr(project, f"{field}_text", "")


@register.filter
def minus(value: Any, other: Any) -> int:
    """Difference of two percentages as they are shown: 62 − 25 must read 37."""
    return round(value or 0) - round(other or 0)


@register.filter
def plain_number(value: decimal.Decimal) -> str:
    """12000.50 as it was written: 12,000.5."""
    return f"{value.normalize():,f}"
