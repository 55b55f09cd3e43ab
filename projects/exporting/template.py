"""The empty ledger of a programme: what there is to fill in, and what may be chosen, as this person sees it."""

from __future__ import annotations

import datetime
from typing import IO

from enterprises.models import User
from enterprises.spreadsheets import OutSheet, write_xlsx
from projects.exporting.columns import BY_KEY, LEDGER_SHEET, TEMPLATE
from projects.exporting.dressing import Dressing, choices_of
from projects.importing.registers import Registers
from projects.importing.understanding import SAMPLE
from projects.models import Programme

_NOT_IN_THE_SAMPLE = ("code", "version", "liaison_leader", "supporting", "party_branches", "serial")


def write_template(file: IO[bytes], programme: Programme, *, actor: User, as_of: datetime.date) -> None:
    """Write the empty ledger of a programme, with one row that shows how and is not taken in.

    Args:
        file: a binary file that can seek.
        programme: one that the caller has found through the wall.
        actor: whoever will fill it in; the lists hold what this account may choose.
    """
    registers = Registers(actor, programme, as_of)
    choices = choices_of(registers, every_status=False)
    notes = (("方案", f"{programme.name}（{programme.year}年）"), ("示例行", f"第2行以{SAMPLE}开头，是示例，导入时不取，可以删除。"))  # fmt: skip
    dressing = Dressing(choices, TEMPLATE, 1, is_sortable=True, notes=notes)
    sheet = OutSheet(
        LEDGER_SHEET, TEMPLATE, [_sample(choices, programme)], 1, dressing.lists, is_sortable=True
    )
    write_xlsx(file, [sheet], dressing.further)


def _sample(choices: dict[str, list[str]], programme: Programme) -> list[object]:
    """A row as a person would write it: dates in words, units and categories from the lists."""
    said: dict[str, object] = {
        key: "" if key in _NOT_IN_THE_SAMPLE else told.example for key, told in BY_KEY.items()
    }
    # The first unit is the one at the top, which rarely answers for a project itself.
    said["enterprise"] = next(iter([*choices["enterprise"][1:2], *choices["enterprise"]]), "")
    said["category"] = next(iter(choices["category"]), "")
    said |= {
        "name": f"{SAMPLE}{said['name']}",
        "start": f"{programme.year}年4月",
        "deadline": f"{programme.year}年7月底前",
        "progress": 60,
    }
    return [said[column.key] for column in TEMPLATE]
