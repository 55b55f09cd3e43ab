"""Where in a text, as written, dates stand: for cells in which dates are only part of what is said. Pure."""

from __future__ import annotations

from functools import lru_cache

from projects.importing.cleaning import machine_form
from projects.importing.date_points import RANGES, points
from projects.importing.date_sentences import joins
from projects.importing.date_words import NUMERALS


@lru_cache(maxsize=8_192)
def places(text: str, near: int | None) -> tuple[tuple[int, int], ...]:
    """Begin and end of every date in a text; both ends of a range are one place.

    Args:
        text: as written; the positions are its own, although dates are found in its machine form.
        near: the year of the ledger, for two-digit years.
    """
    form, origins = _aligned(text)
    found: list[tuple[int, int]] = []
    last = 0
    for point in points(form, near=near):
        begin, end = origins[point.begin], origins[point.end - 1] + 1
        if point.end < len(form):
            end = max(end, origins[point.end]) if origins[point.end] != begin else end
        else:
            end = len(text)
        if found and joins(form[last : point.begin]):
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
        last = point.end
    return tuple((begin, begin + len(text[begin:end].rstrip())) for begin, end in found)


def _aligned(text: str) -> tuple[str, list[int]]:
    """The machine form with numerals and ranges written out, and for each sign where it comes from."""
    signs: list[str] = []
    origins: list[int] = []
    for position, sign in enumerate(text):
        is_between = (
            0 < position < len(text) - 1 and text[position - 1].isdigit() and text[position + 1].isdigit()
        )
        for part in machine_form(sign) or (" " if sign.isspace() and is_between else ""):
            signs.append(part)
            origins.append(position)
    form = "".join(signs)
    for pattern, written in (*NUMERALS, *RANGES):
        begin, pieces, places_of = 0, [], []
        for found in pattern.finditer(form):
            new = written(found)
            if new == found[0]:
                continue
            pieces += [form[begin : found.start()], new]
            places_of += origins[begin : found.start()] + [origins[found.start()]] * (len(new) - 1)
            places_of.append(origins[found.end() - 1])
            begin = found.end()
        if pieces:
            form = "".join((*pieces, form[begin:]))
            origins = places_of + origins[begin:]
    return form, origins
