"""Light policies in their versions, and what each project's light was on each day."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import SharedBelow, Within
from projects.lights import Light
from projects.models.programme import Programme
from projects.models.project import Project
from projects.periods import Cycle


class LightPolicyVersion(models.Model):
    """One version of a programme's thresholds. Written by a trigger of the programme, so that no road
    changes a threshold without leaving its version; never changed afterwards.
    """

    programme = models.ForeignKey(
        Programme, on_delete=models.CASCADE, related_name="policies", verbose_name=_("programme")
    )
    number = models.PositiveIntegerField(_("version"))
    since = models.DateField(_("in force since"), null=True, blank=True)
    warning_days = models.PositiveSmallIntegerField(_("warning window (days)"))
    yellow_gap = models.PositiveSmallIntegerField(_("yellow from (points behind)"))
    red_gap = models.PositiveSmallIntegerField(_("red above (points behind)"))
    red_fades = models.BooleanField(_("a made-up red fades to yellow"))
    reporting_cycle = models.CharField(_("reporting cycle"), max_length=10, choices=Cycle.choices)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("set by"),
    )
    made_at = models.DateTimeField(_("set at"))

    objects = ScopedQuerySet.as_manager()
    scope = SharedBelow("programme__owner")

    class Meta:
        verbose_name = _("light policy")
        verbose_name_plural = _("light policies")
        ordering = ["programme", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "number"], name="light_policy_version_once")
        ]
        triggers = [pgtrigger.Protect(name="written_once", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.programme} · {self.number}"


class LightSpan(models.Model):
    """An unbroken time in which a project showed one light for one reason, under one policy.

    Spans instead of a row a day: 200,000 projects would be seventy million rows a year. The light of a
    day is that of its last span; a span of one day's hours begins and ends on the same date, so that a
    red which lasted one morning is still known to have been there.
    """

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="light_spans", verbose_name=_("project")
    )
    light = models.CharField(_("light"), max_length=6, choices=Light.choices)
    #: The rule and its numbers as they were when the span began.
    reason = models.JSONField(default=dict)
    policy_number = models.PositiveIntegerField(_("version of the policy"))
    from_on = models.DateField(_("from"))
    #: The first day on which something else showed; null while it shows.
    until_on = models.DateField(_("until (exclusive)"), null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    scope = Within("project__enterprise")

    class Meta:
        verbose_name = _("light history")
        verbose_name_plural = _("light history")
        ordering = ["project", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=Q(until_on__isnull=True), name="light_span_one_open"
            ),
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gte=F("from_on")),
                name="light_span_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} · {self.light} · {self.from_on}"
