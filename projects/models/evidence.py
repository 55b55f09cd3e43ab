"""Evidence (佐证材料): a photo or document that backs one submission."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from enterprises.scoping import Within
from journal.tracking import tracked
from projects.models.close_out import CloseOut
from projects.models.extension import ExtensionRequest
from projects.models.project import Project
from projects.models.report import ProgressReport
from projects.models.submission import Submission
from projects.models.tally_marks import marks_of_project
from projects.querysets import EvidenceQuerySet


@tracked(exclude=["phash", "phash_bands", "preview", "thumbnail", "original"], parent="project")
class Evidence(models.Model):
    """The files lie in the storage "evidence" under names that nobody can guess; this row is the only way
    to them (`preview`, `thumbnail` and `original` are names in that storage, "" where there is none)."""

    class Kind(models.TextChoices):
        PHOTO = "photo", _("Photo")
        DOCUMENT = "document", _("Document")

    class Stage(models.TextChoices):
        BEFORE = "before", _("Before the work")
        DURING = "during", _("During the work")
        AFTER = "after", _("After the work")

    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="evidence", verbose_name=_("project")
    )
    report = models.ForeignKey(
        ProgressReport,
        on_delete=models.CASCADE,
        null=True,
        related_name="evidence",
        verbose_name=_("progress report"),
    )
    extension = models.ForeignKey(
        ExtensionRequest,
        on_delete=models.CASCADE,
        null=True,
        related_name="evidence",
        verbose_name=_("extension request"),
    )
    close_out = models.ForeignKey(
        CloseOut, on_delete=models.CASCADE, null=True, related_name="evidence", verbose_name=_("close-out")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    stage = models.CharField(_("stage"), max_length=6, choices=Stage.choices, default=Stage.DURING)
    name = models.CharField(_("file name"), max_length=120)
    content_type = models.CharField(_("content type"), max_length=100)
    size = models.PositiveIntegerField(_("size in bytes"))
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    #: The day that the camera wrote into the picture; the picture itself is kept without it.
    taken_on = models.DateField(_("taken on"), null=True)
    phash = models.BigIntegerField(null=True)
    phash_bands = ArrayField(models.IntegerField(), default=list, blank=True)
    preview = models.CharField(max_length=200, blank=True)
    thumbnail = models.CharField(max_length=200, blank=True)
    original = models.CharField(max_length=200, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("uploaded by")
    )
    uploaded_at = models.DateTimeField(_("uploaded at"), auto_now_add=True)

    objects = EvidenceQuerySet.as_manager()
    scope = Within("project__enterprise")

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(report__isnull=False, extension__isnull=True, close_out__isnull=True)
                | Q(report__isnull=True, extension__isnull=False, close_out__isnull=True)
                | Q(report__isnull=True, extension__isnull=True, close_out__isnull=False),
                name="evidence_of_one_submission",
            ),
            # An upload that is repeated, because the answer to the first one was lost on the way, is one file.
            models.UniqueConstraint(fields=["report", "sha256"], name="evidence_once_per_report"),
            models.UniqueConstraint(fields=["extension", "sha256"], name="evidence_once_per_extension"),
            models.UniqueConstraint(fields=["close_out", "sha256"], name="evidence_once_per_close_out"),
        ]
        indexes = [
            # Near-duplicates: two hashes at most 5 bits apart share one of these bands.
            GinIndex(fields=["phash_bands"], name="evidence_phash_bands"),
        ]
        triggers = marks_of_project(("project_id",))

    #: Which column points at which kind of submission.
    OWNERS: dict[type[Submission], str] = {
        ProgressReport: "report",
        ExtensionRequest: "extension",
        CloseOut: "close_out",
    }

    def __str__(self) -> str:
        return self.name

    @classmethod
    def owner_field(cls, submission: models.Model) -> str:
        return cls.OWNERS[type(submission)]  # type: ignore[index]

    @property
    def of(self) -> Submission:
        return self.report or self.extension or self.close_out  # type: ignore[return-value]  # a check constraint

    @property
    def is_photo(self) -> bool:
        return self.kind == self.Kind.PHOTO
