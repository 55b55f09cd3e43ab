"""Sheets of paper: whole documents, evenly filled, with nothing in them that XML cannot hold."""

from __future__ import annotations

import datetime
import xml.etree.ElementTree as ET

import pytest

from projects.wall_chart import files
from projects.wall_chart.drawing import draw_row, xml
from projects.wall_chart.layout import lay_out
from projects.wall_chart.rows import Group, Row, Step
from projects.wall_chart.sheets import PAPERS, Caption, Line, fitted, paginate, sheets, wide
from projects.wall_chart.timeline import Timeline, timeline
from tests.wall.fonts import needs_font

D = datetime.date
SVG = "{http://www.w3.org/2000/svg}"
CAPTION = Caption("2026年民生实事 挂图作战图", "全部企业", "截至 2026年6月10日", demo="演示数据")
NASTY = '<script>alert(1)</script> & "引号" \' \x00\x0b\x1b\ufffe\ud800 ]]>'


def line() -> Timeline:
    return timeline(D(2026, 1, 1), zoom="year", width=1000, today=D(2026, 6, 10))


def row(number: int, **values: object) -> Row:
    facts = {
        "pk": number,
        "name": f"管网改造{number}",
        "tone": "red",
        "word": "红灯",
        "url": f"http://portal/projects/project/{number}/",
        "starts_on": D(2026, 2, 1),
        "due_on": D(2026, 8, 1),
        "baseline_due_on": D(2026, 7, 1),
        "actual": 40.0,
        "steps": (Step(number, "开工", D(2026, 3, 1), "blue", "已通过", url=f"http://portal/m{number}"),),
    }
    return Row(**{**facts, **values})  # type: ignore[arg-type]


def groups(count: int, **values: object) -> list[Group]:
    half = count // 2
    return [
        Group("水务集团", tuple(row(n, **values) for n in range(half)), half, {"red": half}),
        Group("燃气集团", tuple(row(n, **values) for n in range(half, count)), count - half, {"red": 1}),
    ]


def texts(sheet: str) -> str:
    return " ".join(text.text or "" for text in ET.fromstring(sheet).iter(f"{SVG}text"))


@pytest.mark.parametrize("paper", PAPERS)
def test_every_sheet_stands_alone_and_says_what_it_is(paper: str) -> None:
    made = sheets(groups(150), line(), PAPERS[paper], CAPTION)
    assert len(made) > 1
    for number, sheet in enumerate(made, 1):
        said = texts(sheet)
        for words in (CAPTION.title, CAPTION.filters, CAPTION.as_of, CAPTION.demo):
            assert words in said
        assert str(number) in said and str(len(made)) in said
        assert 'href="http' in sheet and "url(" not in sheet and "<image" not in sheet
    for number in range(150):
        assert sum(sheet.count(f"管网改造{number}<") for sheet in made) == 1, number


def test_rows_are_spread_evenly_and_no_heading_stands_alone_at_the_foot() -> None:
    for count in (1, 7, 38, 39, 40, 80, 121, 300):
        lines: list[Line] = []
        for group in groups(count):
            lines += [Line(group), *(Line(one) for one in group.rows)]
        pages, pitch = paginate(lines, PAPERS["a3"])
        assert PAPERS["a3"].least <= pitch <= PAPERS["a3"].most
        for page in pages[:-1]:
            assert not isinstance(page[-1].what, Group), count
        for page in pages[1:]:
            assert isinstance(page[0].what, Group), "every sheet says whose projects it shows"
        kept = [one.what.pk for page in pages for one in page if isinstance(one.what, Row)]
        assert kept == [one.what.pk for one in lines if isinstance(one.what, Row)]
        # Each ends with the bars inside the paper.
        assert max(len(page) for page in pages) * pitch < 250


def test_an_empty_chart_is_one_sheet() -> None:
    assert len(sheets([], line(), PAPERS["a3"], CAPTION)) == 1


def test_what_xml_cannot_hold_is_left_out_and_the_rest_is_escaped() -> None:
    assert xml("a\x00b\x0bc\ufffed\ud800e<&") == "abcde&lt;&amp;"
    nasty = groups(2, name=NASTY, word=NASTY, reason=NASTY, who=NASTY)
    (sheet,) = sheets(nasty, line(), PAPERS["a3"], Caption(NASTY, NASTY, NASTY, NASTY))
    root = ET.fromstring(sheet)
    assert not list(root.iter(f"{SVG}script"))
    assert "<script" not in sheet
    drawn = draw_row(nasty[0].rows[0], lay_out(nasty[0].rows[0], line()), line())
    assert "<script" not in drawn and "\x00" not in drawn
    ET.fromstring(f"<svg xmlns:x='x'>{drawn}</svg>")


def test_a_long_name_stays_inside_its_column() -> None:
    name = "城区老旧供水管网改造" * 20
    (sheet,) = sheets(groups(2, name=name), line(), PAPERS["a3"], CAPTION)
    for text in ET.fromstring(sheet).iter(f"{SVG}text"):
        if text.get("class") == "name":
            assert wide(text.text or "") * float(text.get("font-size") or 0) <= 400 * 0.24
    assert fitted("abc", 100, 1) == "abc"
    # Letters that are nearly as wide as Chinese signs must not be counted as half of them.
    assert len(fitted("W" * 60, 10, 1)) <= 11
    assert fitted("管网改造", 3, 1) == "管网…"


@needs_font
def test_the_pdf_has_all_sheets_and_the_font_inside() -> None:
    made = sheets(groups(150), line(), PAPERS["a3"], CAPTION)
    pdf = files.write_pdf(made, PAPERS["a3"], title=CAPTION.title, folders=())
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile" in pdf
    assert b"/Count %d" % len(made) in pdf


@needs_font
def test_a_picture_of_a_sheet_is_as_large_as_a_slide() -> None:
    import io

    from PIL import Image

    made = sheets(groups(8), line(), PAPERS["slide"], CAPTION)
    png = files.write_png(made[0], PAPERS["slide"], title=CAPTION.title, folders=(), dpi=files.DPI["slide"])
    assert png.startswith(b"\x89PNG")
    assert Image.open(io.BytesIO(png)).size == (2560, 1440)


@needs_font
def test_what_stands_in_a_name_is_no_command_of_the_typesetter() -> None:
    caption = Caption('#panic("x") #read("/etc/passwd")', "*", "_", "$")
    made = sheets(groups(2, name='#panic("x") \\ $ * _ @x'), line(), PAPERS["a3"], caption)
    assert files.write_pdf(made, PAPERS["a3"], title=caption.title, folders=()).startswith(b"%PDF")


def test_without_a_chinese_font_no_file_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FAMILIES", ("No Such Family",))
    made = sheets(groups(2), line(), PAPERS["a3"], CAPTION)
    with pytest.raises(files.NoChineseFontError):
        files.write_pdf(made, PAPERS["a3"], title="x", folders=())
