"""A Word document in official layout after GB/T 9704-2012: page, type, spacing, page numbers.

The fonts are named, not embedded; where a machine lacks them Word shows its own. Pure: words in, bytes out.
"""

from __future__ import annotations

import datetime
import io
import unicodedata
from collections.abc import Sequence
from typing import Any

from docx import Document
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

_TITLE_FONT, _BODY_FONT, _HEAD_FONT, _NUMBER_FONT = "方正小标宋简体", "仿宋_GB2312", "黑体", "宋体"
_LATIN_FONT = "Times New Roman"
_TITLE, _BODY, _NUMBER, _CELL = Pt(22), Pt(16), Pt(14), Pt(12)  # 二号, 三号, 四号, 小四
_LINE = Pt(28)
DEMO = "演示数据"
_SEAL = "（印章）"
CENTER = WD_ALIGN_PARAGRAPH.CENTER


def chinese(day: datetime.date) -> str:
    """2026年6月1日: no leading zeros, as GB/T 9704 asks."""
    return f"{day.year}年{day.month}月{day.day}日"


class OfficialDocument:
    """A document in official layout, written from top to bottom."""

    def __init__(self) -> None:
        self.document: Any = Document()
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin, section.bottom_margin = Mm(37), Mm(35)
        section.left_margin, section.right_margin = Mm(28), Mm(26)
        section.footer_distance = Mm(26)  # the page number stands 7 mm below the text
        grid = section._sectPr.find(qn("w:docGrid"))
        if grid is None:
            grid = OxmlElement("w:docGrid")
            section._sectPr.append(grid)
        grid.set(qn("w:type"), "lines")
        grid.set(qn("w:linePitch"), str(int(_LINE.pt * 20)))
        style = self.document.styles["Normal"]
        style.font.size = _BODY
        _fonts(style.element.get_or_add_rPr(), _BODY_FONT)
        language = OxmlElement("w:lang")
        language.set(qn("w:val"), "zh-CN")
        language.set(qn("w:eastAsia"), "zh-CN")
        style.element.rPr.append(language)
        style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(0)
        style.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
        style.paragraph_format.line_spacing = _LINE
        # Word 2013 and later; without it Word opens the file in its compatibility mode.
        mode = OxmlElement("w:compatSetting")
        mode.set(qn("w:name"), "compatibilityMode")
        mode.set(qn("w:uri"), "http://schemas.microsoft.com/office/word")
        mode.set(qn("w:val"), "15")
        compat = OxmlElement("w:compat")
        compat.append(mode)
        settings = self.document.settings.element
        if settings.find(qn("w:compat")) is None:
            settings.append(compat)

    def _paragraph(self, text: str, font: str, size: Pt, align: Any = None) -> Any:
        paragraph = self.document.add_paragraph()
        _write(paragraph, text, font, size)
        if align is not None:
            paragraph.alignment = align
        return paragraph

    def title(self, text: str) -> None:
        paragraph = self._paragraph(text, _TITLE_FONT, _TITLE, WD_ALIGN_PARAGRAPH.CENTER)
        paragraph.paragraph_format.line_spacing = Pt(36)
        paragraph.paragraph_format.space_after = Pt(14)

    def banner(self, text: str) -> None:
        self._paragraph(text, _HEAD_FONT, _BODY, WD_ALIGN_PARAGRAPH.CENTER)

    def plain(self, text: str, align: Any = None) -> None:
        self._paragraph(text, _BODY_FONT, _BODY, align)

    def head(self, text: str) -> None:
        paragraph = self._paragraph(text, _HEAD_FONT, _BODY)
        _indent(paragraph)
        paragraph.paragraph_format.keep_with_next = True

    def body(self, text: str) -> None:
        """A paragraph for each line that is not blank, each two characters in."""
        for line in text.splitlines():
            if line.strip():
                paragraph = self._paragraph(line.strip(), _BODY_FONT, _BODY, WD_ALIGN_PARAGRAPH.JUSTIFY)
                _indent(paragraph)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
        """A table whose head is repeated on each page; a row is never torn apart.

        Args:
            widths: of the columns in millimetres; 156 are between the margins.
        """
        table = self.document.add_table(rows=0, cols=len(head))
        table.style, table.alignment, table.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
        for column, width in zip(table.columns, widths, strict=True):
            column.width = Mm(
                width
            )  # Word goes by the cells; WPS and LibreOffice by the grid, and made all columns equal
        for number, texts in enumerate([head, *rows]):
            row = table.add_row()
            properties = row._tr.get_or_add_trPr()
            properties.append(OxmlElement("w:cantSplit"))
            if not number:
                properties.append(OxmlElement("w:tblHeader"))
            for cell, text, width in zip(row.cells, texts, widths, strict=True):
                cell.width, cell.vertical_alignment = Mm(width), WD_CELL_VERTICAL_ALIGNMENT.CENTER
                paragraph = cell.paragraphs[0]
                paragraph.paragraph_format.line_spacing = Pt(20)
                paragraph.alignment = CENTER if not number or _is_figure(text) else None
                _write(paragraph, text, _HEAD_FONT if not number else _BODY_FONT, _CELL)
        self._paragraph("", _BODY_FONT, _BODY)

    def signature(self, issuer: str, day: str, *, seal: str = _SEAL) -> None:
        """Issuer over the date, the date four characters from the right, as under a seal; never alone on a page.

        Args:
            seal: what stands where the seal goes; "" for none.
        """
        by_day = 4.0
        by_issuer = by_day + (_width(day) - _width(issuer)) / 2
        if by_issuer < 2:  # a long name pushes the date inwards, so that both stay centred on each other
            by_day, by_issuer = by_day + 2 - by_issuer, 2.0
        lines = [("", 0.0), ("", 0.0), (issuer, by_issuer), (day, by_day)]
        if seal:
            lines.append((seal, by_day + (_width(day) - _width(seal)) / 2))
        self.document.paragraphs[-1].paragraph_format.keep_with_next = True
        for index, (line, from_right) in enumerate(lines):
            paragraph = self._paragraph(line, _BODY_FONT, _BODY, WD_ALIGN_PARAGRAPH.RIGHT)
            paragraph.paragraph_format.keep_with_next = index < len(lines) - 1
            _indent(paragraph, "right", from_right)

    def page_numbers(self, note: str) -> None:
        """— 1 — in 四号 宋体, outside: odd pages to the right, even pages to the left."""
        self.document.settings.odd_and_even_pages_header_footer = True
        section = self.document.sections[0]
        for footer, header, align in (
            (section.footer, section.header, WD_ALIGN_PARAGRAPH.RIGHT),
            (section.even_page_footer, section.even_page_header, WD_ALIGN_PARAGRAPH.LEFT),
        ):
            paragraph = footer.paragraphs[0]
            paragraph.alignment = align
            _indent(paragraph, "right" if align == WD_ALIGN_PARAGRAPH.RIGHT else "left", 1, _NUMBER)
            _write(paragraph, "— ", _NUMBER_FONT, _NUMBER)
            _field(paragraph, "PAGE")
            _write(paragraph, " —", _NUMBER_FONT, _NUMBER)
            if note:
                top = header.paragraphs[0]
                top.alignment = WD_ALIGN_PARAGRAPH.CENTER
                _write(top, note, _HEAD_FONT, _NUMBER)

    def bytes(self, title: str) -> bytes:
        properties = self.document.core_properties
        properties.title, properties.author, properties.comments = title, "", ""
        out = io.BytesIO()
        self.document.save(out)
        return out.getvalue()


