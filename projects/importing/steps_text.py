"""Milestones that stand in one cell: 「3-4月:招标；5月底:开工；9月-12月:施工」. Pure; dates are read by `dates`.

What looks like a step but cannot be read comes back as one that says so; plain prose has no steps.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from projects.importing.cleaning import clean, shortened
from projects.importing.date_places import places
from projects.importing.date_sentences import is_missing
from projects.importing.dates import DateContext, DateReading, read_deadline, read_start
from projects.importing.findings import Finding


@dataclass(frozen=True, slots=True)
class Step:
    """One milestone as written.

    Attributes:
        name: what is to be done; the raw text when nothing else is left of it.
        starts_on: only where a range says so.
        due_on: None when the date could not be read (MILESTONE_UNREAD or an ambiguous date).
        raw: this step's part of the cell.
    """

    name: str
    starts_on: datetime.date | None
    due_on: datetime.date | None
    raw: str
    findings: tuple[Finding, ...] = ()


_FIELD = "milestones"
_LONGEST = 5_000
_MOST = 60
#: Numbers of a list: ①, 1. 1、 (1) 一、 第一步: — but not 3.5 or 3月.
_NUMBERING = re.compile(
    r"(?:[①-⑳❶-❿]|(?<![\d.])[(（]?\d{1,2}(?:[)）]|[.、](?!\d))|(?<!\S)\d{1,2}[.、](?=\d{4}年|\d{4}[./-]|第?\d季|\d{1,2}月(?!\S*、\d))|[(（][一二三四五六七八九十]{1,2}[)）]|(?<![一-鿿])[一二三四五六七八九十]{1,2}、(?![一二三四五六七八九十]{1,2}(?:月|季)))\s*"
)
_BREAK = re.compile(r"[；;\n\r]+|。(?!\d)")
_COMMA = re.compile(r"[，,、](?![^()（）]*[)）])")
_EDGE = " \t:：,，、。.;；-—~→*·"
_ORPHANS = re.compile(
    r"^(?:之前|以前|前|底|内|起|开始|止|日|号|份|左右|期间)+(?=[:：,，\s]|$)|^(?:之前|以前|前|底前|内|左右|期间)(?!期)"
)
_LEADING = re.compile(r"^(?:[:：,，、\s]|力争|计划|预计|确保|争取|于|在|并|拟)+")
_TRAILING = re.compile(r"(?:[:：,，、\s(（\[]|力争|计划|预计|确保|争取|拟于|于|在|至|到|截至)+$")
_EMPTY_BRACKETS = re.compile(r"[(（\[【]\s*(?:之?前|底|内|完成)?\s*[)）\]】]")
_HEADING = re.compile(r".{1,12}[:：]")


def read_steps(text: str, context: DateContext) -> list[Step]:
    """The milestones in a cell, in its order; [] for plain prose. Never raises."""
    return list(_steps(text, context))


@lru_cache(maxsize=4_096)
def _steps(raw: str, context: DateContext) -> tuple[Step, ...]:
    text = clean(raw[:_LONGEST]).text
    if is_missing(text):
        return ()
    parts = [part for line in _lines(text) for part in _parts(line, context)]
    dated = [part for part in parts if _has_date(part, context)]
    if not dated:
        return ()
    # One sentence that mentions a date is prose; a list, or a date set off from its words, is a plan.
    if len(parts) == 1 and not _is_step(parts[0], context):
        return ()
    steps: list[Step] = []
    for part in parts[:_MOST]:
        if _has_date(part, context):
            steps.append(_step(part, context))
        elif not _HEADING.fullmatch(part):
            steps.append(_unread(part))
    left_over = [*parts[_MOST:], *([raw[_LONGEST:]] if len(raw) > _LONGEST else [])]
    return (*steps, *map(_unread, left_over[:1]))


def _unread(part: str) -> Step:
    name = part.strip(_EDGE) or part
    return Step(
        name, None, None, part, (Finding("MILESTONE_UNREAD", {"value": shortened(part), "read": ""}, _FIELD),)
    )


def _lines(text: str) -> list[str]:
    """Parts that the writer set off: by number, semicolon, full stop or line."""
    lines = []
    for piece in _BREAK.split(text):
        begin = 0
        for mark in _NUMBERING.finditer(piece):
            lines.append(piece[begin : mark.start()])
            begin = mark.end()
        lines.append(piece[begin:])
    return [line.strip(" \t") for line in lines if line.strip(_EDGE)]


_SPACED = re.compile(r"\s+")


def _parts(line: str, context: DateContext) -> list[str]:
    """Steps that share a line: 招标（3月底）、开工（5月底）, or 3-4月:招标 5月底:开工."""
    for separator in (_COMMA, _SPACED):
        pieces = [piece for piece in separator.split(line) if piece.strip(_EDGE)]
        dated = [bool(_spans(piece, context)) for piece in pieces]
        if len(pieces) < 2 or sum(dated) < 2:
            continue
        if all(dated) and all(_words(piece, context) for piece in pieces):
            return pieces if all(_is_step(piece, context) for piece in pieces) else [line]
        # Every date begins a step: what has none belongs to the one before it.
        grouped: list[str] = []
        for piece, has_date in zip(pieces, dated, strict=True):
            if grouped and (not has_date or not _words(grouped[-1], context)):
                grouped[-1] += f"{'，' if separator is _COMMA else ' '}{piece}"
            else:
                grouped.append(piece)
        if len(grouped) > 1 and all(_words(piece, context) for piece in grouped):
            return grouped
    return _at_dates(line, context)


def _at_dates(line: str, context: DateContext) -> list[str]:
    """3月招标5月开工: each date with the words behind it, when the line begins with a date."""
    spans = _spans(line, context)
    if len(spans) < 2 or line[: spans[0][0]].strip(_EDGE):
        return [line]
    cuts = [begin for begin, _end in spans] + [len(line)]
    pieces = [line[begin:end] for begin, end in pairwise(cuts)]
    return pieces if all(_words(piece, context) for piece in pieces) else [line]


def _spans(part: str, context: DateContext) -> tuple[tuple[int, int], ...]:
    return places(part, context.year)


def _has_date(part: str, context: DateContext) -> bool:
    return bool(_spans(part, context))


def _words(part: str, context: DateContext) -> str:
    """What is left of a part without its dates and the words that belong to them."""
    left, begin = [], 0
    for start, end in _spans(part, context):
        left.append(part[begin:start])
        begin = end
    left.append(_ORPHANS.sub("", part[begin:]))
    words = _EMPTY_BRACKETS.sub("", " ".join(piece for piece in left if piece.strip()))
    return _TRAILING.sub("", _LEADING.sub("", words)).strip(_EDGE)


def _is_step(part: str, context: DateContext) -> bool:
    """Whether a part alone is a step: its date stands at the edge or is set off by a colon or brackets."""
    (begin, end), *more = _spans(part, context)
    if more or len(part) > 60:
        return False
    if not _words(part, context):
        return True
    before, after = part[:begin].strip(), _ORPHANS.sub("", part[end:]).strip()
    is_set_off = after.startswith((":", "：", ")", "）")) or before.endswith((":", "：", "(", "（"))
    return (
        is_set_off
        or (not before and bool(after) and len(after) <= 20)
        or (not after and 0 < len(before) <= 20)
    )


def _step(part: str, context: DateContext) -> Step:
    spans = _spans(part, context)
    name = _words(part, context) or part.strip(_EDGE)
    if len(spans) > 1:
        return _refused(
            name, part, read_deadline("、".join(part[begin:end] for begin, end in spans), context)
        )
    begin, end = spans[0]
    suffix = _ORPHANS.match(part[end:].lstrip(")）"))
    when = part[begin:end] + (suffix[0] if suffix else "")
    reading = read_deadline(when, context)
    if reading.kind == "ambiguous" and reading.starts_on and not reading.candidates:
        # 「4月起:施工」 has a beginning and no end.
        return Step(name, reading.starts_on, None, part, _told(reading))
    if reading.kind != "date":
        return _refused(name, part, reading)
    start = read_start(when, context) if reading.until else None
    return Step(name, start.on if start else None, reading.on, part, _told(reading))


def _told(reading: DateReading) -> tuple[Finding, ...]:
    return tuple(Finding(found.code, found.params, _FIELD) for found in reading.findings)


def _refused(name: str, part: str, reading: DateReading) -> Step:
    unread = Finding("MILESTONE_UNREAD", {"value": shortened(part), "read": ""}, _FIELD)
    return Step(
        name, None, None, part, (unread, *(found for found in _told(reading) if found.code != "INVALID_DATE"))
    )
