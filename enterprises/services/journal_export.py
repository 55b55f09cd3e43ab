"""Writing down that entries were taken out of the journal."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from enterprises.journal_scope import EXPORT, PERMISSION
from enterprises.models import Enterprise, JournalExport, User
from enterprises.scoping import outermost, units_for

#: Kept with the filters of an export that reached into several units: their ids.
UNITS = "units"


def record_export(*, actor: User, form: str, filters: dict[str, Any], entries: int) -> None:
    """Keep who took out what: a row for each outermost unit at which the right is held, so that the
    colleagues of each see it.

    Args:
        actor: an account that may export.
        form: "xlsx" or "csv".
        filters: what was typed above the journal.
        entries: how many there were, of all units together.
    """
    units = list(Enterprise.objects.filter(path__in=outermost(units_for(actor, EXPORT))).order_by("path"))
    if len(units) > 1:
        filters = {**filters, UNITS: [unit.pk for unit in units]}
    JournalExport.objects.bulk_create(
        JournalExport(user=actor, by=str(actor), unit=unit, form=form, filters=filters, entries=entries)
        for unit in units
    )


def partly_beyond(*, exports: Collection[Any], reader: User, permission: str = PERMISSION) -> set[int]:
    """Ids of the exports (of the journal or of a list) that reached into a unit which `reader` does not read.

    What was typed for them may name people and projects of that unit.
    """
    asked = {pk for export in exports for pk in export.filters.get(UNITS, ())}
    read = tuple(units_for(reader, permission))
    paths = Enterprise.objects.filter(pk__in=asked).values_list("pk", "path")
    inside = {pk for pk, path in paths if path.startswith(read)}
    return {export.pk for export in exports if not inside.issuperset(export.filters.get(UNITS, ()))}
