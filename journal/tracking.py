"""Which tables the journal watches, and how.

The triggers live in the database, so `update()`, bulk writes and raw SQL leave an entry as surely
as a form does; an audit made of Django signals is silent for all three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import pghistory
import pgtrigger
from django.apps import apps
from django.db import models

M = TypeVar("M", bound=type[models.Model])


@dataclass(frozen=True)
class Watch:
    """What the journal must know of a table to speak of its rows."""

    parent: str = ""
    named_by: str = ""
    stands_for: str = ""


class _InsertedTogether(pghistory.trigger.Event):
    """The stock trigger by statement writes to a table of contexts, too, which nothing here reads or clears."""

    def get_func(self, model: type[models.Model]) -> pgtrigger.Func:
        watched = {field.name for field in model._meta.fields}
        values = {
            field.column: f'new_values."{field.column}"'
            for field in self.event_model._meta.fields
            if field.name in watched
        }
        key = model._meta.pk
        assert key is not None
        values |= {
            "pgh_created_at": "NOW()",
            "pgh_label": f"'{self.label}'",
            "pgh_obj_id": f'new_values."{key.column}"',
            # In brackets of their own they are read once for all rows.
            "pgh_context": "(SELECT NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), '')::JSONB)",
            "pgh_context_id": "(SELECT NULLIF(CURRENT_SETTING('pghistory.context_id', TRUE), '')::UUID)",
        }
        columns = ", ".join(f'"{column}"' for column in values)
        return pgtrigger.Func(
            f'INSERT INTO "{self.event_model._meta.db_table}" ({columns})'
            f" SELECT {', '.join(values.values())} FROM new_values; RETURN NULL;"
        )


class BulkInsertEvent(pghistory.InsertEvent):
    """An entry for each new row, written once for all rows of a statement."""

    def add_event_trigger(self, event_model: Any) -> None:
        event = _InsertedTogether(
            event_model=event_model,
            label=self.label,
            name=self.trigger_name,
            row=self.row,
            operation=self.operation,
            level=pgtrigger.Statement,
        )
        pgtrigger.register(event)(event_model.pgh_tracked_model)


def tracked(
    *,
    exclude: Iterable[str] = (),
    inserts: bool = True,
    in_bulk: bool = False,
    parent: str = "",
    named_by: str = "",
    stands_for: str = "",
) -> Callable[[M], M]:
    """Watch a model: one append-only row for each insert, update and delete.

    Args:
        exclude: fields that are neither kept nor counted as a change: secrets (a password hash
            must not lie in a table that auditors read) and values the portal derives itself.
        inserts: False for tables that are written by the thousand and are their own record of
            having been made; their later changes and deletions are still kept.
        in_bulk: rows of the table come by the thousand: their entries are written by one statement for all rows
            of an insert, in half the time, and not by a trigger for each.
        parent: the foreign key to what a row is a part of; a milestone's entry names its project.
        named_by: the field that names a row where it has neither a name nor a user name.
        stands_for: the many-to-many field of the parent of which a row is one value. Such entries
            read as changes of the parent.

    Returns:
        A class decorator.
    """
    unwatched = [*exclude]
    events: list[pghistory.RowEvent] = [
        pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=unwatched, exclude_auto=True)),
        pghistory.DeleteEvent(),
    ]
    if inserts:
        events.insert(0, BulkInsertEvent() if in_bulk else pghistory.InsertEvent())

    def watch(model: M) -> M:
        name = str(model._meta.model_name)[:18]
        indexes = [
            # The journal's page, the export and the archive walk every table in this order.
            models.Index(fields=["pgh_created_at", "pgh_id"], name=f"{name}_told_at")
        ]
        if stands_for:
            indexes.append(models.Index(fields=[parent], name=f"{name}_of"))
        return pghistory.track(
            *events,
            exclude=unwatched,
            attrs={"watch": Watch(parent, named_by, stands_for)},
            meta={"indexes": indexes},
        )(model)

    return watch


def event_models() -> list[Any]:
    """The event table of every watched model, in the order in which the journal reads them."""
    found = [model for model in apps.get_models() if getattr(model, "pgh_tracked_model", None) is not None]
    return sorted(found, key=label_of)


def event_model_of(model: type[models.Model]) -> Any | None:
    return next((event for event in event_models() if event.pgh_tracked_model is model), None)


def label_of(event_model: Any) -> str:
    """ "projects.milestone": the model that an event table watches."""
    return event_model.pgh_tracked_model._meta.label_lower


def subject_of(event_model: Any) -> type[models.Model]:
    """The model whose change an entry tells of: the parent's, for a row of a many-to-many table."""
    tracked_model = event_model.pgh_tracked_model
    if not event_model.watch.stands_for:
        return tracked_model
    return tracked_model._meta.get_field(event_model.watch.parent).related_model


def subject_field(event_model: Any) -> str:
    """The column of an event table that holds the id of the subject."""
    return f"{event_model.watch.parent}_id" if event_model.watch.stands_for else "pgh_obj_id"
