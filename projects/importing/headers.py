"""Finding the header of a table: one to four rows in which columns of a ledger are named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from projects.importing.cells import Row
from projects.importing.columns import SECOND_CHOICE, Match, match, milestone, normalised
from projects.importing.titles import is_meta

MOST_HEADER_ROWS = 4
#: Longer texts are sentences, not headings.
_LONGEST_HEADING = 60
_MOST_COLUMNS = 256
_SURE = 50.0
#: What a field of a group is called: short, and no value.
_FIELD = re.compile(r"[^\d%：:]{1,12}(?:[(（].{0,12}[)）])?|(?:关键)?(?:节点|里程碑)\d?.{0,6}")


@dataclass(slots=True)
class MilestoneColumns:
    """Columns of one milestone; None where the ledger has no such column."""

    number: int
    name: int | None = None
    date: int | None = None


@dataclass(slots=True)
class Header:
    """What the header says.

    Attributes:
        first, count: index of its first row among the rows looked at, and how many rows it has.
        columns: position to field.
        unknown: position to heading, of columns that are kept beside the row.
        claimed: position to field, of unknown columns that lost their field to a better named one.
        headings: position to the heading in one line, group first.
        texts: position to all headings above it, for finding the header again on the next printed page.
    """

    first: int
    count: int
    columns: dict[int, str] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)
    claimed: dict[int, str] = field(default_factory=dict)
    milestones: list[MilestoneColumns] = field(default_factory=list)
    headings: dict[int, str] = field(default_factory=dict)
    texts: dict[int, set[str]] = field(default_factory=dict)
    score: float = 0


def find(rows: list[Row]) -> Header | None:
    """The best header among the first rows of a sheet, None if no rows name a project."""
    best: Header | None = None
    for first in range(len(rows)):
        for count in range(1, MOST_HEADER_ROWS + 1):
            if first + count > len(rows) or not _belongs(rows[first], rows[first + count - 1], count):
                break
            header = judged(rows, first, count)
            if header is not None and (best is None or header.score > best.score + 0.001):
                best = header
    return best


def judged(rows: list[Row], first: int, count: int, wanted: Mapping[int, str] | None = None) -> Header | None:
    """What the given rows say as a header.

    Args:
        wanted: position to field, where a person decided; None to judge alone (then a header without the
            project's name is none).
    """
    paths = _paths(rows[first : first + count])
    header = Header(first, count)
    milestones: dict[int, MilestoneColumns] = {}
    claims: list[tuple[float, int, str]] = []
    for position, path in paths.items():
        header.texts[position] = {text.strip() for text in path}
        header.headings[position] = " ".join(dict.fromkeys(" ".join(text.split()) for text in path))
        part = milestone(path) if wanted is None else None
        if part is not None:
            columns = milestones.setdefault(part[0], MilestoneColumns(part[0]))
            if getattr(columns, part[1]) is None:
                setattr(columns, part[1], position)
                continue
        found: Match | None = match(path)
        if found is not None:
            claims.append((found.score, position, found.key))
    best = 0.0
    for score, position, key in sorted(claims, key=lambda claim: (-claim[0], claim[1])):
        if key in header.columns.values():
            key_ = SECOND_CHOICE.get(normalised(paths[position][-1]), "")
            if key_ and key_ not in header.columns.values():
                header.columns[position] = key_
            else:
                header.claimed[position] = key
            continue
        header.columns[position] = key
        if key == "name":
            best = score
    header.milestones = sorted(milestones.values(), key=lambda columns: columns.number)
    if wanted is not None:
        taken = set(wanted.values())
        header.columns = {position: key for position, key in header.columns.items() if key not in taken}
        header.columns.update({position: key for position, key in wanted.items() if key})
        for position, key in wanted.items():
            if not key:
                header.columns.pop(position, None)
    named = {
        *header.columns,
        *(place for m in header.milestones for place in (m.name, m.date) if place is not None),
    }
    header.unknown = {
        position: " ".join(dict.fromkeys(path)) for position, path in paths.items() if position not in named
    }
    if wanted is not None:
        return header
    if "name" not in header.columns.values():
        return None
    matched = len(header.columns) + len(header.milestones)
    if matched < 2 and (best < _SURE or len(paths) > 3):
        return None
    if best < _SURE and matched < 3:
        return None
    # A heading merged over several rows says that these belong together; a row above that has nothing to do with
    # them is no part of it.
    top = rows[first]
    merged = sum(
        any(
            mark.is_filled_down and row.value(at) == top.value(at) and row.value(at) not in (None, "")
            for at, mark in row.marks.items()
        )
        for row in rows[first + 1 : first + count]
    )
    header.score = (
        matched
        + sum(claim[0] for claim in claims if claim[1] in header.columns) / 100_000
        - (count - 1) * 0.1
    )
    header.score += merged * 0.2 if matched else 0
    name = next(at for at, key in header.columns.items() if key == "name")
    header.score += 0.15 * sum(_is_of_fields(row, name) for row in rows[first + 1 : first + count])
    return header


def _is_of_fields(row: Row, name: int) -> bool:
    """Whether a row below others can only hold the fields of their groups: a few words, and no project."""
    own = [
        str(value).strip()
        for at, value in enumerate(row.values[:_MOST_COLUMNS])
        if value not in (None, "") and not row.mark(at).is_filled_down
    ]
    is_named = row.value(name) not in (None, "") and not row.mark(name).is_filled_down
    return not is_named and len(own) > 1 and all(_FIELD.fullmatch(text) for text in own)


def _belongs(head: Row, row: Row, count: int) -> bool:
    """Whether a row may be part of a header: only texts, and not one text alone across the sheet."""
    own = [
        value
        for at, value in enumerate(row.values[:_MOST_COLUMNS])
        if value not in (None, "") and not row.mark(at).is_filled_down
    ]
    if not own:
        return False
    texts = [value for value in own if isinstance(value, str)]
    if len(texts) < len(own) or any(len(text) > _LONGEST_HEADING for text in texts):
        return False
    if is_meta([text.strip() for text in texts]) and not any(_names(text) for text in texts):
        return False  # 填报单位：… stands right above a header, and its words would be taken for groups of it
    if count == 1:
        width = sum(1 for value in row.values[:_MOST_COLUMNS] if value not in (None, ""))
        return not (len(own) == 1 and width > 1)  # a title merged over all columns
    return row.number - head.number < MOST_HEADER_ROWS + 2 and not row.is_hidden


def _names(text: str) -> bool:
    """Whether a heading is that of the project's name."""
    found = match([text])
    return found is not None and found.key == "name"


def _paths(rows: list[Row]) -> dict[int, list[str]]:
    """The headings above each column, group first. A group that is not merged reaches to the right over its fields."""
    width = min(max((len(row.values) for row in rows), default=0), _MOST_COLUMNS)
    paths: dict[int, list[str]] = {}
    for position in range(width):
        texts = [_text(row, position) for row in rows]
        for at, text in enumerate(texts[:-1]):
            if not text and any(texts[at + 1 :]) and not any(texts[:at]):
                texts[at] = _group(rows, at, position)
        path = [text for text in texts if text]
        if path:
            paths[position] = [text for at, text in enumerate(path) if at == 0 or text != path[at - 1]]
    return paths


def _group(rows: list[Row], at: int, position: int) -> str:
    """The group that reaches over a column from its left; a heading without fields below it is none."""
    for left in range(position - 1, -1, -1):
        text = _text(rows[at], left)
        if text:
            if rows[at].mark(left).is_filled_down:
                return ""  # a merged group says itself how far it reaches
            below = [_text(row, left) for row in rows[at + 1 :]]
            return text if any(field and field != text for field in below) else ""
    return ""


def _text(row: Row, position: int) -> str:
    value = row.value(position)
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)
