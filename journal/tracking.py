"""Which tables the journal watches, and how.

The triggers live in the database, so `update()`, bulk writes and raw SQL leave an entry as surely
as a form does; an audit made of Django signals is silent for all three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import pghistory
from django.db import models

M = TypeVar("M", bound=type[models.Model])


def tracked(*, exclude: Iterable[str] = (), inserts: bool = True) -> Callable[[M], M]:
    """Watch a model: one append-only row for each insert, update and delete.

    Args:
        exclude: fields that are neither kept nor counted as a change: secrets (a password hash
            must not lie in a table that auditors read) and values the portal derives itself.
        inserts: False for tables that are written by the thousand and are their own record of
            having been made; their later changes and deletions are still kept.

    Returns:
        A class decorator.
    """
    unwatched = [*exclude]
    events: list[pghistory.RowEvent] = [
        pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=unwatched, exclude_auto=True)),
        pghistory.DeleteEvent(),
    ]
    if inserts:
        events.insert(0, pghistory.InsertEvent())
    return pghistory.track(*events, exclude=unwatched)
