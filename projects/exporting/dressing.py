"""What makes a sheet a form: lists to choose from, and an explanation of every column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from enterprises.spreadsheets import OutColumn
from projects.exporting.columns import (
    AUDIENCES,
    BEGINNINGS,
    BY_KEY,
    CHOICES_SHEET,
    HELP_SHEET,
    PHASES,
    STATUSES,
)
from projects.importing.registers import Registers

#: Excel takes a list of this length within its cell rule; a longer one has to stand in a sheet.
_MOST_IN_RULE = 255
#: Further rows below the last one that have the lists too.
_ROOM = 2_000
_READING = (
    ("日期怎么读", "可以填日期，也可以照公文的说法填。只说到月、季、年的，开工读作第一天，完成读作最后一天：2021年7月底前读作2021年7月31日，三季度读作9月30日，上半年读作6月30日，年底读作12月31日。"),
    ("没写年份的", "按本方案的年度读，导入前会逐行注明。"),
    ("没有期限的", "长年坚持的填“长期”，不判逾期；暂时定不下来的留空，列入“无日期”。"),
    ("拿不准的", "“春节前”“国庆前”“合同签订后90个工作日”等有几种读法的，导入时请您选定，不会代您猜。"),
    ("灰底的列", "编号、版本由系统填写并锁定，请勿改动；凭它们认出是哪个项目、导出之后有没有人改过。保护没有密码。"),
    ("导入会怎样", "先给您看读出了什么、与系统里有哪些不同，您确认之后才写入；写入后可以整批撤销。"),
    ("公式", "以 = + - @ 开头的内容一律当作文字，不会计算。"),
)  # fmt: skip


def choices_of(registers: Registers, *, every_status: bool) -> dict[str, list[str]]:
    """Column → what may be chosen, as this person sees the registers.

    Args:
        every_status: also statuses that no project begins with, for projects that are there already.
    """
    return {
        "enterprise": [unit.name for unit in registers.units.values()],
        "category": sorted(registers.categories),
        "audience": list(AUDIENCES.values()),
        "phase": list(PHASES.values()),
        "is_key": ["是", "否"],
        "status": list(STATUSES.values()) if every_status else list(BEGINNINGS),
        "liaison_leader": sorted(registers.leaders),
    }


class Dressing:
    """Adds lists to the sheet of a ledger and, once all sheets are there, the sheets behind it.

    Args:
        choices: column → what may be chosen.
        columns: those of the ledger.
        rows: how many rows are expected.
        is_sortable: whether the filter of the head leaves the locked columns out and the sheet may be sorted.
        notes: further (heading, text) on top of the explanation.
    """

    def __init__(
        self,
        choices: Mapping[str, Sequence[str]],
        columns: Sequence[OutColumn],
        rows: int,
        *,
        is_sortable: bool = False,
        notes: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.choices = {key: [text for text in texts if text] for key, texts in choices.items()}
        self.columns, self.rows, self.is_sortable, self.notes = columns, rows, is_sortable, notes
        self._in_sheet = [
            key for key, texts in self.choices.items()
            if len(",".join(texts)) > _MOST_IN_RULE or any("," in text or text[:1] == "=" for text in texts)
        ]  # fmt: skip

    def lists(self, _book: Any, page: Any) -> None:
        """The rules of the cells below the head."""
        last = min(self.rows + _ROOM, 1_048_575)
        for at, column in enumerate(self.columns):
            texts = self.choices.get(column.key)
            if not texts:
                continue
            source: Any = texts
            if column.key in self._in_sheet:
                place = chr(65 + self._in_sheet.index(column.key))
                source = f"={CHOICES_SHEET}!${place}$2:${place}${len(texts) + 1}"
            page.data_validation(1, at, last, at, {
                "validate": "list", "source": source, "error_type": "warning",
                "error_title": "不在选项中", "error_message": "名册或选项里没有这一项，导入时会请您选定。",
            })  # fmt: skip
        first = 0
        if self.is_sortable:
            # Excel sorts no range that holds a locked cell; the keys of new rows are blank and may stay behind.
            first = 1 + max((at for at, column in enumerate(self.columns) if column.is_locked), default=-1)
        page.autofilter(0, first, max(1, self.rows), len(self.columns) - 1)

    def further(self, book: Any) -> None:
        """The explanation, and the hidden sheet of what may be chosen."""
        self._explain(book)
        if self._in_sheet:
            page = book.add_worksheet(CHOICES_SHEET)
            for at, key in enumerate(self._in_sheet):
                page.write_string(0, at, BY_KEY[key].column.heading)
                for number, text in enumerate(self.choices[key], start=1):
                    page.write_string(number, at, text)
            page.hide()

    def _explain(self, book: Any) -> None:
        page = book.add_worksheet(HELP_SHEET)
        shared = {"font_name": "宋体", "font_size": 10, "valign": "top", "text_wrap": True}
        title = book.add_format({**shared, "bold": True, "font_size": 14, "text_wrap": False})
        head = book.add_format({**shared, "bold": True, "border": 1, "bg_color": "#EDF1F7"})
        cell, bold = book.add_format({**shared, "border": 1}), book.add_format({**shared, "bold": True})
        plain = book.add_format(shared)
        page.set_column(0, 0, 16)
        page.set_column(1, 1, 46)
        page.set_column(2, 2, 30)
        page.set_column(3, 3, 60)
        page.write_string(0, 0, "填表说明", title)
        at = 2
        for heading, text in (*self.notes, *_READING):
            page.write_string(at, 0, heading, bold)
            page.merge_range(at, 1, at, 3, text, plain)
            page.set_row(at, 15 * (1 + len(text) // 62))
            at += 1
        at += 1
        for place, text in enumerate(("列", "填什么", "示例", "导入时怎样处理")):
            page.write_string(at, place, text, head)
        for column in self.columns:
            told = BY_KEY[column.key]
            at += 1
            texts = (column.heading, told.what, told.example, told.then)
            for place, text in enumerate(texts):
                page.write_string(at, place, text, cell)
        page.set_landscape()
        page.set_paper(8)
        page.fit_to_pages(1, 0)
