"""Which office document some bytes are, by their table of contents; nothing is ever unpacked.

Word, Excel, PowerPoint and OFD are ZIP archives, their elders (and WPS) compound files with a directory.
Macros are refused. In a PDF they are not: it is only ever handed out as an attachment, and the readers
in use ask before a script of a PDF does anything; refusing would hit every form with a computed field.
"""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Iterator

from django.utils.translation import gettext as _

from projects.evidence.unreadable import Unreadable, damaged_document

_MOST_ENTRIES = 10_000
#: A document that unfolds to more would bring down the office program of whoever opens it.
_MOST_UNFOLDED = 2 * 1024**3

#: Word Online and others number the main part, so document2.xml is one as well.
_OFFICE_PARTS = (
    (re.compile(r"word/document\d*\.xml"), ".docx"),
    (re.compile(r"xl/workbook\d*\.xml"), ".xlsx"),
    (re.compile(r"ppt/presentation\d*\.xml"), ".pptx"),
)
#: Also dialogs and sheets of macros from before VBA. A project under another name is not seen, but the
#: file is kept as .docx, and there the office programs run none.
_MACROS = re.compile(r"(.*/)?vbaproject\.bin|xl/(macrosheets|dialogsheets)/.*")

OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (
    ("WordDocument", ".doc"),
    ("PowerPoint Document", ".ppt"),
    ("Workbook", ".xls"),
    ("Book", ".xls"),
)
#: Same streams, other programs: the name is the only thing that tells, and both programs open both.
_WPS_NAMES = {".doc": ".wps", ".xls": ".et", ".ppt": ".dps"}
_FREE = 0xFFFFFFFF


def extension_of(data: bytes, name: str) -> str | None:
    """The extension that belongs to a document, such as ".docx"; None when it is no document.

    Args:
        name: decides between .doc and .wps and the like, nothing else.

    Raises:
        Unreadable: a document, but damaged, with macros or locked by a password.
    """
    if data[:32].lstrip(b"\xef\xbb\xbf\0\t\n\r ").startswith(b"%PDF-"):
        return _pdf(data)
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip(data)
    if data[:8] == OLE_START:
        try:
            found = _ole(data)
        except (struct.error, IndexError, ValueError):
            raise damaged_document() from None
        wps = _WPS_NAMES.get(found or "")
        return wps if wps and name.lower().endswith(wps) else found
    return None


def with_macros() -> Unreadable:
    return Unreadable(
        _(
            "This document contains macros. Save it without them (as .docx, .xlsx or .pptx, or as PDF) and choose that file."
        )
    )


def locked() -> Unreadable:
    return Unreadable(_("This document is locked by a password. Save it without one and choose that file."))


# -- PDF ----------------------------------------------------------------------------------------


def _pdf(data: bytes) -> str:
    end = data[-4096:]
    starts = re.findall(rb"startxref\s+(\d{1,12})\s+%%EOF", end)
    if not starts or int(starts[-1]) >= len(data):
        raise damaged_document()
    return ".pdf"


# -- ZIP ----------------------------------------------------------------------------------------


def _zip(data: bytes) -> str | None:
    try:
        names, encrypted = _central_directory(data)
    except (struct.error, ValueError):
        raise damaged_document() from None
    if "ofd.xml" in names:
        found: str | None = ".ofd"
    elif "[content_types].xml" in names:
        kinds = {kind for part, kind in _OFFICE_PARTS if any(part.fullmatch(name) for name in names)}
        found = kinds.pop() if len(kinds) == 1 else None
    else:
        found = None
    if found and any(_MACROS.fullmatch(name) for name in names):
        raise with_macros()
    if found and encrypted:
        raise locked()
    return found


