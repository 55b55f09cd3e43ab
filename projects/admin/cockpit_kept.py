"""Cockpits that were put together before, as long as nothing that they show has changed (`services.cockpit_mark`).

Kept in the memory of each web process: for one person, one language, one day and one question.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from django.core.cache import caches
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from enterprises.models import User
from projects.cockpit.reading import Cockpit
from projects.services.cockpit_mark import Subject, mark_of

#: Seconds; it is there to be forgotten, not to be right: that is what the mark is for.
_KEPT_FOR = 3600


class Kept(NamedTuple):
    subject: Subject
    mark: str
    main: str


def kept_page(user: User, asked: Mapping[str, str], today: datetime.date) -> SafeString | None:
    """The page that this person was shown for this question, if it would be the same now.

    Args:
        asked: the address; what it does not know of a cockpit is passed over.
    """
    kept: Kept | None = caches["pages"].get(_key(user, asked, today))
    if kept is None or mark_of(kept.subject) != kept.mark:
        return None
    return SafeString(kept.main)


def keep_page(user: User, asked: Mapping[str, str], found: Cockpit, main: SafeString) -> None:
    """Keep a page of today, inside the snapshot in which it was put together."""
    wanted = found.question
    if wanted.is_past or wanted.against is not None or wanted.missed:
        return  # what was asked for and is not there has no row that could say that it came
    subject = Subject(
        programme_id=wanted.programme.pk,
        unit_id=wanted.unit.pk,
        path=wanted.unit.path,
        day=wanted.today,
        own=tuple(unit.pk for unit in wanted.own),
        projects=tuple(project.pk for project in found.red),
    )
    mark = mark_of(subject)
    if mark is not None:
        caches["pages"].set(_key(user, asked, wanted.today), Kept(subject, mark, str(main)), _KEPT_FOR)


def _key(user: User, asked: Mapping[str, str], today: datetime.date) -> str:
    named = ("programme", "unit", "on", "against", "sort", "all")
    what = (user.pk, user.grants, get_language(), today, [asked.get(name) for name in named])
    return hashlib.sha256(repr(what).encode()).hexdigest()