def _is_figure(text: str) -> bool:
    return text.strip("%—−+-,.0123456789") == ""


def _write(paragraph: Any, text: str, font: str, size: Pt) -> Any:
    run = paragraph.add_run(_writable(text))
    run.font.size = size
    _fonts(run._r.get_or_add_rPr(), font)
    return run


def _fonts(properties: Any, font: str) -> None:
    """Word chooses by script: without `eastAsia` Chinese is set in the font of the Latin letters."""
    found = properties.get_or_add_rFonts()
    for name, value in (
        ("ascii", _LATIN_FONT),
        ("hAnsi", _LATIN_FONT),
        ("eastAsia", font),
        ("cs", _LATIN_FONT),
    ):
        found.set(qn(f"w:{name}"), value)
    # Quotation marks and dashes occur in both scripts; in a Chinese text they are Chinese.
    found.set(qn("w:hint"), "eastAsia")


def _field(paragraph: Any, code: str) -> None:
    for kind, text in (("begin", ""), ("", code), ("end", "")):
        run = _write(paragraph, "", _NUMBER_FONT, _NUMBER)
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        else:
            part.text = text
        run._r.append(part)


def _width(text: str) -> float:
    """In Chinese characters; digits and letters are half as wide."""
    return sum(0.5 if c.isascii() else 1 for c in text)


def _indent(paragraph: Any, side: str = "firstLine", characters: float = 2, size: Pt = _BODY) -> None:
    """So many characters, whatever the size of the letters; the second value is for programs that know
    points only."""
    indent = OxmlElement("w:ind")
    indent.set(qn(f"w:{side}Chars"), str(round(characters * 100)))
    indent.set(qn(f"w:{side}"), str(round(size.pt * 20 * characters)))
    paragraph._p.get_or_add_pPr().insert_element_before(indent, *_AFTER_INDENT)


#: The order of elements in a paragraph's properties is fixed; Word refuses a file with another one.
_AFTER_INDENT = ("w:contextualSpacing", "w:mirrorIndents", "w:jc", "w:outlineLvl", "w:rPr", "w:sectPr")


def _writable(text: str) -> str:
    """Without the control characters that XML cannot hold: one pasted from elsewhere, and no file opens."""
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs") and c not in "\ufffe\uffff")
