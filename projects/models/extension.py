"""ExtensionRequest (延期申请): the only thing that moves a date which was approved."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import Within
from journal.tracking import tracked
from projects.models.milestone import Milestone
from projects.models.project import Project
from projects.models.submission import Submission, decided_stays
from projects.models.tally_marks import marks_of_milestone
from projects.querysets import SubmissionQuerySet
from projects.states import WAITING_EXTENSION, ExtensionState


@tracked(exclude=["writer_ids"], parent="milestone", named_by="round")
class ExtensionRequest(Submission):
    class ReasonClass(models.TextChoices):
        PERMITS = "permits", _("Permits and approvals")
        LAND = "land", _("Land and relocation")
        FUNDS = "funds", _("Funds")
        SITE = "site", _("Weather and site conditions")
        DESIGN = "design", _("Change of design or scope")
        SUPPLY = "supply", _("Materials and supply")
        FORCE_MAJEURE = "force_majeure", _("Force majeure")
        OTHER = "other", _("Other")

    milestone = models.ForeignKey(
        Milestone, on_delete=models.PROTECT, related_name="extensions", verbose_name=_("milestone")
    )
    state = models.CharField(
        _("state"),
        max_length=9,
        choices=ExtensionState.choices,
        default=ExtensionState.DRAFT,
        editable=False,
    )
    from_on = models.DateField(_("present date"), editable=False)
    to_on = models.DateField(_("new date"), null=True)
    reason_class = models.CharField(_("kind of reason"), max_length=13, choices=ReasonClass.choices)
    reason = models.TextField(_("reason"), max_length=2000)
    #: Filed after the date had passed: marked as late, and it freezes nothing (product rules 3.3).
    is_late = models.BooleanField(_("filed after the date"), default=False, editable=False)
    #: The project's own date, where the new one lies beyond it and moves it along.
    project_from_on = models.DateField(_("present date of the project"), null=True, editable=False)
    project_to_on = models.DateField(_("new date of the project"), null=True, editable=False)

    objects = SubmissionQuerySet.as_manager()
    scope = Within("milestone__project__enterprise")

    WAITING = WAITING_EXTENSION

    class Meta:
        verbose_name = _("extension request")
        verbose_name_plural = _("extension requests")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["milestone"],
                condition=Q(state__in=("draft", "submitted")),
                name="extension_one_at_work_per_milestone",
            ),
            models.UniqueConstraint(fields=["milestone", "round"], name="extension_round_once_per_milestone"),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(to_on__isnull=False, to_on__gt=F("from_on")),
                name="extension_moves_forward",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(submitted_on__isnull=False),
                name="extension_submitted_on_a_day",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("approved", "returned", "rejected")) | Q(decided_on__isnull=False),
                name="extension_decided_on_a_day",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("returned", "rejected")) | ~Q(comment=""),
                name="extension_refused_with_a_comment",
            ),
        ]
        indexes = [
            models.Index(
                fields=["submitted_at", "id"], condition=Q(state="submitted"), name="extension_waiting"
            ),
            models.Index(
                fields=["decided_on"], condition=Q(decided_on__isnull=False), name="extension_decided"
            ),
        ]
        triggers = [
            decided_stays("approved", "returned", "rejected"),
            *marks_of_milestone(("milestone_id", "state", "from_on", "to_on")),
        ]

    def __str__(self) -> str:
        return gettext("Extension of %(milestone)s") % {"milestone": self.milestone}

    @property
    def of_project(self) -> Project:
        return self.milestone.project

    @property
    def days(self) -> int:
        """Calendar days that are asked for."""
        return (self.to_on - self.from_on).days if self.to_on else 0


@tracked(parent="request", named_by="milestone")
class ExtensionShift(models.Model):
    """A later milestone that moves along with an extension, listed with both of its dates."""

    request = models.ForeignKey(
        ExtensionRequest, on_delete=models.CASCADE, related_name="shifts", verbose_name=_("extension request")
    )
    milestone = models.ForeignKey(
        Milestone, on_delete=models.PROTECT, related_name="+", verbose_name=_("milestone")
    )
    from_on = models.DateField(_("present date"))
    to_on = models.DateField(_("new date"))

    objects = ScopedQuerySet.as_manager()
    scope = Within("request__milestone__project__enterprise")

    class Meta:
        verbose_name = _("milestone shifted along")
        verbose_name_plural = _("milestones shifted along")
        ordering = ["from_on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "milestone"], name="shift_once_per_request"),
            models.CheckConstraint(condition=Q(to_on__gt=F("from_on")), name="shift_moves_forward"),
        ]

    def __str__(self) -> str:
        return str(self.milestone)
