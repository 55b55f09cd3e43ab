"""Programme (专项行动 / 年度) and its categories."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from enterprises.models import Enterprise
from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import SharedBelow
from journal.tracking import tracked
from projects.lights import LightPolicy
from projects.models.policy_versions import policy_is_kept, policy_is_numbered
from projects.periods import Cycle
from projects.querysets import ProgrammeQuerySet

#: Items due on the programme's last day become overdue on the day after it, and late work goes on;
#: so the patrol keeps walking for a quarter after the end.
WIND_UP = datetime.timedelta(days=92)


@tracked(exclude=["lights_on", "tallied_on"])
class Programme(models.Model):
    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    year = models.PositiveSmallIntegerField(
        _("year"), validators=[MinValueValidator(2000), MaxValueValidator(2100)]
    )
    owner = models.ForeignKey(
        Enterprise,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="programmes",
        verbose_name=_("issued by"),
        help_text=_("Seen by every unit below; blank means by the whole portal."),
    )
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"))
    patrolled_until = models.DateField(
        _("patrolled until"),
        blank=True,
        help_text=_("Last day on which the patrol looks for overdue items; blank: a quarter after the end."),
    )
    archived_on = models.DateField(_("archived on"), null=True, blank=True, editable=False)
    warning_days = models.PositiveSmallIntegerField(
        _("warning window (days)"), default=LightPolicy.warning_days, validators=[MaxValueValidator(60)]
    )
    yellow_gap = models.PositiveSmallIntegerField(
        _("yellow from (points behind)"), default=LightPolicy.yellow_gap, validators=[MaxValueValidator(100)]
    )
    red_gap = models.PositiveSmallIntegerField(
        _("red above (points behind)"), default=LightPolicy.red_gap, validators=[MaxValueValidator(100)]
    )
    red_fades = models.BooleanField(
        _("a made-up red fades to yellow"),
        default=LightPolicy.red_fades,
        help_text=_("Until the reporting period ends, a project that was red in it is yellow at best."),
    )
    reporting_cycle = models.CharField(
        _("reporting cycle"), max_length=10, choices=Cycle.choices, default=LightPolicy.cycle
    )
    #: Version of the five values above; `policy_versions` counts it and keeps each version.
    policy_number = models.PositiveIntegerField(_("version of the policy"), default=1, editable=False)
    policy_since = models.DateField(_("policy in force since"), null=True, blank=True, editable=False)
    policy_reason = models.CharField(_("reason for the policy"), max_length=300, blank=True, editable=False)
    policy_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("policy set by"),
    )
    ladder_on = models.BooleanField(
        _("the ladder is climbed"),
        default=True,
        help_text=_("Off: nobody is told of due dates by the patrol; overdue is recorded all the same."),
    )
    quiet_from = models.TimeField(
        _("quiet from"),
        default=datetime.time(20),
        help_text=_("In quiet hours nothing leaves the portal; it waits until they end."),
    )
    quiet_until = models.TimeField(_("quiet until"), default=datetime.time(8))
    review_days = models.PositiveSmallIntegerField(
        _("time for a review (working days)"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("A submission that waits longer counts as a late review."),
    )
    reported_total = models.PositiveIntegerField(
        _("reported total"),
        null=True,
        blank=True,
        help_text=_("The number of projects that was published; the portal adds no rows to match it."),
    )
    #: Day for which all its projects were judged; within a day only what was touched is judged again.
    lights_on = models.DateField(null=True, blank=True, editable=False)
    #: Day for which all its tallies were counted; within a day only what was marked is counted again.
    tallied_on = models.DateField(null=True, blank=True, editable=False)
    is_demo = models.BooleanField(_("demonstration data"), default=False, editable=False)
    source = models.TextField(_("source"), blank=True)
    note = models.TextField(_("note"), blank=True)

    objects = ProgrammeQuerySet.as_manager()
    scope = SharedBelow("owner")

    class Meta:
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        ordering = ["-year", "code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="programme_ends_after_it_begins",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.CheckConstraint(
                condition=Q(patrolled_until__gte=F("ends_on")),
                name="programme_patrolled_to_its_end",
                violation_error_message=_("The patrol must go on at least to the end of the programme."),
            ),
            models.CheckConstraint(
                condition=Q(red_gap__gte=F("yellow_gap")),
                name="programme_red_not_below_yellow",
                violation_error_message=_("Red must not begin before yellow."),
            ),
        ]
        triggers = [policy_is_numbered(), policy_is_kept()]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.fill_patrolled_until()

    def fill_patrolled_until(self) -> None:
        if self.patrolled_until is None and self.ends_on is not None:
            self.patrolled_until = self.ends_on + WIND_UP

    @property
    def light_policy(self) -> LightPolicy:
        return LightPolicy(
            self.warning_days, self.yellow_gap, self.red_gap, self.red_fades, self.reporting_cycle
        )

    def last_day_counted(self, as_of: datetime.date) -> datetime.date:
        """The latest day, up to `as_of`, on which the programme's items were still followed.

        Days late stop there: what happened to an open item after its programme was archived is not
        known, and a number that grows for ever would state it as a fact.
        """
        until = self.patrolled_until
        if self.archived_on is not None:
            until = min(until, self.archived_on - datetime.timedelta(days=1))
        return min(as_of, until)

    def in_force(self, as_of: datetime.date) -> bool:
        """Python twin of `querysets.in_force_q`."""
        return self.starts_on <= as_of <= self.patrolled_until and (
            self.archived_on is None or as_of < self.archived_on
        )


@tracked(parent="programme")
class Category(models.Model):
    """用水 用气 交通 …: what a project is about."""

    programme = models.ForeignKey(
        Programme, on_delete=models.CASCADE, related_name="categories", verbose_name=_("programme")
    )
    name = models.CharField(_("name"), max_length=40)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    objects = ScopedQuerySet.as_manager()
    scope = SharedBelow("programme__owner")

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["order", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "name"],
                name="category_once_per_programme",
                violation_error_message=_("The programme already has this category."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
