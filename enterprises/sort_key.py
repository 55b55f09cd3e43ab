"""Alphabetical order of Chinese names, as a stored key.

The embedded PostgreSQL is built without ICU and would order 汉字 by code point, which no reader can
follow. Order by pinyin is what a paper register has.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

_HAN_OR_NOT = re.compile(r"([〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)")


@cache
def readers() -> tuple[Callable[..., list[str]], Any]:
    """(`lazy_pinyin`, the cutting of a text into words), fetched when they are first needed.

    Their dictionary takes 55 MB, in every process of web and worker; most of these never read a name aloud.
    """
    from pypinyin import lazy_pinyin
    from pypinyin.seg.mmseg import seg

    return lazy_pinyin, seg


def pinyin_key(name: str, limit: int = 200) -> str:
    """Pinyin without tones, lower case, syllables parted by a space: "水务集团" → "shui wu ji tuan".

    As `lazy_pinyin` reads the whole name, nine times as fast: a ledger brings 200,000 names, and the words
    of which they are made are few.
    """
    _lazy_pinyin, seg = readers()
    syllables: list[str] = []
    for number, part in enumerate(_HAN_OR_NOT.split(name.strip()[:limit])):
        if number % 2:
            for word in seg.cut(part):
                syllables += _syllables(word)
        elif part:
            syllables.append(part)
    return " ".join(syllables).lower()[:limit]


@lru_cache(maxsize=65_536)
def _syllables(word: str) -> tuple[str, ...]:
    from pypinyin import Style

    lazy_pinyin, _seg = readers()
    return tuple(lazy_pinyin(word, style=Style.NORMAL))
