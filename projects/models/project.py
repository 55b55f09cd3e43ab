"""Project (民生项目): one promise, who answers for it, and by when."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from enterprises.models import Enterprise, PartyBranch
from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import Within
from enterprises.sort_key import pinyin_key
from journal.tracking import tracked
from projects.lights import Light, reason_text, with_numbers
from projects.models.programme import Category, Programme
from projects.models.promise import baseline_is_kept
from projects.models.tally_marks import marks_project
from projects.planned_progress import Stretch, whole
from projects.querysets import ProjectQuerySet
from projects.states import ProjectStatus

#: Derived by the portal from milestones and dates: no decision of a person, so not in the journal.
DERIVED = [
    *("sort_key", "light", "light_reason", "light_on", "last_red_on"),
    *("planned_from", "planned_start", "planned_daily", "planned_until", "actual_percent"),
]

#: What the tallies count projects by (`services.tally_sql`), and the cockpit puts its red list in order by.
COUNTED = (
    *("programme_id", "enterprise_id", "category_id", "status", "starts_on", "light", "light_reason"),
    *("planned_from", "planned_start", "planned_daily", "planned_until", "actual_percent"),
)


def _person(label: Any, related_name: str) -> models.ForeignKey:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name=related_name,
        db_index=False,  # project_by_…: most projects name nobody here, or by a text
        verbose_name=label,
    )


@tracked(exclude=DERIVED, in_bulk=True)
class Project(models.Model):
    class Phase(models.TextChoices):
        PLANNING = "planning", _("Planning and deployment")
        EXECUTION = "execution", _("Organised implementation")
        INSPECTION = "inspection", _("Inspection and acceptance")

    class Audience(models.TextChoices):
        INTERNAL = "internal", _("For employees")
        EXTERNAL = "external", _("For the public")

    programme = models.ForeignKey(
        Programme,
        on_delete=models.PROTECT,
        related_name="projects",
        db_index=False,  # project_by_programme
        verbose_name=_("programme"),
    )
    code = models.CharField(_("code"), max_length=40)
    name = models.CharField(_("project name"), max_length=200)
    place = models.CharField(_("place"), max_length=200, blank=True)
    category = models.ForeignKey(
        Category,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="projects",
        db_index=False,  # project_by_category
        verbose_name=_("category"),
    )
    content_class = models.CharField(_("content class"), max_length=40, blank=True)
    audience = models.CharField(_("audience"), max_length=8, choices=Audience.choices, blank=True)
    enterprise = models.ForeignKey(
        Enterprise,
        on_delete=models.PROTECT,
        related_name="projects",
        db_index=False,  # project_by_enterprise
        verbose_name=_("responsible enterprise"),
    )
    supporting_enterprises = models.ManyToManyField(
        Enterprise, blank=True, related_name="supported_projects", verbose_name=_("supporting enterprises")
    )
    party_branches = models.ManyToManyField(
        PartyBranch, blank=True, related_name="projects", verbose_name=_("party organisations")
    )
    phase = models.CharField(_("phase"), max_length=10, choices=Phase.choices, blank=True)
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=ProjectStatus.choices,
        default=ProjectStatus.NOT_STARTED,
        blank=True,
        help_text=_("Blank: the source does not say."),
    )
    measures = models.TextField(_("measures"), blank=True)
    beneficiaries_text = models.CharField(_("beneficiaries"), max_length=200, blank=True)
    beneficiaries_number = models.DecimalField(
        _("number of beneficiaries"), max_digits=14, decimal_places=2, null=True, blank=True
    )
    beneficiaries_unit = models.CharField(_("unit of beneficiaries"), max_length=20, blank=True)
    investment_text = models.CharField(_("investment"), max_length=120, blank=True)
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    start_text = models.CharField(_("start as published"), max_length=80, blank=True)
    baseline_due_on = models.DateField(_("date first promised"), null=True, blank=True, editable=False)
    due_on = models.DateField(_("due on"), null=True, blank=True)
    due_text = models.CharField(_("deadline as published"), max_length=80, blank=True)
    is_standing = models.BooleanField(
        _("standing duty"), default=False, help_text=_("Carried on without an end: never overdue.")
    )
    is_key = models.BooleanField(_("key project"), default=False)
    liaison_leader = _person(_("liaison leader"), "liaison_projects")
    accountable_lead = _person(_("accountable lead"), "accountable_projects")
    accountable_lead_text = models.CharField(
        _("accountable lead (name and phone)"), max_length=80, blank=True
    )
    direct_lead = _person(_("direct lead"), "direct_projects")
    direct_lead_text = models.CharField(_("direct lead (name and phone)"), max_length=80, blank=True)
    coordinator = _person(_("coordinator"), "coordinated_projects")
    coordinator_text = models.CharField(_("coordinator (name and phone)"), max_length=80, blank=True)
    status_text = models.CharField(_("state as published"), max_length=200, blank=True)
    status_reason = models.CharField(_("reason for the status"), max_length=300, blank=True, editable=False)
    review_again_on = models.DateField(_("look again on"), null=True, blank=True, editable=False)
    approved_on = models.DateField(_("approved on"), null=True, blank=True, editable=False)
    published_on = models.DateField(_("published on"), null=True, blank=True)
    source = models.TextField(_("source"), blank=True)
    note = models.TextField(_("note"), blank=True)

    light = models.CharField(_("light"), max_length=6, choices=Light.choices, blank=True, editable=False)
    light_reason = models.JSONField(default=dict, blank=True, editable=False)
    light_on = models.DateField(null=True, blank=True, editable=False)
    #: The latest day on which it was red, for a red that fades.
    last_red_on = models.DateField(null=True, blank=True, editable=False)
    #: The line of the plan up to its next bend (`planned_progress.Stretch`); all empty where no milestone has a date.
    planned_from = models.DateField(null=True, blank=True, editable=False)
    planned_start = models.FloatField(null=True, blank=True, editable=False)
    planned_daily = models.FloatField(null=True, blank=True, editable=False)
    planned_until = models.DateField(null=True, blank=True, editable=False)
    actual_percent = models.DecimalField(
        _("actual progress"), max_digits=5, decimal_places=2, default=0, editable=False
    )
    sort_key = models.CharField(max_length=300, blank=True, editable=False, db_collation="C")

    objects = ProjectQuerySet.as_manager()
    scope = Within("enterprise")

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "code"],
                name="project_code_once_per_programme",
                violation_error_message=_("The programme already has a project with this code."),
            ),
            models.UniqueConstraint(
                fields=["programme", "enterprise", "name"],
                name="project_name_once_per_enterprise",
                violation_error_message=_(
                    "The enterprise already has a project with this name in the programme."
                ),
            ),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(due_on__isnull=True) | Q(due_on__gte=F("starts_on")),
                name="project_due_not_before_start",
                violation_error_message=_("The due date must not lie before the start."),
            ),
            models.CheckConstraint(
                condition=~Q(status="suspended") | (~Q(status_reason="") & Q(review_again_on__isnull=False)),
                name="project_suspended_with_reason_and_date",
                violation_error_message=_(
                    "A suspension needs a reason and a date on which it is looked at again."
                ),
            ),
            models.CheckConstraint(
                condition=Q(is_standing=False) | Q(due_on__isnull=True),
                name="project_standing_has_no_date",
                violation_error_message=_("A standing duty has no due date."),
            ),
        ]
        indexes = [
            # The project list of one unit, and of everyone, newest first.
            models.Index(fields=["enterprise", "-id"], name="project_by_enterprise"),
            models.Index(fields=["light", "-id"], name="project_by_light"),
            models.Index(fields=["programme", "-id"], name="project_by_programme"),
            # Of those that have one only: each index is paid for by every row that is written, also by those that
            # would stand in it with nothing.
            *(
                models.Index(
                    fields=[name], condition=models.Q((f"{name}__isnull", False)), name=f"project_by_{name}"
                )
                for name in ("category", "liaison_leader", "accountable_lead", "direct_lead", "coordinator")
            ),
        ]
        triggers = [
            *marks_project(COUNTED),
            baseline_is_kept("OLD.approved_on IS NOT NULL"),
            # An approval is a decision; nothing that writes a project, late or by mistake, undoes it.
            pgtrigger.Protect(
                name="approval_stands",
                operation=pgtrigger.UpdateOf("approved_on"),
                condition=pgtrigger.Q(old__approved_on__isnull=False, new__approved_on__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.sort_key = pinyin_key(self.name, 300)
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "sort_key"}
        super().save(*args, **kwargs)

    @property
    def who_answers(self) -> str:
        """The person to ask first: the highest of the three who is named, account or text."""
        return self.answering[1]

    @property
    def answering(self) -> tuple[str, str]:
        """(what that person is, name) of `who_answers`; two blanks when nobody is named."""
        for level in ("accountable_lead", "direct_lead", "coordinator"):
            if named := getattr(self, level) or getattr(self, f"{level}_text"):
                field: Any = self._meta.get_field(level)
                return str(field.verbose_name), str(named)
        return "", ""

    def clean(self) -> None:
        super().clean()
        if self.category is not None and self.category.programme_id != self.programme_id:
            raise ValidationError({"category": _("This category belongs to another programme.")})

    @property
    def is_demo(self) -> bool:
        return self.programme.is_demo

    @property
    def judged_on(self) -> datetime.date | None:
        """The day that the light is for: it was judged by itself, or with all of its programme."""
        if self.light_on is None:
            return None
        return max(self.light_on, self.programme.lights_on or self.light_on)

    @property
    def planned_percent(self) -> int | None:
        """Planned progress on the day that the light is for, whole; None without a plan (`planned_sql` for many)."""
        if self.planned_from is None or self.planned_start is None or self.judged_on is None:
            return None
        line = Stretch(self.planned_from, self.planned_start, self.planned_daily or 0.0, self.planned_until)
        return whole(line.on(self.judged_on))

    @property
    def reason(self) -> Mapping[str, Any]:
        """Why the light shows, with the percents of its day (`lights.reason_text` puts it into words)."""
        return with_numbers(self.light_reason, self.planned_percent, int(self.actual_percent))

    @property
    def light_reason_text(self) -> str:
        return reason_text(self.reason, self.programme.last_day_counted(timezone.localdate()))


# Rows of a many-to-many table are made and removed by Django itself; these proxies are where the journal
# hangs its triggers. They have no page: in the journal they read as changes of the project.


@tracked(parent="project", stands_for="supporting_enterprises")
class SupportingEnterprise(Project.supporting_enterprises.through):  # type: ignore[name-defined]
    objects = ScopedQuerySet.as_manager()
    scope = Within("project__enterprise")

    class Meta:
        proxy = True
        verbose_name = _("supporting enterprise")
        verbose_name_plural = _("supporting enterprises")


@tracked(parent="project", stands_for="party_branches")
class ProjectPartyBranch(Project.party_branches.through):  # type: ignore[name-defined]
    objects = ScopedQuerySet.as_manager()
    scope = Within("project__enterprise")

    class Meta:
        proxy = True
        verbose_name = _("party organisation of a project")
        verbose_name_plural = _("party organisations of projects")
