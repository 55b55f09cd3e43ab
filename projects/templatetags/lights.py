"""Badges, bars and titles, so that a light looks the same on every page: word, shape and colour."""

from __future__ import annotations

import datetime
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from projects.lights import Light, reason_text

register = template.Library()


@register.simple_tag
def badge(tone: str, word: str, title: str = "", size: str = "") -> SafeString:
    """A light or a state: the shape is drawn by CSS from `data-tone`, the word is always there."""
    return format_html(
        '<span class="badge{}" data-tone="{}"{}>{}</span>',
        f" {size}" if size else "",
        tone or "grey",
        format_html(' title="{}"', title) if title else "",
        word,
    )


@register.simple_tag
def light_of(project: Any, size: str = "") -> SafeString:
    """The light of a project with its reason as the tooltip; it leads to the page that says why."""
    return format_html(
        '<a class="badge-link" href="{}">{}<span class="visually-hidden">{}</span></a>',
        reverse("admin:projects_project_light", args=[project.pk]),
        light_badge(project, size),
        _("why this light"),
    )


@register.simple_tag
def light_badge(project: Any, size: str = "") -> SafeString:
    """The light of a project with its reason as the tooltip."""
    if project.programme.archived_on:
        return badge("grey", _("Archived"), reason_text({"rule": "archived"}), size)
    word = Light(project.light).label if project.light else _("Not judged")
    return badge(project.light or "grey", str(word), project.light_reason_text, size)


@register.simple_tag
def light_word(light: str) -> SafeString:
    """A light by its value, where no project is in hand."""
    return badge(light or "grey", str(Light(light).label) if light else _("Not judged"))


@register.simple_tag
def bar(actual: Any, planned: Any = None) -> SafeString:
    """A progress bar; the tick marks where the plan expects it. Drawn as SVG: no inline style."""
    return SafeString(
        render_to_string(
            "projects/bar.html",
            {"actual": float(actual or 0), "planned": None if planned is None else float(planned)},
        )
    )


@register.simple_tag
def progress_bar(project: Any) -> SafeString:
    from projects.admin.bars import list_bar  # it draws with `bar`

    return list_bar(project.actual_percent, project.planned_percent)


@register.simple_tag
def milestone_badge(tone: str, days: int, milestone: Any, today: datetime.date) -> SafeString:
    if days:
        return badge(tone, ngettext("%(n)d day overdue", "%(n)d days overdue", days) % {"n": days})
    if milestone.awaits_extension:
        return badge(tone, _("extension pending"))
    if tone == "yellow" and milestone.due_on:
        left = (milestone.due_on - today).days
        return badge(
            tone,
            _("due today") if not left else ngettext("%(n)d day left", "%(n)d days left", left) % {"n": left},
        )
    return badge(tone, milestone.get_state_display())


@register.simple_tag
def days_left(due_on: datetime.date, today: datetime.date) -> str:
    left = (due_on - today).days
    return ngettext("%(n)d day left", "%(n)d days left", left) % {"n": left} if left else _("due today")


@register.simple_tag
def title_with_place(project: Any) -> SafeString:
    return format_html(
        '<a class="row-title" href="{}">{}</a>{}<small>{}</small>',
        reverse("admin:projects_project_page", args=[project.pk]),
        project.name,
        demo_mark(project.is_demo),
        project.place or project.code,
    )


@register.simple_tag
def milestone_title(milestone: Any) -> SafeString:
    project = milestone.project
    return format_html(
        '<a class="row-title" href="{}">{}</a>{}<small>{}</small>',
        reverse("admin:projects_project_page", args=[project.pk]),
        milestone.name,
        demo_mark(project.is_demo),
        project.name,
    )


@register.simple_tag
def demo_mark(is_demo: bool) -> SafeString:
    return format_html('<span class="demo-mark">{}</span>', _("demo data")) if is_demo else SafeString("")


@register.simple_tag
def project_url(project: Any) -> str:
    return reverse("admin:projects_project_page", args=[project.pk])
