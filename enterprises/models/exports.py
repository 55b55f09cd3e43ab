"""Tables that left the portal, and how an office wants its columns."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprises.models.enterprise import Enterprise
from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import Within
from journal.tracking import tracked


class ListExport(models.Model):
    """Somebody took a list out of the portal: who, which, through which filter, how many rows."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("account")
    )
    by = models.CharField(_("person"), max_length=60)
    unit = models.ForeignKey(Enterprise, on_delete=models.PROTECT, related_name="+", verbose_name=_("unit"))
    at = models.DateTimeField(_("time"), auto_now_add=True)
    #: The list: a model such as "projects.project".
    listed = models.CharField(_("list"), max_length=60)
    form = models.CharField(_("format"), max_length=4, choices=[("xlsx", "Excel"), ("csv", "CSV")])
    #: The query string of the list, and the units of an export that reached into several.
    filters = models.JSONField(_("filters"), default=dict)
    rows = models.PositiveIntegerField(_("rows"))

    objects = ScopedQuerySet.as_manager()
    scope = Within("unit")

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-id"]
        triggers = [pgtrigger.Protect(name="written_once", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.by} · {self.at}"


@tracked()
class ExportLayout(models.Model):
    """Which columns an office wants of a list, in which order and under which headings."""

    name = models.CharField(_("name"), max_length=60)
    unit = models.ForeignKey(
        Enterprise, on_delete=models.CASCADE, related_name="+", verbose_name=_("shared by unit")
    )
    #: The list that it belongs to: a model such as "projects.project".
    listed = models.CharField(_("list"), max_length=60)
    #: [[key of the column, own heading or ""], ..] in order.
    columns = models.JSONField(_("columns"), default=list)

    objects = ScopedQuerySet.as_manager()
    scope = Within("unit")

    class Meta:
        verbose_name = _("export layout")
        verbose_name_plural = _("export layouts")
        ordering = ["listed", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "listed", "name"],
                name="layout_name_once_per_list",
                violation_error_message=_("The unit already has a layout with this name for this list."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def chosen(self) -> list[tuple[str, str]]:
        """(key, own heading or "") of each column, in order; what is no pair of texts is left out."""
        kept: list[tuple[str, str]] = []
        stored: Any = self.columns
        for pair in stored if isinstance(stored, list) else []:
            if isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair):
                kept.append((pair[0], pair[1]))
        return kept
