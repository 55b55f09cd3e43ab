"""Pictures made to fill the memory are refused by their first bytes, or decoded in part."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib

import pytest

from projects.evidence import headers, pictures
from projects.evidence.pictures import prepare
from projects.evidence.unreadable import Unreadable
from tests.evidence.made import encoded, png_chunk, png_header, scene


@pytest.mark.parametrize("size", [(30_000, 30_000), (20_001, 10), (7800, 7800), (2**31 - 1, 2**31 - 1)])
def test_too_many_pixels_are_refused_by_the_header_and_named(size: tuple[int, int]) -> None:
    with pytest.raises(Unreadable, match=f"{size[0]:,} × {size[1]:,}"):
        prepare(png_header(1, 1).replace(struct.pack(">II", 1, 1), struct.pack(">II", *size)))


def test_no_decoder_sees_a_picture_that_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a decoder was started")

    monkeypatch.setattr(pictures, "_DECODERS", {"PNG": never, "JPEG": never, "WEBP": never})
    with pytest.raises(Unreadable, match="30,000"):
        prepare(png_header(30_000, 30_000))
    huge = b"\x2f" + (16_382 | 16_382 << 14).to_bytes(4, "little") + bytes(15)
    with pytest.raises(Unreadable, match="16,383"):
        prepare(
            b"RIFF" + struct.pack("<I", 12 + len(huge)) + b"WEBPVP8L" + struct.pack("<I", len(huge)) + huge
        )


def test_a_size_of_nothing_is_no_picture() -> None:
    for width, height in ((0, 5), (5, 0)):
        with pytest.raises(Unreadable):
            prepare(png_header(1, 1).replace(struct.pack(">II", 1, 1), struct.pack(">II", width, height)))


def test_text_that_unfolds_to_gigabytes_is_not_unfolded() -> None:
    bomb = zlib.compress(bytes(64 * 1024 * 1024), 9)
    text = b"".join(png_chunk(b"iTXt", b"%d\0\1\0\0\0" % n + bomb) for n in range(20))
    assert prepare(png_header(1, 1, text)).width == 1
    header = headers.read(png_header(1, 1, png_chunk(b"iCCP", b"p\0\0" + bomb)))
    assert header.profile == b""


def with_passes(data: bytes, more: int) -> bytes:
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * more + b"\xff\xd9"


def test_a_jpeg_of_thousands_of_passes_is_refused() -> None:
    data = encoded(scene(1, (200, 100)), progressive=True)
    assert 3 < headers.read(data).scans < 20
    with pytest.raises(Unreadable):
        prepare(with_passes(data, 5000))


def test_a_large_jpeg_in_several_passes_is_refused_because_it_cannot_be_decoded_in_part() -> None:
    data = bytearray(encoded(scene(1, (200, 104)), progressive=True))
    at = data.index(b"\xff\xc2")
    struct.pack_into(">HH", data, at + 5, 15_000, 15_000)
    with pytest.raises(Unreadable, match="15,000 × 15,000"):
        prepare(bytes(data))


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC9, 0xCF])
def test_kinds_of_jpeg_that_nobody_writes_are_not_decoded(marker: int) -> None:
    data = bytearray(encoded(scene(1, (60, 40))))
    data[data.index(b"\xff\xc0") + 1] = marker
    with pytest.raises(Unreadable):
        prepare(bytes(data))


def test_a_second_frame_of_another_size_is_refused() -> None:
    data = encoded(scene(1, (60, 40)))
    at = data.index(b"\xff\xc0")
    frame = data[at : at + 19]
    assert prepare(data).width == 60
    with pytest.raises(Unreadable):
        prepare(data[:at] + frame[:5] + struct.pack(">HH", 9000, 9000) + frame[9:] + data[at:])


def test_exif_is_never_given_to_a_general_reader() -> None:
    """5,000 entries that all point to the same 60 KB: 300 MB for whoever copies the values."""
    entries = b"".join(struct.pack("<HHII", n + 1, 7, 60_000, 8) for n in range(5_000))
    block = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 5_000) + entries
    plain = encoded(scene(1, (60, 40)))
    bomb = plain[:2] + (b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block) * 50 + plain[2:]
    assert prepare(bomb).width == 60
    assert b"Exif" not in headers.read(bomb).clean


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="the largest size of a process is read from /proc")
@pytest.mark.parametrize("kind", ["jpeg of 230 megapixels", "png of 59 megapixels", "webp of 16 megapixels"])
def test_the_largest_pictures_that_are_taken_stay_below_300_megabytes(kind: str) -> None:
    program = f"""
import struct, subprocess, sys, zlib
from pathlib import Path
from tests.evidence.made import encoded, png_chunk
from PIL import Image
from projects.evidence.pictures import prepare
kind = {kind!r}
if kind.startswith("jpeg"):
    # Grown by its header alone, a JPEG of one colour needs little data and no memory to make.
    row = encoded(Image.new("RGB", (15200, 16), (200, 100, 50)), restart_marker_rows=1)
    at, start = row.index(b"\\xff\\xc0"), row.index(b"\\xff\\xda")
    head = bytearray(row[:start + 14]); struct.pack_into(">H", head, at + 5, 15200)
    coded = row[start + 14:-2]
    data = bytes(head) + b"".join(coded + bytes([0xFF, 0xD0 + n % 8]) for n in range(949)) + coded + b"\\xff\\xd9"
elif kind.startswith("png"):
    pack = zlib.compressobj(1)
    coded = b"".join([pack.compress(bytes(4 * 7700 + 1)) for _ in range(7700)] + [pack.flush()])
    data = b"\\x89PNG\\r\\n\\x1a\\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 7700, 7700, 8, 6, 0, 0, 0))
    data += png_chunk(b"IDAT", coded) + png_chunk(b"IEND", b"")
else:
    made = "import sys; from PIL import Image; Image.new('RGB', (4100, 4000)).save(sys.stdout.buffer, 'WEBP', lossless=True)"
    data = subprocess.run([sys.executable, "-c", made], stdout=subprocess.PIPE, check=True).stdout
def most():
    # Not getrusage: its maximum begins with the size of the process that started this one.
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
before = most()
kept = prepare(data)
print(kept.width * kept.height, most() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    pixels, kilobytes = map(int, done.stdout.split())
    assert pixels > 16_000_000
    assert kilobytes < 300_000
