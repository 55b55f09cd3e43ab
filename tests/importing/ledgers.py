"""Ledgers and the small world that they are handed in to."""

from __future__ import annotations

import datetime
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter
from django.utils import timezone

from enterprises.models import Enterprise, User
from projects.importing.confirming import ask_to_confirm, confirm
from projects.importing.intake import hand_in, read
from projects.importing.preview import Preview
from projects.importing.reading import Reading
from projects.importing.registers import Registers
from projects.models import LedgerImport, Programme
from tests import factories

ON = datetime.date(2021, 6, 11)
HEADINGS = ["序号", "项目名称", "责任单位", "开工时间", "完成时限", "完成进度", "状态", "备注"]


@dataclass
class World:
    root: Enterprise
    water: Enterprise
    metro: Enterprise
    staff: User
    officer: User
    programme: Programme


def world() -> World:
    root = factories.sasac("东莞市国资委")
    water = factories.enterprise("东莞市水务集团有限公司", short_name="水务集团", parent=root, code="SW")
    metro = factories.enterprise("东莞市轨道交通有限公司", short_name="轨道公司", parent=root, code="GD")
    staff = factories.user("staff", root, name="张某某")
    officer = factories.user("officer", water, name="李某某")
    return World(root, water, metro, staff, officer, factories.programme(root, 2021))


def workbook(rows: list[list[Any]], *, sheet: str = "台账") -> bytes:
    """An xlsx with these rows from its first row on."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False})
    page = book.add_worksheet(sheet)
    for number, row in enumerate(rows):
        for at, value in enumerate(row):
            if isinstance(value, datetime.date):
                page.write_datetime(
                    number,
                    at,
                    datetime.datetime.combine(value, datetime.time()),
                    book.add_format({"num_format": "yyyy-mm-dd"}),
                )
            elif value is not None:
                page.write(number, at, value)
    book.close()
    return file.getvalue()


def ledger(*rows: list[Any], headings: list[str] | None = None) -> bytes:
    return workbook([headings or HEADINGS, *rows])


def previewed(
    content: bytes,
    actor: User,
    programme: Programme,
    *,
    folder: Path,
    name: str = "台账.xlsx",
    on: datetime.date = ON,
) -> tuple[Preview, list[Reading]]:
    path = folder / "ledger"
    path.write_bytes(content)
    preview = Preview(path, name, Registers(actor, programme, on), as_of=on)
    return preview, [one for chunk in preview.chunks() for one in chunk]


def handed_in(
    content: bytes, actor: User, programme: Programme, *, name: str = "台账.xlsx", on: datetime.date = ON
) -> LedgerImport:
    """Handed in and read."""
    made = hand_in(programme=programme, actor=actor, name=name, chunks=[content], as_of=on, at=timezone.now())
    read(ledger_id=made.pk, now=timezone.now)
    made.refresh_from_db()
    return made


def confirmed(made: LedgerImport, *, on: datetime.date = ON) -> LedgerImport:
    ask_to_confirm(
        ledger_id=made.pk, actor=made.uploaded_by, reading_number=made.reading_number, at=timezone.now()
    )
    done = confirm(ledger_id=made.pk, as_of=on)
    assert done is not None
    return done


def codes(one: Reading) -> set[str]:
    return {found.code for found in one.findings}
