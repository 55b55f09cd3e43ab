"""Workbooks of the old form (BIFF8), record by record: cells, formulas, hidden rows and merged areas.

The formulas are stored as compiled tokens; that there is one is told, its text is not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from projects.importing.cells import NO_MARKS, PERCENT, Mark, Row, Value
from projects.importing.merges import MOST_AREAS, Area, fill
from projects.importing.number_formats import PERCENT as PERCENT_KIND
from projects.importing.number_formats import PLAIN, day_of, kind_of
from projects.importing.ole import CompoundFile
from projects.importing.refusals import (
    CORRUPT,
    ENCRYPTED,
    MACRO_FORBIDDEN,
    TOO_LARGE_UNCOMPRESSED,
    FileRefused,
    unsupported,
)
from projects.importing.sheets import MOST_CELLS, Book, Sheet
from projects.importing.xlsx_values import is_picture_text

#: 65,536 rows of a ledger take about 12 MB.
LARGEST_XLS = 24 * 1024 * 1024
MOST_SHEETS = 200
_BOF, _EOF, _CONTINUE, _FILEPASS = 0x809, 0x0A, 0x3C, 0x2F
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_FORMULA = Mark(formula="…")
Record = tuple[int, bytes]


@dataclass(slots=True)
class _Globals:
    strings: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    year_1904: bool = False


def open_xls(content: bytes) -> Book:
    """The sheets of an old workbook.

    Raises:
        FileRefused: ENCRYPTED, CORRUPT, MACRO_FORBIDDEN, or UNSUPPORTED_TYPE for a document or an older form.
    """
    try:
        return _opened(content)
    except (struct.error, IndexError, UnicodeDecodeError):
        raise FileRefused(CORRUPT) from None


def _opened(content: bytes) -> Book:
    file = CompoundFile(content)
    if "encryptedpackage" in file.names:
        raise FileRefused(ENCRYPTED)
    if "worddocument" in file.names:
        raise unsupported("doc")
    if "_vba_project_cur" in file.names or "vbaproject" in file.names:
        raise FileRefused(MACRO_FORBIDDEN)
    name = next((name for name in ("workbook", "book") if name in file.streams), None)
    if name is None:
        raise unsupported("other")
    stream = file.stream(name)
    found, bounds = _Globals(), []
    codes: dict[int, str] = {}
    formats: list[int] = []
    records = _records(stream, 0)
    shared: list[bytes] = []
    is_shared = is_ended = False
    for kind, data in records:
        if kind == _BOF and struct.unpack_from("<H", data)[0] != 0x600:
            raise unsupported("et")
        if kind == _FILEPASS:
            raise FileRefused(ENCRYPTED)
        if kind == 0xFC:
            shared, is_shared = [data], True
            continue
        if kind == _CONTINUE and is_shared:
            shared.append(data)
            continue
        is_shared = False
        if kind == 0x22:
            found.year_1904 = data[:2] == b"\x01\x00"
        elif kind == 0x85:
            bounds.append((struct.unpack_from("<I", data)[0], data[4] & 3, data[5], _text(data, 6, 1)))
        elif kind == 0x41E:
            codes[struct.unpack_from("<H", data)[0]] = _text(data, 2, 2)
        elif kind == 0xE0:
            formats.append(struct.unpack_from("<H", data, 2)[0])
        elif kind == _EOF:
            is_ended = True
            break
    if not is_ended:
        raise FileRefused(CORRUPT)
    found.strings = _strings(shared) if shared else []
    kinds = {number: kind_of(number, codes.get(number, "")) for number in set(formats)}
    found.kinds = [kinds[number] for number in formats]
    # By place: a thousand names for one large sheet would be read a thousand times.
    places = {at: (state, type_, label) for at, state, type_, label in bounds[:MOST_SHEETS]}
    sheets = [
        Sheet(label, state != 0, found.year_1904, lambda at=at: _rows(stream, at, found))  # type: ignore[misc]
        for at, (state, type_, label) in places.items()
        if type_ == 0
    ]
    if not sheets:
        raise FileRefused(CORRUPT)
    return Book("xls", sheets)


def _records(stream: bytes, at: int) -> Iterator[Record]:
    unpack, end = struct.Struct("<HH").unpack_from, len(stream)
    while at + 4 <= end:
        kind, length = unpack(stream, at)
        at += 4
        if at + length > end:
            raise FileRefused(CORRUPT)
        yield kind, stream[at : at + length]
        at += length


def _text(data: bytes, at: int, width: int) -> str:
    """A string whose length is written in `width` bytes."""
    length = data[at] if width == 1 else struct.unpack_from("<H", data, at)[0]
    flags, at = data[at + width], at + width + 1
    at += (2 if flags & 8 else 0) + (4 if flags & 4 else 0)
    if flags & 1:
        return data[at : at + 2 * length].decode("utf-16-le", "replace")
    return data[at : at + length].decode("latin-1")


def _strings(parts: list[bytes]) -> list[str]:
    """The shared strings. A text may break off at the end of a record; the next begins with its own width."""
    strings: list[str] = []
    count = struct.unpack_from("<I", parts[0], 4)[0]
    part, at = 0, 8
    while len(strings) < count:
        while part < len(parts) and at >= len(parts[part]):
            at -= len(parts[part])
            part += 1
        if part >= len(parts):
            raise FileRefused(CORRUPT)
        data = parts[part]
        length, flags = struct.unpack_from("<HB", data, at)
        at += 3
        behind = 0
        if flags & 8:
            behind += 4 * struct.unpack_from("<H", data, at)[0]
            at += 2
        if flags & 4:
            behind += struct.unpack_from("<I", data, at)[0]
            at += 4
        pieces = []
        while True:
            wide = 2 if flags & 1 else 1
            here = min(length, (len(data) - at) // wide)
            pieces.append(
                data[at : at + here * wide].decode("utf-16-le" if wide == 2 else "latin-1", "replace")
            )
            at, length = at + here * wide, length - here
            if not length:
                break
            part += 1
            if part >= len(parts) or not parts[part]:
                raise FileRefused(CORRUPT)
            data, at = parts[part], 1
            flags = data[0]
        strings.append("".join(pieces).replace("\r\n", "\n"))
        at += behind
    return strings


def _rows(stream: bytes, at: int, known: _Globals) -> Iterator[Row]:
    hidden, areas = _surroundings(stream, at)
    try:
        yield from fill(_cells(stream, at, known, hidden), areas)
    except (struct.error, IndexError):
        raise FileRefused(CORRUPT) from None


def _surroundings(stream: bytes, at: int) -> tuple[set[int], list[Area]]:
    """Hidden rows and merged areas; the latter stand behind the cells."""
    hidden: set[int] = set()
    areas: list[Area] = []
    for kind, data in _inner(stream, at):
        if kind == 0x208 and len(data) >= 14 and data[12] & 0x20:
            hidden.add(struct.unpack_from("<H", data)[0] + 1)
        elif kind == 0xE5 and len(areas) < MOST_AREAS:
            for place in range(2, len(data) - 7, 8):
                top, bottom, left, right = struct.unpack_from("<4H", data, place)
                areas.append((top + 1, left, bottom + 1, right))
    return hidden, areas


def _inner(stream: bytes, at: int) -> Iterator[Record]:
    """The records of one sheet, without those of charts inside it."""
    depth = 0
    for kind, data in _records(stream, at):
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                return
        elif depth == 1:
            yield kind, data
        elif depth == 0:
            break
    raise FileRefused(CORRUPT)


def _cells(stream: bytes, at: int, known: _Globals, hidden: set[int]) -> Iterator[Row]:
    current: Row | None = None
    marks: dict[int, Mark] = {}
    cells = 0
    waiting: tuple[int, int] | None = None
    for kind, data in _inner(stream, at):
        if kind == 0x207 and waiting is not None and current is not None:
            _put(current, marks, waiting[1], _text(data, 0, 2), _FORMULA)
            waiting = None
            continue
        if kind not in (0x203, 0x27E, 0xBD, 0xFD, 0x204, 0xD6, 0x06, 0x205):
            continue
        row, column = struct.unpack_from("<HH", data)
        if current is None or current.number != row + 1:
            if current is not None and (current.values or marks):
                current.marks = marks or NO_MARKS
                yield current
            marks, current = {}, Row(row + 1, [], NO_MARKS, row + 1 in hidden)
        for place, value, mark in _contents(kind, data, column, known):
            cells += 1
            if mark is _FORMULA and value is None:
                waiting = (row, place)
            _put(current, marks, place, value, mark)
        if cells > MOST_CELLS:
            raise FileRefused(TOO_LARGE_UNCOMPRESSED)
    if current is not None and (current.values or marks):
        current.marks = marks or NO_MARKS
        yield current


def _put(row: Row, marks: dict[int, Mark], column: int, value: Value, mark: Mark | None) -> None:
    if is_picture_text(value):
        value, mark = None, Mark(is_image=True)
    if value is not None and value != "":
        if column >= len(row.values):
            row.values.extend([None] * (column + 1 - len(row.values)))
        row.values[column] = value
    if mark is not None:
        marks[column] = mark


def _contents(kind: int, data: bytes, column: int, known: _Globals) -> list[tuple[int, Value, Mark | None]]:
    if kind == 0xBD:
        found: list[tuple[int, Value, Mark | None]] = []
        for place in range(4, len(data) - 7, 6):
            style, packed = struct.unpack_from("<HI", data, place)
            found.append((column + len(found), *_number(_unpacked(packed), style, known)))
        return found
    style = struct.unpack_from("<H", data, 4)[0]
    if kind == 0x203:
        return [(column, *_number(struct.unpack_from("<d", data, 6)[0], style, known))]
    if kind == 0x27E:
        return [(column, *_number(_unpacked(struct.unpack_from("<I", data, 6)[0]), style, known))]
    if kind == 0xFD:
        return [(column, known.strings[struct.unpack_from("<I", data, 6)[0]], None)]
    if kind in (0x204, 0xD6):
        return [(column, _text(data, 6, 2), None)]
    if kind == 0x205:
        if data[7]:
            return [(column, None, Mark(error=_ERRORS.get(data[6], "#?")))]
        return [(column, bool(data[6]), None)]
    if data[12:14] != b"\xff\xff":
        value, mark = _number(struct.unpack_from("<d", data, 6)[0], style, known)
        return [(column, value, Mark(is_percent=True, formula="…") if mark is PERCENT else Mark(formula="…"))]
    if data[6] == 1:
        return [(column, bool(data[8]), Mark(formula="…"))]
    if data[6] == 2:
        return [(column, None, Mark(formula="…", error=_ERRORS.get(data[8], "#?")))]
    return [(column, None, _FORMULA)]


def _unpacked(packed: int) -> float:
    """A number in the short form: whole or the upper half of a double, perhaps times 100."""
    value: float
    if packed & 2:
        value = packed >> 2
        if packed & 0x80000000:
            value -= 1 << 30
    else:
        value = struct.unpack("<d", struct.pack("<II", 0, packed & 0xFFFFFFFC))[0]
    return value / 100 if packed & 1 else value


def _number(value: float, style: int, known: _Globals) -> tuple[Value, Mark | None]:
    kind = known.kinds[style] if style < len(known.kinds) else PLAIN
    if value != value or abs(value) > 1e300:
        return None, None
    plain: float = int(value) if value == int(value) and abs(value) < 1e15 else value
    if kind == PERCENT_KIND:
        return plain, PERCENT
    if kind == PLAIN:
        return plain, None
    return day_of(plain, kind, known.year_1904), None
