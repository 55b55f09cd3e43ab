"""Reading the journal: entries with before and after, in words.

Every watched model has an event table of its own (written by triggers, append-only). An entry here is
one row of one of these tables, compared with the row before it for the same object.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Max, OuterRef, Q, Subquery, Value
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Change:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """One change, as a person reads it."""

    at: datetime.datetime
    by: str
    source: str
    why: str
    action: str
    kind: str
    name: str
    object_id: int | None
    changes: Sequence[Change]


def event_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if hasattr(model, "pgh_tracked_model")]


def event_model_of(model: type[models.Model]) -> type[models.Model] | None:
    return next((e for e in event_models() if e.pgh_tracked_model is model), None)  # type: ignore[attr-defined]


def history_of(objects: Iterable[models.Model], reader: Any, limit: int = 100) -> list[Entry]:
    """The newest entries of some objects (a project and its milestones), newest first.

    Args:
        objects: rows that the caller has found through the wall.
        reader: the account that reads; units and people beyond its wall are not named.
    """
    wanted: dict[type[models.Model], list[int]] = {}
    for obj in objects:
        wanted.setdefault(type(obj), []).append(obj.pk)
    entries: list[Entry] = []
    for model, ids in wanted.items():
        event_model = event_model_of(model)
        if event_model is not None:
            rows = event_model._base_manager.filter(pgh_obj_id__in=ids).order_by("-pgh_id")[:limit]
            entries += _entries(event_model, list(rows), reader)
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]


def latest(
    *,
    reader: Any,
    allowed: Callable[[type[models.Model]], Q],
    size: int,
    before: datetime.datetime | None = None,
    by: str = "",
    kind: str = "",
) -> list[Entry]:
    """The newest entries over all watched tables, newest first.

    Args:
        reader: the account that reads; units and people beyond its wall are not named.
        allowed: which rows of an event table the reader may read (`enterprises.journal_scope`).
        size: at most so many.
        before: only older ones (keyset paging: the `at` of the last entry on the page before).
        by: part of an actor's name.
        kind: model label ("projects.project") or "" for all.
    """
    tables: list[Any] = [m for m in event_models() if kind in ("", m.pgh_tracked_model._meta.label_lower)]  # type: ignore[attr-defined]
    arms = []
    for index, model in enumerate(tables):
        rows = model._base_manager.filter(allowed(model))
        if before is not None:
            rows = rows.filter(pgh_created_at__lt=before)
        if by:
            rows = rows.filter(pgh_context__by__icontains=by)
        # Every arm is cut to the page before the union is sorted: the cost is the number of tables
        # times the page, not the length of the journal.
        page = rows.order_by("-pgh_id").annotate(arm=Value(index))
        arms.append(page.values_list("arm", "pgh_id", "pgh_created_at")[:size])
    if not arms:
        return []
    found = (
        arms[0].union(*arms[1:], all=True).order_by("-pgh_created_at", "-pgh_id")[:size]
        if arms[1:]
        else arms[0]
    )
    wanted: dict[int, list[int]] = {}
    for arm, pgh_id, _at in found:
        wanted.setdefault(arm, []).append(pgh_id)
    entries: list[Entry] = []
    for arm, ids in wanted.items():
        entries += _entries(tables[arm], list(tables[arm]._base_manager.filter(pgh_id__in=ids)), reader)
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _entries(event_model: Any, events: list[Any], reader: Any) -> list[Entry]:
    earlier = (
        event_model._base_manager.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id"))
        .order_by()
        .values("pgh_obj_id")
        .annotate(last=Max("pgh_id"))
        .values("last")
    )
    before_ids = dict(
        event_model._base_manager.filter(pk__in=[e.pk for e in events])
        .annotate(before=Subquery(earlier))
        .values_list("pk", "before")
    )
    before = event_model._base_manager.in_bulk([pk for pk in before_ids.values() if pk])
    names = _Names(reader)
    return [_entry(event_model, event, before.get(before_ids.get(event.pk)), names) for event in events]


def _entry(event_model: Any, event: Any, before: Any | None, names: _Names) -> Entry:
    context = event.pgh_context or {}
    tracked = event_model.pgh_tracked_model
    fields = [f for f in event_model._meta.fields if f.name != "id" and not f.name.startswith("pgh_")]
    changes = []
    for field in fields:
        new, old = getattr(event, field.attname), getattr(before, field.attname) if before else None
        if event.pgh_label == "update" and before is not None and new != old:
            changes.append(Change(_label(tracked, field), _text(field, old, names), _text(field, new, names)))
        elif event.pgh_label == "insert" and new not in (None, "", False, 0, {}):
            changes.append(Change(_label(tracked, field), "", _text(field, new, names)))
    return Entry(
        at=event.pgh_created_at,
        by=context.get("by") or _("outside the portal"),
        source=context.get("source", ""),
        why=context.get("why", ""),
        action=event.pgh_label,
        kind=str(tracked._meta.verbose_name),
        name=str(getattr(event, "name", "") or getattr(event, "username", "") or f"#{event.pgh_obj_id}"),
        object_id=event.pgh_obj_id,
        changes=changes,
    )


class _Names:
    """Names of related rows, each asked for once, and only of those the reader may see."""

    def __init__(self, reader: Any) -> None:
        self.reader = reader
        self.known: dict[tuple[Any, Any], str] = {}

    def of(self, model: Any, pk: Any) -> str:
        if (model, pk) not in self.known:
            rows = model._default_manager.all()
            if hasattr(rows, "choosable_by"):
                rows = rows.choosable_by(self.reader)
            row = rows.filter(pk=pk).first()
            self.known[model, pk] = f"#{pk}" if row is None else str(row)
        return self.known[model, pk]


def _label(tracked: Any, field: Any) -> str:
    return str(tracked._meta.get_field(field.name).verbose_name)


def _text(field: Any, value: Any, names: _Names) -> str:
    if value is None or value == "":
        return ""
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field.is_relation:
        return names.of(field.related_model, value)
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    return str(value)


def history_response(request: HttpRequest, model_admin: Any, obj: models.Model) -> HttpResponse:
    """The history page of one object; the caller has found it through the wall."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("History of %(name)s") % {"name": obj},
        "opts": model_admin.opts,
        "object": obj,
        "entries": history_of([obj], request.user),
    }
    return TemplateResponse(request, "journal/history.html", context)
