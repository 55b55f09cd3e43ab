"""List filters that the numbers of the cockpit link to: each asks the condition that its number was counted by."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from enterprises.models import Enterprise
from projects.addresses import is_id
from projects.admin.filters import CategoryNameFilter, EnterpriseFilter, ProgrammeFilter
from projects.deadlines import first_missed_q, kept_q, late_q
from projects.lights import Light
from projects.tallies import SILENT_AFTER_DAYS


class WithinFilter(EnterpriseFilter):
    """A unit with everything below it, chosen by a link."""

    title = _("unit with those below")
    parameter_name = "within"

    def has_output(self) -> bool:
        return bool(self.value())  # a unit that is not there must not show everything

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        unit = (
            Enterprise.objects.visible_to(request.user).filter(pk=int(value)).first()
            if is_id(value)
            else None
        )
        # What does not exist for this person has nothing below it either.
        return queryset.filter(**{f"{self.path}__path__startswith": unit.path}) if unit else queryset.none()


class WithinOfProjectFilter(WithinFilter):
    path = "project__enterprise"


class WithinOfSubmissionFilter(WithinFilter):
    path = "milestone__project__enterprise"


class EnterpriseOfSubmissionFilter(EnterpriseFilter):
    path = "milestone__project__enterprise"


class ProgrammeOfSubmissionFilter(ProgrammeFilter):
    """For lists that show all programmes unless one is chosen."""

    path = "milestone__project__programme"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return super().lookups(request, model_admin)[:-1]

    def choices(self, changelist: Any) -> Any:
        return admin.SimpleListFilter.choices(self, changelist)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else super().queryset(request, queryset)


class ProgrammeOfProjectFilter(ProgrammeOfSubmissionFilter):
    path = "project__programme"


class WaitingFilter(admin.SimpleListFilter):
    """Whatever somebody at the SASAC owes a decision: for a close-out that is two states."""

    title = _("decision")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("Awaiting a decision"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.waiting() if self.value() == "1" else queryset  # type: ignore[attr-defined]


class CategoryOfMilestoneFilter(CategoryNameFilter):
    path = "project__category"


class NeedsFilter(admin.SimpleListFilter):
    """What leaders ask for besides a light."""

    title = _("what to look at")
    parameter_name = "look_at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("on_plan", _("On plan")),
            ("silent", _("Silent for %(n)d days") % {"n": SILENT_AFTER_DAYS}),
            ("evidence", _("With evidence")),
            ("planned", _("With a plan")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "on_plan":
                return queryset.filter(light__in=(Light.GREEN, Light.BLUE))
            case "silent":
                return queryset.silent(timezone.localdate())  # type: ignore[attr-defined]
            case "evidence":
                return queryset.with_evidence()  # type: ignore[attr-defined]
            case "planned":
                return queryset.filter(planned_from__isnull=False)
        return queryset


class PromiseFilter(admin.SimpleListFilter):
    """Whether the promised date was kept: the one in force, or the one first promised."""

    title = _("promise")
    parameter_name = "promise"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("kept", _("Done in time")),
            ("late", _("Done late")),
            ("first_kept", _("First date kept")),
            ("first_missed", _("First date missed")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "kept":
                return queryset.filter(kept_q())
            case "late":
                return queryset.filter(late_q())
            case "first_kept":
                return queryset.filter(kept_q("baseline_due_on"))
            case "first_missed":
                return queryset.filter(first_missed_q(timezone.localdate()))
        return queryset
