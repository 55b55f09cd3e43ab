"""The stored text of a cell as a value, by its type and number format."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

from projects.importing.cells import Mark, Value
from projects.importing.number_formats import PERCENT, PLAIN, day_of

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_PICTURE = re.compile(r"^\s*[=＝]?\s*(?:_xlfn\.)?DISPIMG\s*\(", re.IGNORECASE)


def unescaped(text: str) -> str:
    """XML text as written in the file, as it is meant."""
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    return carried(text)


def carried(text: str) -> str:
    """Undo `_x000D_`: how spreadsheets carry characters that XML cannot hold."""
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return text.replace("\r\n", "\n") if "\r" in text else text


def _character(found: re.Match[str]) -> str:
    if found[3]:
        return _NAMED[found[3]]
    code = int(found[1]) if found[1] else int(found[2], 16)
    return chr(code) if 0 < code < 0xD800 or 0xE000 <= code <= 0x10FFFF else "\ufffd"


def number(text: str) -> Value:
    """A stored number; the text itself when it is none."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        found = float(text)
    except ValueError:
        return text or None
    return found if found - found == 0 else text  # "inf" and "nan" are no numbers of a spreadsheet


class Values:
    """Turns stored texts of one workbook into values.

    Args:
        strings: the shared strings.
        kinds: kind of number (`number_formats`) by index of the cell's style.
        year_1904: how days are counted.
    """

    def __init__(self, strings: Sequence[str], kinds: Sequence[str], year_1904: bool) -> None:
        self.strings, self.kinds, self.year_1904 = strings, kinds, year_1904
        #: A picture may hide among the strings: then its cells need marks, and no row is plain.
        self.has_pictures = any("DISPIMG" in text for text in strings)
        self._days: dict[tuple[str, str], Value] = {}

    def kind(self, style: str) -> str:
        try:
            return self.kinds[int(style)] if style else self.kinds[0] if self.kinds else PLAIN
        except (ValueError, IndexError):
            return PLAIN

    def shared(self, text: str) -> Value:
        try:
            return self.strings[int(text)] or None
        except (ValueError, IndexError):
            return None

    def day(self, text: str, kind: str) -> Value:
        key = (text, kind)
        found = self._days.get(key)
        if found is None:
            plain = number(text)
            is_number = isinstance(plain, int | float)
            found = day_of(plain, kind, self.year_1904) if is_number else plain  # type: ignore[arg-type]
            if len(self._days) < 100_000:
                self._days[key] = found
        return found

    def whole(
        self, stored: str, type_: str, kind: str, formula: str = "", has_picture: bool = False
    ) -> tuple[Value, Mark | None]:
        """Value and mark of a cell that needs the whole road.

        Args:
            stored: what stands in the cell, unescaped.
            type_: "s", "str", "inlineStr", "b", "e", "d", "n" or "".
            formula: without "=", "" for none.
            has_picture: the cell refers to a picture put into it.
        """
        if type_ == "s":
            value = self.shared(stored)
        elif type_ in ("str", "inlineStr"):
            value = stored or None
        elif type_ == "b":
            value = stored.strip() in ("1", "true") if stored else None
        elif type_ == "e":
            is_picture = has_picture or bool(formula and _PICTURE.match(formula))
            return None, Mark(error="" if is_picture else stored, formula=formula, is_image=is_picture)
        elif type_ == "d":
            value = _iso(stored.strip())
        elif kind in (PLAIN, PERCENT):
            value = number(stored.strip())
        else:
            value = self.day(stored.strip(), kind)
        if (formula and _PICTURE.match(formula)) or is_picture_text(value):
            return None, Mark(is_image=True, formula=formula)
        is_percent = kind == PERCENT and type_ in ("", "n") and value is not None
        if formula or is_percent:
            return value, Mark(is_percent=is_percent, formula=formula)
        return value, None


def is_picture_text(value: Value) -> bool:
    return isinstance(value, str) and "DISPIMG" in value and _PICTURE.match(value) is not None


def _iso(text: str) -> Value:
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return text or None
    found = found.replace(tzinfo=None)
    return found.date() if found.time() == datetime.time() else found
