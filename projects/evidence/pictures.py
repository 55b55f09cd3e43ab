"""Photographs made anew: a preview and a thumbnail that carry nothing but the picture, and its fingerprint.

HEIC is not read: the permissive decoder package is discontinued with a libheif of known memory-safety
faults, and the wheels of the other one bundle an encoder under the GPL.
"""

from __future__ import annotations

import datetime
import io
import logging
import threading
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, ImageCms
from PIL.Image import Resampling, Transpose
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from projects.evidence import exif, headers
from projects.evidence.unreadable import damaged_picture, picture_too_large

logger = logging.getLogger(__name__)

PREVIEW_SIDE = 2000
THUMBNAIL_SIDE = 360
_QUALITY = 82

MAX_SIDE = 20_000
#: What a decoder holds at once stays below 300 MB: a pixel takes 4 bytes as PNG and 16 as WebP. JPEG
#: is decoded at a fraction of its size, unless it comes in several passes (`_MOST_BUFFERED`).
MAX_PIXELS = {"JPEG": 250_000_000, "PNG": 60_000_000, "WEBP": 17_000_000}
_MOST_BUFFERED = 240_000_000
#: Each pass visits every block of the picture. Cameras and optimisers write 1 to 15.
_MOST_SCANS = 60

#: The three decoders by name: `Image.open` would guess among all formats, and it refuses large JPEG
#: pictures by their full size although they are decoded at a fraction of it.
_DECODERS: dict[str, type[ImageFile]] = {"JPEG": JpegImageFile, "PNG": PngImageFile, "WEBP": WebPImageFile}

_TURNED = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}

#: Two pictures whose fingerprints differ in at most so many of 64 bits show the same.
NEAR = 5
_BANDS = (11, 11, 11, 11, 10, 10)
#: Of 256 grey levels: smaller steps between neighbours are left to the noise of compression.
_NOISE = 0.5
#: Steps that tell something, and how many of 64 must. With fewer, what is flat decides, and any two
#: pages of print would be "the same".
_TELLING = 1.0
_FEWEST_TELLING = 24


#: The threads of a web process decode one after the other: eight of the largest pictures at the same
#: time would be 2.4 GB, and anybody with a log-in could send them.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Prepared:
    """What is kept of a photograph. width and height are those of the original, the right way up."""

    preview: bytes
    thumbnail: bytes
    width: int
    height: int
    phash: int | None
    taken_on: datetime.date | None


def prepare(data: bytes | BinaryIO) -> Prepared:
    """Make preview, thumbnail and fingerprint of a JPEG, PNG or WebP picture.

    Args:
        data: the whole file; of an animation or a phone's double picture the first one counts.

    Raises:
        Unreadable: damaged, too large to decode, or no such picture.
    """
    header = headers.read(data if isinstance(data, bytes) else data.read())
    _refuse_what_fills_the_memory(header)
    orientation, taken_on = exif.read(header.exif)
    try:
        with _ONE_AT_A_TIME:
            picture = _upright(header, orientation)
        width, height = header.width, header.height
        if orientation >= 5:  # lying on its side
            width, height = height, width
        return Prepared(
            preview=_jpeg(picture),
            thumbnail=_jpeg(_within(picture, THUMBNAIL_SIDE)),
            width=width,
            height=height,
            phash=fingerprint(picture),
            taken_on=taken_on,
        )
    except (OSError, SyntaxError, ValueError, EOFError):
        raise damaged_picture() from None
    except Exception:  # a decoder fed with hostile bytes may raise anything, and that is no error page
        logger.warning("A picture broke its decoder in an unforeseen way", exc_info=True)
        raise damaged_picture() from None


def _upright(header: headers.Header, orientation: int) -> Image.Image:
    """The picture within PREVIEW_SIDE, turned the right way up, in sRGB."""
    picture = _within(_decoded(header), PREVIEW_SIDE)
    turn = _TURNED.get(orientation)
    return _srgb(picture if turn is None else picture.transpose(turn), header.profile)


