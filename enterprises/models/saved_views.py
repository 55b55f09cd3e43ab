"""A list as somebody wants to find it again: filters, columns and order under a name."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from enterprises.models.enterprise import Enterprise
from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import Personal, SharedBelow
from journal.tracking import tracked


# Filters may hold what somebody looked for: no search text goes into the journal.
@tracked(exclude=["query"])
class SavedView(models.Model):
    """Its owner's own, or shared with a unit and everything below it.

    It says what is asked, never what is shown: the rows come through the wall at each opening.

    Attributes:
        listed: the list that it belongs to: a model such as "projects.project".
        query: query string of the list, without page, order and columns.
        columns: keys of the columns in order; empty for those of the list.
        order: keys of the columns that it is sorted by, "-" before what goes downwards; empty for the list's own.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("account")
    )
    unit = models.ForeignKey(
        Enterprise,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("shared with unit"),
    )
    listed = models.CharField(_("list"), max_length=60)
    name = models.CharField(_("name"), max_length=40)
    query = models.CharField(_("filters"), max_length=2000, blank=True)
    columns = models.JSONField(_("columns"), default=list, blank=True)
    order = models.JSONField(_("order"), default=list, blank=True)

    objects = ScopedQuerySet.as_manager()
    scope = Personal("owner", shared=SharedBelow("unit"))

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["listed", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "listed", "name"],
                condition=Q(unit__isnull=True),
                name="view_name_once_per_owner",
                violation_error_message=_("You already have a view with this name for this list."),
            ),
            models.UniqueConstraint(
                fields=["unit", "listed", "name"],
                condition=Q(unit__isnull=False),
                name="view_name_once_per_unit",
                violation_error_message=_("The unit already shares a view with this name for this list."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """What it keeps, as a short word: a page carries it, so that whoever changes it second is told.

        Not the version in the journal: filters are not written there.
        """
        kept = [self.name, self.unit_id, self.query, self.columns, self.order]
        return hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:16]

    def chosen(self) -> list[str]:
        return _texts(self.columns)

    def sorted_by(self) -> list[str]:
        return _texts(self.order)


def _texts(stored: Any) -> list[str]:
    return [one for one in stored if isinstance(one, str)] if isinstance(stored, list) else []
