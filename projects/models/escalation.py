"""The ladder of a programme, the rungs that were climbed, and reminders by hand (催办)."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from enterprises.models import Enterprise
from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import SharedBelow, Within
from journal.tracking import tracked
from projects import ladder
from projects.models.episode import OverdueEpisode
from projects.models.milestone import Milestone
from projects.models.programme import Programme
from projects.models.project import Project


@tracked(parent="programme", named_by="days")
class LadderRung(models.Model):
    """One rung of a programme's own ladder; a programme without any climbs `ladder.DEFAULT_LADDER`."""

    programme = models.ForeignKey(
        Programme, on_delete=models.CASCADE, related_name="rungs", verbose_name=_("programme")
    )
    days = models.SmallIntegerField(
        _("working days"),
        validators=[MinValueValidator(-60), MaxValueValidator(250)],
        help_text=_("Below zero: before the due date. Above zero: after it."),
    )
    recipient = models.CharField(_("told"), max_length=12, choices=ladder.Recipient.choices)
    order = models.CharField(_("suggests"), max_length=8, choices=ladder.Order.choices, blank=True)
    urgent = models.BooleanField(_("at once"), default=False)
    mandatory = models.BooleanField(_("cannot be silenced"), default=True)

    objects = ScopedQuerySet.as_manager()
    scope = SharedBelow("programme__owner")

    class Meta:
        verbose_name = _("rung of the ladder")
        verbose_name_plural = _("escalation ladder")
        ordering = ["programme", "days", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(days=0) & Q(days__gte=-60) & Q(days__lte=250),
                name="rung_before_or_after",
                violation_error_message=_(
                    "A rung stands at least one working day before or after the due date."
                ),
            ),
            models.UniqueConstraint(
                fields=["programme", "days", "recipient"],
                name="rung_once",
                violation_error_message=_("The ladder has this rung already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.days:+d} · {self.get_recipient_display()}"

    @property
    def rung(self) -> ladder.Rung:
        return ladder.Rung(self.days, self.recipient, self.order, self.urgent, self.mandatory)


class Escalation(models.Model):
    """A rung that was climbed: who had to be told, and who was told where that post is vacant.

    The claim that makes it happen once is its own unique row: per episode after the due date, per due
    date before it.
    """

    milestone = models.ForeignKey(
        Milestone, on_delete=models.CASCADE, related_name="escalations", verbose_name=_("milestone")
    )
    episode = models.ForeignKey(
        OverdueEpisode,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="escalations",
        verbose_name=_("overdue record"),
    )
    due_on = models.DateField(_("due on"))
    days = models.SmallIntegerField(_("working days"))
    recipient = models.CharField(_("to be told"), max_length=12, choices=ladder.Recipient.choices)
    order = models.CharField(_("suggests"), max_length=8, choices=ladder.Order.choices, blank=True)
    on = models.DateField(_("reached on"), help_text=_("The true day, whenever the patrol came."))
    at = models.DateTimeField(_("recorded at"))
    #: Who was told instead, one of `Recipient` or "officers" or "nobody"; "" when the post was filled.
    told_instead = models.CharField(_("told instead"), max_length=12, blank=True)
    told = models.PositiveSmallIntegerField(_("people told"), default=0)

    objects = ScopedQuerySet.as_manager()
    scope = Within("milestone__project__enterprise")

    class Meta:
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["episode", "days", "recipient"],
                condition=Q(episode__isnull=False),
                name="escalation_once_per_episode",
            ),
            models.UniqueConstraint(
                fields=["milestone", "due_on", "days", "recipient"],
                condition=Q(episode__isnull=True),
                name="escalation_once_per_due_date",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.milestone_id} · {self.days:+d} · {self.recipient}"


class Reminder(models.Model):
    """A nudge by hand (催办): who asked whom to move, when, with which words."""

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="reminders", verbose_name=_("project")
    )
    milestone = models.ForeignKey(
        Milestone,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="reminders",
        verbose_name=_("milestone"),
    )
    #: Kept as it was: a project that moves takes its reminders along, not the count of who was reminded.
    enterprise = models.ForeignKey(
        Enterprise, on_delete=models.PROTECT, related_name="reminders", verbose_name=_("enterprise reminded")
    )
    note = models.CharField(_("note"), max_length=500, blank=True)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("reminded by")
    )
    sent_at = models.DateTimeField(_("reminded at"))
    sent_on = models.DateField(_("reminded on"))
    told = models.PositiveSmallIntegerField(_("people told"), default=0)

    objects = ScopedQuerySet.as_manager()
    scope = Within("project__enterprise")

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering = ["-id"]
        indexes = [models.Index(fields=["enterprise", "sent_on"], name="reminder_per_enterprise")]
        constraints = [
            # Two people press at once, or one twice: one nudge a day is enough for one thing.
            models.UniqueConstraint(
                fields=["project", "milestone", "sent_on"], name="reminder_once_a_day", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.project_id} · {self.sent_on}"
