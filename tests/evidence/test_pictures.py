"""What is kept of a photograph shows the picture and tells nothing else."""

from __future__ import annotations

import datetime
import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageDraw

from projects.evidence import exif as reader
from projects.evidence import pictures
from projects.evidence.pictures import prepare
from tests.evidence.made import decoded, encoded, exif, png_chunk, scene

RED, WHITE = (254, 0, 0), (255, 255, 255)


def near_colour(
    picture: Image.Image, at: tuple[int, int], colour: tuple[int, int, int], by: int = 12
) -> bool:
    return all(abs(a - b) <= by for a, b in zip(picture.convert("RGB").getpixel(at), colour, strict=True))


# -- what is left out and put right -----------------------------------------------------------------


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_place_camera_and_profile_are_gone_and_the_day_is_read(format: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    original = encoded(
        scene(1),
        format,
        exif=b"Exif\0\0" + exif(),
        icc_profile=profile,
        **({"xmp": b"<x:xmpmeta/>"} if format != "PNG" else {}),
    )
    assert b"SpyCam 3000" in original
    kept = prepare(original)
    for data in (kept.preview, kept.thumbnail):
        assert not set(decoded(data).info) & {"exif", "icc_profile", "xmp", "comment", "photoshop"}
        assert not dict(decoded(data).getexif())
        assert b"SpyCam" not in data
        assert b"Exif" not in data
        assert b"ICC_PROFILE" not in data
    assert kept.taken_on == datetime.date(2026, 6, 10)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_the_right_way_up(orientation: int, order: str) -> None:
    """The red corner is stored where a camera would store it, and must end at the top left."""
    upright = Image.new("RGB", (400, 300), "white")
    ImageDraw.Draw(upright).rectangle((0, 0, 99, 99), fill=RED)
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    turn = pictures._TURNED.get(undo)
    stored = upright.transpose(turn) if turn is not None else upright
    kept = prepare(encoded(stored, exif=b"Exif\0\0" + exif(orientation=orientation, order=order), quality=95))
    assert (kept.width, kept.height) == (400, 300)
    shown = decoded(kept.preview)
    assert shown.size == (400, 300)
    assert near_colour(shown, (50, 50), RED, 30)
    assert near_colour(shown, (350, 250), WHITE)


def test_orientation_6_is_a_phone_held_upright() -> None:
    stored = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(stored).rectangle((0, 100, 99, 199), fill=RED)  # bottom left as stored
    kept = prepare(encoded(stored, exif=b"Exif\0\0" + exif(orientation=6)))
    assert (kept.width, kept.height) == (200, 300)
    assert near_colour(decoded(kept.preview), (30, 30), RED, 30)  # top left as seen


@pytest.mark.parametrize(
    "taken",
    [
        "0000:00:00 00:00:00",
        "2026:13:40 00:00:00",
        "1970:01:01 00:00:00",
        "not a date at all..",
        "2026-06-10 08:30:00",
    ],
)
def test_a_day_that_is_none_is_none(taken: str) -> None:
    assert prepare(encoded(scene(1, (60, 40)), exif=b"Exif\0\0" + exif(taken=taken))).taken_on is None


@given(st.binary(max_size=300))
def test_a_broken_exif_block_says_nothing_and_breaks_nothing(noise: bytes) -> None:
    for block in (noise, b"II*\0" + noise, b"MM\0*\0\0\0\x08" + noise):
        orientation, _day = reader.read(block)
        assert 1 <= orientation <= 8


def test_another_colour_space_is_brought_to_srgb() -> None:
    """The profile says that what is written as red is green."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    places = {}
    for index in range(struct.unpack_from(">I", profile, 128)[0]):
        tag, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        places[tag] = (offset, size)
    red, green = (bytes(profile[slice(o, o + s)]) for o, s in (places[b"rXYZ"], places[b"gXYZ"]))
    for tag, value in ((b"rXYZ", green), (b"gXYZ", red)):
        profile[places[tag][0] : places[tag][0] + places[tag][1]] = value
    for format in ("JPEG", "PNG", "WEBP"):
        plain = encoded(Image.new("RGB", (64, 64), (250, 10, 10)), format)
        swapped = encoded(Image.new("RGB", (64, 64), (250, 10, 10)), format, icc_profile=bytes(profile))
        assert near_colour(decoded(prepare(plain).preview), (30, 30), (250, 10, 10))
        assert near_colour(decoded(prepare(swapped).preview), (30, 30), (10, 250, 10))


def test_a_broken_profile_says_nothing() -> None:
    data = encoded(Image.new("RGB", (64, 64), (250, 10, 10)), icc_profile=b"no profile" * 20)
    assert near_colour(decoded(prepare(data).preview), (30, 30), (250, 10, 10))


# -- every way to write a picture --------------------------------------------------------------------


def palette_with_a_hole() -> bytes:
    picture = Image.new("P", (80, 60), 0)
    picture.putpalette([0, 0, 0, 254, 0, 0] + [0] * 750)
    picture.paste(1, (0, 0, 40, 60))
    return encoded(picture, "PNG", transparency=0)


def rgba_with_a_hole(format: str) -> bytes:
    picture = Image.new("RGBA", (80, 60), (0, 0, 0, 0))
    picture.paste((*RED, 255), (0, 0, 40, 60))
    return encoded(picture, format, lossless=True) if format == "WEBP" else encoded(picture, format)


@pytest.mark.parametrize(
    "data",
    [palette_with_a_hole(), rgba_with_a_hole("PNG"), rgba_with_a_hole("WEBP")],
    ids=["palette", "png", "webp"],
)
def test_what_is_transparent_is_white(data: bytes) -> None:
    shown = decoded(prepare(data).preview)
    assert near_colour(shown, (10, 30), RED, 20)
    assert near_colour(shown, (70, 30), WHITE)


def test_a_lossy_webp_with_transparency_keeps_both() -> None:
    picture = scene(5, (300, 200)).convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 100, 200))
    shown = decoded(prepare(encoded(picture, "WEBP", quality=80)).preview)
    assert near_colour(shown, (30, 100), WHITE)
    assert not near_colour(shown, (200, 100), WHITE)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_jpeg_in_every_colour(mode: str) -> None:
    shown = decoded(
        prepare(encoded(Image.new("RGB", (80, 60), (200, 100, 50)).convert(mode), quality=95)).preview
    )
    expected = {"L": (124, 124, 124)}.get(mode, (200, 100, 50))
    assert near_colour(shown, (40, 30), expected, 20)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_png_in_every_mode(mode: str) -> None:
    assert decoded(prepare(encoded(scene(6, (90, 70)).convert(mode), "PNG")).preview).size == (90, 70)


@pytest.mark.parametrize("size", [(90, 70), (4100, 50)])
def test_png_of_16_bits_keeps_its_greys(size: tuple[int, int]) -> None:
    grey = Image.new("I;16", size, 0x8000)
    assert near_colour(decoded(prepare(encoded(grey, "PNG")).preview), (20, 20), (128, 128, 128), 3)
    width, height = size
    row = b"\0" + struct.pack(">HHH", 0xC800, 0x6400, 0x3200) * width
    deep = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
    deep += png_chunk(b"IDAT", zlib.compress(row * height)) + png_chunk(b"IEND", b"")
    assert near_colour(decoded(prepare(deep).preview), (20, 20), (200, 100, 50), 8)


def test_the_double_picture_of_a_phone_is_its_first() -> None:
    out = io.BytesIO()
    Image.new("RGB", (80, 60), RED).save(
        out, "MPO", save_all=True, append_images=[Image.new("RGB", (40, 30), "blue")], quality=95
    )
    assert Image.open(io.BytesIO(out.getvalue())).format == "MPO"
    kept = prepare(out.getvalue())
    assert (kept.width, kept.height) == (80, 60)
    assert near_colour(decoded(kept.preview), (40, 30), RED, 30)


def test_a_film_behind_a_jpeg_does_not_matter() -> None:
    assert prepare(encoded(scene(1)) + b"\0\0\0\x18ftypmp42" + b"\xff\xda\0\x08" * 5000).width == 800


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_counts(format: str) -> None:
    frames = [Image.new("RGB", (80, 60), colour) for colour in ("red", "lime", "blue", "white")]
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:], lossless=True)
    assert near_colour(decoded(prepare(data).preview), (40, 30), RED, 20)


def test_sizes_are_bounded_and_proportions_kept() -> None:
    kept = prepare(encoded(scene(1, (4200, 2100))))
    assert (kept.width, kept.height) == (4200, 2100)
    assert decoded(kept.preview).size == (2000, 1000)
    assert decoded(kept.thumbnail).size == (360, 180)
    small = prepare(encoded(scene(1, (200, 100))))
    assert decoded(small.preview).size == decoded(small.thumbnail).size == (200, 100)
    thread = prepare(encoded(Image.new("RGB", (19_000, 1), "red"), "PNG"))
    assert decoded(thread.preview).size == (2000, 1)


@pytest.mark.parametrize("size", [(4001, 3003), (6100, 500)])
def test_a_picture_reduced_in_strips_has_no_seams(size: tuple[int, int]) -> None:
    slope = Image.linear_gradient("L").resize(size)
    expected = slope.resize(decoded(prepare(encoded(slope, "PNG")).preview).size, Image.Resampling.BOX)
    shown = decoded(prepare(encoded(slope, "PNG")).preview).convert("L")
    _least, most = ImageChops.difference(expected, shown).getextrema()
    assert most <= 4
