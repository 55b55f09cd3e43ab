"""Workbooks in the xlsx form: which sheets there are, and how their cells are stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from xml.etree import ElementTree

from projects.importing.cells import Row
from projects.importing.merges import MOST_AREAS, areas_of, fill
from projects.importing.number_formats import kind_of
from projects.importing.packages import Package
from projects.importing.refusals import CORRUPT, TOO_LARGE_UNCOMPRESSED, FileRefused
from projects.importing.sheets import Book, Sheet
from projects.importing.xlsx_exact import exact_merges, exact_rows, exact_strings
from projects.importing.xlsx_fast import FastRows, Odd, text_of_runs
from projects.importing.xlsx_values import Values, unescaped

MOST_SHEETS = 200
MOST_STRINGS = 3_000_000
_MOST_STYLES = 70_000
_ENDS = b"</sheetData>"
_MERGE = re.compile(rb'<mergeCell ref="([A-Z0-9:]{3,30})"')
_DIMENSION = re.compile(rb'<dimension ref="(?:[A-Z]{1,3}[0-9]{1,7}:)?[A-Z]{1,3}([0-9]{1,7})"')
_LAST_ROW = 1_048_576
_STRING = re.compile(r'<si><t(?: xml:space="preserve")?>([^<]*)</t></si>|<si>(.*?)</si>|<si/>', re.DOTALL)


def open_workbook(package: Package) -> Book:
    """The sheets of a workbook. Nothing of them is read yet.

    Raises:
        FileRefused: CORRUPT.
    """
    part = _workbook_part(package)
    root = package.tree(part)
    relations = package.relations(part)
    by_kind = dict(relations.values())
    is_1904 = any(
        _local(element) == "workbookPr" and element.get("date1904", "").lower() in ("1", "true")
        for element in root
    )
    loaded: list[Values] = []

    def values() -> Values:
        if not loaded:
            strings = _strings(package, by_kind.get("sharedStrings", ""))
            kinds = _style_kinds(package, by_kind.get("styles", ""))
            loaded.append(Values(strings, kinds, is_1904))
        return loaded[0]

    sheets: list[Sheet] = []
    for element in root.iter():
        if _local(element) != "sheet":
            continue
        ids = [value for key, value in element.attrib.items() if key.endswith("}id") or key == "r:id"]
        kind, target = relations.get(ids[0], ("", "")) if ids else ("", "")
        if kind != "worksheet":
            continue  # a chart or dialogue
        if len(sheets) >= MOST_SHEETS:
            raise FileRefused(TOO_LARGE_UNCOMPRESSED)
        is_hidden = element.get("state", "visible") != "visible"
        name = element.get("name", "")
        sheets.append(
            Sheet(
                name,
                is_hidden,
                is_1904,
                _source(package, target, values),
                partial(_announced, package, target),
            )
        )
    if not sheets:
        raise FileRefused(CORRUPT)
    return Book("xlsx", sheets, closing=package.close)


def _workbook_part(package: Package) -> str:
    for kind, target in package.relations("").values():
        if kind == "officeDocument" and package.has(target):
            return target
    if package.has("xl/workbook.xml"):
        return "xl/workbook.xml"
    raise FileRefused(CORRUPT)


def _announced(package: Package, part: str) -> int:
    """The last row that the part names at its beginning."""
    found = _DIMENSION.search(next(package.chunks(part, 4096), b""))
    return min(int(found[1]), _LAST_ROW) if found else 0


def _source(package: Package, part: str, values: Callable[[], Values]) -> Callable[[], Iterator[Row]]:
    return lambda: _rows(package, part, values())


def _rows(package: Package, part: str, values: Values) -> Iterator[Row]:
    references, is_plain = _tail(package, part)
    areas = areas_of(references)
    yield from fill(_unmerged(package, part, values, is_plain), areas)


def _unmerged(package: Package, part: str, values: Values, is_plain: bool) -> Iterator[Row]:
    skip = 0
    if is_plain:
        fast = FastRows(package.chunks(part), values)
        try:
            yield from fast
            return
        except Odd:
            skip = fast.emitted
    yield from exact_rows(package.chunks(part), values, skip)


def _tail(package: Package, part: str) -> tuple[list[str], bool]:
    """The merged areas, which stand behind the cells, and whether the part is written plainly.

    The part is read to its end: its check sum tells a damaged file before the first row was taken.
    """
    head, tail, last, is_behind = b"", bytearray(), b"", False
    for piece in package.chunks(part):
        if len(head) < 4096:
            head += piece[:4096]
        if is_behind:
            tail += piece
        else:
            joined = last + piece
            at = joined.find(_ENDS)
            is_behind = at >= 0
            if is_behind:
                tail += joined[at:]
            last = piece[-16:]
        if len(tail) > 32 * 1024 * 1024:
            raise FileRefused(TOO_LARGE_UNCOMPRESSED)
    is_plain = (
        is_behind
        and head.lstrip(b"\xef\xbb\xbf").startswith((b"<?xml", b"<worksheet"))
        and _is_utf8(head)
        and b"<worksheet" in head
        and tail.rstrip().endswith(b"</worksheet>")
        and b"<!" not in tail
    )
    if is_plain and tail.count(b"mergeCell ") == len(_MERGE.findall(tail)):
        return [found.decode() for found in _MERGE.findall(tail)[:MOST_AREAS]], True
    return exact_merges(package.chunks(part), MOST_AREAS), False


def _is_utf8(head: bytes) -> bool:
    named = re.search(rb'encoding=["\']([A-Za-z0-9_-]+)["\']', head.split(b"?>", 1)[0])
    return named is None or named[1].lower() in (b"utf-8", b"utf8")


def _strings(package: Package, part: str) -> list[str]:
    if not part or not package.has(part):
        return []
    plain = _plain_strings(package, part)
    return plain if plain is not None else exact_strings(package.chunks(part), MOST_STRINGS)


def _plain_strings(package: Package, part: str) -> list[str] | None:
    """The strings of a part that is written plainly, None for another one."""
    strings: list[str] = []
    rest, is_begun, is_ended = b"", False, False
    for piece in package.chunks(part):
        text = rest + piece
        if not is_begun:
            at = text.find(b"<sst")
            if at < 0 or text.find(b">", at) < 0:
                if len(text) > 65_536:
                    return None
                rest = text
                continue
            if not _is_utf8(text) or b"<!" in text[:at] or not text.lstrip(b"\xef\xbb\xbf").startswith(b"<"):
                return None
            begin = text.find(b">", at) + 1
            text, is_begun = text[begin:], True
        is_ended = is_ended or text.rstrip().endswith(b"</sst>")
        cut = max(text.rfind(b"</si>") + 5, text.rfind(b"<si/>") + 5)
        if cut < 5:
            if len(text) > 8 * 1024 * 1024:
                return None
            rest = text
            continue
        rest = text[cut:]
        try:
            whole = text[:cut].decode()
        except UnicodeDecodeError:
            return None
        found = _STRING.findall(whole)
        if "<!" in whole or len(found) != whole.count("<si>") + whole.count("<si/>") or "<si " in whole:
            return None
        if (
            "&" in whole
            or "_x" in whole
            or "\r" in whole
            or "<r>" in whole
            or "<rPh" in whole
            or "<t/>" in whole
        ):
            strings.extend(text_of_runs(runs) if runs else unescaped(plain) for plain, runs in found)
        else:
            strings.extend(plain or (text_of_runs(runs) if runs else "") for plain, runs in found)
        if len(strings) > MOST_STRINGS:
            raise FileRefused(TOO_LARGE_UNCOMPRESSED)
    return strings if is_ended or rest.strip() == b"</sst>" else None


def _style_kinds(package: Package, part: str) -> list[str]:
    """The kind of number of each cell style, by its index."""
    if not part or not package.has(part):
        return []
    codes: dict[int, str] = {}
    formats: list[int] = []
    for element in package.tree(part):
        if _local(element) == "numFmts":
            codes = {_integer(item.get("numFmtId")): item.get("formatCode", "") for item in element}
        elif _local(element) == "cellXfs":
            formats = [_integer(item.get("numFmtId")) for item in list(element)[:_MOST_STYLES]]
    kinds = {number: kind_of(number, codes.get(number, "")) for number in set(formats)}
    return [kinds[number] for number in formats]


def _integer(text: str | None) -> int:
    return int(text) if text and text.isdigit() and len(text) < 10 else 0


def _local(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]
