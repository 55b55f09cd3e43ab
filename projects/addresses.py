"""What stands in an address: read without trusting it."""

from __future__ import annotations

import datetime


def is_id(text: str) -> bool:
    """ "²" is a digit to Python but no number; and no id has more than 18 places."""
    return text.isascii() and text.isdecimal() and len(text) <= 18


def day_in(text: str) -> datetime.date | None:
    """An ISO date of this century or the last; None for anything else."""
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 <= day.year <= 2199 else None
