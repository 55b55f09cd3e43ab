"""The two facts of EXIF that the portal wants, read without handing the block to a general reader.

A general reader copies every value that a directory points to; 5,000 entries that all point to the
same 60 KB are a memory bomb within one ordinary JPEG segment. This one follows three tags.
"""

from __future__ import annotations

import datetime
import struct

_ORIENTATION = 0x0112
_EXIF_DIRECTORY = 0x8769
_DATE_TAKEN = 0x9003
_SHORT, _LONG, _ASCII = 3, 4, 2
#: Cameras write some dozens of entries.
_MOST_ENTRIES = 512
#: Digital cameras are not older; a camera whose clock was never set says 1970 or 1980.
_FIRST_YEAR, _LAST_YEAR = 1990, 2099


def read(block: bytes) -> tuple[int, datetime.date | None]:
    """Orientation (1 to 8, 1 when absent or nonsense) and the day on which the picture was taken.

    Args:
        block: the TIFF structure of EXIF, with or without the leading "Exif" mark.

    Never raises: a broken block is one that says nothing.
    """
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return 1, None
    orientation, day = 1, None
    try:
        first = _entries(block, order, *struct.unpack_from(order + "I", block, 4))
        orientation = _number(order, first.get(_ORIENTATION)) or 1
        if (directory := _number(order, first.get(_EXIF_DIRECTORY))) is not None:
            day = _day(block, order, _entries(block, order, directory).get(_DATE_TAKEN))
    except struct.error:
        pass
    return (orientation if 1 <= orientation <= 8 else 1), day


def _entries(block: bytes, order: str, offset: int) -> dict[int, tuple[int, int, bytes]]:
    (count,) = struct.unpack_from(order + "H", block, offset)
    found: dict[int, tuple[int, int, bytes]] = {}
    for index in range(min(count, _MOST_ENTRIES)):
        try:
            tag, kind, length, value = struct.unpack_from(order + "HHI4s", block, offset + 2 + 12 * index)
        except struct.error:
            break  # cut off: what came before still counts
        found[tag] = (kind, length, value)
    return found


def _number(order: str, entry: tuple[int, int, bytes] | None) -> int | None:
    if entry is None or entry[0] not in (_SHORT, _LONG):
        return None
    number: int = struct.unpack_from(order + ("H" if entry[0] == _SHORT else "I"), entry[2])[0]
    return number


def _day(block: bytes, order: str, entry: tuple[int, int, bytes] | None) -> datetime.date | None:
    if entry is None or entry[0] != _ASCII or entry[1] < 10:
        return None
    (offset,) = struct.unpack(order + "I", entry[2])
    text = block[offset : offset + 10]
    try:
        year, month, day = (int(part) for part in text.decode("ascii").split(":"))
        taken = datetime.date(year, month, day)
    except ValueError:
        return None
    return taken if _FIRST_YEAR <= taken.year <= _LAST_YEAR else None
