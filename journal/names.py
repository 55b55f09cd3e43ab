"""Names of related rows: one question for each kind of row, and only for those the reader may know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models
from django.db.models import Q

from journal.tracking import event_model_of

#: Which rows of an event table somebody may read in the journal (`enterprises.journal_scope`).
Allowed = Callable[[type[models.Model]], Q]


class Names:
    """First `want` everything, then `load` it, then ask for the name `of` each.

    Args:
        reader: whoever reads; rows beyond this account's wall stay numbers. None for the archive,
            which is handed only to those whose wall stands around everything.
        allowed: for readers of the journal: what its entries tell them, they may know here too. It
            also names what has been deleted since.
    """

    def __init__(self, reader: Any | None, allowed: Allowed | None = None) -> None:
        self.reader = reader
        self.allowed = allowed
        self._wanted: dict[Any, set[Any]] = {}
        self._known: dict[tuple[Any, Any], str] = {}

    def want(self, model: Any, pk: Any) -> None:
        if pk is not None and (model, pk) not in self._known:
            self._wanted.setdefault(model, set()).add(pk)

    def load(self) -> None:
        for model, ids in self._wanted.items():
            rows = model._default_manager.all()
            if self.reader is not None and hasattr(rows, "choosable_by"):
                rows = rows.choosable_by(self.reader)
            event_model = event_model_of(model)
            if event_model is not None and event_model.watch.parent:
                rows = rows.select_related(event_model.watch.parent)  # such names often hold the parent's
            found = {row.pk: str(row) for row in rows.filter(pk__in=ids)}
            found |= self._told(model, ids - found.keys())
            self._known |= {(model, pk): found.get(pk, f"#{pk}") for pk in ids}
        self._wanted = {}

    def of(self, model: Any, pk: Any) -> str:
        return "" if pk is None else self._known[model, pk]

    def _told(self, model: Any, ids: set[Any]) -> dict[Any, str]:
        """What the journal itself last called these rows."""
        event_model = event_model_of(model)
        if not ids or event_model is None or (self.allowed is None and self.reader is not None):
            return {}
        rows = event_model._base_manager.filter(pgh_obj_id__in=ids)
        if self.allowed is not None:
            rows = rows.filter(self.allowed(event_model))
        newest = rows.order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
        return {event.pgh_obj_id: name for event in newest if (name := own_name(event))}


def own_name(event: Any) -> str:
    return str(getattr(event, "name", "") or getattr(event, "username", "") or "")
