"""Kinds of notices: what the rest of the portal teaches this app about what it tells.

The app knows no projects. Whoever writes notices registers a kind, which puts the data of a row into words,
links to what it is about, and answers whether it is still so.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from notices.ways import Group

if TYPE_CHECKING:
    from notices.models import Notice


def anybodys(notices: Sequence[Notice], on: datetime.date) -> set[int]:
    """`still_theirs` of what tells nothing that lies behind the wall: a test."""
    return {notice.pk for notice in notices}


@dataclass(frozen=True)
class Kind:
    """One kind of notice.

    Args:
        name: kept in the rows, so it never changes.
        group: what a person chooses a way for.
        label: the kind by itself, for badges and filters.
        title: one line in the active language, from the data of a row. It reads no rows and no clock: the
            words of a message that goes out a second time must be the words of the first time.
        url: path in the portal of what the notice is about, "" for none.
        still_true: ids of those of the notices whose state still holds, with one query for all.
        still_theirs: ids of those of the notices whose recipient (with the robot's unit loaded, where it is a
            group) may know on that day what they tell, with the same queries for any number. People move, and
            projects do, between the writing of a notice and its morning.
        tone: tone of the light for the badge (red, yellow, …), "" for none.
    """

    name: str
    group: Group
    label: str | Promise
    title: Callable[[Mapping[str, Any]], str]
    url: Callable[[Notice], str]
    still_true: Callable[[Sequence[Notice]], set[int]]
    still_theirs: Callable[[Sequence[Notice], datetime.date], set[int]] = anybodys
    tone: str = ""


_registered: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Make a kind known, once at start.

    Raises:
        ValueError: another kind has the name already; rows of one would speak with the words of the other.
    """
    known = _registered.get(kind.name)
    if known is not None and known != kind:
        raise ValueError(f"a kind of notice is called {kind.name!r} already")
    _registered[kind.name] = kind
    return kind


def kind_of(name: str) -> Kind:
    """The kind of a row. Rows outlive code: an unknown name gets plain words instead of an error."""
    return _registered.get(name) or Kind(
        name=name,
        group=Group.SYSTEM,
        label=gettext_lazy("Notice"),
        title=lambda data: str(data.get("title") or name),
        url=lambda notice: "",
        still_true=everything_holds,
    )


def kinds_of(group: str) -> list[str]:
    """Names of the kinds in a group, for filters."""
    return [kind.name for kind in _registered.values() if kind.group == group]


def everything_holds(notices: Sequence[Notice]) -> set[int]:
    """`still_true` of what has happened and cannot un-happen: a decision, a test."""
    return {notice.pk for notice in notices}
