"""The questions that are asked of the registers."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models
from django.db.models import Q

from enterprises.scoping import permitted_q

if TYPE_CHECKING:
    from enterprises.models import User

M = TypeVar("M", bound=models.Model)


class ScopedQuerySet(models.QuerySet[M]):
    """A queryset that knows the wall. Every model of the portal has one."""

    def permitted(self, user: User | Any, action: str) -> Self:
        """The rows on which `user` may do `action` (see `enterprises.roles`)."""
        return self.filter(permitted_q(self.model, user, action))

    def visible_to(self, user: User | Any) -> Self:
        """The rows that `user` may see: the only road to data that a person will look at."""
        return self.permitted(user, "view")

    def choosable_by(self, user: User | Any) -> Self:
        """Rows that may be offered in a choice: those seen, and those a role may only name.

        A security administrator picks a unit for a membership without reading the register.
        """
        return self.filter(permitted_q(self.model, user, "view") | permitted_q(self.model, user, "choose"))


class TreeQuerySet(ScopedQuerySet[M]):
    def below(self, node: Any, *, inclusive: bool = True) -> Self:
        rows = self.filter(path__startswith=node.path)
        return rows if inclusive else rows.exclude(pk=node.pk)

    def above(self, node: Any) -> Self:
        from enterprises.scoping import prefixes

        return self.filter(path__in=prefixes(node.path)).exclude(pk=node.pk)


class EnterpriseQuerySet(TreeQuerySet[M]):
    def called(self, text: str, *, on: datetime.date) -> Self:
        """Enterprises whose full name, short name, or alias valid on `on` is exactly `text`.

        Exact on purpose: a similar name is a candidate for a person to decide, never a match
        (ledger-reading rules, section "Enterprises").
        """
        alias = Q(aliases__name=text) & in_force_q(on, prefix="aliases__")
        return self.filter(Q(name=text) | Q(short_name=text) | alias).distinct()


class MembershipQuerySet(ScopedQuerySet[M]):
    def in_force(self, on: datetime.date) -> Self:
        return self.filter(in_force_q(on))


def in_force_q(on: datetime.date, *, prefix: str = "") -> Q:
    """Dated rows in force on a day: `valid_from` and `valid_until` are both inclusive, blank = open."""
    began = Q((f"{prefix}valid_from__isnull", True)) | Q((f"{prefix}valid_from__lte", on))
    lasts = Q((f"{prefix}valid_until__isnull", True)) | Q((f"{prefix}valid_until__gte", on))
    return began & lasts
