"""What is written down about the journal itself, and about who came in: rows that nobody changes.

They stand here and not in `journal`, because they belong to people and units, and the journal knows
neither. They are their own record: an entry about each would only repeat it.
"""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprises.models.enterprise import Enterprise
from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import IssuedBy, PortalWide, Within


def _written_once() -> list[pgtrigger.Trigger]:
    return [pgtrigger.Protect(name="written_once", operation=pgtrigger.Update | pgtrigger.Delete)]


def _account() -> Any:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("account"),
    )


class JournalArchive(models.Model):
    """A file that holds what has left the journal's tables because of its age."""

    number = models.PositiveIntegerField(_("number"), unique=True)
    file_name = models.CharField(_("file"), max_length=120, unique=True)
    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"))
    entries = models.PositiveIntegerField(_("entries"))
    bytes = models.PositiveBigIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    archived_at = models.DateTimeField(_("archived at"), auto_now_add=True)

    objects = ScopedQuerySet.as_manager()
    scope = PortalWide(
        "A file holds entries of all units; pages show it only to readers of the whole journal "
        "(`journal_scope.reads_everything`)."
    )

    class Meta:
        verbose_name = _("journal archive")
        verbose_name_plural = _("journal archives")
        ordering = ["-number"]
        triggers = _written_once()

    def __str__(self) -> str:
        return self.file_name


class JournalExport(models.Model):
    """Somebody took entries out of the portal: who, which, how many."""

    user = _account()
    by = models.CharField(_("person"), max_length=60)
    unit = models.ForeignKey(Enterprise, on_delete=models.PROTECT, related_name="+", verbose_name=_("unit"))
    at = models.DateTimeField(_("time"), auto_now_add=True)
    form = models.CharField(_("format"), max_length=4, choices=[("xlsx", "Excel"), ("csv", "CSV")])
    filters = models.JSONField(_("filters"), default=dict)
    entries = models.PositiveIntegerField(_("entries"))

    objects = ScopedQuerySet.as_manager()
    scope = Within("unit")

    class Meta:
        verbose_name = _("journal export")
        verbose_name_plural = _("journal exports")
        ordering = ["-id"]
        triggers = _written_once()

    def __str__(self) -> str:
        return f"{self.by} · {self.at}"


class SignIn(models.Model):
    """Somebody came in, went out, or tried to."""

    class Outcome(models.TextChoices):
        LOGGED_IN = "in", _("logged in")
        LOGGED_OUT = "out", _("logged out")
        FAILED = "failed", _("log-in failed")
        LOCKED = "locked", _("locked out")

    user = _account()
    #: Of an unknown account only the beginning: people type passwords into the wrong field.
    username = models.CharField(_("account as typed"), max_length=60)
    unit = models.ForeignKey(
        Enterprise, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("unit")
    )
    at = models.DateTimeField(_("time"), auto_now_add=True, db_index=True)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=6, choices=Outcome.choices)

    objects = ScopedQuerySet.as_manager()
    #: What belongs to no unit, an unknown account, is read from the top of a tree.
    scope = IssuedBy("unit")

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        ordering = ["-id"]
        triggers = _written_once()

    def __str__(self) -> str:
        return f"{self.username} · {self.get_outcome_display()}"
