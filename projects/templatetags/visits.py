"""Action items, visits and contacts in words, the same on every page."""

from __future__ import annotations

import datetime
import re
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from projects.templatetags.lights import badge

register = template.Library()

#: A mobile number, or a landline with or without its area code; registers write "李某某 13800000000".
_PHONE = re.compile(r"(?<!\d)(1\d{10}|0\d{2,3}[- ]?\d{7,8}|\d{8})(?!\d)")


@register.simple_tag
def item_badge(row: Any) -> SafeString:
    """Where an action item stands: word, shape and colour."""
    if row.item.done_on:
        late = (
            ngettext("done, %(n)d day late", "done, %(n)d days late", row.days) % {"n": row.days}
            if row.days
            else _("done")
        )
        return badge(row.tone, late)
    if row.days:
        return badge(
            row.tone, ngettext("%(n)d day overdue", "%(n)d days overdue", row.days) % {"n": row.days}
        )
    return badge(row.tone, _("open"))


@register.simple_tag
def days_ago(day: datetime.date, today: datetime.date) -> str:
    days = (today - day).days
    return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days} if days > 0 else _("today")


@register.simple_tag
def contact(name: str, phone: str) -> SafeString:
    """A name with a number that a phone dials; where none is known, the name alone."""
    if not phone:
        return format_html("{}", name)
    return format_html('{} <a class="tel" href="tel:{}">{}</a>', name, re.sub(r"[^\d+]", "", phone), phone)


def split_phone(text: str) -> tuple[str, str]:
    """ "李某某 13800000000" → ("李某某", "13800000000")."""
    found = _PHONE.search(text)
    if found is None:
        return text.strip(), ""
    name = (text[: found.start()] + text[found.end() :]).strip(" 　,，、:：（）()·")
    return name, found[1]
