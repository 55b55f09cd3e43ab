"""The filter of the review desk as it stands in addresses: the desk's own, and the queue that keeps to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.http import urlencode

from enterprises.models import Enterprise, User
from projects.addresses import is_id
from projects.services.desk import Filters
from projects.services.submissions import KIND_OF

ONLY = ("claims", "unchanged", "late")


@dataclass(frozen=True)
class Chosen:
    """What somebody chose at the desk. `unit` was found through the wall; a foreign one counts as none."""

    kind: str = ""
    only: str = ""
    unit: Enterprise | None = None

    @property
    def filters(self) -> Filters:
        return Filters(self.kind, self.unit.path if self.unit else "", self.only)

    @property
    def query(self) -> dict[str, str]:
        return {"kind": self.kind, "only": self.only, "enterprise": str(self.unit.pk) if self.unit else ""}

    def url(self, **changed: Any) -> str:
        """The tail of an address with this choice, or with some of it changed."""
        asked = {**self.query, **{name: str(value) for name, value in changed.items()}}
        tail = urlencode({name: value for name, value in asked.items() if value})
        return f"?{tail}" if tail else ""


def chosen(query: QueryDict, user: User) -> Chosen:
    """What a query string chooses; nonsense chooses nothing."""
    kind, only, unit = query.get("kind", ""), query.get("only", ""), query.get("enterprise", "")
    return Chosen(
        kind if kind in KIND_OF else "",
        only if only in ONLY else "",
        Enterprise.objects.visible_to(user).filter(pk=int(unit)).first() if is_id(unit) else None,
    )
