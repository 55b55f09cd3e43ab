"""OverdueEpisode (逾期记录): one uninterrupted time during which a milestone was overdue."""

from __future__ import annotations

import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from enterprises.scoping import Within
from journal.tracking import tracked
from projects.deadlines import days_overdue
from projects.models.milestone import Milestone
from projects.models.patrol import PatrolRun
from projects.querysets import EpisodeQuerySet


@tracked(exclude=["climbed"], inserts=False, parent="milestone", named_by="due_on")
class OverdueEpisode(models.Model):
    """What people were told, and when; whether a milestone is overdue now is `deadlines.overdue_q`."""

    class Cause(models.TextChoices):
        SUBMITTED = "submitted", _("Completion claimed")
        ACCEPTED = "accepted", _("Accepted")
        CANCELLED = "cancelled", _("Milestone cancelled")
        SUSPENDED = "suspended", _("Suspended")
        RESCHEDULED = "rescheduled", _("Due date changed")

    milestone = models.ForeignKey(
        Milestone, on_delete=models.CASCADE, related_name="episodes", verbose_name=_("milestone")
    )
    due_on = models.DateField(_("due date breached"))
    opened_on = models.DateField(_("overdue from"), help_text=_("The true day, whenever the patrol came."))
    opened_at = models.DateTimeField(_("recorded at"))
    opened_by = models.ForeignKey(
        PatrolRun,
        on_delete=models.PROTECT,
        related_name="opened_episodes",
        verbose_name=_("opened by patrol"),
    )
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closing recorded at"), null=True, blank=True)
    closed_by = models.ForeignKey(
        PatrolRun,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="closed_episodes",
        verbose_name=_("closed by patrol"),
    )
    cause = models.CharField(_("how closed"), max_length=12, choices=Cause.choices, blank=True)
    days_late = models.PositiveIntegerField(_("days late"), null=True, blank=True)
    #: Working days of the highest rung told (`services.climbing`): the claim of a rung is a column of the
    #: locked row, as for the flag of a milestone.
    climbed = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    objects = EpisodeQuerySet.as_manager()
    scope = Within("milestone__project__enterprise")

    class Meta:
        verbose_name = _("overdue episode")
        verbose_name_plural = _("overdue episodes")
        ordering = ["-id"]
        indexes = [
            # services.climbing: open episodes below a rung, by the day they opened.
            models.Index(
                fields=["climbed", "opened_on"], condition=Q(closed_on__isnull=True), name="episode_to_climb"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["milestone"],
                condition=Q(closed_on__isnull=True),
                name="episode_one_open_per_milestone",
            ),
            models.CheckConstraint(condition=Q(opened_on__gt=F("due_on")), name="episode_opens_after_due"),
            models.CheckConstraint(
                condition=(Q(closed_on__isnull=True) & Q(cause=""))
                | (Q(closed_on__isnull=False) & ~Q(cause="")),
                name="episode_closed_with_a_cause",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.milestone} · {self.opened_on}"

    def days(self, as_of: datetime.date) -> int:
        """Days late: kept once closed, counted while open and while the programme is followed."""
        if self.days_late is not None:
            return self.days_late
        return days_overdue(self.due_on, self.milestone.project.programme.last_day_counted(as_of))
