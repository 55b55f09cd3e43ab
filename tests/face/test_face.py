"""The look, as far as it can be tested as text: policy, contrast, words beside colours, cards, empty states."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from tests import factories
from tests.test_pages import built, client_of

ROOT = Path(settings.BASE_DIR)
SHEETS = sorted((ROOT / "static" / "portal").glob("*.css"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MAX_LINES = 400
#: An e-mail: mail programs know no style sheets, and no policy of ours reaches them.
LETTER = "letter.html"


def _tokens(dark: bool) -> dict[str, str]:
    """Colours of one theme: name → #rrggbb."""
    text = (ROOT / "static/portal/tokens.css").read_text()
    light, _at, rest = text.partition("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6});", light))
    if dark:
        found |= dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6});", rest.split("\n/*")[0]))
    return found


def _luminance(colour: str) -> float:
    digits = colour[1:]
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


TONES = ("red", "yellow", "green", "blue", "grey")
TEXT_ON = [
    *(
        ("ink", "ink-2", "ink-3", "link", "brand-ink")[i] + "|" + ground
        for i in range(5)
        for ground in ("paper", "wash")
    ),
    "on-brand|brand",
    *(f"{tone}|{tone}-wash" for tone in TONES),
    "red|paper",
    "yellow|paper",
]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("pair", TEXT_ON)
def test_text_is_readable_on_its_ground(pair: str, dark: bool) -> None:
    tokens = _tokens(dark)
    text, ground = pair.split("|")
    assert _contrast(tokens[text], tokens[ground]) >= 4.5


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda p: p.name)
def test_a_style_sheet_is_short_and_takes_its_colours_from_the_theme(sheet: Path) -> None:
    text = sheet.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    assert "data:" not in text and "@import" not in text and "http" not in text
    if sheet.name not in ("tokens.css", "print.css"):
        assert not re.findall(r"#[0-9a-f]{6}\b", text), "colours live in tokens.css"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT / "templates")))
def test_a_template_keeps_to_the_policy_and_to_the_translations(template: Path) -> None:
    text = template.read_text()
    if template.name != LETTER:
        assert not re.search(r"<style|\sstyle=", text)
    assert not re.search(r"\son[a-z]+=\"|javascript:|\"data:", text)
    assert not re.search(r"[\u4e00-\u9fff]", text), "Chinese belongs into the catalogue"
    assert "https://" not in text and "//cdn" not in text


@pytest.mark.parametrize("name", ["400", "403", "404", "409", "500", "503", "stale_form", "locked"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_fault_is_told_without_a_request_and_without_a_database(name: str, language: str) -> None:
    with translation.override(language):
        html = render_to_string(
            f"errors/{name}.html",
            {"typed": [("name", "<管网>")], "again": "/x/", "csrf_token": "t", "lang": language},
        )
    assert f'<html lang="{language}">' in html
    assert ("首页" in html or "登录页" in html) == (language == "zh-hans")
    if name == "503":
        assert '<input type="hidden" name="name" value="&lt;管网&gt;">' in html


@pytest.fixture
def world(db: Any) -> dict[str, Any]:
    return built()


def test_every_cell_of_a_list_knows_its_column_for_the_phone(world: dict) -> None:
    html = client_of(world["staff"]).get("/projects/project/").content.decode()
    rows = re.search(r"<tbody>(.*?)</tbody>", html, re.S)
    assert rows
    cells = re.findall(r"<t[dh]\b[^>]*>", rows[1])
    assert cells and all("data-label=" in cell for cell in cells)
    assert 'data-label="责任单位"' in rows[1]


def test_a_light_is_always_a_word_and_never_a_colour_alone(world: dict) -> None:
    for page in ("/", "/projects/project/", f"/projects/project/{world['project'].pk}/"):
        html = client_of(world["leader"]).get(page).content.decode()
        marks = re.findall(
            r'<span class="(?:badge|light-mark)[^"]*"[^>]*data-tone="[a-z]+"[^>]*>(.*?)</span>', html
        )
        assert marks, page
        assert all(word.strip() for word in marks), page


def test_every_bar_says_in_words_what_it_draws(world: dict) -> None:
    html = client_of(world["leader"]).get("/").content.decode()
    drawings = re.findall(r"<svg[^>]*role=\"img\".*?</svg>", html, re.S)
    assert drawings
    assert all("aria-label=" in svg and "<title>" in svg for svg in drawings)


def test_an_empty_list_says_what_to_do_next(world: dict) -> None:
    client = client_of(world["staff"])
    nothing = client.get("/enterprises/partybranch/").content.decode()
    assert "党组织在此登记" in nothing
    filtered = client.get("/projects/project/?q=nothing-fits").content.decode()
    assert "没有符合条件的记录" in filtered and "清除筛选" in filtered


def test_searching_keeps_the_filter_that_is_set(world: dict) -> None:
    html = client_of(world["staff"]).get("/projects/project/?light__exact=red&q=x").content.decode()
    assert '<input type="hidden" name="light__exact" value="red">' in html


def test_a_harmless_no_is_a_word_and_not_a_red_cross(world: dict) -> None:
    html = client_of(world["security"]).get("/enterprises/user/").content.decode()
    assert "icon-no" not in html and "icon-yes" not in html


def test_an_account_with_two_memberships_is_one_row(world: dict) -> None:
    factories.Membership.objects.create(user=world["leader"], role="leader", unit=world["group"])
    html = client_of(world["security"]).get("/enterprises/user/").content.decode()
    assert html.count(f'/enterprises/user/{world["leader"].pk}/change/"') == 1


def test_pages_for_strangers_carry_no_data() -> None:
    html = Client().get("/login/").content.decode()
    assert "patrol-line" not in html and "site-nav" not in html
