"""What one cell says, and how a cell reads as a text."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from projects.importing.cells import PLAIN, Mark, Value
from projects.importing.cleaning import clean, shortened
from projects.importing.findings import Finding

_FORMULA_LIKE = re.compile(r"[=+\-@\t＝＋－＠]")
#: Our own files put an apostrophe before what a spreadsheet would run; it is taken off again here.
_GUARDED = re.compile(r"'+(?:\s*[=+\-@＝＋－＠]|[\t\r\n])")
SIGNS = frozenset("=+-@\t＝＋－＠'")
#: What PostgreSQL refuses in a text.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
NOTHING = frozenset({"", "/", "／", "—", "-", "——", "--", "无", "暂无"})


class Said(NamedTuple):
    """What one cell says: values by field, findings, and what belongs to the row itself."""

    raw: str
    values: Mapping[str, Any] = {}
    findings: tuple[Finding, ...] = ()
    attributes: Mapping[str, Any] = {}


SILENT = Said("")


def words_of(value: Value, mark: Mark, limit: int | None = None) -> tuple[str, str, list[Finding]]:
    """(raw, cleaned, findings) of a cell that holds words."""
    raw = text_of(value, mark)
    is_guarded = raw[:1] == "'" and _GUARDED.match(raw) is not None
    text, codes = clean(raw[1:] if is_guarded else raw)
    found = [Finding(code, {"value": shortened(raw), "read": shortened(text)}) for code in codes]
    if text and text[0] in SIGNS and isinstance(value, str):
        if not is_guarded and text[0] == "'" and _GUARDED.match(text):
            text = text[1:]
        if len(text) > 1 and _FORMULA_LIKE.match(text):
            found.append(Finding("FORMULA_LIKE_TEXT", {"value": shortened(raw)}))
    elif text and raw[0] == "\t":
        found.append(Finding("FORMULA_LIKE_TEXT", {"value": shortened(raw)}))
    if limit is not None and len(text) > limit:
        found.append(Finding("TEXT_TOO_LONG", {"length": len(text), "most": limit}))
        text = text[:limit]
    return raw, text, found


def looks_like_formula(text: str) -> bool:
    bare = text.strip(" ")
    return len(bare) > 1 and bare not in NOTHING and _FORMULA_LIKE.match(bare) is not None


def text_of(value: Value, mark: Mark = PLAIN) -> str:
    """A cell as a person sees it, fit to be stored."""
    if value is None:
        return ""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float | int):
        if mark.is_percent:
            return f"{round(value * 100, 6):.12g}%"
        return f"{value:.15g}"
    if isinstance(value, datetime.datetime):
        return (
            value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "seconds")
        )
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def storable(text: str) -> str:
    return UNSTORABLE.sub("", text) if UNSTORABLE.search(text) else text


def joined(one: Said, other: Said) -> Said:
    return Said(
        one.raw or other.raw,
        {**one.values, **other.values},
        (*one.findings, *other.findings),
        {**one.attributes, **other.attributes},
    )
