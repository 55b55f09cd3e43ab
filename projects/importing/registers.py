"""What the names in a ledger may mean: the registers as far as the person who imports may write there.

Everything is asked once per import and kept, because a ledger repeats the same dozen names thousands of times.
A unit that the person may not write for is answered exactly like one that does not exist.
"""

from __future__ import annotations

import datetime
import difflib
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from enterprises.models import Enterprise, EnterpriseAlias, PartyBranch, User
from enterprises.querysets import in_force_q
from enterprises.roles import Role
from enterprises.scoping import outermost, units_for
from projects.importing.fields import choices_of
from projects.models import Category, Programme, Project

#: Offered for a name that is not in the register; more would be a list to search, not a choice.
MOST_CANDIDATES = 5
_LIKE = 0.6
#: Words that nearly every name of an enterprise has: they say nothing about which one is meant.
_DULL = re.compile(r"股份|有限|责任|公司|集团|总公司|[省市区县]|[()（）\s]")


@dataclass(frozen=True, slots=True)
class Unit:
    """An enterprise as an import needs it."""

    pk: int
    code: str
    name: str
    short_name: str
    credit_code: str
    path: str

    @property
    def label(self) -> str:
        return self.short_name or self.name


@dataclass
class Registers:
    """The names that one person may write about in one programme.

    Attributes:
        on: the day on which aliases must be valid.
    """

    actor: User
    programme: Programme
    on: datetime.date
    _near: dict[str, list[Unit]] = field(default_factory=dict)

    @cached_property
    def units(self) -> dict[int, Unit]:
        """The enterprises for which the person may take in projects."""
        paths = outermost(units_for(self.actor, "projects.add_project"))
        rows = Enterprise.objects.visible_to(self.actor)
        columns = rows.values_list("pk", "code", "name", "short_name", "credit_code", "path")
        found = (Unit(*row) for row in columns.order_by("path"))
        return {unit.pk: unit for unit in found if any(unit.path.startswith(path) for path in paths)}

    @cached_property
    def is_whole(self) -> bool:
        """Whether the person works for a whole tree: what is unknown to them does not exist."""
        return any(path.count(".") == 1 for path in units_for(self.actor, "projects.add_project"))

    @cached_property
    def _by_name(self) -> dict[str, tuple[int, ...]]:
        found: dict[str, set[int]] = defaultdict(set)
        for unit in self.units.values():
            for text in (unit.name, unit.short_name, unit.code):
                if text:
                    found[plain(text)].add(unit.pk)
        aliases = EnterpriseAlias.objects.visible_to(self.actor).filter(in_force_q(self.on))
        for pk, text in aliases.values_list("enterprise_id", "name"):
            if pk in self.units:
                found[plain(text)].add(pk)
        return {text: tuple(sorted(pks)) for text, pks in found.items()}

    def called(self, text: str) -> tuple[int, ...]:
        """Units whose full name, short name, code or alias of the day is exactly `text`."""
        return self._by_name.get(plain(text), ())

    def with_credit_code(self, code: str) -> int | None:
        return self._by_credit_code.get(code)

    @cached_property
    def _by_credit_code(self) -> dict[str, int]:
        return {unit.credit_code: unit.pk for unit in self.units.values() if unit.credit_code}

    def near(self, text: str) -> list[Unit]:
        """Units with a similar name, the most similar first: candidates for a person, never a match."""
        if text not in self._near:
            self._near[text] = self._look_near(text)
        return self._near[text]

    def _look_near(self, text: str) -> list[Unit]:
        core = _core(text)
        if not core:
            return []
        scored: dict[int, float] = {}
        matcher = difflib.SequenceMatcher(autojunk=False)
        matcher.set_seq2(core)
        for name, pks in self._by_name.items():
            other = _core(name)
            if not other or not set(core) & set(other):
                continue
            matcher.set_seq1(other)
            like = matcher.ratio() if matcher.real_quick_ratio() >= _LIKE else 0.0
            if core in other or other in core:
                like = max(like, 0.7) if min(len(core), len(other)) >= 2 else like
            if like >= _LIKE:
                for pk in pks:
                    scored[pk] = max(scored.get(pk, 0), like)
        best = sorted(scored, key=lambda pk: (-scored[pk], pk))
        return [self.units[pk] for pk in best[:MOST_CANDIDATES]]

    def unit_label(self, pk: int) -> str:
        """The short name of a unit that the person may see."""
        unit = self.units.get(pk)
        return unit.label if unit else self._other_labels.get(pk, "")

    @cached_property
    def _other_labels(self) -> dict[int, str]:
        rows = Enterprise.objects.visible_to(self.actor).values_list("pk", "short_name", "name")
        return {pk: short or name for pk, short, name in rows}

    def shown(self, key: str, value: Any) -> str:
        """A value of a field (`projects.importing.fields`) in words, for the preview."""
        if value in (None, "", []):
            return "—"
        if key == "supporting_enterprises":
            return "、".join(self.unit_label(pk) for pk in value)
        if key == "party_branches":
            return "、".join(self._branch_names.get(pk, "") for pk in value)
        if key == "category_id":
            return next((name for name, pk in self.categories.items() if pk == value), "")
        if key == "liaison_leader_id":
            return next((name for name, pks in self.leaders.items() if value in pks), "")
        if isinstance(value, bool):
            return str(_("yes") if value else _("no"))
        if key in ("audience", "phase"):
            return str(dict(choices_of(key)).get(value, value))
        return str(value)

    @cached_property
    def _branch_names(self) -> dict[int, str]:
        return dict(PartyBranch.objects.visible_to(self.actor).values_list("pk", "name"))

    @cached_property
    def branches(self) -> dict[str, tuple[int, ...]]:
        """Party organisations by name and by code; a name such as 第一党支部 may be many."""
        found: dict[str, list[int]] = defaultdict(list)
        for pk, name, code in PartyBranch.objects.visible_to(self.actor).values_list("pk", "name", "code"):
            found[name].append(pk)
            if code != name:
                found[code].append(pk)
        return {name: tuple(pks) for name, pks in found.items()}

    def keeps(self, key: str, pk: int) -> bool:
        """Whether a value that stands in a project lies beyond what this person can name in a ledger.

        It does not stand in a ledger that was exported for them, so its absence there takes nothing away.
        """
        if key == "supporting_enterprises":
            return pk not in self.units
        if key == "party_branches":
            return pk not in self._branch_names
        return all(pk not in pks for pks in self.leaders.values())

    @cached_property
    def categories(self) -> dict[str, int]:
        return dict(Category.objects.filter(programme=self.programme).values_list("name", "pk"))

    @cached_property
    def leaders(self) -> dict[str, tuple[int, ...]]:
        """Accounts of leaders by name: liaison leaders are accounts, never only a text."""
        found: dict[str, list[int]] = defaultdict(list)
        rows = User.objects.choosable_by(self.actor).filter(memberships__role=Role.LEADER).distinct()
        for user in rows:
            found[user.get_full_name() or user.username].append(user.pk)
        return {name: tuple(pks) for name, pks in found.items()}

    # -- projects that are there already --------------------------------------------------------

    @cached_property
    def _projects(self) -> list[tuple[int, str, str, int]]:
        rows = Project.objects.visible_to(self.actor).filter(programme=self.programme)
        return list(rows.order_by("pk").values_list("pk", "code", "name", "enterprise_id"))

    @cached_property
    def by_code(self) -> dict[str, int]:
        return {code: pk for pk, code, _name, _unit in self._projects}

    @cached_property
    def by_name(self) -> dict[str, list[tuple[int, int]]]:
        """Name → (project, enterprise)."""
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for pk, _code, name, unit in self._projects:
            found[name].append((pk, unit))
        return found

    def similar(self, unit: int, name: str) -> str | None:
        """The name of a project of the unit that differs from `name` by dull words and signs only."""
        here = self._by_likeness.get(unit)
        return here.get(likeness(name)) if here else None

    @cached_property
    def _by_likeness(self) -> dict[int, dict[str, str]]:
        found: dict[int, dict[str, str]] = defaultdict(dict)
        for _pk, _code, name, unit in self._projects:
            found[unit][likeness(name)] = name
        return found


_NOISE = re.compile(r"[\s\W_]|关于|开展|实施|推进|项目|工程|工作|建设|改造|的", re.UNICODE)


def likeness(name: str) -> str:
    """What is left of a project's name without the words and signs that hands leave out or put in."""
    return _NOISE.sub("", name) or name


def plain(text: str) -> str:
    """A unit's name without what hands put around it: blanks, brackets of either width."""
    return text.replace(" ", "").replace("（", "(").replace("）", ")")


def _core(text: str) -> str:
    return _DULL.sub("", text) or text
