"""What the patrol did, so that people see that it lives, and what it had to set aside."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import PortalWide, Within


class PatrolRun(models.Model):
    """One run; or, with `repeats`, an unbroken row of runs of one day that found nothing to do."""

    as_of = models.DateField(_("for the day"))
    by_clock = models.BooleanField(_("by the clock"), default=True)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    opened = models.PositiveIntegerField(_("opened"), default=0)
    closed = models.PositiveIntegerField(_("closed"), default=0)
    set_aside = models.PositiveIntegerField(_("set aside"), default=0)
    escalated = models.PositiveIntegerField(_("rungs climbed"), default=0)
    told = models.PositiveIntegerField(_("notices written"), default=0)
    seconds = models.FloatField(_("seconds"), default=0)
    repeats = models.PositiveIntegerField(_("runs"), default=1)

    objects = ScopedQuerySet.as_manager()
    scope = PortalWide("A run walks all units at once; it holds counts and times, no unit's data.")

    class Meta:
        verbose_name = _("patrol run")
        verbose_name_plural = _("patrol runs")
        ordering = ["-id"]
        indexes = [models.Index(fields=["-finished_at"], name="patrol_run_latest")]

    def __str__(self) -> str:
        return f"#{self.pk} · {self.as_of}"


class SetAside(models.Model):
    """A milestone that the patrol could not handle. It is left out until someone retries it."""

    milestone = models.ForeignKey(
        "projects.Milestone", on_delete=models.CASCADE, related_name="set_asides", verbose_name=_("milestone")
    )
    as_of = models.DateField(_("for the day"))
    at = models.DateTimeField(_("set aside at"))
    error = models.TextField(_("error"))
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    scope = Within("milestone__project__enterprise")

    class Meta:
        verbose_name = _("row set aside")
        verbose_name_plural = _("rows set aside")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["milestone"], condition=Q(resolved_at__isnull=True), name="set_aside_once"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.milestone_id} · {self.error[:60]}"
