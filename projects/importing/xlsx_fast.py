"""The rows of a sheet that is written the way every spreadsheet program writes it: the fast road.

A ledger's rows are alike: the same columns, styles and types in each. The first row of a kind makes a pattern (a
`_Shape`) that reads the next ones in one step. A row of another kind is read cell by cell, and whatever is not
recognised completely raises `Odd`: then `xlsx_exact` reads the sheet with a real parser. A test compares both roads.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Any

from projects.importing.cells import NO_MARKS, PERCENT, Mark, Row, Value
from projects.importing.number_formats import PERCENT as PERCENT_KIND
from projects.importing.number_formats import PLAIN
from projects.importing.refusals import TOO_LARGE_UNCOMPRESSED, FileRefused
from projects.importing.sheets import MOST_CELLS, MOST_COLUMNS
from projects.importing.xlsx_values import Values, number, unescaped

#: Text that may wait for the end of its row.
_LONGEST_ROW = 8 * 1024 * 1024
_MOST_SHAPES = 48
_KEPT_SHAPES = 4
_WIDEST_SHAPE = 80

_EMPTY_ROWS = re.compile(r"(?:\s*<row(?: [^<>]*)?/>)+")
_ROW = re.compile(r"\s*<row((?: [^<>]*)?)>")
_ROW_NUMBER = re.compile(r' r="(\d{1,9})"')
_HIDDEN = re.compile(r' hidden="(?:1|true)"')
_SPACE = r'(?: xml:space="preserve")?'
_CELL = re.compile(
    r'<c(?: r="([A-Z]{1,3})(\d{1,7})")?((?: [a-z]+="[^"<>]*")*)'
    rf"(?:/>|>(?:<v>([^<]*)</v>|<is><t{_SPACE}>([^<]*)</t></is>)?(.*?)</c>)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r' ([a-z]+)="([^"]*)"')
_FORMULA = re.compile(r"<f((?: [^<>]*?)?)(?:/>|>([^<]*)</f>)")
_STORED = re.compile(rf"<v{_SPACE}>([^<]*)</v>")
_PHONETIC = re.compile(r"<rPh.*?</rPh>", re.DOTALL)
_RUN = re.compile(r"<t(?: [^<>]*)?>([^<]*)</t>")


class Odd(Exception):
    """The sheet is not written plainly."""


def column_position(letters: str) -> int:
    """A is 0, AA is 26."""
    position = 0
    for letter in letters:
        position = position * 26 + ord(letter) - 64
    return position - 1


def text_of_runs(xml: str) -> str:
    """The text of a string item, rich or not; the readings above the characters (phonetic runs) are left out."""
    if "<rPh" in xml:
        xml = _PHONETIC.sub("", xml)
    return "".join(map(unescaped, _RUN.findall(xml)))


def inline(text: str) -> Value:
    if "&" in text or "_x" in text or "\r" in text:
        return unescaped(text)
    return text or None


def truth(text: str) -> Value:
    return text in ("1", "true")


def decimal(text: str) -> Value:
    return float(text) if "." in text else number(text)


class _Shape:
    """A pattern for rows with the same columns, styles and types.

    Args:
        cells: position, letters, attributes, what stands in it ("v", "t" or "" for nothing) and its converter.
    """

    def __init__(
        self, cells: list[tuple[int, str, str, str, Callable[[str], Value]]], marks: dict[int, Mark]
    ) -> None:
        pattern = [r'\s*<row r="(\d{1,7})"([^<>]*)>']
        for _, letters, attributes, stored, _ in cells:
            pattern.append(rf'<c r="{letters}\1"{re.escape(attributes)}')
            if stored == "v":
                pattern.append(r"><v>([^<]+)</v></c>")
            elif stored == "t":
                pattern.append(rf"><is><t{_SPACE}>([^<]*)</t></is></c>")
            else:
                pattern.append(r"(?:/>|></c>)")
        pattern.append("</row>")
        self.match = re.compile("".join(pattern)).match
        filled = [(cell[0], cell[4]) for cell in cells if cell[3]]
        self.positions = [position for position, _ in filled]
        self.converters = [converter for _, converter in filled]
        self.width = max(self.positions, default=-1) + 1  # 0: formatted cells, all empty
        self.is_dense = self.positions == list(range(self.width))
        self.marks = marks or NO_MARKS
        self.cells = len(cells)

    def values(self, found: tuple[str, ...]) -> list[Value]:
        texts = found[2:]
        if self.is_dense:
            return [convert(text) for convert, text in zip(self.converters, texts, strict=True)]
        values: list[Value] = [None] * self.width
        for position, convert, text in zip(self.positions, self.converters, texts, strict=True):
            values[position] = convert(text)
        return values


class FastRows:
    """Reads the rows of one sheet from the pieces of its part. `emitted` counts the rows that were handed on."""

    def __init__(self, pieces: Iterator[bytes], values: Values) -> None:
        self._pieces, self._values = pieces, values
        self.emitted = 0
        self._number = 0
        self._cells = 0
        self._shapes: list[_Shape] = []
        self._made = 0
        self._columns: dict[str, int] = {}
        self._kinds: dict[str, tuple[str, str, bool]] = {}
        self._formulas: dict[str, str] = {}

    def __iter__(self) -> Iterator[Row]:
        try:
            yield from self._rows()
        except UnicodeDecodeError:
            raise Odd from None

    def _rows(self) -> Iterator[Row]:
        decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        text, is_begun = "", False
        for piece in self._pieces:
            text += decode(piece)
            if not is_begun:
                at = text.find("<sheetData>")
                if at < 0:
                    if len(text) > _LONGEST_ROW or "<sheetData/>" in text:
                        raise Odd
                    continue
                text, is_begun = text[at + 11 :], True
            end = text.find("</sheetData>")
            if end >= 0:
                text = text[:end]
            done = 0
            for at, row in self._of_text(text):
                done = at
                if row is not None:
                    self.emitted += 1
                    yield row
            text = text[done:]
            if end >= 0:
                if text.strip():
                    raise Odd
                return
            if len(text) > _LONGEST_ROW:
                raise Odd
        raise Odd

    def _of_text(self, text: str) -> Iterator[tuple[int, Row | None]]:
        """Rows that stand in the text completely, each with the place where it ends."""
        if "<!" in text or "<?" in text:
            raise Odd
        at, may_use_shapes = 0, "DISPIMG" not in text
        shape = self._shapes[0] if self._shapes and may_use_shapes else None
        while True:
            found = shape.match(text, at) if shape is not None else None
            if found is None and may_use_shapes:
                for other in self._shapes[1:]:
                    found = other.match(text, at)
                    if found is not None:
                        shape = other
                        self._shapes.remove(other)
                        self._shapes.insert(0, other)
                        break
            if found is not None and shape is not None:
                groups = found.groups()
                try:
                    values = shape.values(groups)
                except (ValueError, IndexError):
                    found = None  # cell by cell, a fault costs its own cell only
            if found is not None and shape is not None:
                at = found.end()
                self._number = int(groups[0])
                self._count(shape.cells)
                hidden = groups[1]
                is_hidden = "hidden" in hidden and _HIDDEN.search(hidden) is not None
                yield at, Row(self._number, values, shape.marks, is_hidden) if shape.width else None
                continue
            empty = _EMPTY_ROWS.match(text, at)
            if empty is not None:
                at = empty.end()
                self._skip_empty(empty[0])
                yield at, None
                continue
            end = text.find("</row>", at)
            if end < 0:
                return
            row = self._cell_by_cell(text[at:end])
            if may_use_shapes and self._shapes:
                shape = self._shapes[0]
            at = end + 6
            yield at, row

    def _count(self, cells: int) -> None:
        self._cells += cells
        if self._cells > MOST_CELLS:
            raise FileRefused(TOO_LARGE_UNCOMPRESSED)

    def _skip_empty(self, text: str) -> None:
        numbered = _ROW_NUMBER.findall(text[-400:])
        if not numbered or text.count("<row") != text.count(' r="'):
            raise Odd
        self._number = int(numbered[-1])

    def _cell_by_cell(self, text: str) -> Row | None:
        head = _ROW.match(text)
        if head is None:
            raise Odd
        attributes = head[1]
        numbered = _ROW_NUMBER.search(attributes)
        if numbered is None and " r" in attributes.replace(" ref", ""):
            raise Odd
        self._number = int(numbered[1]) if numbered else self._number + 1
        body = text[head.end() :]
        found = _CELL.findall(body)
        if len(found) != body.count("<c ") + body.count("<c>") + body.count("<c/>") or "<row" in body:
            raise Odd
        self._count(len(found))
        values: list[Value] = []
        marks: dict[int, Mark] = {}
        shape: list[tuple[int, str, str, str, Callable[[str], Value]]] | None = []
        position, written, is_far = -1, str(self._number), False
        for letters, row, attributes, stored, text_, odd in found:
            if letters:
                if row != written:
                    raise Odd
                known = self._columns.get(letters)
                position = known if known is not None else self._new_column(letters)
            else:
                position += 1
                shape = None
            if position >= MOST_COLUMNS:
                shape, is_far = None, True
                continue
            kind, type_, has_picture = self._kinds.get(attributes) or self._new_kind(attributes)
            if odd:
                shape = None
                value, mark = self._odd_cell(odd, stored or text_, type_, kind, has_picture)
            elif not stored and not text_:
                if shape is not None:
                    shape.append((position, letters, attributes, "", inline))
                continue
            else:
                if (text_ != "") != (type_ == "inlineStr"):
                    raise Odd
                raw = text_ or stored
                if "&" in raw or "_x" in raw:
                    raw = unescaped(raw)
                value, mark = self._values.whole(raw, type_, kind, has_picture=has_picture)
                if shape is not None:
                    convert = self._converter(type_, kind)
                    if convert is None:
                        shape = None
                    else:
                        shape.append((position, letters, attributes, "t" if text_ else "v", convert))
            if value is not None:
                if position >= len(values):
                    values.extend([None] * (position + 1 - len(values)))
                values[position] = value
            if mark is not None:
                marks[position] = mark
        if shape is not None:
            self._learn(shape, numbered is not None)
        if not (values or marks or is_far):
            return None
        return Row(self._number, values, marks or NO_MARKS, _HIDDEN.search(head[1]) is not None)

    def _learn(self, cells: list[Any], is_numbered: bool) -> None:
        if not is_numbered or self._made >= _MOST_SHAPES or len(cells) > _WIDEST_SHAPE:
            return
        positions = [cell[0] for cell in cells if cell[3]]
        if positions != sorted(set(positions)):
            return
        self._made += 1
        kinds = [(cell[0], self._kinds[cell[2]]) for cell in cells if cell[3] == "v"]
        marks = {
            position: PERCENT
            for position, (kind, type_, _) in kinds
            if kind == PERCENT_KIND and type_ in ("", "n")
        }
        self._shapes.insert(0, _Shape(cells, marks))
        del self._shapes[_KEPT_SHAPES:]

    def _converter(self, type_: str, kind: str) -> Callable[[str], Value] | None:
        if type_ == "s":
            strings = self._values.strings
            return None if self._values.has_pictures else lambda text: strings[int(text)] or None
        if type_ in ("str", "inlineStr"):
            return inline
        if type_ == "b":
            return truth
        if type_ not in ("", "n"):
            return None
        if kind in (PLAIN, PERCENT_KIND):
            return decimal
        day = self._values.day
        return lambda text: day(text, kind)

    def _new_column(self, letters: str) -> int:
        position = self._columns[letters] = column_position(letters)
        return position

    def _new_kind(self, attributes: str) -> tuple[str, str, bool]:
        named = dict(_ATTRIBUTE.findall(attributes))
        kind = (self._values.kind(named.get("s", "")), named.get("t", ""), "vm" in named)
        if len(self._kinds) < 10_000:
            self._kinds[attributes] = kind
        return kind

    def _odd_cell(
        self, odd: str, stored: str, type_: str, kind: str, has_picture: bool
    ) -> tuple[Value, Mark | None]:
        """A cell with a formula, or a rich text."""
        formula = ""
        found = _FORMULA.search(odd)
        if found is not None:
            named = dict(_ATTRIBUTE.findall(found[1]))
            formula = unescaped(found[2] or "")
            if named.get("t") == "shared":
                formula = (
                    self._formulas.setdefault(named.get("si", ""), formula) if formula == "" else formula
                )
                self._formulas[named.get("si", "")] = formula
            formula = formula or "?"
        if "<is>" in odd:
            stored = text_of_runs(odd)
        elif not stored:
            value = _STORED.search(odd)
            stored = unescaped(value[1]) if value else ""
        else:
            stored = unescaped(stored)
        return self._values.whole(stored, type_, kind, formula, has_picture)
