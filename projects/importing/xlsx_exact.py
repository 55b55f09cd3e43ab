"""The rows of any well-formed sheet, with a real parser: other prefixes, encodings, comments, cells without names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

from projects.importing.cells import NO_MARKS, Mark, Row, Value
from projects.importing.refusals import CORRUPT, TOO_LARGE_UNCOMPRESSED, XML_DTD_FORBIDDEN, FileRefused
from projects.importing.sheets import MOST_CELLS, MOST_COLUMNS
from projects.importing.xlsx_fast import column_position
from projects.importing.xlsx_values import Values, carried

_PLACE = re.compile(r"^\s*\$?([A-Za-z]{1,3})\$?(\d{1,9})\s*$")
#: Texts are cut here; a cell of a spreadsheet holds 32,767 characters.
_LONGEST_TEXT = 1_000_000
#: Bytes that may pass without a single element.
_MOST_SILENT = 16 * 1024 * 1024


def parse(pieces: Iterator[bytes], begin: object, end: object, text: object) -> Iterator[None]:
    """Feed a parser that refuses definitions; yields after each piece, for what its handlers have collected.

    Raises:
        FileRefused: CORRUPT, XML_DTD_FORBIDDEN, or TOO_LARGE_UNCOMPRESSED for a single endless token.
    """

    def refuse(*_: object) -> None:
        raise FileRefused(XML_DTD_FORBIDDEN)

    events = [0]

    def counted(name: str, attributes: dict[str, str]) -> None:
        events[0] += 1
        begin(name.rpartition("}")[2], attributes)  # type: ignore[operator]

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = counted
    parser.EndElementHandler = lambda name: end(name.rpartition("}")[2])  # type: ignore[operator]
    parser.CharacterDataHandler = text  # type: ignore[assignment]
    silent = 0
    try:
        for piece in pieces:
            before = events[0]
            parser.Parse(piece, False)
            silent = 0 if events[0] > before else silent + len(piece)
            if silent > _MOST_SILENT:
                raise FileRefused(TOO_LARGE_UNCOMPRESSED)
            yield
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError):
        raise FileRefused(CORRUPT) from None
    yield


class _Reader:
    def __init__(self, values: Values) -> None:
        self.values = values
        self.ready: list[Row] = []
        self.number = 0
        self.cells = 0
        self.is_hidden = False
        self.rows: dict[int, tuple[list[Value], dict[int, Mark]]] | None = None
        self.position = -1
        self.cell: dict[str, str] | None = None
        self.texts: list[str] = []
        self.length = 0
        self.into: str = ""
        self.stored: str = ""
        self.formula = ""
        self.phonetic = 0
        self.shared: dict[str, str] = {}
        self.formula_name: str | None = None
        self.place = (0, 0)

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            given = attributes.get("r", "").strip()
            self.number = int(given) if given.isdigit() and len(given) < 10 else self.number + 1
            self.is_hidden = attributes.get("hidden", "").strip() in ("1", "true")
            self.rows, self.position = {}, -1
        elif name == "c" and self.rows is not None:
            self.cells += 1
            if self.cells > MOST_CELLS:
                raise FileRefused(TOO_LARGE_UNCOMPRESSED)
            self.cell, self.stored, self.formula = attributes, "", ""
            found = _PLACE.match(attributes.get("r", ""))
            row = self.number
            if found is not None:
                self.position, row = column_position(found[1].upper()), int(found[2])
            else:
                self.position += 1
            self.place = (row, self.position)
        elif self.cell is None:
            return
        elif name == "rPh":
            self.phonetic += 1
        elif name in ("v", "t", "f") and not self.phonetic:
            self.into, self.texts, self.length = name, [], 0
            if name == "f":
                self.formula_name = attributes.get("si", "") if attributes.get("t") == "shared" else None

    def text(self, data: str) -> None:
        if self.into and self.length < _LONGEST_TEXT:
            self.texts.append(data)
            self.length += len(data)

    def end(self, name: str) -> None:
        if name == "rPh":
            self.phonetic = max(0, self.phonetic - 1)
        elif name == self.into:
            found = "".join(self.texts)
            if name == "f":
                if self.formula_name is not None:
                    found = found or self.shared.get(self.formula_name, "")
                    self.shared[self.formula_name] = found
                self.formula = carried(found) or "?"
            else:
                self.stored += carried(found)
            self.into = ""
        elif name == "c" and self.cell is not None:
            self.finish(self.cell)
            self.cell = None
        elif name == "row" and self.rows is not None:
            for number, (values, marks) in sorted(self.rows.items()):
                self.ready.append(Row(number, values, marks or NO_MARKS, self.is_hidden))
            self.rows = None

    def finish(self, cell: dict[str, str]) -> None:
        if self.rows is None:
            return
        if self.position >= MOST_COLUMNS:
            self.rows.setdefault(self.place[0], ([], {}))
            return
        if not (self.stored or self.formula):
            return
        kind = self.values.kind(cell.get("s", ""))
        value, mark = self.values.whole(self.stored, cell.get("t", ""), kind, self.formula, "vm" in cell)
        if value is None and mark is None:
            return
        values, marks = self.rows.setdefault(self.place[0], ([], {}))
        position = self.place[1]
        if value is not None:
            if position >= len(values):
                values.extend([None] * (position + 1 - len(values)))
            values[position] = value
        if mark is not None:
            marks[position] = mark


def exact_rows(pieces: Iterator[bytes], values: Values, skip: int = 0) -> Iterator[Row]:
    """The rows that are not blank.

    Args:
        skip: how many of them the fast road handed on before it gave up.
    """
    reader = _Reader(values)
    for _ in parse(pieces, reader.begin, reader.end, reader.text):
        rows, reader.ready = reader.ready, []
        for row in rows:
            if skip:
                skip -= 1
            else:
                yield row


def exact_merges(pieces: Iterator[bytes], most: int) -> list[str]:
    """The merged areas of a sheet, as written ("A3:A5")."""
    found: list[str] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        if name == "mergeCell" and len(found) < most:
            found.append(attributes.get("ref", ""))

    for _ in parse(pieces, begin, lambda name: None, lambda data: None):
        pass
    return found


def exact_strings(pieces: Iterator[bytes], most: int) -> list[str]:
    """The shared strings: rich texts joined, phonetic runs left out."""
    strings: list[str] = []
    state = {"phonetic": 0, "in_text": 0}
    texts: list[str] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        if name == "rPh":
            state["phonetic"] += 1
        state["in_text"] = int(name == "t" and not state["phonetic"])
        if name == "si":
            texts.clear()

    def end(name: str) -> None:
        state["in_text"] = 0
        if name == "rPh":
            state["phonetic"] -= 1
        elif name == "si":
            strings.append(carried("".join(texts)))
            if len(strings) > most:
                raise FileRefused(TOO_LARGE_UNCOMPRESSED)

    for _ in parse(pieces, begin, end, lambda data: texts.append(data) if state["in_text"] else None):
        pass
    return strings
