"""Milestone (节点): a dated part of a project's promise."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from enterprises.scoping import Within
from journal.tracking import tracked
from projects.deadlines import cured_q, open_q, unflagged_q
from projects.models.project import Project
from projects.models.promise import baseline_is_kept
from projects.models.tally_marks import marks_of_project
from projects.querysets import MilestoneQuerySet
from projects.states import MilestoneState

#: What the tallies count milestones by; the patrol's claim and the percent are not among them.
COUNTED = (
    "project_id",
    "state",
    "is_suspended",
    "awaits_extension",
    "due_on",
    "baseline_due_on",
    "claimed_on",
)


@tracked(exclude=["flagged_due_on"], in_bulk=True, parent="project")
class Milestone(models.Model):
    # The unique constraint on project and name is an index by project already; a second one would
    # only make every flag of the patrol dearer.
    project = models.ForeignKey(
        Project,
        on_delete=models.CASCADE,
        related_name="milestones",
        db_index=False,
        verbose_name=_("project"),
    )
    name = models.CharField(_("milestone"), max_length=120)
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    weight = models.PositiveSmallIntegerField(
        _("weight"), default=100, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    baseline_due_on = models.DateField(_("date first promised"), null=True, blank=True, editable=False)
    due_on = models.DateField(
        _("due on"), null=True, blank=True, help_text=_("Inclusive; without a date it is never overdue.")
    )
    state = models.CharField(
        _("state"),
        max_length=12,
        choices=MilestoneState.choices,
        default=MilestoneState.NOT_STARTED,
        editable=False,
    )
    is_suspended = models.BooleanField(_("suspended"), default=False, editable=False)
    #: An extension filed in time waits for its decision: the clock stands still (product rules 3.3).
    #: A column, kept by the service that files and decides, because the partial indexes ask for it.
    awaits_extension = models.BooleanField(_("awaiting an extension"), default=False, editable=False)
    percent = models.PositiveSmallIntegerField(
        _("reported progress (%)"), default=0, validators=[MaxValueValidator(100)]
    )
    open_since = models.DateField(
        _("open again since"),
        null=True,
        blank=True,
        editable=False,
        help_text="Day on which it was last opened again.",
    )
    closed_since = models.DateField(
        _("closed or suspended since"),
        null=True,
        blank=True,
        editable=False,
        help_text="Day since which it owes nothing or is suspended.",
    )
    claimed_on = models.DateField(_("claimed completion"), null=True, blank=True, editable=False)
    accepted_on = models.DateField(_("accepted on"), null=True, blank=True, editable=False)
    comment = models.CharField(_("last comment"), max_length=500, blank=True, editable=False)
    submitted_by = models.ForeignKey(
        "enterprises.User",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        db_index=False,  # milestone_by_submitter
        verbose_name=_("submitted by"),
    )
    #: The patrol's claim: the due date it has flagged. A column of the locked row, because a claim
    #: that is looked up elsewhere lets a late worker take the row again.
    flagged_due_on = models.DateField(null=True, blank=True, editable=False)

    objects = MilestoneQuerySet.as_manager()
    scope = Within("project__enterprise")

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        ordering = ["order", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(due_on__isnull=True) | Q(due_on__gte=F("starts_on")),
                name="milestone_due_not_before_start",
                violation_error_message=_("The due date must not lie before the start."),
            ),
            models.CheckConstraint(condition=Q(percent__lte=100), name="milestone_percent_at_most_100"),
            models.CheckConstraint(condition=Q(weight__gte=1), name="milestone_weighs_something"),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(accepted_on__isnull=False),
                name="milestone_accepted_has_a_day",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["submitted", "accepted"]) | Q(claimed_on__isnull=False),
                name="milestone_claim_has_a_day",
            ),
            models.UniqueConstraint(
                fields=["project", "name"],
                name="milestone_name_once_per_project",
                violation_error_message=_("The project already has a milestone with this name."),
            ),
        ]
        indexes = [
            # patrol.claim: open, not yet flagged for the present date. Holds what may still become
            # overdue and nothing that is done or already flagged, whatever the table's size.
            models.Index(fields=["due_on"], condition=open_q() & unflagged_q(), name="milestone_to_flag"),
            # patrol.close: flagged and cured since.
            models.Index(fields=["id"], condition=cured_q(), name="milestone_to_close"),
            # The overdue and due-soon lists, ordered by date.
            models.Index(fields=["due_on", "id"], condition=open_q(), name="milestone_open_by_due"),
            # Counts of open milestones by unit: met in the order of projects and answered from the index
            # alone (count of the overdue list over 1,000,000 rows: 11 ms, without it 30 ms).
            models.Index(fields=["project", "due_on"], condition=open_q(), name="milestone_open_by_project"),
            # From a name that was looked for to its milestones (projects.models.search).
            models.Index(fields=["name"], name="milestone_by_name"),
            models.Index(
                fields=["submitted_by"],
                condition=Q(submitted_by__isnull=False),
                name="milestone_by_submitter",
            ),
        ]
        triggers = [
            *marks_of_project(COUNTED),
            baseline_is_kept(
                "EXISTS (SELECT FROM projects_project p"
                " WHERE p.id = NEW.project_id AND p.approved_on IS NOT NULL)"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self._state.adding and self.project_id and self.project.approved_on:
            # It would thin out the weights of the others: the plan that was approved is the promise.
            raise ValidationError(_("The project is approved: no milestone can be added to its plan."))

    @property
    def days_late(self) -> int:
        """Days between the date in force and the claimed completion; 0 when in time (rule 3.4)."""
        if self.due_on is None or self.claimed_on is None:
            return 0
        return max(0, (self.claimed_on - self.due_on).days)
