"""Writing down that a list was taken out of the portal."""

from __future__ import annotations

from typing import Any

from enterprises.models import Enterprise, ListExport, User
from enterprises.scoping import outermost, units_for
from enterprises.services.journal_export import UNITS


def record_list_export(*, actor: User, listed: str, form: str, filters: dict[str, Any], rows: int) -> None:
    """Keep who took out which list: a row for each outermost unit at which the actor reads it.

    Args:
        listed: the model of the list, "projects.project".
        form: "xlsx" or "csv".
        filters: the query string of the list, by name.
        rows: how many rows the file has.
    """
    app, model = listed.split(".")
    paths = outermost(units_for(actor, f"{app}.view_{model}"))
    units = list(Enterprise.objects.filter(path__in=paths).order_by("path"))
    if len(units) > 1:
        filters = {**filters, UNITS: [unit.pk for unit in units]}
    ListExport.objects.bulk_create(
        ListExport(user=actor, by=str(actor), unit=unit, listed=listed, form=form, filters=filters, rows=rows)
        for unit in units
    )
