"""What is looked for, and how two Chinese characters find it among hundreds of thousands of names.

Texts are folded (full-width signs and capital letters read as plain ones) and cut into *bigrams*: every two
characters that stand side by side. A GIN index over the bigrams answers from two characters on; trigrams, which
PostgreSQL brings along, need three. The cutting itself is done by the database (`portal_bigrams`), so the index
cannot forget a road by which a text comes in; here only the question is cut the same way.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.fields.array import ArrayContains  # type: ignore[attr-defined]
from django.db.models import F, Func, Q, TextField

from enterprises.sort_key import readers

#: Shorter words are not looked for over everything: nearly every name holds them.
SHORTEST = 2
#: No name is longer, and nobody types more words.
LONGEST, MOST_TERMS = 100, 8

_ASCII_LOWER = {ord(upper): ord(upper.lower()) for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


class BigramsOf(Func):
    """The bigrams of a column of folded text, as the index keeps them."""

    function = "portal_bigrams"
    output_field = ArrayField(TextField())


def fold(text: str) -> str:
    """As `portal_fold` of the database: compatibility forms made plain, ASCII letters small."""
    plain = unicodedata.normalize("NFKC", text).translate(_ASCII_LOWER)
    # Signs that no text column takes, and lone surrogates that no encoding does.
    return "".join(
        sign for sign in plain if sign.isspace() or unicodedata.category(sign) not in ("Cc", "Cs", "Cn")
    )


def terms(query: str) -> list[str]:
    """The words of a question, folded; each has to be found. At most `MOST_TERMS`, of the first `LONGEST` signs."""
    return list(dict.fromkeys(fold(query[:LONGEST]).split()))[:MOST_TERMS]


def bigrams(term: str) -> list[str]:
    """ "污水管" → ["污水", "水管"]; nothing for a single character."""
    return list(dict.fromkeys(term[at : at + 2] for at in range(len(term) - 1)))


def holds(column: str, term: str) -> Q:
    """The column of folded text holds the term. From two characters on the index answers."""
    found = Q(**{f"{column}__contains": term})
    if grams := bigrams(term):
        found &= Q(ArrayContains(BigramsOf(F(column)), grams))
    return found


def too_short(words: Sequence[str]) -> bool:
    """Whether a question over everything would find nearly everything."""
    return not words or any(len(word) < SHORTEST for word in words)


@lru_cache(maxsize=8_192)
def initial(sign: str) -> str:
    """ "水" → "s": of one character on its own, as the table of the database has it; others stay as they are."""
    from pypinyin import Style

    lazy_pinyin, _seg = readers()
    first = lazy_pinyin(sign, style=Style.FIRST_LETTER)
    return first[0][:1] if first and first[0][:1].isascii() else sign


def initials(text: str) -> str:
    return "".join(initial(sign) for sign in text)


def holds_all(text: str, words: Sequence[str]) -> bool:
    """Whether a text, or its pinyin initials, holds each of the words: for a text in hand."""
    folded = fold(text)
    short: Any = None
    for word in words:
        if word not in folded:
            short = initials(folded) if short is None else short
            if word not in short:
                return False
    return True
