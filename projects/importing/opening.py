"""Opening a ledger that somebody sent: what it is, judged by its content, and a reader for it or a refusal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

from projects.importing import refusals
from projects.importing.csv_text import LARGEST_TEXT, decoded, open_text
from projects.importing.packages import Package
from projects.importing.refusals import FileRefused, unsupported
from projects.importing.sheets import Book
from projects.importing.xls import LARGEST_XLS, open_xls
from projects.importing.xlsx import open_workbook

__all__ = ["FileRefused", "open_ledger", "open_stream"]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: First bytes of kinds that are recognised, but not read.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "pdf"),
    (b"{\\rtf", "rtf"),
    (b"Rar!", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "zip"),
    (b"\x1f\x8b", "zip"),
    (b"BZh", "zip"),
    (b"\xfd7zXZ", "zip"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"BM", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"\x09\x08", "et"),
    (b"\x09\x04", "et"),
    (b"\x09\x02", "et"),
    (b"\x09\x00\x04\x00", "et"),
)
_PAGE = re.compile(
    r"^\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|meta|body|table|style|div|script|title|center|p|br|span)\b",
    re.I | re.S,
)
_MHT = re.compile(
    r"^\s*(?:MIME-Version:|Content-Type:\s*multipart/|From:.{0,200}\n.{0,2000}MIME-Version:)", re.I | re.S
)
_XML = re.compile(r"^\s*<\?xml\b", re.I)
#: Names that fit a format; "" stands for a name without an ending.
_ENDINGS = {
    "xlsx": {"xlsx"},
    "xls": {"xls", "et"},
    "csv": {"csv", "txt", "tsv"},
    "tsv": {"csv", "txt", "tsv", "tab"},
}


def open_ledger(path: str | Path, name: str) -> Book:
    """Open a ledger by its content. Close the book, or use it in `with`.

    Args:
        path: where the file is.
        name: how the person called it; used for a warning only.

    Raises:
        FileRefused: with a code of `refusals` and words for the person.
    """
    source = Path(path).open("rb")  # noqa: SIM115 (the book reads on; closing it closes the file)
    try:
        book = open_stream(source, Path(path).stat().st_size, name)
    except BaseException:
        source.close()
        raise
    inner = book.closing

    def close() -> None:
        if inner is not None:
            inner()
        source.close()

    book.closing = close
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending not in _ENDINGS[book.format]:
        book.warnings.append(refusals.extension_mismatch(name, book.format))
    return book


def open_stream(source: BinaryIO, size: int, name: str) -> Book:
    """As `open_ledger`, for bytes in memory, and without a word about the name.

    Args:
        size: number of bytes.
        name: for the sheet of a text.

    Raises:
        FileRefused: as `open_ledger`.
    """
    head = source.read(8192)
    source.seek(0)
    if not head.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe") and not source.read(LARGEST_TEXT).strip(
        b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"
    ):
        raise FileRefused(refusals.EMPTY_FILE)
    source.seek(0)
    if head.startswith(b"PK\x03\x04") or (head.startswith(b"PK") and size < 30):
        return _package(source, size)
    if head.startswith(b"PK\x05\x06"):
        raise unsupported("zip")
    if head.startswith(_OLE) or (_OLE.startswith(head) and size < 8):
        if size > LARGEST_XLS:
            raise FileRefused(refusals.TOO_LARGE_UNCOMPRESSED)
        return open_xls(source.read())
    for begin, kind in _OTHERS:
        if head.startswith(begin):
            raise unsupported(kind)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        raise unsupported("image")
    _refuse_pages(head)
    if size > LARGEST_TEXT:
        raise FileRefused(refusals.TOO_LARGE_UNCOMPRESSED)
    text = decoded(source.read())
    if not text.strip("\ufeff \t\r\n"):
        raise FileRefused(refusals.EMPTY_FILE)
    return open_text(text, name.rpartition(".")[0] or name)


def _package(source: BinaryIO, size: int) -> Book:
    package = Package(source, size)
    try:
        names = {name.lower() for name in package.names()}
        if "mimetype" in names and b"opendocument" in package.small("mimetype"):
            raise unsupported("ods")
        if "xl/workbook.bin" in names:
            raise unsupported("xlsb")
        package.refuse_definitions()
        if "[content_types].xml" not in names:
            raise unsupported("zip")
        if any(name.startswith("word/") for name in names):
            raise unsupported("docx")
        if any(name.startswith("ppt/") for name in names):
            raise unsupported("pptx")
        package.refuse_macros()
        return open_workbook(package)
    except BaseException:
        package.close()
        raise


def _refuse_pages(head: bytes) -> None:
    """Web pages under another name, and other XML."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head[: len(head) // 2 * 2].decode("utf-16", "replace")
    elif b"<\x00" in head[:64]:
        text = head.decode("utf-16-le", "replace")
    elif b"\x00<" in head[:64]:
        text = head.decode("utf-16-be", "replace")
    else:
        text = head.decode("latin-1").removeprefix("ï»¿")
    text = text.lstrip("\ufeff")
    if _PAGE.match(text) or _MHT.match(text):
        raise FileRefused(refusals.UNSUPPORTED_CONTENT)
    if _XML.match(text):
        lower = text.lower()
        if "<html" in lower or "<!doctype html" in lower:
            raise FileRefused(refusals.UNSUPPORTED_CONTENT)
        if "<!doctype" in lower or "<!entity" in lower:
            raise FileRefused(refusals.XML_DTD_FORBIDDEN)
        raise unsupported("xml")
