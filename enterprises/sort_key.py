"""Alphabetical order of Chinese names, as a stored key.

The embedded PostgreSQL is built without ICU and would order 汉字 by code point, which no reader can
follow. Order by pinyin is what a paper register has.
"""

from __future__ import annotations

from pypinyin import Style, lazy_pinyin


def pinyin_key(name: str, limit: int = 200) -> str:
    """Pinyin without tones, lower case, syllables parted by a space: "水务集团" → "shui wu ji tuan"."""
    return " ".join(lazy_pinyin(name.strip(), style=Style.NORMAL)).lower()[:limit]
