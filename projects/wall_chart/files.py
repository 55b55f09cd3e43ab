"""PDF and PNG of the sheets, by Typst: it sets each sheet as a picture on a page of its size and embeds the font.

Typst brings fonts of its own, but no Chinese one: it is looked for where the system keeps its fonts and in
WALL_CHART_FONTS. Without one there is no PDF and no picture; the SVG needs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import typst

from projects.wall_chart.sheets import Paper
from projects.wall_chart.style import FAMILIES

#: Dots per inch of a picture: a slide is then 2,560 dots wide.
DPI = {"slide": 192.0, "a3": 150.0, "a1": 100.0}


class NoChineseFontError(Exception):
    """No font on this machine has the Chinese signs that the sheets need."""


@lru_cache(maxsize=4)
def _fonts(folders: tuple[str, ...]) -> typst.Fonts:
    """The fonts of the machine, looked up once a process; the files are opened when they are used."""
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=list(folders))


def chinese_font(folders: Sequence[str]) -> str:
    """The family that the sheets will be set in; "" where none is installed.

    Args:
        folders: folders with fonts, besides those of the system.
    """
    found = set(_fonts(tuple(folders)).families())
    return next((family for family in FAMILIES if family in found), "")


def write_pdf(sheets: Sequence[str], paper: Paper, *, title: str, folders: Sequence[str]) -> bytes:
    """All sheets as one document with the font inside. Raises NoChineseFontError."""
    return _compiled(sheets, paper, "pdf", title=title, folders=folders, dpi=None)


def write_png(sheet: str, paper: Paper, *, title: str, folders: Sequence[str], dpi: float) -> bytes:
    """One sheet as a picture. Raises NoChineseFontError."""
    return _compiled([sheet], paper, "png", title=title, folders=folders, dpi=dpi)


def _compiled(
    sheets: Sequence[str],
    paper: Paper,
    form: Literal["pdf", "png"],
    *,
    title: str,
    folders: Sequence[str],
    dpi: float | None,
) -> bytes:
    if not chinese_font(folders):
        raise NoChineseFontError
    # Texts come in as inputs, never as source: nothing that stands in a name is read as a command.
    source = (
        f"#set page(width: {paper.width}mm, height: {paper.height}mm, margin: 0mm)\n"
        "#set document(title: sys.inputs.title)\n"
        f"#for n in range({len(sheets)}) {{\n"
        "  if n > 0 { pagebreak() }\n"
        '  image(bytes(sys.inputs.at("sheet-" + str(n))), format: "svg", width: 100%, height: 100%, alt: sys.inputs.title)\n'
        "}\n"
    )
    inputs = {"title": title, **{f"sheet-{n}": sheet for n, sheet in enumerate(sheets)}}
    made = typst.compile(
        source.encode(),
        font_paths=_fonts(tuple(folders)),
        format=form,
        ppi=dpi,
        sys_inputs=inputs,
    )
    return made
