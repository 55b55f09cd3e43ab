"""Numbers of the cockpit: with their list, with their change, as percent."""

from __future__ import annotations

import datetime
from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag
def percent(value: float | None) -> str:
    """A whole percent; a dash where there is nothing to be a part of."""
    return "—" if value is None else f"{value:.0f}%"


@register.simple_tag
def counted(figure: Any) -> SafeString:
    """A number as the link to the list that it counts; a zero needs no list."""
    if not figure.value:
        return format_html('<span class="zero" data-figure="{}">0</span>', figure.name)
    number = intcomma(figure.value)
    if not figure.url:
        return format_html('<b data-figure="{}">{}</b>', figure.name, number)
    tone = ' class="red-count"' if figure.name in ("red", "overdue") else ""
    return format_html(
        '<a{} href="{}" data-figure="{}">{}</a>', SafeString(tone), figure.url, figure.name, number
    )


@register.simple_tag
def change(figure: Any, since: datetime.date | None) -> SafeString:
    """By how much a number changed, with the day that it is compared with; nothing where that is not known."""
    if figure.change is None or since is None:
        return SafeString("")
    day = date_format(since, "MONTH_DAY_FORMAT")
    if not figure.change:
        return format_html('<small class="change">{}</small>', _("as on %(day)s") % {"day": day})
    words = _("%(change)s since %(day)s") % {"change": f"{figure.change:+,}".replace("-", "−"), "day": day}
    return format_html('<small class="change{}">{}</small>', " worse" if figure.is_worse else "", words)
