"""The same picture is known again, and two with nothing in common are not taken for one another."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from projects.evidence.pictures import NEAR, bands, distance, prepare
from tests.evidence.made import encoded, exif, scene


def changed(picture: Image.Image) -> bytes:
    return encoded(picture.resize((int(picture.width * 0.6), int(picture.height * 0.6))), quality=40)


@pytest.mark.parametrize("seed", range(12))
def test_a_picture_made_smaller_and_worse_is_known_again(seed: int) -> None:
    original = scene(seed, (1600, 1200))
    first, second = prepare(encoded(original, quality=92)).phash, prepare(changed(original)).phash
    assert first is not None
    assert second is not None
    assert distance(first, second) <= NEAR
    assert set(bands(first)) & set(bands(second))


def test_a_picture_is_known_again_whichever_way_the_camera_wrote_it() -> None:
    original = scene(30)
    turned = encoded(original.transpose(Image.Transpose.ROTATE_90), exif=b"Exif\0\0" + exif(orientation=6))
    assert distance(prepare(encoded(original)).phash or 0, prepare(turned).phash or 1) <= NEAR


def test_unrelated_pictures_are_not_near() -> None:
    found = [prepare(encoded(scene(seed))).phash for seed in range(100, 120)]
    known = [phash for phash in found if phash is not None]
    assert len(known) == 20
    assert all(-(2**63) <= phash < 2**63 for phash in known)
    assert min(distance(a, b) for a, b in combinations(known, 2)) > NEAR


@pytest.mark.parametrize("colour", ["white", "black", (120, 130, 140)])
def test_a_flat_picture_has_no_fingerprint(colour: str | tuple[int, int, int]) -> None:
    flat = Image.new("RGB", (400, 300), colour)
    assert prepare(encoded(flat)).phash is None
    grain = Image.effect_noise((400, 300), 8).convert("RGB")
    assert prepare(encoded(Image.blend(flat, grain, 0.2), quality=60)).phash is None


def page(seed: int) -> Image.Image:
    """A scanned page of print: lines of dark characters on white."""
    draw_from = random.Random(seed)
    picture = Image.new("RGB", (1200, 1600), (250, 250, 250))
    brush = ImageDraw.Draw(picture)
    for y in range(120, 1500 - draw_from.randrange(300), 46):
        x, end = 120, draw_from.choice([1080, 1080, 1080, draw_from.randrange(300, 1080)])
        while x < end:
            width = draw_from.randrange(18, 30)
            brush.rectangle((x, y, x + width - 6, y + 22), outline=(30, 30, 30), width=3)
            x += width
    return picture


def test_pages_of_print_are_not_taken_for_one_another() -> None:
    known = [
        phash for phash in (prepare(encoded(page(seed))).phash for seed in range(8)) if phash is not None
    ]
    assert all(distance(a, b) > NEAR for a, b in combinations(known, 2))


@pytest.mark.parametrize("seed", range(6))
def test_a_sky_above_a_scene_does_not_hide_that_it_is_the_same(seed: int) -> None:
    """The sky has no steps but those of grain, and grain does not survive compression."""
    picture = scene(seed)
    ImageDraw.Draw(picture).rectangle((0, 0, 800, 280), fill=(180, 200, 240))
    picture = Image.blend(picture, Image.effect_noise((800, 600), 12).convert("RGB"), 0.06)
    first, second = prepare(encoded(picture, quality=92)).phash, prepare(changed(picture)).phash
    assert first is not None
    assert second is not None
    assert distance(first, second) <= NEAR


_HASHES = st.integers(-(2**63), 2**63 - 1)


@given(phash=_HASHES, flipped=st.sets(st.integers(0, 63), max_size=NEAR))
def test_near_fingerprints_share_a_band(phash: int, flipped: set[int]) -> None:
    unsigned = phash & (2**64 - 1)
    for bit in flipped:
        unsigned ^= 1 << bit
    other = unsigned - 2**64 if unsigned >> 63 else unsigned
    assert distance(phash, other) == len(flipped)
    assert set(bands(phash)) & set(bands(other))


@given(_HASHES)
def test_bands_are_six_and_never_taken_for_one_another(phash: int) -> None:
    assert [band >> 11 for band in bands(phash)] == [0, 1, 2, 3, 4, 5]
    assert all(0 <= band < 2**31 for band in bands(phash))
