"""CloseOut (销号): what was achieved against what was promised, and the two who found it so."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprises.scoping import Within
from journal.tracking import tracked
from projects.models.programme import Programme
from projects.models.project import Project
from projects.models.submission import Submission, decided_stays
from projects.models.tally_marks import marks_of_project
from projects.querysets import SubmissionQuerySet
from projects.states import WAITING_CLOSE_OUT, CloseOutState


@tracked(exclude=["writer_ids", "facts"], parent="project", named_by="round")
class CloseOut(Submission):
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="close_outs", verbose_name=_("project")
    )
    state = models.CharField(
        _("state"), max_length=9, choices=CloseOutState.choices, default=CloseOutState.DRAFT, editable=False
    )
    achieved = models.TextField(_("what was achieved"), max_length=4000)
    completed_on = models.DateField(_("completed on"), null=True)
    beneficiaries_reached = models.DecimalField(
        _("beneficiaries reached"), max_digits=14, decimal_places=2, null=True, blank=True
    )
    beneficiaries_unit = models.CharField(_("unit of beneficiaries"), max_length=20, blank=True)
    shortfall = models.TextField(
        _("not achieved, and why"),
        blank=True,
        max_length=2000,
        help_text=_("Blank: everything promised was done."),
    )
    follow_up = models.TextField(_("follow-up after acceptance"), blank=True, max_length=2000)
    follow_up_owner = models.CharField(_("follow-up owner"), max_length=80)
    #: What had been promised, as it read when this was submitted: a later edit does not rewrite it.
    promised = models.TextField(_("what was promised"), blank=True, editable=False)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("verified by"),
    )
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True, editable=False)
    verified_comment = models.CharField(
        _("comment of the verification"), max_length=500, blank=True, editable=False
    )
    #: Number of the certificate within the programme, given on approval.
    programme = models.ForeignKey(
        Programme, on_delete=models.PROTECT, editable=False, related_name="+", verbose_name=_("programme")
    )
    number = models.PositiveIntegerField(_("certificate number"), null=True, blank=True, editable=False)

    #: What the certificate states (`certificate_facts`), as it was on the day of the approval.
    facts = models.JSONField(default=dict, blank=True, editable=False)

    objects = SubmissionQuerySet.as_manager()
    scope = Within("project__enterprise")

    WAITING = WAITING_CLOSE_OUT
    TEXTS = ("achieved", "shortfall", "follow_up")

    class Meta:
        verbose_name = _("close-out")
        verbose_name_plural = _("close-outs")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(state__in=("draft", "submitted", "verified")),
                name="close_out_one_at_work_per_project",
            ),
            models.UniqueConstraint(fields=["project", "round"], name="close_out_round_once_per_project"),
            models.UniqueConstraint(fields=["programme", "number"], name="close_out_number_once"),
            models.CheckConstraint(
                condition=~Q(state="returned") | ~Q(comment=""), name="close_out_returned_with_a_comment"
            ),
            models.CheckConstraint(
                condition=~Q(state="approved")
                | Q(
                    number__isnull=False,
                    decided_by__isnull=False,
                    verified_by__isnull=False,
                    submitted_by__isnull=False,
                ),
                name="close_out_approved_is_complete",
            ),
            # Two steps are two people, and neither is the one who asked.
            models.CheckConstraint(
                condition=~Q(state="approved")
                | (
                    ~Q(verified_by=F("decided_by"))
                    & ~Q(submitted_by=F("decided_by"))
                    & ~Q(submitted_by=F("verified_by"))
                ),
                name="close_out_by_three_people",
            ),
        ]
        indexes = [
            models.Index(
                fields=["submitted_at", "id"],
                condition=Q(state__in=("submitted", "verified")),
                name="close_out_waiting",
            ),
            models.Index(
                fields=["decided_on"], condition=Q(decided_on__isnull=False), name="close_out_decided"
            ),
        ]
        triggers = [decided_stays("approved", "returned"), *marks_of_project(("project_id", "state"))]

    def __str__(self) -> str:
        return gettext("Close-out of %(project)s") % {"project": self.project}

    @property
    def of_project(self) -> Project:
        return self.project
