"""The cockpit as a workbook: the same numbers as on the page, each block a sheet, with the day and the filter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO, Any

from django.utils.translation import gettext as _

from enterprises.spreadsheets import OutColumn, OutSheet, write_xlsx
from projects.cockpit.reading import Cockpit, Line
from projects.cockpit.red_list import RedProject
from projects.services.search import person_name
from projects.tallies import Counts


def measures() -> list[tuple[str, str]]:
    """(name in `tallies.Counts`, heading) of the columns, in the order of the page."""
    return [
        ("projects", _("Projects")),
        ("red", _("Red")),
        ("yellow", _("Yellow")),
        ("green", _("Green")),
        ("blue", _("Blue")),
        ("grey", _("Grey")),
        ("overdue", _("Milestones overdue")),
        ("due_soon", _("Due soon")),
        ("silent", _("Silent")),
        ("reports_waiting", _("Reports waiting")),
        ("extensions", _("Extensions approved")),
        ("extension_days", _("Days of extension")),
        ("with_evidence", _("Projects with evidence")),
    ]


def write_workbook(file: IO[bytes], cockpit: Cockpit, red: Sequence[RedProject]) -> int:
    """Write the workbook.

    Args:
        red: all red projects that are to be listed.

    Returns:
        The number of rows of all its sheets.
    """
    sheets = [_facts(cockpit), _red(red), _lines(_("Units"), _("Unit"), cockpit.units)]
    sheets += [_lines(_("Categories"), _("Category"), cockpit.categories), _curve(cockpit)]
    return sum(write_xlsx(file, sheets))


def _facts(cockpit: Cockpit) -> OutSheet:
    question, counts, before = cockpit.question, cockpit.counts, cockpit.before
    columns = [
        OutColumn("what", _("Measure"), width=28),
        OutColumn("value", _("Value"), width=40),
        OutColumn(
            "before", str(cockpit.before_on) if before and cockpit.before_on else _("A week before"), width=16
        ),
    ]
    rows: list[tuple[Any, Any, Any]] = [
        (_("Unit"), question.unit.name, None),
        (_("Programme"), question.programme.name, None),
        # As text: the column holds words and numbers, and a bare date in it would be shown as a number of days.
        (_("Day"), question.on.isoformat(), None),
    ]
    if question.programme.is_demo:
        rows.insert(0, (_("demo data"), _("Generated; describes no real unit."), None))
    for name, heading in measures():
        rows.append((heading, getattr(counts, name), getattr(before, name) if before else None))
    for name, heading in (
        ("planned_percent", _("Planned progress")),
        ("actual_percent", _("Actual progress")),
        ("on_time_rate", _("On-time rate")),
        ("first_rate", _("By the date first promised")),
    ):
        rows.append((heading, _percent(counts, name), _percent(before, name) if before else None))
    return OutSheet(_("Overview"), columns, rows)


def _percent(counts: Counts, name: str) -> str | None:
    value = getattr(counts, name)
    return None if value is None else f"{value:.1f}%"


def _red(red: Sequence[RedProject]) -> OutSheet:
    columns = [
        OutColumn("code", _("code"), width=16),
        OutColumn("project", _("Project"), width=36),
        OutColumn("enterprise", _("Responsible enterprise"), width=28),
        OutColumn("reason", _("Why it is red"), width=36),
        OutColumn("days", _("Red for"), "number", 10),
        OutColumn("who", _("who answers"), width=16),
        OutColumn("planned", _("Planned progress"), "percent", 10),
        OutColumn("actual", _("Actual progress"), "percent", 10),
    ]
    rows = (
        (
            *(row.code, row.name, row.enterprise_name, row.reason, row.days),
            *(person_name(row.who), row.planned_percent, row.actual_percent),
        )
        for row in red
    )
    return OutSheet(_("Red list"), columns, rows, expected=len(red), is_sortable=True)


def _lines(name: str, head: str, lines: Sequence[Line]) -> OutSheet:
    columns = [OutColumn("name", head, width=30)]
    columns += [OutColumn(key, heading, "number", 12) for key, heading in measures()]
    columns.append(OutColumn("on_time", _("On-time rate"), "percent", 12))

    def rows() -> Iterable[tuple[Any, ...]]:
        for line in lines:
            label = line.name or _("Without category")
            if line.alone:
                label = f"{label}（{_('its own projects')}）"
            yield (label, *(getattr(line.counts, key) for key, _h in measures()), line.counts.on_time_rate)

    return OutSheet(name, columns, rows(), expected=len(lines), is_sortable=True)


def _curve(cockpit: Cockpit) -> OutSheet:
    columns = [
        OutColumn("day", _("Day"), "date", 14),
        OutColumn("planned", _("Planned progress"), "percent", 14),
        OutColumn("actual", _("Actual progress"), "percent", 14),
        OutColumn("red", _("Red"), "number", 10),
    ]
    rows = [(point.day, point.planned, point.actual, point.red) for point in cockpit.curve]
    return OutSheet(_("Trend"), columns, rows, expected=len(rows), is_sortable=True)
