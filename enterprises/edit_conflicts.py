"""Two people on one form: what each of them changed, and what the second one chooses.

A form is compared field by field in three states: as it was opened, as it is now, and as it was filled in.
What only the other changed stays theirs unless chosen otherwise, what only I changed stays mine, what both
changed has to be chosen. Nothing is saved until that is done.

Used by `enterprises.scoped_edits` for the forms of the admin and by `enterprises.edits` for any other page.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest, QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from enterprises.edit_tokens import CHOICE, UNKNOWN, VERSION, Token, Versions, same_state
from enterprises.edit_words import LOST, Words, differs, is_secret, label_of, raw_of, send
from journal.versions import author_of, events_since

MINE, THEIRS = "mine", "theirs"


@dataclass
class Line:
    """One field in which what was filled in is not what is there now."""

    name: str
    label: str
    before: str
    now: str
    mine: str
    by: str = ""
    at: datetime.datetime | None = None
    #: What is taken unless chosen otherwise; "" where both changed it and somebody has to choose.
    default: str = ""
    chosen: str = ""
    #: The field cannot be edited any more: nothing to choose, only to be told.
    frozen: bool = False

    @property
    def choice(self) -> str:
        return CHOICE + self.name

    @property
    def must_choose(self) -> bool:
        return not self.frozen and not self.default

    @property
    def taken(self) -> str:
        return self.chosen or self.default


@dataclass
class Group:
    """The lines of one row."""

    title: str = ""
    note: str = ""
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Event:
    by: str
    at: datetime.datetime


class Side:
    """One row in its two states: as it was opened (from the journal) and as it is now."""

    def __init__(
        self, now: models.Model | None, version: int | None, events: Sequence[Any], related: Any
    ) -> None:
        self.now = now
        self.events = list(events)
        #: None: no event tells what the editor started from; there was none, or it has been archived.
        self.base = self.events[0] if version and self.events and self.events[0].pgh_id == version else None
        self.unchanged = len(self.events) == 1 if self.base is not None else version == 0 and not self.events
        self.related = related

    def before(self, column: Any) -> Any:
        if column.many_to_many:
            return self.related.get(column.name, LOST)
        if self.base is not None:
            return getattr(self.base, column.attname, LOST)
        return getattr(self.now, column.attname) if self.unchanged and self.now is not None else LOST

    def author(self, column: Any) -> tuple[str, datetime.datetime | None]:
        """Who gave the column its present value, as far as the events since the opening tell."""
        if column.many_to_many or self.base is None:
            return author_of(self.events[-1]) if self.events and not self.unchanged else ("", None)
        for earlier, later in reversed(list(zip(self.events, self.events[1:], strict=False))):
            if getattr(earlier, column.attname) != getattr(later, column.attname):
                return author_of(later)
        return "", None


class Comparison:
    """Everything in which an opened form and the present rows differ.

    Args:
        request: the POST.
        token: what the form was opened on; None when it brought none, which counts as "nothing is known":
            every value that differs from what is there has then to be chosen.
        present: the versions now, read under the lock of the rows.
        related: the values of the many-to-many fields now.
    """

    def __init__(
        self,
        request: HttpRequest,
        token: Token | None,
        present: Versions,
        related: Mapping[str, list[int]],
    ) -> None:
        self.request = request
        self.posted = request.POST
        self.token = token or UNKNOWN
        self.opened = self.token.opened
        self.present = present
        self.related = related
        self.words = Words(request.user)
        self.groups: list[Group] = []
        self.authors: list[Event] = []
        #: The other's work would be undone, or mine cannot be saved: the person is told.
        self.blocked = False
        self._takes: list[Callable[[QueryDict], None]] = []

    # -- what is compared ---------------------------------------------------------------------

    def side(self, group: str, pk: int, now: models.Model | None, model: type[models.Model]) -> Side:
        version = self.opened.versions.get(group, {}).get(pk)
        events = events_since(model, {pk: version})[pk] if version is not None else []
        side = Side(now, version, events, self.opened.related if group == "" else {})
        for event in events if version == 0 else events[1:]:
            found = Event(*author_of(event))
            if found not in self.authors:
                self.authors.append(found)
        return side

    def form(self, form: forms.ModelForm, side: Side, *, group: str = "", title: str = "") -> Group:
        """Compare the fields of a bound form; it must not have been validated yet."""
        found = Group(title)
        fresh = self._same_version(group, form.instance.pk)
        for name, form_field in form.fields.items():
            column = _column(form._meta.model, name)
            if (
                column is None
                or form_field.disabled
                or isinstance(form_field, forms.models.InlineForeignKeyField)
                or is_secret(form_field)
            ):
                continue
            html = form.add_prefix(name)
            raw = raw_of(form_field, self.posted, html)
            now, before = (
                form_field.prepare_value(form.get_initial_for_field(form_field, name)),
                side.before(column),
            )
            stored = _stored(column, form)
            if not differs(form_field, now, raw):
                continue
            theirs = before is LOST or before != stored
            mine = before is LOST or differs(form_field, before, raw)
            line = Line(
                html,
                label_of(form_field, column),
                self.words.of(column, before),
                self.words.of(column, stored),
                self.words.typed(column, form_field, raw),
                default="" if theirs and mine else THEIRS if theirs else MINE,
            )
            if theirs:
                line.by, line.at = side.author(column)
                self.blocked = True
            self._choose(line, fresh and self.token.related.get(name) == self.related.get(name))
            found.lines.append(line)
            if line.taken == THEIRS:
                self.take(lambda data, f=form_field, h=html, v=now: send(data, f.widget, h, v))  # type: ignore[misc]
        return found

    def frozen(
        self,
        found: Group,
        model: type[models.Model],
        side: Side,
        names: Iterable[str],
        shown: Iterable[str],
        field_for: Callable[[Any], forms.Field | None],
        prefix: str = "",
    ) -> None:
        """Add what was typed into fields that the form does not offer any more.

        Args:
            names: the fields that it offered when it was opened.
            shown: those of which the person may read the present value.
            field_for: column → form field, to read what was typed.
        """
        for name in names:
            column, html = _column(model, name), f"{prefix}-{name}" if prefix else name
            form_field = field_for(column) if column is not None else None
            if column is None or form_field is None or is_secret(form_field):
                continue
            raw = raw_of(form_field, self.posted, html)
            before = side.before(column)
            if before is LOST or not differs(form_field, before, raw):
                continue
            now = LOST if side.now is None or name not in shown else _now(column, side.now)
            if now is not LOST and not differs(form_field, now, raw):
                continue
            words = (
                self.words.of(column, now)
                if now is not LOST
                else ""
                if side.now is None
                else _("not shown to you")
            )
            by, at = side.author(column) if now is not LOST else ("", None)
            found.lines.append(
                Line(
                    html,
                    label_of(form_field, column),
                    self.words.of(column, before),
                    words,
                    self.words.typed(column, form_field, raw),
                    by=by,
                    at=at,
                    frozen=True,
                )
            )
            self.blocked = True

    def decision(self, found: Group, line: Line, row_group: str, pk: int) -> None:
        """Add a choice about a whole row (its deletion) that has no default."""
        self._choose(line, self._same_version(row_group, pk))
        found.lines.append(line)
        self.blocked = True

    def take(self, change: Callable[[QueryDict], None]) -> None:
        """Remember a change of the posted data that carries out what was chosen."""
        self._takes.append(change)

    def add(self, group: Group) -> None:
        if group.lines or group.note:
            self.groups.append(group)

    def _same_version(self, group: str, pk: int) -> bool:
        """The choices were made on the present state of this row."""
        return self.token.versions.get(group, {}).get(pk) == self.present.get(group, {}).get(pk)

    def _choose(self, line: Line, fresh: bool) -> None:
        chosen = self.posted.get(line.choice, "")
        if self.token.first is not None and fresh and chosen in (MINE, THEIRS):
            line.chosen = chosen

    # -- what comes of it ---------------------------------------------------------------------

    @property
    def lines(self) -> list[Line]:
        return [line for group in self.groups for line in group.lines]

    @property
    def settled(self) -> bool:
        """Nothing stands against saving: nothing of the other's is touched, or all of it was chosen."""
        if not self.blocked:
            return True
        return (
            self.token.first is not None
            and all(line.taken for line in self.lines if not line.frozen)
            and same_state(self.token, self.present, self.related)
        )

    def data(self) -> QueryDict:
        """What was posted, with the choices carried out: an ordinary form again."""
        data = self.posted.copy()
        for change in self._takes:
            change(data)
        for name in [name for name in data if name.startswith(CHOICE) or name == VERSION]:
            del data[name]
        return data

    def kept(self) -> list[tuple[str, str]]:
        """Everything that was posted, to be sent again by the page."""
        own = ("csrfmiddlewaretoken", VERSION)
        return [
            (name, value)
            for name, values in self.posted.lists()
            if name not in own and not name.startswith(CHOICE)
            for value in values
        ]


def row_title(row: models.Model) -> str:
    return f"{capfirst(str(row._meta.verbose_name))} · {row}"


def _column(model: type[models.Model], name: str) -> Any:
    return next(
        (
            c
            for c in (*model._meta.concrete_fields, *model._meta.many_to_many)
            if c.name == name and not c.primary_key
        ),
        None,
    )


def _now(column: Any, row: models.Model) -> Any:
    if column.many_to_many:
        return sorted(related.pk for related in column.value_from_object(row))
    return getattr(row, column.attname)


def _stored(column: Any, form: forms.ModelForm) -> Any:
    return _now(column, form.instance)
