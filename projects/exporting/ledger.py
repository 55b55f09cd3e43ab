"""The list of projects as a ledger that comes back: headings, keys and values as the importer reads them best."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import IO, Any

from enterprises.models import User
from enterprises.spreadsheets import OutColumn, OutSheet, write_csv, write_xlsx
from projects.exporting.columns import AUDIENCES, LEDGER_SHEET, PHASES, STATUSES, STEPS, STEPS_SHEET
from projects.exporting.dressing import Dressing, choices_of
from projects.exporting.names import Names
from projects.exporting.rows import ledger_rows, step_rows
from projects.models import Milestone, Programme


def write_ledger(
    file: IO[bytes],
    form: str,
    projects: Any,
    columns: Sequence[OutColumn],
    *,
    reader: User,
    as_of: datetime.date,
) -> int:
    """Write projects as a ledger.

    Args:
        file: a binary file that can seek.
        form: "xlsx" (with the milestones in a second sheet, lists and an explanation) or "csv".
        projects: what the list shows, filtered and ordered; all of it lies within the wall of `reader`.
        columns: of `columns.LEDGER`, perhaps in another order and under other headings.
        as_of: the day by which "overdue" is judged and names are resolved.

    Returns:
        The number of projects.
    """
    programmes = _programmes(projects, reader)
    # Names do not depend on the programme; without one there is no project either.
    names = Names(reader, programmes[0] if programmes else Programme(), as_of)
    rows = ledger_rows(projects, names, reader=reader, as_of=as_of, keys=[column.key for column in columns])
    if form == "csv":
        return write_csv(file, columns, rows)
    expected = projects.order_by().count()
    notes = _NOTES if {"code", "version"} <= {column.key for column in columns} else _NO_WAY_BACK
    dressing = Dressing(_choices(names, programmes), columns, expected, notes=notes)
    steps = step_rows(projects, names, reader=reader)
    sheets = [
        OutSheet(LEDGER_SHEET, columns, rows, expected, dressing.lists),
        OutSheet(STEPS_SHEET, STEPS, steps, _steps_expected(projects)),
    ]
    return write_xlsx(file, sheets, dressing.further)[0]


_NOTES = (
    (
        "改完再导入",
        "在本表改动后可原样导入：只有改动的单元格会写入，清空的单元格即清除该项。有多个方案的项目时，请在导入时选对方案。",
    ),
    (
        "排序",
        "工作表保护期间可筛选、可调列宽，不能排序，以免编号与内容错行。确需排序，请先撤销保护（没有密码），再选中整张表一起排。",
    ),
)
#: Without its code a row is taken for a new project, without its version nobody sees who changed it meanwhile.
_NO_WAY_BACK = (
    (
        "只供查看",
        "本表没有“项目编号”或“版本”列，导入时认不出是哪个项目，或看不出期间有人改过。需要改后导入的，请导出“完整台账”。",
    ),
)


def _programmes(projects: Any, reader: User) -> list[Programme]:
    ids = set(projects.order_by().values_list("programme_id", flat=True).distinct()[:50])
    return list(Programme.objects.visible_to(reader).filter(pk__in=ids).order_by("-year", "code"))


def _choices(names: Names, programmes: list[Programme]) -> dict[str, list[str]]:
    if len(programmes) == 1:
        names.registers.programme = programmes[0]
        return choices_of(names.registers, every_status=True)
    # Each programme has categories of its own: a list of all of them would offer wrong ones.
    return {
        "enterprise": [unit.name for unit in names.registers.units.values()],
        "audience": list(AUDIENCES.values()),
        "phase": list(PHASES.values()),
        "is_key": ["是", "否"],
        "status": list(STATUSES.values()),
    }


def _steps_expected(projects: Any) -> int:
    return int(Milestone.objects.filter(project__in=projects.order_by().values("pk")).count())
