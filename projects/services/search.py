"""What a person finds, over all that they see: each kind by itself, counted up to a cap.

What matches is found in the tables of words, without asking who looks; the wall is put before anything is counted
or shown. One definition for the page and for the lists that it leads to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BooleanField, Case, Q, QuerySet, Value, When

from enterprises.models import Enterprise, EnterpriseWords, PartyBranch, PartyBranchWords, User
from enterprises.search import fold, holds, holds_all, terms, too_short
from projects.models import Milestone, MilestoneName, Programme, Project, ProjectWords

#: No kind is counted further.
MOST = 1_000
SHOWN = 10
_PEOPLE = ("liaison_leader", "accountable_lead", "direct_lead", "coordinator")
_DIGITS = re.compile(r"(电话|手机)?[:：]?\s*[(]?[+0-9][0-9 -]{4,}[)]?")


@dataclass(frozen=True)
class Found:
    """What was found of one kind.

    Attributes:
        rows: the first ones: rows of the kind, or names of people.
        count: how many there are, at most `MOST`.
        is_capped: there are more than `count`.
    """

    kind: str
    rows: Sequence[Any] = field(default_factory=tuple)
    count: int = 0
    is_capped: bool = False


def find(*, query: str, reader: User) -> list[Found]:
    """All kinds of which something was found.

    Args:
        query: as it was typed; folded and cut into words here.

    Returns:
        Nothing when a word is shorter than two characters: it would find nearly everything.
    """
    asked = terms(query)
    if too_short(asked):
        return []
    found = [
        _projects(asked, fold(query).strip(), reader),
        _milestones(asked, reader),
        _words("enterprise", Enterprise, EnterpriseWords, asked, reader, "path"),
        _words("partybranch", PartyBranch, PartyBranchWords, asked, reader, "path", "enterprise"),
        _people(asked, reader),
        _programmes(asked, reader),
    ]
    return [one for one in found if one.count]


def named(words: Sequence[str]) -> Q:
    """Milestones whose name holds each of the words.

    The names are read first: with them in hand the planner goes by the index on names; from a sub-select it cannot
    tell how many milestones follow, and reads all of them (1,000,000: 130 ms, this way 1).
    """
    names: Any = MilestoneName.objects.all()
    for word in words:
        names = names.filter(holds("words", word))
    known = set(names.values_list("name", flat=True)[: MOST + 1])
    return Q(name__in=names.values("name") if len(known) > MOST else sorted(known))


def milestones_or_projects(words: Sequence[str]) -> Q:
    """For a list of milestones: each word is in the milestone's name or in the words of its project."""
    found = Q()
    for word in words:
        here = Milestone.objects.filter(named([word])).order_by().values("pk")
        above = Milestone.objects.filter(project__in=ProjectWords.objects.holding([word]).values("pk"))
        found &= Q(pk__in=here.union(above.order_by().values("pk"), all=True))
    return found


def _capped(rows: QuerySet[Any]) -> tuple[list[int], bool]:
    """The ids of at most `MOST` rows, and whether there are more."""
    ids = list(rows.order_by().values_list("pk", flat=True)[: MOST + 1])
    return ids[:MOST], len(ids) > MOST


def _projects(words: Sequence[str], query: str, reader: User) -> Found:
    visible = Project.objects.visible_to(reader)
    rows = visible.filter(pk__in=ProjectWords.objects.holding(words).values("pk"))
    ids, more = _capped(rows)
    if not ids:
        return Found("project")
    # A code that was typed in full goes first, however many others match.
    same = ProjectWords.objects.filter(code=query).values("pk")
    first = Case(When(pk__in=same, then=Value(True)), default=Value(False), output_field=BooleanField())
    shown: list[Any]
    if more:
        related = ("enterprise", "programme")
        shown = list(visible.filter(pk__in=same).select_related(*related).order_by("-id")[:SHOWN])
        known = [project.pk for project in shown]
        shown += rows.exclude(pk__in=known).select_related(*related).order_by("-id")[: SHOWN - len(shown)]
    else:
        ordered = visible.filter(pk__in=ids).annotate(same=first).order_by("-same", "-id")
        shown = list(ordered.select_related("enterprise", "programme")[:SHOWN])
    return Found("project", shown, len(ids), more)


def _milestones(words: Sequence[str], reader: User) -> Found:
    visible = Milestone.objects.visible_to(reader)
    ids, more = _capped(visible.filter(named(words)))
    if not ids:
        return Found("milestone")
    shown = visible.filter(pk__in=ids).select_related("project__enterprise").order_by("-id")[:SHOWN]
    return Found("milestone", list(shown), len(ids), more)


def _words(
    kind: str, model: Any, kept: Any, words: Sequence[str], reader: User, order: str, *related: str
) -> Found:
    visible = model.objects.visible_to(reader)
    ids, more = _capped(visible.filter(pk__in=kept.objects.holding(words).values("pk")))
    if not ids:
        return Found(kind)
    shown = visible.filter(pk__in=ids).order_by(order)
    shown = shown.select_related(*related) if related else shown
    return Found(kind, list(shown[:SHOWN]), len(ids), more)


def _people(words: Sequence[str], reader: User) -> Found:
    """The names of people as they stand on the projects that the reader sees."""
    kept: Any = ProjectWords.objects.all()
    for word in words:
        kept = kept.filter(holds("people", word))
    rows = Project.objects.visible_to(reader).filter(pk__in=kept.values("pk"))
    columns = [
        *(f"{one}__{name}" for one in _PEOPLE for name in ("name", "username")),
        *(f"{one}_text" for one in _PEOPLE[1:]),
    ]
    named = list(rows.order_by().values_list(*columns)[: MOST + 1])
    names: dict[str, int] = {}
    for values in named:
        accounts = [name or username for name, username in zip(values[0:8:2], values[1:8:2], strict=True)]
        here = {one for one in [*accounts, *map(person_name, values[8:])] if one and holds_all(one, words)}
        for name in here:
            names[name] = names.get(name, 0) + 1
    ordered = sorted(names, key=lambda name: (-names[name], name))
    return Found("person", ordered[:SHOWN], len(names), len(named) > MOST)


def person_name(text: str) -> str:
    """As `portal_person` of the database: "张某某 13800000000" → "张某某"."""
    return _DIGITS.sub("", text).strip(" ,;、，；:：")


def _programmes(words: Sequence[str], reader: User) -> Found:
    # They are few: read whole, and matched in hand.
    rows = list(Programme.objects.visible_to(reader).order_by("-year", "code")[: MOST + 1])
    found = [row for row in rows if holds_all(f"{row.name}\n{row.code}", words)]
    return Found("programme", found[:SHOWN], len(found), False)
