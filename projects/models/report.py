"""ProgressReport (进展上报): what an officer says about a milestone, once, for one review."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprises.scoping import Within
from journal.tracking import tracked
from projects.models.milestone import Milestone
from projects.models.project import Project
from projects.models.submission import Submission, decided_stays
from projects.models.tally_marks import marks_of_milestone
from projects.querysets import SubmissionQuerySet
from projects.states import WAITING_REPORT, ReportState


@tracked(exclude=["writer_ids"], parent="milestone", named_by="round")
class ProgressReport(Submission):
    """A report with `claimed_on` claims that the milestone is done; without it, it reports progress."""

    milestone = models.ForeignKey(
        Milestone, on_delete=models.PROTECT, related_name="reports", verbose_name=_("milestone")
    )
    state = models.CharField(
        _("state"), max_length=9, choices=ReportState.choices, default=ReportState.DRAFT, editable=False
    )
    percent = models.PositiveSmallIntegerField(
        _("progress (%)"), default=0, validators=[MaxValueValidator(100)]
    )
    #: What the milestone stood at before: a report that is returned or withdrawn gives it back.
    percent_before = models.PositiveSmallIntegerField(_("progress before (%)"), default=0, editable=False)
    done = models.TextField(_("what was done"), blank=True, max_length=4000)
    problems = models.TextField(_("problems"), blank=True, max_length=2000)
    needs = models.TextField(_("needs coordination"), blank=True, max_length=2000)
    next_step = models.TextField(_("next step"), blank=True, max_length=2000)
    claimed_on = models.DateField(_("completed on"), null=True, blank=True)
    no_change = models.BooleanField(_("no change this period"), default=False, editable=False)

    objects = SubmissionQuerySet.as_manager()
    scope = Within("milestone__project__enterprise")

    WAITING = WAITING_REPORT
    #: The fields that a person writes, in the order of the form; what the next report opens with.
    TEXTS = ("done", "problems", "needs", "next_step")

    class Meta:
        verbose_name = _("progress report")
        verbose_name_plural = _("progress reports")
        ordering = ["-id"]
        constraints = [
            # Two officers, two tabs, a double click: there is one draft to share, never two reports at once.
            models.UniqueConstraint(
                fields=["milestone"],
                condition=Q(state__in=("draft", "submitted")),
                name="report_one_at_work_per_milestone",
            ),
            models.UniqueConstraint(fields=["milestone", "round"], name="report_round_once_per_milestone"),
            models.CheckConstraint(condition=Q(percent__lte=100), name="report_percent_at_most_100"),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(submitted_on__isnull=False),
                name="report_submitted_on_a_day",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("accepted", "returned")) | Q(decided_on__isnull=False),
                name="report_decided_on_a_day",
            ),
            models.CheckConstraint(
                condition=~Q(state="returned") | ~Q(comment=""), name="report_returned_with_a_comment"
            ),
        ]
        indexes = [
            # The review desk: what waits, oldest first.
            models.Index(
                fields=["submitted_at", "id"], condition=Q(state="submitted"), name="report_waiting"
            ),
            # How long reviews took, over the last weeks.
            models.Index(fields=["decided_on"], condition=Q(decided_on__isnull=False), name="report_decided"),
        ]
        triggers = [
            decided_stays("accepted", "returned"),
            *marks_of_milestone(("milestone_id", "state", "submitted_on")),
        ]

    def __str__(self) -> str:
        return gettext("Report %(round)s on %(milestone)s") % {
            "round": self.round,
            "milestone": self.milestone,
        }

    @property
    def of_project(self) -> Project:
        return self.milestone.project
