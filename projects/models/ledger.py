"""A ledger that was handed in: the file, what was understood of it row by row, and what became of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from enterprises.models import Enterprise
from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import Personal
from projects.models.programme import Programme
from projects.models.project import Project


class LedgerImport(models.Model):
    """One file on its way into the portal. Only who handed it in sees it, decides and confirms."""

    class State(models.TextChoices):
        READING = "reading", pgettext_lazy("ledger", "Being read")
        REFUSED = "refused", pgettext_lazy("ledger", "Could not be read")
        READY = "ready", pgettext_lazy("ledger", "Waiting for your confirmation")
        CONFIRMING = "confirming", pgettext_lazy("ledger", "Being taken in")
        CONFIRMED = "confirmed", pgettext_lazy("ledger", "Taken in")
        UNDONE = "undone", pgettext_lazy("ledger", "Taken back")

    programme = models.ForeignKey(
        Programme, on_delete=models.PROTECT, related_name="+", verbose_name=_("programme")
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("handed in by")
    )
    uploaded_at = models.DateTimeField(_("handed in at"))
    file_name = models.CharField(_("file"), max_length=255)
    file_size = models.BigIntegerField(_("size"), default=0)
    #: SHA-256 of the file, hexadecimal: what is confirmed is what was shown.
    digest = models.CharField(max_length=64, editable=False)
    #: The day by which names are resolved and "overdue" is judged.
    as_of = models.DateField(_("read for the day"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.READING)
    #: Sheets that a person left out and columns that a person named: {sheet: {"left_out", "columns": {letter: key}}}.
    choices = models.JSONField(default=dict, blank=True, editable=False)
    #: What `preview_ledger` calls "file": format, warnings, sheets, or the error.
    file_facts = models.JSONField(default=dict, blank=True, editable=False)
    #: Counts by outcome and by change; filled when it has been read.
    counts = models.JSONField(default=dict, blank=True, editable=False)
    rows_read = models.PositiveIntegerField(default=0, editable=False)
    rows_expected = models.PositiveIntegerField(default=0, editable=False)
    #: Counts each reading: what was shown before the columns were changed is not what is confirmed.
    reading_number = models.PositiveIntegerField(default=1, editable=False)
    #: When a worker last took it up: one that died is replaced, one that works is not doubled.
    taken_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: How often the present step was begun and not ended: what kills every worker is given up one day.
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True, editable=False)
    confirmed_on = models.DateField(null=True, blank=True, editable=False)
    #: {"created", "changed", "unchanged", "left_out", "conflicts"}: counted from the rows that were written.
    receipt = models.JSONField(default=dict, blank=True, editable=False)
    undone_at = models.DateTimeField(_("taken back at"), null=True, blank=True, editable=False)
    #: The journal's mark of everything that this import wrote.
    click = models.CharField(max_length=32, blank=True, editable=False)
    #: The newest entries of the journal when it was confirmed, by table: later ones are somebody else's.
    newest_events = models.JSONField(default=dict, blank=True, editable=False)
    #: Why the last attempt to read or confirm failed, in words for the person.
    fault = models.TextField(blank=True, editable=False)

    objects = ScopedQuerySet.as_manager()
    scope = Personal("uploaded_by")

    class Meta:
        verbose_name = _("ledger import")
        verbose_name_plural = _("ledger imports")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["uploaded_by", "-id"], name="ledger_by_person"),
            # What a worker has to do; a handful of rows whatever the table's size.
            models.Index(
                fields=["id"], condition=Q(state__in=["reading", "confirming"]), name="ledger_at_work"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class LedgerPart(models.Model):
    """A piece of the file that was handed in, kept until the ledger was taken in or grew old.

    In the database, because web and worker may run on different machines, and because a file that lies
    beside the row which speaks of it goes where the row goes: into one backup, and away with it.
    """

    #: Bytes of a piece: the memory that reading and writing the file takes.
    SIZE = 1024 * 1024

    ledger = models.ForeignKey(LedgerImport, on_delete=models.CASCADE, related_name="parts", db_index=False)
    order = models.PositiveIntegerField()
    content = models.BinaryField()

    objects = ScopedQuerySet.as_manager()
    scope = Personal("ledger__uploaded_by")

    class Meta:
        verbose_name = _("part of a ledger's file")
        verbose_name_plural = _("parts of ledgers' files")
        ordering = ["ledger_id", "order"]
        constraints = [models.UniqueConstraint(fields=["ledger", "order"], name="ledger_part_once")]

    def __str__(self) -> str:
        return f"{self.ledger_id}/{self.order}"


class LedgerRow(models.Model):
    """One row of a ledger as it was understood, and what became of it. Written by COPY, by the thousand."""

    class Change(models.TextChoices):
        NEW = "new", pgettext_lazy("ledger row", "new")
        CHANGED = "changed", pgettext_lazy("ledger row", "changed")
        UNCHANGED = "unchanged", pgettext_lazy("ledger row", "unchanged")
        CONFLICT = "conflict", pgettext_lazy("ledger row", "conflict")

    ledger = models.ForeignKey(LedgerImport, on_delete=models.CASCADE, related_name="rows", db_index=False)
    position = models.PositiveIntegerField()
    sheet = models.CharField(max_length=80)
    row = models.PositiveIntegerField()
    outcome = models.CharField(max_length=12)
    change = models.CharField(max_length=9, choices=Change.choices, blank=True)
    name = models.CharField(max_length=400, blank=True)
    enterprise = models.ForeignKey(
        Enterprise, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    #: The project that the row is; for a new one filled by the confirmation.
    project = models.ForeignKey(Project, on_delete=models.SET_NULL, null=True, related_name="+")
    #: Version (newest journal entry) of the project when it was read.
    version = models.BigIntegerField(default=0)
    #: `projects.importing.reading.Reading.as_data`.
    data = models.JSONField(default=dict)
    #: What a person decided right in the preview: {field: value}.
    decided = models.JSONField(default=dict)
    #: What the confirmation did: "", created, changed, unchanged, conflict, left_out.
    result = models.CharField(max_length=10, blank=True)

    objects = ScopedQuerySet.as_manager()
    scope = Personal("ledger__uploaded_by")

    class Meta:
        verbose_name = _("row of a ledger")
        verbose_name_plural = _("rows of ledgers")
        ordering = ["ledger_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["ledger", "position"], name="ledger_row_once"),
        ]
        indexes = [
            models.Index(fields=["ledger", "outcome", "position"], name="ledger_row_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.sheet} {self.row}"