def _refuse_what_fills_the_memory(header: headers.Header) -> None:
    pixels = header.width * header.height
    if (
        max(header.width, header.height) > MAX_SIDE
        or pixels > MAX_PIXELS[header.format]
        or header.buffered > _MOST_BUFFERED
    ):
        raise picture_too_large(header.width, header.height)
    if header.scans > _MOST_SCANS:
        raise damaged_picture()


def _decoded(header: headers.Header) -> Image.Image:
    """The picture on white, less than twice PREVIEW_SIDE, in the colours that the file is written in."""
    with _DECODERS[header.format](io.BytesIO(header.clean)) as picture:
        if picture.size != (header.width, header.height):
            raise ValueError("the decoder sees another size than the one that was judged")
        longest = max(picture.size)
        if longest > PREVIEW_SIDE:
            # JPEG only (others ignore it): decodes at 1/2, 1/4 or 1/8, never below the size asked for.
            picture.draft(None, tuple(max(1, side * PREVIEW_SIDE // longest) for side in picture.size))  # type: ignore[arg-type]
        picture.load()
        return _reduced(picture, max(picture.size) // PREVIEW_SIDE)


def _reduced(picture: Image.Image, factor: int) -> Image.Image:
    """Averaged down by a whole factor, in strips: putting a large picture on white whole would need
    its memory a second time."""
    if factor < 2:
        return _on_white(picture)
    width, height = picture.size
    small: Image.Image | None = None
    rows = 32 * factor
    for top in range(0, height, rows):
        strip = _on_white(picture.crop((0, top, width, min(top + rows, height)))).reduce(factor)
        if small is None:
            small = Image.new(strip.mode, (strip.width, -(-height // factor)))
        small.paste(strip, (0, top // factor))
    assert small is not None
    return small


def _on_white(picture: Image.Image) -> Image.Image:
    """The picture in L, RGB or CMYK, which have profiles; what was transparent is white."""
    if picture.mode in ("I;16", "I;16B", "I"):
        return picture.point(lambda level: level / 256).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=picture.getchannel("A"))
        return white
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    return picture.convert("L" if picture.mode in ("1", "LA") else "RGB")


def _srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """In sRGB. A profile that is broken or of other colours than the picture says nothing."""
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                picture, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if converted is not None:
                picture = converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    # A copy by way of a new picture: what the file said beside its pixels (info) stays behind.
    plain = Image.new("RGB", picture.size)
    plain.paste(picture.convert("RGB"))
    return plain


def _within(picture: Image.Image, side: int) -> Image.Image:
    longest = max(picture.size)
    if longest <= side:
        return picture
    size = max(1, round(picture.width * side / longest)), max(1, round(picture.height * side / longest))
    return picture.resize(size, Resampling.LANCZOS, reducing_gap=3.0)


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()


# -- near-duplicates ------------------------------------------------------------------------------


def fingerprint(picture: Image.Image) -> int | None:
    """Signed 64 bits: which of neighbouring ninths of a row is darker (difference hash).

    Neighbours that are alike count as "not darker", or the noise of the next compression would decide.

    Returns: None for pictures too flat to be told apart: a wall, a clear sky, an evenly lit page of print.
    """
    levels = picture.convert("L").convert("F").resize((9, 8), Resampling.BOX).tobytes()
    grey = memoryview(levels).cast("f")
    steps = [grey[row * 9 + column] - grey[row * 9 + column + 1] for row in range(8) for column in range(8)]
    if sum(abs(step) > _TELLING for step in steps) < _FEWEST_TELLING:
        return None
    unsigned = int("".join("1" if step > _NOISE else "0" for step in steps), 2)
    return unsigned - (1 << 64) if unsigned >> 63 else unsigned


def bands(phash: int) -> list[int]:
    """The fingerprint in six pieces, each with its number in front, for an index on an array.

    Five differing bits cannot touch all six pieces, so near fingerprints share at least one of them.
    """
    rest = phash & ((1 << 64) - 1)
    pieces: list[int] = []
    for number, width in enumerate(_BANDS):
        pieces.append(number << max(_BANDS) | rest & ((1 << width) - 1))
        rest >>= width
    return pieces


def distance(a: int, b: int) -> int:
    """How many of the 64 bits of two fingerprints differ."""
    return ((a ^ b) & ((1 << 64) - 1)).bit_count()
