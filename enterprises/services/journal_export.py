"""Writing down that entries were taken out of the journal."""

from __future__ import annotations

from typing import Any

from enterprises.journal_scope import EXPORT
from enterprises.models import Enterprise, JournalExport, User
from enterprises.scoping import units_for


def record_export(*, actor: User, form: str, filters: dict[str, Any], entries: int) -> JournalExport:
    """Keep who took out what. Colleagues of the unit at which the right is held see it.

    Args:
        actor: an account that may export.
        form: "xlsx" or "csv".
        filters: what was typed above the journal.
        entries: how many there were.
    """
    unit = Enterprise.objects.get(path=min(units_for(actor, EXPORT), key=len))
    return JournalExport.objects.create(
        user=actor, by=str(actor), unit=unit, form=form, filters=filters, entries=entries
    )
