"""Texts that people write: tidied, and told from blank ones. Pure."""

from __future__ import annotations

import unicodedata

#: They turn the order of what follows around; in a name they reverse an official text when it is printed.
_BIDI = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def tidy(text: str) -> str:
    """The text without control and direction marks, lines ended one way; inner blanks stay as they are."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").translate(_BIDI)
    return "".join(c for c in plain if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()


def is_blank(text: str) -> bool:
    """Whether nothing in the text can be read: marks without width are no reason and no report."""
    return all(c.isspace() or unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in text)
