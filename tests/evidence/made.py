"""Files made byte by byte, so that every test says what is in the file it is about."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image, ImageDraw, ImageFilter


def encoded(picture: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def decoded(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data), formats=("JPEG",))
    picture.load()
    return picture


def scene(seed: int, size: tuple[int, int] = (800, 600)) -> Image.Image:
    """A photograph of sorts: coloured things of many sizes, softened, with the grain of a sensor."""
    draw_from = random.Random(seed)
    picture = Image.new("RGB", size, tuple(draw_from.randrange(256) for _ in range(3)))
    brush = ImageDraw.Draw(picture)
    for _ in range(60):
        x, y = draw_from.randrange(size[0]), draw_from.randrange(size[1])
        w, h = (
            draw_from.randrange(size[0] // 30, size[0] // 2),
            draw_from.randrange(size[1] // 30, size[1] // 2),
        )
        brush.ellipse(
            (x - w // 2, y - h // 2, x + w // 2, y + h // 2),
            fill=tuple(draw_from.randrange(256) for _ in range(3)),
        )
    grain = Image.effect_noise(size, 20).convert("RGB")
    return Image.blend(picture.filter(ImageFilter.GaussianBlur(3)), grain, 0.05)


def exif(*, orientation: int = 1, taken: str = "2026:06:10 08:30:00", order: str = "<") -> bytes:
    """An EXIF block with orientation, camera, day and a place (the Great Hall of the People)."""
    mark = b"II*\0" if order == "<" else b"MM\0*"

    def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
        return struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\0")

    def number(value: int) -> bytes:
        return struct.pack(order + "I", value)

    # First directory at 8: 4 entries; behind it the Exif directory, the GPS directory, then values.
    first, second, third = 8, 8 + 2 + 4 * 12 + 4, 8 + 2 + 4 * 12 + 4 + 2 + 12 + 4
    values = third + 2 + 2 * 12 + 4
    date = taken.encode() + b"\0"
    camera = b"SpyCam 3000\0"
    latitude = struct.pack(order + "6I", 39, 1, 54, 1, 12, 1)
    return (
        mark
        + number(first)
        + struct.pack(order + "H", 4)
        + entry(0x0110, 2, len(camera), number(values + len(date)))
        + entry(0x0112, 3, 1, struct.pack(order + "H", orientation))
        + entry(0x8769, 4, 1, number(second))
        + entry(0x8825, 4, 1, number(third))
        + number(0)
        + struct.pack(order + "H", 1)
        + entry(0x9003, 2, len(date), number(values))
        + number(0)
        + struct.pack(order + "H", 2)
        + entry(1, 2, 2, b"N\0")
        + entry(2, 5, 3, number(values + len(date) + len(camera)))
        + number(0)
        + date
        + camera
        + latitude
    )


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_header(width: int, height: int, *extra: bytes) -> bytes:
    """A PNG that states a size and goes on with `extra` chunks, then one row of nothing."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    row = png_chunk(b"IDAT", zlib.compress(bytes(3 * width + 1)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + row + png_chunk(b"IEND", b"")


def archive(*names: str, encrypted: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, "<x/>" * 50)
    data = bytearray(out.getvalue())
    if encrypted:
        data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def office(part: str, *more: str, **options: bool) -> bytes:
    return archive("[Content_Types].xml", "_rels/.rels", part, *more, **options)


def pdf(text: str = "") -> bytes:
    body = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n" + text.encode()
    body += b"\n" * 8
    return (
        body
        + b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 1 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % len(body)
    )


_FREE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def compound(*streams: str, inside: str = "") -> bytes:
    """A compound file of version 3 with these streams; `inside` is one within a storage "ObjectPool"."""
    entries = [("Root Entry", 5, 1 if streams else _FREE)]
    siblings = []
    for number, name in enumerate(streams, start=1):
        entries.append((name, 2, _FREE))
        siblings.append(number + 1 if number < len(streams) or inside else _FREE)
    if inside:
        entries += [("ObjectPool", 1, len(entries) + 1), (inside, 2, _FREE)]
        siblings += [_FREE, _FREE]
    directory = b""
    for (name, kind, child), right in zip(entries, [_FREE, *siblings], strict=True):
        raw = name.encode("utf-16-le")
        directory += struct.pack("<64sHBBIII", raw, len(raw) + 2, kind, 1, _FREE, right, child).ljust(
            128, b"\0"
        )
    directory = directory.ljust(-(-len(directory) // 512) * 512, b"\0")
    sectors = len(directory) // 512
    content = 20
    table = [_TABLE, *range(2, sectors + 1), _END, *range(sectors + 2, sectors + content + 1), _END]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\0")
    header += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, _END, 0, _END, 0)
    header += struct.pack("<109I", 0, *[_FREE] * 108)
    return (
        header
        + struct.pack("<128I", *table, *[_FREE] * (128 - len(table)))
        + directory
        + b"x" * (512 * content)
    )
