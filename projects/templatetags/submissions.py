"""How reports, extension requests and close-outs are named and marked, the same on every page."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from projects.templatetags.lights import badge, demo_mark

register = template.Library()

_TONES = {
    "draft": "grey",
    "submitted": "yellow",
    "verified": "yellow",
    "returned": "red",
    "rejected": "red",
    "accepted": "blue",
    "approved": "blue",
}


@register.simple_tag
def state_of(submission: Any) -> SafeString:
    """Where a round stands: word, shape and colour."""
    return badge(_TONES.get(submission.state, "grey"), submission.get_state_display())


@register.simple_tag
def submission_title(submission: Any) -> SafeString:
    """What it is about: milestone and project, the project alone for a close-out."""
    project = submission.of_project
    milestone = getattr(submission, "milestone", None)
    return format_html(
        '<span class="row-title">{}</span>{}<small>{}{}</small>',
        milestone or project,
        demo_mark(project.is_demo),
        f"{project} · " if milestone else "",
        _("round %(n)s") % {"n": submission.round},
    )


@register.simple_tag
def marked(pieces: Any) -> SafeString:
    """A text with its changes: kept as it is, new text inserted, old text struck through.

    Few screen readers announce <ins> and <del>, so a hidden word says which it is.
    """
    tags = {"new": ("ins", _("[new:]")), "gone": ("del", _("[removed:]"))}
    parts = []
    for piece in pieces:
        if piece.kind == "same":
            parts.append(format_html("{}", piece.text))
        else:
            tag, word = tags[piece.kind]
            hidden = format_html('<span class="visually-hidden">{}</span>', word)
            parts.append(format_html("<{0}>{1}{2}</{0}>", tag, hidden, piece.text))
    return format_html_join("", "{}", ((part,) for part in parts))


@register.filter
def kind_of(submission: Any) -> str:
    """进展上报, 延期申请 or 销号."""
    return str(submission._meta.verbose_name)


@register.filter
def step_url(opts: Any) -> str:
    """Name of the address to which the steps of this kind are sent."""
    return f"admin:projects_{opts.model_name}_step"


@register.filter
def has_changes(passages: Any) -> bool:
    """Whether any passage carries a mark, so that the marks want explaining."""
    return any(passage.changed for passage in passages)
