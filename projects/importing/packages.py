"""A zip package of XML parts, opened without trust: sizes, members, definitions and macros are judged before use.

Nothing is ever extracted to disk, so a member named `../x` reaches nowhere; parts are found by their exact name.
"""

from __future__ import annotations

import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree import ElementTree
from xml.parsers import expat

from projects.importing.refusals import (
    CORRUPT,
    ENCRYPTED,
    MACRO_FORBIDDEN,
    TOO_LARGE_UNCOMPRESSED,
    XML_DTD_FORBIDDEN,
    FileRefused,
)

LARGEST_UNPACKED = 200 * 1024 * 1024
LARGEST_RATIO = 200
#: Below this a ratio tells nothing: a small sheet of equal rows packs very well.
SMALL = 1024 * 1024
MOST_MEMBERS = 5_000
LARGEST_DIRECTORY = 2 * 1024 * 1024
#: Parts that are read in one piece (styles, workbook, relations).
LARGEST_SMALL_PART = 16 * 1024 * 1024
CHUNK = 1 << 18

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    struct.error,
    NotImplementedError,
    OSError,
    ValueError,
    KeyError,
)
_DTD = tuple(
    word.encode(encoding)
    for word in ("<!DOCTYPE", "<!ENTITY")
    for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
_SHEET_LIKE = re.compile(r"\.(xml|rels|vml|xhtml|html?)$", re.IGNORECASE)
_END = b"PK\x05\x06"


class Package:
    """The members of a zip file that passed the guards.

    Raises:
        FileRefused: CORRUPT, ENCRYPTED, TOO_LARGE_UNCOMPRESSED, MACRO_FORBIDDEN or XML_DTD_FORBIDDEN.
    """

    def __init__(self, source: BinaryIO, size: int) -> None:
        _refuse_large_directory(source, size)
        try:
            self._zip = zipfile.ZipFile(source)
        except _BROKEN:
            raise FileRefused(CORRUPT) from None
        self.left = (
            LARGEST_UNPACKED * 6
        )  # a part may be read again, but two hundred sheets may not share a large one
        try:
            self._members = self._judged(size)
        except BaseException:
            self.close()
            raise

    def _judged(self, size: int) -> dict[str, zipfile.ZipInfo]:
        entries = self._zip.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        if len(entries) > MOST_MEMBERS or unpacked > LARGEST_UNPACKED:
            raise FileRefused(TOO_LARGE_UNCOMPRESSED)
        if unpacked > SMALL and unpacked > size * LARGEST_RATIO:
            raise FileRefused(TOO_LARGE_UNCOMPRESSED)
        for entry in entries:
            # One good picture would hide a bomb beside it from the ratio of the whole.
            if entry.file_size > 10 * SMALL and entry.file_size > entry.compress_size * LARGEST_RATIO:
                raise FileRefused(TOO_LARGE_UNCOMPRESSED)
            if entry.flag_bits & 0x1:
                raise FileRefused(ENCRYPTED)
        return {entry.filename.replace("\\", "/").lstrip("/"): entry for entry in entries}

    def close(self) -> None:
        self._zip.close()

    def names(self) -> list[str]:
        return list(self._members)

    def has(self, name: str) -> bool:
        return self._real(name) is not None

    def _real(self, name: str) -> str | None:
        if name in self._members:
            return name
        lower = name.lower()  # names of parts do not distinguish case, and some writers rely on it
        return next((member for member in self._members if member.lower() == lower), None)

    def chunks(self, name: str, size: int = CHUNK) -> Iterator[bytes]:
        """The bytes of a part, piece by piece, never more than the directory announced.

        Raises:
            FileRefused: the part is missing, or damaged (its check sum is verified at its end).
        """
        real = self._real(name)
        if real is None:
            raise FileRefused(CORRUPT)
        entry = self._members[real]
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FileRefused(CORRUPT)
        try:
            with self._zip.open(entry) as part:
                while True:
                    piece = part.read(size)
                    if not piece:
                        return
                    self.left -= len(piece)
                    if self.left < 0:
                        raise FileRefused(TOO_LARGE_UNCOMPRESSED)
                    yield piece
        except (*_BROKEN, RuntimeError):
            raise FileRefused(CORRUPT) from None

    def small(self, name: str) -> bytes:
        """A part in one piece."""
        out = bytearray()
        for piece in self.chunks(name):
            out += piece
            if len(out) > LARGEST_SMALL_PART:
                raise FileRefused(TOO_LARGE_UNCOMPRESSED)
        return bytes(out)

    def tree(self, name: str) -> ElementTree.Element:
        """A small XML part as a tree; tags and attributes keep their namespace in braces.

        Safe without more: `refuse_definitions` has looked at every part before.
        """
        try:
            return ElementTree.fromstring(self.small(name))  # noqa: S314
        except (ElementTree.ParseError, ValueError, LookupError):
            raise FileRefused(CORRUPT) from None

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """The relations of a part: id to (last word of the type, name of the target)."""
        folder, file = posixpath.split(part)
        name = posixpath.join(folder, "_rels", file + ".rels")
        if not self.has(name):
            return {}
        found = {}
        for element in self.tree(name):
            target, kind = element.get("Target", ""), element.get("Type", "").rsplit("/", 1)[-1]
            if element.get("TargetMode") == "External" or not target:
                continue
            joined = target if target.startswith("/") else posixpath.join("/", folder, target)
            found[element.get("Id", "")] = (kind, posixpath.normpath(joined).lstrip("/"))
        return found

    def refuse_macros(self) -> None:
        if any("vbaproject" in name.lower() for name in self._members):
            raise FileRefused(MACRO_FORBIDDEN)
        if self.has("[Content_Types].xml") and b"macroenabled" in self.small("[Content_Types].xml").lower():
            raise FileRefused(MACRO_FORBIDDEN)

    def refuse_definitions(self) -> None:
        """No part may define a document type or entities: expanded, a few bytes become gigabytes.

        A definition can only stand before the first element. The parser finds it there in any encoding; the search for
        the bare words is for those parts that the parser gives up on.
        """
        for name in self._members:
            if _SHEET_LIKE.search(name):
                self._refuse_definition(name)

    def _refuse_definition(self, name: str) -> None:
        state = {"begun": False}

        def refuse(*_: object) -> None:
            raise FileRefused(XML_DTD_FORBIDDEN)

        def begin(*_: object) -> None:
            state["begun"] = True

        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = refuse
        parser.EntityDeclHandler = refuse
        parser.StartElementHandler = begin
        for at, piece in enumerate(self.chunks(name, 1 << 14)):
            if at < 64 and any(word in piece for word in _DTD):
                raise FileRefused(XML_DTD_FORBIDDEN)
            if state["begun"]:
                return
            if at * (1 << 14) > SMALL:
                raise FileRefused(
                    CORRUPT
                )  # a megabyte without an element; a parser's time grows with its square
            try:
                parser.Parse(piece, False)
            except (expat.ExpatError, ValueError, LookupError):
                state["begun"] = True  # whoever reads this part says that it is damaged


def _refuse_large_directory(source: BinaryIO, size: int) -> None:
    """A directory of a million members costs seconds before anything can be counted."""
    source.seek(max(0, size - 66_000))
    end = source.read()
    at = end.rfind(_END)
    if at < 0 or len(end) < at + 22:
        raise FileRefused(CORRUPT)
    length = struct.unpack_from("<I", end, at + 12)[0]
    if length > LARGEST_DIRECTORY:
        raise FileRefused(TOO_LARGE_UNCOMPRESSED)
    source.seek(0)
