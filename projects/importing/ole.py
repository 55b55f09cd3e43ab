"""The compound file around old workbooks: its streams by name. Chains are followed no longer than the file is."""

from __future__ import annotations

import struct

from projects.importing.refusals import CORRUPT, FileRefused

_END_OF_CHAIN = 0xFFFFFFFE
_MOST_ENTRIES = 4_096


class CompoundFile:
    """Streams of a compound file.

    Raises:
        FileRefused: CORRUPT.
    """

    def __init__(self, content: bytes) -> None:
        if len(content) < 512:
            raise FileRefused(CORRUPT)
        self._content = content
        shift, mini_shift = struct.unpack_from("<HH", content, 0x1E)
        if shift not in (9, 12) or mini_shift != 6:
            raise FileRefused(CORRUPT)
        self._size, self._mini_size = 1 << shift, 1 << mini_shift
        directory, self._cutoff = (
            struct.unpack_from("<I", content, 0x30)[0],
            struct.unpack_from("<I", content, 0x38)[0],
        )
        mini_table, _, more, _ = struct.unpack_from("<4I", content, 0x3C)
        self._table = self._allocation(more)
        entries = self._chain(directory, self._table, self._sector, None)
        self.streams: dict[str, tuple[int, int]] = {}
        self.names: set[str] = set()
        root = (0, 0)
        for at in range(0, min(len(entries), _MOST_ENTRIES * 128) - 127, 128):
            length, kind = struct.unpack_from("<HB", entries, at + 64)
            if kind not in (1, 2, 5) or not 2 <= length <= 64:
                continue
            name = entries[at : at + length - 2].decode("utf-16-le", "replace").lower()
            place = struct.unpack_from("<II", entries, at + 116)
            self.names.add(name)
            if kind == 5:
                root = place
            elif kind == 2:
                self.streams.setdefault(name, place)
        self._mini_start, self._mini_length = root
        self._mini_table_start = mini_table

    def stream(self, name: str) -> bytes:
        """The bytes of a stream."""
        start, length = self.streams[name.lower()]
        if length > len(self._content):
            raise FileRefused(CORRUPT)
        if length >= self._cutoff:
            return self._exactly(self._chain(start, self._table, self._sector, length), length)
        mini = self._chain(self._mini_start, self._table, self._sector, None) if length else b""
        raw = self._chain(self._mini_table_start, self._table, self._sector, None)
        table = struct.unpack(f"<{len(raw) // 4}I", raw[: len(raw) // 4 * 4])

        def sector(number: int) -> bytes:
            return mini[number * self._mini_size : (number + 1) * self._mini_size]

        return self._exactly(self._chain(start, table, sector, length), length)

    @staticmethod
    def _exactly(found: bytes, length: int) -> bytes:
        if len(found) < length:
            raise FileRefused(CORRUPT)
        return found[:length]

    def _sector(self, number: int) -> bytes:
        return self._content[(number + 1) * self._size : (number + 2) * self._size]

    def _allocation(self, more: int) -> tuple[int, ...]:
        sectors = len(self._content) // self._size + 1
        places = list(struct.unpack_from("<109I", self._content, 0x4C))
        steps = 0
        while more < _END_OF_CHAIN - 1 and steps < sectors:
            block = self._sector(more)
            if len(block) < self._size:
                raise FileRefused(CORRUPT)
            numbers = struct.unpack(f"<{self._size // 4}I", block)
            places.extend(numbers[:-1])
            more, steps = numbers[-1], steps + 1
        table: list[int] = []
        for place in places:
            if place >= _END_OF_CHAIN - 1:
                continue
            block = self._sector(place)
            if len(block) < self._size or len(table) > sectors + self._size:
                raise FileRefused(CORRUPT)
            table.extend(struct.unpack(f"<{self._size // 4}I", block))
        return tuple(table)

    def _chain(self, start: int, table: tuple[int, ...], sector: object, length: int | None) -> bytes:
        out, number, steps = bytearray(), start, 0
        while number < _END_OF_CHAIN - 1:
            if number >= len(table) or steps > len(table):
                raise FileRefused(CORRUPT)
            piece = sector(number)  # type: ignore[operator]
            if not piece:
                raise FileRefused(CORRUPT)
            out += piece
            if length is not None and len(out) >= length:
                break
            number, steps = table[number], steps + 1
        return bytes(out)
