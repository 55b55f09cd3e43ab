"""One row of an event table, put into words: who, when, what before and after.

An entry is compared with the row before it for the same object. Everything that has to be looked up is
asked for once per table, however many entries there are.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django.db.models import IntegerField, Max, OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from journal.names import Names, own_name
from journal.tracking import label_of, subject_field, subject_of

#: Kept for the wall, which follows it; ids with dots tell nobody anything.
_NOT_SHOWN = frozenset({"path"})
_NOTHING: tuple[Any, ...] = (None, "", False, 0, {})


class Key(NamedTuple):
    """The place of an entry in the journal: entries of one transaction share the time."""

    at: datetime.datetime
    table: str
    row: int


@dataclass(frozen=True)
class Change:
    label: str
    before: str
    after: str
    #: "added" or "removed" for one value of many.
    verb: str = ""
    field: str = ""


@dataclass(frozen=True)
class Entry:
    """One change, as a person reads it."""

    key: Key
    by: str
    unit: str
    source: str
    why: str
    click: str
    action: str
    kind: str
    kind_label: str
    name: str
    parent: str
    parent_kind: str
    object_id: int | None
    changes: Sequence[Change]
    #: As the trigger wrote it, for the archive.
    context: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> datetime.datetime:
        return self.key.at

    @property
    def thing(self) -> str:
        """The object, as the filter of the journal takes it: its history is one link away."""
        return f"#{self.object_id}"


def entries_of(found: Iterable[tuple[Any, Sequence[Any]]], names: Names) -> list[Entry]:
    """Put event rows into words, newest first.

    Args:
        found: event tables, each with some of its rows.
        names: who reads, and what may be named.
    """
    drafts = []
    for event_model, events in found:
        before = _before(event_model, events)
        drafts += [_Draft(event_model, event, before.get(event.pk)) for event in events]
    for draft in drafts:
        draft.want(names)
    names.load()
    return sorted((draft.entry(names) for draft in drafts), key=order)


def order(entry: Entry) -> tuple[float, str, int]:
    """Newest first; what was written at once by table, and in a table the later first."""
    return (-entry.key.at.timestamp(), entry.key.table, -entry.key.row)


def joined(entries: Iterable[Entry]) -> list[Entry]:
    """Values that one click added to and took from a many-to-many field, as one entry."""
    out: list[Entry] = []
    for entry in entries:
        last = out[-1] if out else None
        if (
            last is not None
            and entry.changes
            and last.changes
            and entry.changes[0].verb
            and last.changes[0].verb
            and (last.key.at, last.key.table, last.object_id, last.click)
            == (entry.key.at, entry.key.table, entry.object_id, entry.click)
        ):
            out[-1] = replace(last, changes=[*last.changes, *entry.changes])
        else:
            out.append(entry)
    return out


def _before(event_model: Any, events: Sequence[Any]) -> dict[int, Any]:
    """Event id → the row before it of the same object, where there is one."""
    changed = [event.pk for event in events if event.pgh_label == "update"]
    if not changed:
        return {}
    earlier = (
        event_model._base_manager.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id"))
        .order_by()
        .values("pgh_obj_id")
        .annotate(last=Max("pgh_id"))
        .values("last")
    )
    pairs = dict(
        event_model._base_manager.filter(pk__in=changed)
        .annotate(before=Subquery(earlier))
        .values_list("pk", "before")
    )
    rows = event_model._base_manager.in_bulk([pk for pk in pairs.values() if pk])
    return {pk: rows[before] for pk, before in pairs.items() if before}


def fields_kept(event_model: Any) -> list[Any]:
    """The columns of an event table that hold what the row was."""
    return [f for f in event_model._meta.fields if f.name != "id" and not f.name.startswith("pgh_")]


def columns_of(event_model: Any) -> list[Any]:
    """The columns of an event table of which an entry may tell a person."""
    return [f for f in fields_kept(event_model) if f.name not in _NOT_SHOWN]


class _Draft:
    """An event row whose related names are not known yet."""

    def __init__(self, event_model: Any, event: Any, before: Any | None) -> None:
        self.event_model, self.event = event_model, event
        self.tracked = event_model.pgh_tracked_model
        self.watch = event_model.watch
        self.fields = fields_kept(event_model)
        self.changed = list(self._changed(before))

    def _changed(self, before: Any | None) -> Iterable[tuple[Any, Any, Any]]:
        action = self.event.pgh_label
        if action == "update" and before is None:
            return
        for column in self.fields:
            value = getattr(self.event, column.attname)
            if column.name in _NOT_SHOWN or (action != "update" and column.name == self.watch.parent):
                continue  # the parent of what was added or deleted stands beside its name
            if action == "update":
                old = getattr(before, column.attname)
                if value != old:
                    yield column, old, value
            elif value not in _NOTHING:
                yield (column, None, value) if action == "insert" else (column, value, None)

    def want(self, names: Names) -> None:
        for column, old, new in self.changed:
            if column.is_relation:
                names.want(column.related_model, old)
                names.want(column.related_model, new)
        for name in (self.watch.parent, self.watch.named_by):
            if name:
                names.want(*self._related(name))

    def _related(self, name: str) -> tuple[Any, Any]:
        """Model and id that a foreign key leads to; no id where the field is none."""
        column = self.event_model._meta.get_field(name)
        return column.related_model, getattr(self.event, column.attname) if column.is_relation else None

    def entry(self, names: Names) -> Entry:
        context = self.event.pgh_context or {}
        subject: Any = subject_of(self.event_model)
        above: tuple[Any, Any] = self._related(self.watch.parent) if self.watch.parent else (None, None)
        parent = names.of(*above)
        name = own_name(self.event)
        if not name and self.watch.named_by:
            column = self.event_model._meta.get_field(self.watch.named_by)
            name = _text(column, getattr(self.event, column.attname), names)
            if isinstance(
                column, IntegerField
            ):  # only rounds are named by a number; a bare one names nothing
                name = _("round %(n)s") % {"n": name}
        action, changes = self.event.pgh_label, self._changes(names)
        if self.watch.stands_for:
            name, parent, action = parent, "", "update"
        return Entry(
            key=Key(self.event.pgh_created_at, label_of(self.event_model), self.event.pk),
            by=context.get("by") or _("outside the portal"),
            unit=context.get("unit") or "",
            source=context.get("source") or "",
            why=context.get("why") or "",
            click=context.get("click") or "",
            action=action,
            kind=str(subject._meta.verbose_name),
            kind_label=subject._meta.label_lower,
            name=name or f"#{self.event.pgh_obj_id}",
            parent=parent,
            parent_kind=str(above[0]._meta.verbose_name) if parent else "",
            object_id=getattr(self.event, subject_field(self.event_model)),
            changes=changes,
            context=context,
            values={f.attname: getattr(self.event, f.attname) for f in self.fields},
        )

    def _changes(self, names: Names) -> list[Change]:
        if not self.watch.stands_for:
            return [
                Change(
                    str(self.tracked._meta.get_field(column.name).verbose_name),
                    _text(column, old, names),
                    _text(column, new, names),
                    field=column.name,
                )
                for column, old, new in self.changed
            ]
        subject: Any = subject_of(self.event_model)
        label = str(subject._meta.get_field(self.watch.stands_for).verbose_name)
        found = []
        for column, old, new in self.changed:
            if old is not None:
                found.append(Change(label, _text(column, old, names), "", "removed", self.watch.stands_for))
            if new is not None:
                found.append(Change(label, "", _text(column, new, names), "added", self.watch.stands_for))
        return found


def _text(column: Any, value: Any, names: Names) -> str:
    if value is None or value == "":
        return ""
    if column.choices:
        return str(dict(column.flatchoices).get(value, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if column.is_relation:
        return names.of(column.related_model, value)
    if isinstance(value, datetime.datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return format(value.normalize(), "f")
    return str(value)
