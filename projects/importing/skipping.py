"""Rows of a table that are no projects: categories, sums, notes, repeated headers, prefilled serial numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from projects.importing.cells import Mark, Row, Value
from projects.importing.headers import Header

TITLE, META, HEADER, BLANK = "title", "meta", "header", "blank"
CATEGORY, SUBTOTAL, NOTE, HIDDEN_ROW = "category", "subtotal", "note", "hidden_row"

_SUM = re.compile(
    r"^\s*[(（【]?.{0,10}?(?:小\s*计|合\s*计|总\s*计|共\s*计|累\s*计)\s*[)）】]?\s*"
    r"(?:[:：]?\s*[(（]?\s*[\d,.]*\s*(?:项|个|件|户|万元|元|人)?\s*[)）]?\s*)$"
)
_SUM_WORD = re.compile(r"[小合总共累]\s*计")
_NOTE = re.compile(
    r"^\s*[(（【*※]?\s*(?:备?\s*注|说\s*明|填表说明|填报说明|附\s*注|附件|提示|注意事项?)\s*\d*\s*[】)）]?\s*[:：.、]"
    r"|^\s*[※*]|^\s*[(（【]?\s*(?:以下空白|此页无正文|以下无内容|下同)"
    r"|^\s*[-—]*\s*(?:第\s*\d+\s*页|共\s*\d+\s*页|\d+\s*/\s*\d+\s*页)"
    r"|^\s*(?:填\s*表\s*人|填\s*报\s*人|制\s*表\s*人|制\s*表|审\s*核\s*人?|审\s*批\s*人?|复\s*核\s*人?|经\s*办\s*人|负\s*责\s*人|单位负责人|主要负责人|分管领导|部门负责人|"
    r"签\s*字|签\s*章|盖\s*章|领导签字|联系电话|联系人|填表日期|填报日期|填表时间|填报时间|制表日期|打印日期|日\s*期)\s*(?:[(（].{0,8}[)）])?\s*(?:[:：]|$)"
)
_SUSPECT = re.compile(r"[计注明件人表核章字期页白领提※*话]")
_NUMBERED = re.compile(
    r"^\s*(?:[一二三四五六七八九十百]+\s*[、.．:：]|[(（]\s*[一二三四五六七八九十百]+\s*[)）]|第[一二三四五六七八九十]+\s*(?:类|部分|篇|章|项|批)|[A-ZⅠ-Ⅻ]\s*[、.．])"
)
_NUMERAL = re.compile(r"^\s*[(（]?\s*[一二三四五六七八九十百]+\s*[)）]?\s*[、.．]?\s*$")
_CLASS = re.compile(r"(?:类|领域|方面|部分|板块)\s*(?:[(（].{0,12}[)）])?\s*$")
_MARKS_OF_CLASS = re.compile(
    r"^\s*(?:[一二三四五六七八九十百]+\s*[、.．:：]|[(（]\s*[一二三四五六七八九十百]+\s*[)）]|第[一二三四五六七八九十]+\s*(?:类|部分|篇|章|项|批)\s*[:：、]?|[A-ZⅠ-Ⅻ]\s*[、.．])\s*|\s*[(（]\s*(?:共\s*)?\d+\s*[项个件]\s*[)）]\s*$"
)


def category_of(text: str) -> str:
    """The category without its number and count: 一、供水类（共3项） is 供水类."""
    return _MARKS_OF_CLASS.sub("", text).strip() or text.strip()


def _counts_columns(cells: list[str]) -> bool:
    """Whether a row numbers the columns, as statistical tables do: ①②③, (1) (2) (3), 甲 乙 1 2."""
    bare = [unicodedata.normalize("NFKC", cell).strip(" ()[]【】栏列") for cell in cells]
    numbers = [int(text) for text in bare if text.isascii() and text.isdecimal() and len(text) < 4]
    letters = bare[: len(bare) - len(numbers)]
    if letters and "".join(letters) not in ("甲乙丙丁戊己庚辛"[: len(letters)], "ABCDEFGH"[: len(letters)]):
        return False
    return numbers == list(range(1, len(numbers) + 1)) and len(numbers) + len(letters) == len(bare)


class Skipping:
    """Judges the rows of one table.

    Args:
        header: what the columns are.
        title: a title that printing repeats on each page.
    """

    def __init__(self, header: Header, title: str) -> None:
        self._header, self._title = header, title
        by_key = {key: position for position, key in header.columns.items()}
        self._name = by_key.get("name", -1)
        self._serial = by_key.get("serial", -1)
        self._others = [
            by_key[key] for key in ("enterprise", "deadline", "measures", "start") if key in by_key
        ]
        self._texts = header.texts
        self._plain: Mapping[int, Mark] = {}

    def why(self, row: Row) -> str:
        """Why the row is no project, "" if it is one."""
        if row.is_hidden:
            return HIDDEN_ROW
        values, name = row.values, self._name
        width = len(values)
        named = values[name] if name < width else None
        first = values[0] if width else None
        # The fast road: a serial number or plain text, a name, and a third cell; nothing that sums or notes say.
        if (
            named.__class__ is str
            and len(named) > 3  # type: ignore[arg-type]
            and (row.marks is self._plain or self._is_plain(row.marks))
            and (first.__class__ is not str or not _SUSPECT.search(first))  # type: ignore[arg-type]
            and not _SUSPECT.search(named[-4:])  # type: ignore[index]
            and not _SUSPECT.search(named[:4])  # type: ignore[index]
            and named not in self._texts.get(name, ())
        ):
            filled = 0
            for value in values:
                if value is not None and value != "":
                    filled += 1
                    if filled > 2:
                        return ""
        return self._slowly(row)

    def _is_plain(self, marks: Mapping[int, Mark]) -> bool:
        """Whether no cell is filled from a merged one; rows of one kind share their marks."""
        if any(mark.is_filled_down for mark in marks.values()):
            return False
        self._plain = marks
        return True

    def _slowly(self, row: Row) -> str:
        filled = {at for at, mark in row.marks.items() if mark.is_filled_down}
        own: list[tuple[int, Value]] = []
        for at, value in enumerate(row.values):
            if value is None or at in filled or (isinstance(value, str) and not value.strip()):
                continue
            own.append((at, value))
        marked = [at for at, mark in row.marks.items() if at not in filled and (mark.error or mark.is_image)]
        if not own and not marked:
            return BLANK
        if not own:
            return ""
        position, first = own[0]
        if len(own) == 1 and not isinstance(first, str) and position == self._serial:
            return BLANK  # numbered in advance
        if all(isinstance(value, str) and value.strip() in self._texts.get(at, ()) for at, value in own) and (
            len(own) > 1 or position == self._name
        ):
            return HEADER
        if len(own) > 2 and _counts_columns([str(value) for _at, value in own]):
            return HEADER
        texts = [(at, value) for at, value in own if isinstance(value, str)]
        return self._by_text(row, own, texts, filled) if texts else ""

    def _by_text(
        self, row: Row, own: list[tuple[int, Value]], texts: list[tuple[int, str]], filled: set[int]
    ) -> str:
        name_is_filled = self._name in filled and any(at < self._name for at, _ in own) is False
        places = {at for at, _ in own}
        is_project = (
            self._name in places
            and sum(1 for at in self._others if at in places) >= min(2, len(self._others))
            and bool(self._others)
        )
        first = texts[0][1]
        if not is_project:
            if any(
                _SUM_WORD.search(text) and _SUM.match(text)
                for at, text in texts[:3]
                if at <= max(self._name, 2)
            ):
                return SUBTOTAL
            if _NOTE.match(first):
                return NOTE
        if first.strip() == self._title and len(own) == 1:
            return TITLE
        if name_is_filled:
            return ""  # a further line of the project above
        if len(own) == 1:
            return self._alone(row, own[0][0], first)
        if len(own) == 2 and len(texts) == 2 and _NUMERAL.match(first) and texts[1][0] <= self._name + 1:
            return CATEGORY
        return ""

    def _alone(self, row: Row, position: int, text: str) -> str:
        is_wide = any(mark.is_filled_down and at > position for at, mark in row.marks.items())
        if len(text.strip()) > 60 and (is_wide or position != self._name):
            return NOTE
        if _NUMERAL.match(text) and position == self._serial:
            return BLANK
        if is_wide or _NUMBERED.match(text):
            return CATEGORY
        if position == self._name:
            return CATEGORY if _CLASS.search(text) and len(text.strip()) <= 12 else ""
        if position == self._serial:
            return CATEGORY if not text.strip().isdigit() else BLANK
        # A text alone left of the name heads the rows below; right of it, it is a line that lost its name.
        return CATEGORY if position < self._name else ""
