"""Tables as text: which encoding, which delimiter, and the records."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from projects.importing.cells import Row
from projects.importing.refusals import CORRUPT, TOO_LARGE_UNCOMPRESSED, FileRefused, unsupported
from projects.importing.sheets import MOST_CELLS, MOST_COLUMNS, Book, Sheet

LARGEST_TEXT = 64 * 1024 * 1024
_SAMPLE = 20
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_SEP = re.compile(r"^sep=(.)\r?$", re.IGNORECASE)
_LIKELY = re.compile(r"[\t\r\n -~\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 or GB 18030, with or without a byte order mark.

    Raises:
        FileRefused: CORRUPT when the text breaks off or holds zero bytes, UNSUPPORTED_TYPE when it is no text.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _strictly(content, "utf-16")
    if b"\x00" in content[:65_536]:
        for encoding in ("utf-16-le", "utf-16-be"):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            sample = text[:4000]
            if len(_LIKELY.findall(sample)) > 0.9 * len(sample):
                return text
        raise unsupported("other")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # What is UTF-8 up to its last three bytes was cut off; read as GBK it would turn into nonsense.
        if error.start >= len(content) - 3 and error.start > 16 and not content[: error.start].isascii():
            raise FileRefused(CORRUPT) from None
        text = _strictly(content, "gb18030")
    if "\x00" in text:
        raise FileRefused(CORRUPT)
    sample = text[:65_536]
    if len(_CONTROLS.findall(sample)) > len(sample) // 500:
        raise unsupported("other")
    return text


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise (
            unsupported("other")
            if len(_CONTROLS.findall(content[:4096].decode("latin-1"))) > 40
            else FileRefused(CORRUPT)
        ) from None


def open_text(text: str, name: str) -> Book:
    """A text as a book of one sheet. `Row.values` has as many cells as the record has.

    Raises:
        FileRefused: TOO_LARGE_UNCOMPRESSED.
    """
    if len(text) > LARGEST_TEXT:
        raise FileRefused(TOO_LARGE_UNCOMPRESSED)
    delimiter, skip = _delimiter(text)
    sheet = Sheet(name, False, False, lambda: _records(text, delimiter, skip))
    return Book("tsv" if delimiter == "\t" else "csv", [sheet])


def _records(text: str, delimiter: str, skip: int) -> Iterator[Row]:
    cells = 0
    try:
        for number, record in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), start=1
        ):
            cells += len(record)
            if cells > MOST_CELLS:
                raise FileRefused(TOO_LARGE_UNCOMPRESSED)
            if number > skip and any(record):
                yield Row(number, record[:MOST_COLUMNS])  # type: ignore[arg-type]
    except csv.Error:
        raise FileRefused(CORRUPT) from None


def _delimiter(text: str) -> tuple[str, int]:
    """The delimiter, and how many records at the beginning only name it (`sep=;`)."""
    head = text[:100_000]
    named = _SEP.match(head.split("\n", 1)[0])
    if named is not None:
        return named[1], 1
    best, most = ",", 0.0
    for delimiter in ",\t;":
        widths = []
        try:
            for record in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter):
                if any(record):
                    widths.append(len(record))
                if len(widths) >= _SAMPLE:
                    break
        except csv.Error:
            continue
        # The usual width counts, so that commas inside one note do not outvote the tabs of every record.
        usual = sorted(widths)[len(widths) // 2] if widths else 0
        score = usual + (max(widths, default=0) - 1) / 10_000
        if max(widths, default=0) > 1 and score > most:
            best, most = delimiter, score
    return best, 0
