"""Rungs in words, the same on every page."""

from __future__ import annotations

from django import template
from django.utils.translation import ngettext

from projects.ladder import Order
from projects.services.posts import POST_NAMES

register = template.Library()


@register.simple_tag
def rung_days(days: int) -> str:
    if days < 0:
        return ngettext("%(n)d working day before", "%(n)d working days before", -days) % {"n": -days}
    return ngettext("overdue for %(n)d working day", "overdue for %(n)d working days", days) % {"n": days}


@register.simple_tag
def post_name(post: str) -> str:
    return str(POST_NAMES.get(post, post))


@register.simple_tag
def order_name(order: str) -> str:
    return str(Order(order).label) if order in Order.values else ""