def _central_directory(data: bytes) -> tuple[set[str], bool]:
    """The names of all members in small letters, and whether one is encrypted.

    Read by hand, because a general reader builds an object for each of the 400,000 members that fit
    into 20 MB before one can count them.
    """
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if at < 0:
        raise ValueError("no end of the central directory")
    count, size, start = struct.unpack_from("<HII", data, at + 10)
    if 0xFFFF in (count,) or _FREE in (size, start):
        record = struct.unpack_from("<Q", data, at - 12)[0]
        if data[at - 20 : at - 16] != b"PK\x06\x07" or data[record : record + 4] != b"PK\x06\x06":
            raise ValueError("no large end of the central directory")
        count, size, start = struct.unpack_from("<QQQ", data, record + 32)
    if count > _MOST_ENTRIES or start + size > at:
        raise ValueError("more members than a document has, or a directory beyond its place")
    names: set[str] = set()
    encrypted, stored, unfolded = False, 0, 0
    here = start
    for _member in range(count):
        if data[here : here + 4] != b"PK\x01\x02":
            raise ValueError("no member where one belongs")
        flags, packed, whole, name, extra, comment = struct.unpack_from("<8xH10xIIHHH", data, here)
        (local,) = struct.unpack_from("<I", data, here + 42)
        if local != _FREE and data[local : local + 4] != b"PK\x03\x04":
            raise ValueError("a member that is not where the directory says")
        encrypted = encrypted or bool(flags & 1)
        stored += packed if packed != _FREE else 0
        unfolded += whole
        raw = data[here + 46 : here + 46 + name]
        names.add(raw.decode("utf-8", "replace").replace("\\", "/").lstrip("/").lower())
        here += 46 + name + extra + comment
    # Members that share their bytes are how a small file unfolds to terabytes.
    if here > start + size or stored > len(data) or unfolded > _MOST_UNFOLDED:
        raise ValueError("members that overlap or unfold to more than a document holds")
    return names, encrypted


# -- compound files -------------------------------------------------------------------------------


def _ole(data: bytes) -> str | None:
    major, order, shift = struct.unpack_from("<26xHHH", data)
    if order != 0xFFFE or (major, shift) not in ((3, 9), (4, 12)):
        raise ValueError("no compound file of a known version")
    sector = 1 << shift
    table = _allocation(data, sector)
    used = max((number for number, entry in enumerate(table) if entry != _FREE), default=-1)
    # The last sector may be short; one that is missing altogether was lost on the way.
    if (used + 1) * sector >= len(data):
        raise ValueError("sectors beyond the end")
    (first,) = struct.unpack_from("<I", data, 48)
    entries = [entry for number in _chain(table, first) for entry in _directory(data, sector, number)]
    every = {name for name, _kind, _left, _right, _child in entries}
    top = set(_children(entries))
    if "EncryptedPackage" in top:
        raise locked()
    found = next((kind for stream, kind in _OLE_STREAMS if stream in top), None)
    if found and "_VBA_PROJECT" in every:
        raise with_macros()
    return found


def _allocation(data: bytes, sector: int) -> array[int]:
    """The whole table of which sector follows which; a 20 MB file has 40,000 of them."""
    most = len(data) // sector + 1
    numbers = [n for n in struct.unpack_from("<109I", data, 76) if n != _FREE]
    (following,) = struct.unpack_from("<I", data, 68)
    seen: set[int] = set()
    while following < most and following not in seen:
        seen.add(following)
        more = struct.unpack_from(f"<{sector // 4}I", data, (following + 1) * sector)
        numbers += [n for n in more[:-1] if n != _FREE]
        following = more[-1]
    if len(numbers) > most // (sector // 4) + 2:
        raise ValueError("a larger table than the file has sectors")
    table: array[int] = array("I")
    for number in numbers:
        table.extend(struct.unpack_from(f"<{sector // 4}I", data, (number + 1) * sector))
    return table


def _chain(table: array[int], first: int) -> Iterator[int]:
    seen: set[int] = set()
    while first < len(table) and first not in seen and len(seen) < _MOST_ENTRIES:
        seen.add(first)
        yield first
        first = table[first]


_Entry = tuple[str, int, int, int, int]


def _directory(data: bytes, sector: int, number: int) -> Iterator[_Entry]:
    for index in range(sector // 128):
        raw, length, kind, left, right, child = struct.unpack_from(
            "<64sHBxIII", data, (number + 1) * sector + index * 128
        )
        yield raw[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace"), kind, left, right, child


def _children(entries: list[_Entry]) -> Iterator[str]:
    """Names directly below the root; an embedded object has streams of the same names further down."""
    waiting, seen = [entries[0][4]], set()
    while waiting:
        number = waiting.pop()
        if number >= len(entries) or number in seen:
            continue
        seen.add(number)
        name, _kind, left, right, _child = entries[number]
        yield name
        waiting += [left, right]
