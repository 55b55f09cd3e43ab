"""What a form carries with it (`_version`): on which state of which rows it was opened.

The token is signed and bound to the account and the row. Forged, it could only harm the forger, but the
conflict page shows values of the version that the token names, and those must be values that this person
was shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from django.core import signing
from django.db import models

#: Name of the hidden input.
VERSION = "_version"
#: Names of the radio buttons of the conflict page begin with it.
CHOICE = "_choice-"

#: Group of rows ("" is the edited row itself, else the prefix of an inline) → row → version.
Versions = Mapping[str, Mapping[int, int]]


@dataclass(frozen=True)
class Token:
    versions: Versions
    #: Many-to-many field → ids, as they stood on the form: such changes lie in tables of their own.
    related: Mapping[str, list[int]] = field(default_factory=dict)
    #: Group → fields that the form offered for change. None where no form is known to have been opened.
    offered: Mapping[str, list[str]] | None = None
    #: On a conflict page: what the person had first opened, so that all three states can be shown again.
    first: Token | None = None

    @property
    def opened(self) -> Token:
        """The state on which the person began to write."""
        return self.first or self

    def signed(self, request: Any, model: type[models.Model], pk: object) -> str:
        return signing.dumps(self._plain(), salt=_salt(request, model, pk), compress=True)

    def _plain(self) -> dict[str, Any]:
        return {
            "v": {group: list(rows.items()) for group, rows in self.versions.items()},
            "r": dict(self.related),
            "o": self.offered,
            "f": self.first._plain() if self.first else None,
        }

    @classmethod
    def read(cls, request: Any, model: type[models.Model], pk: object) -> Self | None:
        """The token that was posted; None when there is none, or none for this row and this account."""
        try:
            plain = signing.loads(request.POST.get(VERSION, ""), salt=_salt(request, model, pk))
        except signing.BadSignature:
            return None
        return cls._of(plain)

    @classmethod
    def _of(cls, plain: dict[str, Any]) -> Self:
        return cls(
            versions={group: dict(rows) for group, rows in plain["v"].items()},
            related=plain["r"],
            offered=plain["o"],
            first=cls._of(plain["f"]) if plain["f"] else None,
        )


#: Nothing is known of what was opened: a page from before, or a script.
UNKNOWN = Token(versions={})


def is_fresh(token: Token | None, present: Versions, related: Mapping[str, list[int]]) -> bool:
    """Whether nothing has happened to the rows since an ordinary form (no conflict page) was opened."""
    return token is not None and token.first is None and same_state(token, present, related)


def same_state(token: Token, present: Versions, related: Mapping[str, list[int]]) -> bool:
    return _plain(token.versions) == _plain(present) and all(
        token.related.get(name) == ids for name, ids in related.items()
    )


def _plain(versions: Versions) -> dict[str, dict[int, int]]:
    return {group: dict(rows) for group, rows in versions.items()}


def related_ids(model: type[models.Model], pk: object, names: Iterable[str]) -> dict[str, list[int]]:
    """The present values of many-to-many fields of a row, sorted; one query for each."""
    found = {}
    for name in names:
        link: Any = model._meta.get_field(name)
        rows = link.remote_field.through._base_manager.filter(**{f"{link.m2m_field_name()}_id": pk})
        found[name] = sorted(rows.values_list(f"{link.m2m_reverse_field_name()}_id", flat=True))
    return found


def related_shown(form: Any) -> dict[str, list[int]]:
    """The values of the many-to-many fields of a form as they stood in the database when it was made."""
    names = [f.name for f in form._meta.model._meta.many_to_many if f.name in form.fields]
    return {
        name: sorted(
            getattr(row, "pk", row) for row in form.get_initial_for_field(form.fields[name], name) or ()
        )
        for name in names
    }


def _salt(request: Any, model: type[models.Model], pk: object) -> str:
    return f"edit:{request.user.pk}:{model._meta.label_lower}:{pk}"
