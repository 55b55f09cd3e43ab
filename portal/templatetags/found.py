"""Marking what was looked for in what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from enterprises.search import fold, initials

register = template.Library()


@register.simple_tag
def marked(text: str, words: Sequence[str]) -> SafeString:
    """The text with the words in `<mark>`; every part of it is escaped by itself.

    Args:
        words: folded. Where folding changes the length of the text, nothing is marked: positions would not fit.
    """
    text = str(text)
    folded = fold(text)
    if len(folded) != len(text):
        return SafeString(escape(text))
    spans = _spans(folded, words)
    parts: list[str] = []
    at = 0
    for start, end in spans:
        parts.append(escape(text[at:start]))
        parts.append(format_html("<mark>{}</mark>", text[start:end]))
        at = max(at, end)
    parts.append(escape(text[at:]))
    return mark_safe("".join(parts))  # each part was escaped above


def _spans(folded: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where the words stand, in order and without overlaps; by pinyin initials where they stand nowhere."""
    found: list[tuple[int, int]] = []
    short = ""
    for word in words:
        where = [match.span() for match in re.finditer(re.escape(word), folded)]
        if not where and word.isascii():
            short = short or initials(folded)
            where = [match.span() for match in re.finditer(re.escape(word), short)]
        found += where
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
