"""The rows that were not taken, as a workbook to mend and hand in again: as they stood, and what is wrong.

What a person decided in the preview stands in its cell, or the same question would be asked again.
"""

from __future__ import annotations

import tempfile
from typing import Any

import xlsxwriter
from django.http import FileResponse
from django.utils.translation import gettext as _

from projects.importing.columns import COLUMNS
from projects.importing.deciding import AS_READ, DECIDABLE, NO_DATE, STANDING
from projects.importing.findings import Outcome
from projects.importing.parties import split_units
from projects.importing.reading import Reading
from projects.importing.registers import Registers
from projects.models import LedgerImport, LedgerRow

#: Words that are read as these states, whatever the language of the reader.
STATE_CELLS = {
    "not_started": "未启动",
    "in_progress": "推进中",
    "done": "已完成",
    "ongoing": "长期坚持",
    "suspended": "暂停",
}


def faults_workbook(ledger: LedgerImport) -> FileResponse:
    """A download: the rows that need a decision or were refused, with one more column that says why.

    The headings are the portal's own names of the columns that were understood, so that the file is read without
    a question when it comes back.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the answer closes it when it was sent)
    book = xlsxwriter.Workbook(
        file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    wrong = book.add_format({"text_wrap": True, "valign": "top", "font_color": "#a01a1d"})
    known = {column.key: column.aliases[0] for column in COLUMNS}
    rows = LedgerRow.objects.filter(ledger=ledger).exclude(outcome=Outcome.ACCEPTED).order_by("position")
    used = _used(ledger)
    registers = Registers(ledger.uploaded_by, ledger.programme, ledger.as_of)
    for sheet_name in dict.fromkeys(rows.values_list("sheet", flat=True)):
        sheet = book.add_worksheet(_tab(sheet_name, book))
        keys, others = used.get(sheet_name, (list(known), []))
        keys = [*keys, *_decided_beside(rows.filter(sheet=sheet_name), keys)]
        headings = [*(known[key] for key in keys), *others, _("Row"), _("What is wrong and what to do")]
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(headings) - 2, 18)
        sheet.set_column(len(headings) - 1, len(headings) - 1, 60)
        for at, heading in enumerate(headings):
            sheet.write_string(0, at, heading, head)
        for number, row in enumerate(rows.filter(sheet=sheet_name).iterator(1000), start=1):
            one = Reading.from_data(row)
            decided = _decided(row, one, registers)
            cells = [
                *(decided.get(key, one.raw.get(key, "")) for key in keys),
                *(one.extra.get(name, "") for name in others),
                str(row.row),
            ]
            # 2021.1 as a number may be October, as a text it is January: it stays what it was.
            numeric = {found.field for found in one.findings if found.code == "NUMERIC_MONTH"} - {*decided}
            for at, text in enumerate(cells):
                if at < len(keys) and keys[at] in numeric:
                    sheet.write_number(number, at, float(text), wrap)
                else:
                    sheet.write_string(number, at, text[:32_000], wrap)
            told = one.messages
            if decided:
                columns = "、".join(known[key] for key in decided)
                told.append(_("Decided by you and entered already: %(columns)s.") % {"columns": columns})
            sheet.write_string(number, len(cells), "\n".join(told)[:32_000], wrong)
    if not book.worksheets():
        book.add_worksheet().write_string(0, 0, _("There is nothing wrong in this ledger."))
    book.close()
    file.seek(0)
    stem = ledger.file_name.rsplit(".", 1)[0]
    return FileResponse(file, as_attachment=True, filename=_("%(file)s – to be mended.xlsx") % {"file": stem})


def _used(ledger: LedgerImport) -> dict[str, tuple[list[str], list[str]]]:
    found = {}
    for sheet in ledger.file_facts.get("sheets", []):
        keys = [key for key in dict.fromkeys(sheet["columns"].values()) if key != "version"]
        found[sheet["name"]] = (keys, sheet["unknown_columns"])
    return found


def _decided_beside(rows: Any, keys: list[str]) -> list[str]:
    """Columns that the sheet does not have and a person decided on all the same: an enterprise for all rows."""
    return [key for key in DECIDABLE if key not in keys and rows.filter(decided__has_key=key).exists()]


def _decided(row: LedgerRow, one: Reading, registers: Registers) -> dict[str, str]:
    """Column → what was decided, in words that are read as just that."""
    return {
        key: _cell(key, value, row, one, registers)
        for key, value in row.decided.items()
        if key in DECIDABLE and value != AS_READ
    }


def _cell(key: str, value: str, row: LedgerRow, one: Reading, registers: Registers) -> str:
    if key == "enterprise":
        unit = registers.units.get(row.enterprise_id or 0)
        name = unit.name if unit and registers.called(unit.name) == (unit.pk,) else value
        supporting = split_units(one.raw.get(key, "")).supporting
        return f"牵头单位：{name}\n配合单位：{'、'.join(supporting)}" if supporting else name
    if key == "category":
        return next((name for name, pk in registers.categories.items() if str(pk) == value), value)
    if key == "progress":
        return f"{value.rstrip('%％')}%"
    if key == "status":
        return STATE_CELLS[value]
    return {NO_DATE: "无", STANDING: "长期"}.get(value, value) if key in ("start", "deadline") else value


def _tab(name: str, book: Any) -> str:
    """A name that a workbook allows for a tab, once."""
    plain = "".join(" " if sign in "[]:*?/\\" else sign for sign in name).strip("' ")[:28] or "1"
    taken = {sheet.get_name().lower() for sheet in book.worksheets()}
    return plain if plain.lower() not in taken else f"{plain[:25]} {len(taken) + 1}"
