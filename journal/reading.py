"""The questions that are asked of the journal: of one object, over all records, entry by entry.

Every watched model has an event table of its own (written by triggers, append-only). Pages and exports
walk all of them in one order, by key: time, table, row.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Subquery, Value
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from journal.entries import Entry, Key, columns_of, entries_of, joined
from journal.names import Allowed, Names
from journal.tracking import event_models, label_of, subject_field, subject_of

_ID = re.compile(r"#(\d{1,18})\Z", re.ASCII)
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Search:
    """What to look for; blank looks for everything.

    Args:
        by: part of the name of whoever did it.
        unit: part of the name that the unit of that person had then.
        kind: label of a model ("projects.project").
        field: name of a field of that model: only what changed it (`fields_of`); without a kind it finds nothing.
        action: one of `words.ACTIONS`.
        door: one of `words.DOORS`.
        thing: part of a name or code, or "#12" for the object with that id.
        click: id of one act; give `since` and `until` with it, as no index finds it.
        since: from this moment on.
        until: before this moment.
    """

    by: str = ""
    unit: str = ""
    kind: str = ""
    field: str = ""
    action: str = ""
    door: str = ""
    thing: str = ""
    click: str = ""
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None

    @property
    def reads_far(self) -> bool:
        """Whether finding nothing would mean reading the whole journal: no index answers it."""
        text = any((self.by, self.unit, self.field, self.action, self.door, self.click))
        return self.since is None and (text or (bool(self.thing) and not _ID.match(self.thing)))

    def q(self, event_model: Any) -> Q | None:
        """The condition on an event table; None where it cannot hold a match."""
        if self.kind and self.kind != subject_of(event_model)._meta.label_lower:
            return None
        found = Q()
        if self.field:
            changed = _changed(event_model, self.field) if self.kind else None
            if changed is None:
                return None
            found &= changed
        if self.since is not None:
            found &= Q(pgh_created_at__gte=self.since)
        if self.until is not None:
            found &= Q(pgh_created_at__lt=self.until)
        for name, value in (("by", self.by), ("unit", self.unit)):
            if value:
                found &= Q((f"pgh_context__{name}__icontains", value))
        for name, value in (("source", self.door), ("click", self.click)):
            if value:
                found &= Q((f"pgh_context__{name}", value))
        if self.action and event_model.watch.stands_for:
            return None if self.action != "update" else found & self._thing(event_model)
        if self.action:
            found &= Q(pgh_label=self.action)
        return found & self._thing(event_model)

    def _thing(self, event_model: Any) -> Q:
        if not self.thing:
            return Q()
        if match := _ID.match(self.thing):
            return Q((subject_field(event_model), min(int(match[1]), _LARGEST_ID)))
        names = {f.name for f in event_model._meta.fields} & {"name", "short_name", "username", "code"}
        found = Q(pk__in=[])
        for name in names:
            found |= Q((f"{name}__icontains", self.thing))
        return found


class _Differs(Func):
    """Whether two values differ, nothing being a value."""

    template, arg_joiner, output_field = "(%(expressions)s)", " IS DISTINCT FROM ", models.BooleanField()


def _changed(event_model: Any, field: str) -> Q | None:
    """The rows of an event table that tell of another value of `field`; None where the table has none."""
    if event_model.watch.stands_for:
        return Q() if event_model.watch.stands_for == field else None
    if all(field != column.name for column in columns_of(event_model)):
        return None
    before = event_model._base_manager.filter(
        pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id")
    )
    # Without an entry before it nobody knows what it changed, and the page shows nothing of it either.
    last = before.order_by("-pgh_id")
    differs = _Differs(F(field), Subquery(last.values(field)[:1]))
    return Q(Exists(before), differs, pgh_label="update")


def fields_of(kind: str) -> dict[str, str]:
    """The fields of a kind of record of which entries may tell: name → name for people."""
    found: dict[str, str] = {}
    for event_model in event_models():
        subject: Any = subject_of(event_model)
        if subject._meta.label_lower == kind:
            names = [column.name for column in columns_of(event_model)]
            for name in [event_model.watch.stands_for] if event_model.watch.stands_for else names:
                found[name] = str(subject._meta.get_field(name).verbose_name)
    return found


@dataclass(frozen=True)
class Page:
    entries: list[Entry]
    #: Where the next page begins; None at the oldest entry.
    older: Key | None


def history_of(
    objects: Iterable[models.Model],
    reader: Any,
    limit: int = 100,
    without: Mapping[type[models.Model], Q] | None = None,
) -> list[Entry]:
    """The newest entries of some objects (a project and its milestones), newest first.

    Args:
        objects: rows that the caller has found through the wall.
        reader: the account that reads; units and people beyond its wall are not named.
        without: model → entries of its event table that this reader is not shown.
    """
    wanted: dict[type[models.Model], list[int]] = {}
    for obj in objects:
        wanted.setdefault(type(obj), []).append(obj.pk)
    found = []
    for event_model in event_models():
        if ids := wanted.get(subject_of(event_model)):
            rows = event_model._base_manager.filter((f"{subject_field(event_model)}__in", ids))
            if hidden := (without or {}).get(subject_of(event_model)):
                rows = rows.exclude(hidden)
            found.append((event_model, list(rows.order_by("-pgh_created_at", "-pgh_id")[:limit])))
    return joined(entries_of(found, Names(reader))[:limit])


def latest(
    *,
    reader: Any,
    allowed: Allowed,
    size: int,
    search: Search | None = None,
    after: Key | None = None,
) -> Page:
    """A page of the journal over all watched tables, newest first.

    Args:
        reader: the account that reads; units and people beyond its wall are not named.
        allowed: which rows of an event table the reader may read (`enterprises.journal_scope`).
        size: at most so many rows (those of one many-to-many change are one entry).
        search: what to look for.
        after: only what follows this key, that is, what is older (`Page.older` of the page before).
    """
    tables = event_models()
    arms = []
    for index, model in enumerate(tables):
        condition = (search or Search()).q(model)
        if condition is None:
            continue
        rows = model._base_manager.filter(allowed(model)).filter(condition)
        if after is not None:
            rows = rows.filter(_follows(after, label_of(model)))
        # Every arm is cut to the page before the union is sorted: the cost is the number of tables
        # times the page, not the length of the journal.
        page = rows.order_by("-pgh_created_at", "-pgh_id").annotate(arm=Value(index))
        arms.append(page.values_list("arm", "pgh_id", "pgh_created_at")[: size + 1])
    if not arms:
        return Page([], None)
    union = arms[0]
    if arms[1:]:
        union = union.union(*arms[1:], all=True).order_by("-pgh_created_at", "arm", "-pgh_id")[: size + 1]
    keys = list(union)
    wanted: dict[int, list[int]] = {}
    for arm, pgh_id, _at in keys[:size]:
        wanted.setdefault(arm, []).append(pgh_id)
    found = [
        (tables[arm], list(tables[arm]._base_manager.filter(pgh_id__in=ids))) for arm, ids in wanted.items()
    ]
    entries = entries_of(found, Names(reader, allowed))
    older = entries[-1].key if len(keys) > size else None
    return Page(joined(entries), older)


def every(*, reader: Any, allowed: Allowed, search: Search, chunk: int = 1000) -> Iterator[Entry]:
    """All entries that fit, newest first, a chunk at a time: the memory does not grow with them."""
    after: Key | None = None
    while True:
        page = latest(reader=reader, allowed=allowed, size=chunk, search=search, after=after)
        yield from page.entries
        if page.older is None:
            return
        after = page.older


def _follows(key: Key, table: str) -> Q:
    """Rows of `table` that stand behind `key` in the order time ↓, table ↑, row ↓."""
    if table > key.table:
        return Q(pgh_created_at__lte=key.at)
    if table < key.table:
        return Q(pgh_created_at__lt=key.at)
    return Q(pgh_created_at__lte=key.at) & (Q(pgh_created_at__lt=key.at) | Q(pgh_id__lt=key.row))


def key_in_link(key: Key) -> str:
    return f"{key.at.isoformat()}~{key.table}~{key.row}"


def key_from_link(text: str) -> Key | None:
    """The key that `key_in_link` wrote; None for anything else."""
    at, table, row = [*text.split("~"), "", "", ""][:3]
    try:
        moment = parse_datetime(at)
        if moment is None or moment.tzinfo is None:
            return None
        # Python knows displacements that PostgreSQL refuses; the first and last days have no UTC.
        moment = moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None
    known = {label_of(model) for model in event_models()}
    if table not in known or not re.fullmatch(r"[0-9]{1,18}", row):
        return None
    return Key(moment, table, int(row))


def history_response(
    request: HttpRequest,
    model_admin: Any,
    obj: models.Model,
    without: Mapping[type[models.Model], Q] | None = None,
) -> HttpResponse:
    """The history page of one object; the caller has found it through the wall. `without`: see `history_of`."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("History of %(name)s") % {"name": obj},
        "opts": model_admin.opts,
        "object": obj,
        "entries": history_of([obj], request.user, without=without),
    }
    return TemplateResponse(request, "journal/history.html", context)
