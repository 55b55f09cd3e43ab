"""What a picture's file says of itself, read before any decoder sees it.

The walk finds size, EXIF and colour profile, and leaves a copy with nothing but what decoding needs.
So the decoder meets no text chunks that unfold to gigabytes, no EXIF, no second pictures of a phone's
JPEG and no animation, and a picture that would fill the memory is refused by its first bytes.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

from projects.evidence.unreadable import damaged_picture

#: Real profiles have 0.5 KB to 2 MB (printing presses); larger ones are left unread.
_MOST_PROFILE = 4 * 1024 * 1024
#: EXIF in a JPEG is one segment; other formats set no bound of their own.
_MOST_EXIF = 128 * 1024
_MOST_SEGMENTS = 2_000
_MOST_CHUNKS = 50_000

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
#: What cameras and programs write: baseline, extended, progressive. The others (lossless, hierarchical,
#: arithmetic) are corners of the decoder that nobody needs and that know no decoding at a fraction.
_JPEG_TAKEN = {0xC0, 0xC1, 0xC2}
_JPEG_PROGRESSIVE = 0xC2
#: Ends a run of coded data: 00 is an escaped FF, D0 to D7 are restarts, FF is filling.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True)
class Header:
    """Args: width and height in pixels as stored (before orientation); `scans` counts the passes over
    a JPEG; `buffered` is the bytes that a JPEG decoder must hold whatever the scale; `clean` is what
    to decode."""

    format: str
    width: int
    height: int
    clean: bytes
    exif: bytes = b""
    profile: bytes = b""
    scans: int = 1
    buffered: int = 0


def format_of(data: bytes) -> str | None:
    """ "JPEG", "PNG" or "WEBP" by the first bytes; None for everything else."""
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:8] == _PNG_START:
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return None


def read(data: bytes) -> Header:
    """Raises:
    Unreadable: the bytes do not hold together, or are of another format.
    """
    walk = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp}.get(format_of(data) or "")
    if walk is None:
        raise damaged_picture()
    try:
        header = walk(data)
    except (struct.error, IndexError, ValueError):
        raise damaged_picture() from None
    if header.width < 1 or header.height < 1:
        raise damaged_picture()
    return header


# -- JPEG ---------------------------------------------------------------------------------------


def _jpeg(data: bytes) -> Header:
    kept, profile, exif = [b"\xff\xd8"], {}, b""
    frame: bytes = b""
    progressive = False
    at = 2
    for _segment in range(_MOST_SEGMENTS):
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        if data[at] != 0xFF:
            raise ValueError("no marker where one belongs")
        marker = data[at + 1]
        (length,) = struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + length]
        if length < 2 or len(body) != length - 2:
            raise ValueError("a segment beyond the end")
        if marker == 0xDA:
            break
        if marker in _JPEG_FRAMES:
            if frame or marker not in _JPEG_TAKEN:
                raise ValueError("a second frame, perhaps of another size, or one of a rare kind")
            frame, progressive = body, marker == _JPEG_PROGRESSIVE
        # The colours depend on APP0 (JFIF) and APP14 (Adobe); the rest of APPn and comments do not
        # matter to the decoder. Marker segments (tables, frame) are kept.
        if (
            marker < 0xE0
            or (marker == 0xE0 and body[:5] == b"JFIF\0")
            or (marker == 0xEE and body[:5] == b"Adobe")
        ):
            kept.append(data[at : at + 2 + length])
        elif marker == 0xE1 and body[:6] == b"Exif\0\0" and not exif:
            exif = body
        elif marker == 0xE2 and body[:12] == b"ICC_PROFILE\0" and len(body) > 14:
            profile[body[12]] = body[14:]
        at += 2 + length
    else:
        raise ValueError("more segments than a picture has")
    height, width, components = struct.unpack_from(">HHB", frame, 1)
    sampling = [byte >> 4 for byte in frame[7::3]], [byte & 15 for byte in frame[7::3]]
    blocks = sum(h * v for h, v in zip(*sampling, strict=True))
    share = blocks / max(max(sampling[0]) * max(sampling[1]), 1)
    whole = progressive or body[0] < components
    return Header(
        format="JPEG",
        width=width,
        height=height,
        clean=b"".join(kept) + data[at:],
        exif=exif,
        profile=b"".join(profile[number] for number in sorted(profile)),
        scans=_scans(data, at) if whole else 1,
        # Two bytes per coefficient: with several passes the decoder keeps all of them until the last.
        buffered=int(2 * width * height * share) if whole else 0,
    )


def _scans(data: bytes, at: int) -> int:
    """Passes from the first start-of-scan to the end of the picture; what follows does not count."""
    scans = 0
    for _segment in range(_MOST_SEGMENTS):
        marker = data[at + 1] if at + 1 < len(data) else 0xD9
        if marker == 0xD9:
            return scans
        if marker == 0xDA:
            scans += 1
        if at + 4 > len(data):
            return scans
        (length,) = struct.unpack_from(">H", data, at + 2)
        found = _JPEG_MARKER.search(data, at + 2 + length)
        if found is None:
            return scans
        at = found.start()
    return _MOST_SEGMENTS


# -- PNG ----------------------------------------------------------------------------------------


def _png(data: bytes) -> Header:
    width, height = struct.unpack_from(">II", data, 16)
    if data[12:16] != b"IHDR":
        raise ValueError("the size is not where it belongs")
    kept, exif, profile = [_PNG_START], b"", b""
    at = len(_PNG_START)
    for _chunk in range(_MOST_CHUNKS):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ValueError("a chunk beyond the end")
        if name in _PNG_KEPT:
            kept.append(data[at:end])
        elif name == b"eXIf" and length <= _MOST_EXIF:
            exif = data[at + 8 : end - 4]
        elif name == b"iCCP":
            profile = _unfolded(data[at + 8 : end - 4])
        if name == b"IEND":
            return Header("PNG", width, height, b"".join(kept), exif, profile)
        at = end
    raise ValueError("more chunks than a picture has")


def _unfolded(chunk: bytes) -> bytes:
    """The profile of an iCCP chunk, or nothing where it is broken or unfolds to more than a profile."""
    _name, _zero, rest = chunk.partition(b"\0")
    unfold = zlib.decompressobj()
    try:
        profile = unfold.decompress(rest[1:], _MOST_PROFILE)
    except zlib.error:
        return b""
    return profile if unfold.eof else b""


# -- WebP ---------------------------------------------------------------------------------------


def _webp(data: bytes) -> Header:
    """An animation is cut down to its first picture: thousands of them would all be parsed."""
    (size,) = struct.unpack_from("<I", data, 4)
    end = size + 8
    if end > len(data):
        raise ValueError("the file ends before its picture")
    exif, profile = b"", b""
    picture: list[bytes] = []
    for name, body in _riff(data, 12, end):
        if name == b"ANMF" and not picture:
            picture = [_chunk(*part) for part in _riff(body, 16, len(body)) if part[0] in _WEBP_PICTURE]
        elif name in _WEBP_PICTURE and (not picture or picture[-1][:4] == b"ALPH"):
            picture.append(_chunk(name, body))
        elif name == b"EXIF" and len(body) <= _MOST_EXIF:
            exif = body
        elif name == b"ICCP" and len(body) <= _MOST_PROFILE:
            profile = body
    width, height = _webp_size(picture[-1])
    return Header("WEBP", width, height, _still(picture), exif, profile)


_WEBP_PICTURE = {b"ALPH", b"VP8 ", b"VP8L"}


def _riff(data: bytes, at: int, end: int) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    while at + 8 <= end:
        if len(found) > _MOST_CHUNKS:
            raise ValueError("more chunks than a picture has")
        name, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > end:
            raise ValueError("a chunk beyond the end")
        found.append((name, data[at + 8 : at + 8 + length]))
        at += 8 + length + (length & 1)
    return found


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + b"\0" * (len(body) & 1)


def _webp_size(chunk: bytes) -> tuple[int, int]:
    """Width and height in the bit stream itself, which is what the decoder makes room for."""
    if chunk[:4] == b"VP8L":
        bits = int.from_bytes(chunk[9:13], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk[:4] != b"VP8 " or chunk[11:14] != b"\x9d\x01\x2a":
        raise ValueError("no picture")
    width, height = struct.unpack_from("<HH", chunk, 14)
    return width & 0x3FFF, height & 0x3FFF


def _still(picture: list[bytes]) -> bytes:
    """A plain WebP of one picture; transparency beside a lossy picture needs the extended header."""
    if len(picture) > 1:
        width, height = _webp_size(picture[-1])
        body = (
            struct.pack("<I", 0x10) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        )
        picture = [_chunk(b"VP8X", body), *picture]
    body = b"WEBP" + b"".join(picture)
    return b"RIFF" + struct.pack("<I", len(body)) + body
