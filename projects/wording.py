"""Texts that people write: tidied, told from blank ones, and compared clause by clause. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher

#: A clause with the mark that ends it. Comparing single characters of two long texts takes seconds.
_CLAUSE = re.compile(r"[^，。；、！？,;!?\n]*[，。；、！？,;!?\n]?")


#: They turn the order of what follows around; in a name they reverse an official text when it is printed.
_BIDI = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def tidy(text: str) -> str:
    """The text without control and direction marks, lines ended one way; inner blanks stay as they are."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").translate(_BIDI)
    return "".join(c for c in plain if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()


def is_blank(text: str) -> bool:
    """Whether nothing in the text can be read: marks without width are no reason and no report."""
    return all(c.isspace() or unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in text)


@dataclass(frozen=True)
class Piece:
    """A run of text: kept ("same"), only in the new text ("new"), or only in the old one ("gone")."""

    kind: str
    text: str


def changes(before: str, after: str) -> list[Piece]:
    """The two texts as one sequence of pieces; everything is "new" where there was nothing before."""
    old, new = _clauses(before), _clauses(after)
    pieces: list[Piece] = []
    for op, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op == "equal":
            pieces.append(Piece("same", "".join(new[j1:j2])))
            continue
        if i2 > i1:
            pieces.append(Piece("gone", "".join(old[i1:i2])))
        if j2 > j1:
            pieces.append(Piece("new", "".join(new[j1:j2])))
    return pieces


def _clauses(text: str) -> list[str]:
    return [clause for clause in _CLAUSE.findall(text.replace("\r\n", "\n").strip()) if clause]
