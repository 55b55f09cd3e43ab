"""The certificate that a project was struck off the list (民生项目销号证明), as a Word document.

Laid out like an official document after GB/T 9704-2012: page, type, spacing, page numbers. Pure: facts in,
bytes out. The fonts are named, not embedded; where a machine lacks them Word shows its own.
"""

from __future__ import annotations

import datetime
import io
import unicodedata
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from projects.certificate_facts import CertificateFacts

_TITLE_FONT, _BODY_FONT, _HEAD_FONT, _NUMBER_FONT = "方正小标宋简体", "仿宋_GB2312", "黑体", "宋体"
_LATIN_FONT = "Times New Roman"
_TITLE, _BODY, _NUMBER = Pt(22), Pt(16), Pt(14)  # 二号, 三号, 四号
_LINE = Pt(28)
DEMO = "演示数据"
_SEAL = "（印章）"


def certificate(facts: CertificateFacts) -> bytes:
    """The certificate as docx."""
    page = _Page()
    if facts.is_demo:
        page.banner(f"【{DEMO}】本证明由演示项目生成，不具有任何效力")
    page.title("民生项目销号证明")
    page.plain(facts.number_line, WD_ALIGN_PARAGRAPH.CENTER)
    page.plain("")
    page.plain(f"{facts.enterprise}：")
    page.body(
        f"你单位承担的{facts.programme}项目“{facts.project}”（编号：{facts.code}），"
        f"经核实和审批，准予销号。现将有关情况证明如下：",
    )
    sections = (
        ("承诺事项", facts.promised or "立项时未填写承诺事项。"),
        ("完成情况", facts.achieved),
        ("受益情况", _reach(facts)),
        ("完成时限", _dates(facts)),
        ("未完成事项及原因", _left_undone(facts)),
        ("后续责任", _follow_up(facts)),
        ("核实与批准", _decisions(facts)),
    )
    for number, (head, text) in zip("一二三四五六七", sections, strict=True):
        page.head(f"{number}、{head}")
        page.body(text)
    page.body("特此证明。")
    page.signature(facts.issuer, chinese(facts.approved_on))
    page.page_numbers(DEMO if facts.is_demo else "")
    return page.bytes(f"民生项目销号证明{facts.number_line}")


def chinese(day: datetime.date) -> str:
    """2026年6月1日: no leading zeros, as GB/T 9704 asks."""
    return f"{day.year}年{day.month}月{day.day}日"


def _reach(facts: CertificateFacts) -> str:
    promised = f"承诺受益{facts.promised_reach}" if facts.promised_reach else "立项时未填写受益数量"
    return f"{promised}；" + (f"实际受益{facts.reached}。" if facts.reached else "未填报实际受益数量。")


def _dates(facts: CertificateFacts) -> str:
    parts = []
    if facts.first_promised_on:
        parts.append(f"首次承诺期限{chinese(facts.first_promised_on)}")
    parts.append(f"现行期限{chinese(facts.due_on)}" if facts.due_on else "未设项目完成期限")
    if facts.completed_on:
        parts.append(f"实际完成日期{chinese(facts.completed_on)}")
    text = "，".join(parts)
    if facts.due_on and facts.completed_on:
        text += f"，逾期{facts.days_late}天" if facts.days_late else "，按期完成"
    text += "。" + (
        f"实施期间节点经批准延期{facts.extensions}次，累计{facts.extended_days}天。"
        if facts.extensions
        else "实施期间未办理延期。"
    )
    if facts.late_milestones:
        named = "、".join(f"“{row.name}”逾期{row.days}天" for row in facts.late_milestones)
        text += f"节点逾期完成情况：{named}。"
    return text


def _left_undone(facts: CertificateFacts) -> str:
    text = facts.shortfall.strip() or "企业未申报未完成事项。"
    if facts.cancelled_milestones:
        text += "\n已取消的节点：" + "、".join(f"“{name}”" for name in facts.cancelled_milestones) + "。"
    return text


def _follow_up(facts: CertificateFacts) -> str:
    owner = f"后续责任人：{facts.follow_up_owner}。"
    return f"{facts.follow_up.strip()}\n{owner}" if facts.follow_up.strip() else owner


def _decisions(facts: CertificateFacts) -> str:
    asked = f"{chinese(facts.asked_on)}企业申请销号，" if facts.asked_on else ""
    verified = f"{chinese(facts.verified_on)}由{facts.verified_by}核实，" if facts.verified_on else ""
    return f"{asked}{verified}{chinese(facts.approved_on)}由{facts.approved_by}批准。"


class _Page:
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

    def signature(self, issuer: str, day: str) -> None:
        """Issuer over the date, the date four characters from the right, as under a seal; never alone on a page."""
        issuer = issuer or "（发证单位）"
        by_day = 4.0
        by_issuer = by_day + (_width(day) - _width(issuer)) / 2
        if by_issuer < 2:  # a long name pushes the date inwards, so that both stay centred on each other
            by_day, by_issuer = by_day + 2 - by_issuer, 2.0
        by_seal = by_day + (_width(day) - _width(_SEAL)) / 2
        lines = (("", 0.0), ("", 0.0), (issuer, by_issuer), (day, by_day), (_SEAL, by_seal))
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
