"""The journal as version: which state of a row a form was opened on, and what happened since.

Every watched table has an append-only table of events written by triggers, so the newest event of a row
is its version whatever road the last change took: a form, a bulk update, raw SQL. No column of the row
has to be counted up, and no writer can forget to do it. What an editor started from can be read back.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from journal.tracking import event_model_of


def versions_of(rows: models.QuerySet[Any]) -> dict[int, int]:
    """The version of each of `rows`: the id of its newest event, 0 for a row that has none.

    One query, one look-up in the index of the event table for each row.

    Args:
        rows: rows of one watched model.

    Raises:
        LookupError: the model is not watched, so a change of it would go unseen.
    """
    events = _events_of(rows.model)
    # Grouped on purpose: for a bare maximum PostgreSQL may walk the whole journal backwards.
    newest = (
        events.filter(pgh_obj_id=OuterRef("pk"))
        .order_by()
        .values("pgh_obj_id")
        .annotate(newest=Max("pgh_id"))
        .values("newest")
    )
    found = rows.order_by("pk").annotate(row_version=Coalesce(Subquery(newest), 0))
    return dict(found.values_list("pk", "row_version"))


def events_since(model: type[models.Model], versions: Mapping[int, int]) -> dict[int, list[Any]]:
    """The events of some rows from a version on, oldest first; the event of the version itself is included.

    Args:
        model: a watched model.
        versions: row → version, as `versions_of` gave them; 0 asks for every event of the row.

    Returns:
        Row → events. Where the version is not 0 the first event holds the values of that version.
    """
    found: dict[int, list[Any]] = {pk: [] for pk in versions}
    if versions:
        oldest = min(versions.values())
        rows = _events_of(model).filter(pgh_obj_id__in=list(versions), pgh_id__gte=oldest)
        for event in rows.order_by("pgh_id"):
            if event.pgh_id >= versions[event.pgh_obj_id]:
                found[event.pgh_obj_id].append(event)
    return found


def author_of(event: Any) -> tuple[str, datetime.datetime]:
    """Who made a change, in the words of the journal, and when."""
    return (event.pgh_context or {}).get("by") or _("outside the portal"), event.pgh_created_at


def is_watched(model: type[models.Model], field: str) -> bool:
    """Whether a change of this column leaves an event, and so makes a new version."""
    events = event_model_of(model)
    return events is not None and field in {f.name for f in events._meta.fields}


def _events_of(model: type[models.Model]) -> models.QuerySet[Any]:
    events = event_model_of(model)
    if events is None:
        raise LookupError(f"{model._meta.label} is not watched by the journal")
    return events._base_manager.all()
