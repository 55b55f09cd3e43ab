"""List filters. Each asks the same condition that the badge, the patrol and the home page ask."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from enterprises.models import Enterprise
from enterprises.search import LONGEST, terms
from projects.addresses import is_id
from projects.models import Programme
from projects.querysets import in_force_q
from projects.services.search import named
from projects.states import MilestoneState, ProjectStatus


class ProgrammeFilter(admin.SimpleListFilter):
    """Without a choice: the programmes in force. History is one click away, not in the way."""

    title = _("programme")
    parameter_name = "programme"
    path = "programme"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        rows = Programme.objects.visible_to(request.user).order_by("-year", "code")
        return [(str(p.pk), p.name) for p in rows] + [("all", _("All, with history"))]

    def choices(self, changelist: Any) -> Any:
        first, *rest = list(super().choices(changelist))
        yield {**first, "display": _("In force")}
        yield from rest

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            # The few programmes by id: a join here would hide the list's own index from the planner.
            ids = list(Programme.objects.in_force(timezone.localdate()).values_list("pk", flat=True))
            return queryset.filter(**{f"{self.path}_id__in": ids})
        if value == "all":
            return queryset
        return queryset.filter(**{f"{self.path}_id": int(value)}) if is_id(value) else queryset.none()


class ProgrammeOfMilestoneFilter(ProgrammeFilter):
    path = "project__programme"


class CategoryNameFilter(admin.SimpleListFilter):
    """By the word, because each programme has categories of its own."""

    title = _("category")
    parameter_name = "category_name"
    path = "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        from projects.models import Category

        names = (
            Category.objects.visible_to(request.user)
            .filter(in_force_q(timezone.localdate(), "programme__"))
            .order_by("name")
            .values_list("name", flat=True)
            .distinct()
        )
        return [(name, name) for name in names] + [("-", _("Without category"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "-":
            return queryset.filter(**{f"{self.path}__isnull": True})
        return queryset.filter(**{f"{self.path}__name": self.value()}) if self.value() else queryset


class EnterpriseFilter(admin.SimpleListFilter):
    """One enterprise, chosen by a link from elsewhere; a menu of hundreds would help nobody."""

    title = _("enterprise")
    parameter_name = "enterprise"
    path = "enterprise"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        chosen = request.GET.get(self.parameter_name, "")
        if not is_id(chosen):
            return []
        rows = Enterprise.objects.visible_to(request.user).filter(pk=int(chosen))
        return [(str(row.pk), row.name) for row in rows]

    def has_output(self) -> bool:
        return bool(self.lookup_choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(**{f"{self.path}_id": int(value)}) if is_id(value) else queryset.none()


class EnterpriseOfMilestoneFilter(EnterpriseFilter):
    path = "project__enterprise"


class NamedFilter(admin.SimpleListFilter):
    """Milestones by their own name, chosen by a link from the search; the list's box asks their projects as well."""

    title = _("name")
    parameter_name = "named"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        asked = request.GET.get(self.parameter_name, "")[:LONGEST]
        return [(asked, asked)] if terms(asked) else []

    def has_output(self) -> bool:
        return bool(self.lookup_choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = terms(self.value() or "")
        if not asked:
            return queryset
        return queryset.filter(named(asked))


class WhenFilter(admin.SimpleListFilter):
    """What a milestone needs today."""

    title = _("deadline")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("overdue", _("Overdue")),
            ("soon", _("Due soon")),
            ("submitted", _("Awaiting review")),
            ("returned", _("Returned")),
            ("no_date", _("Without a date")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        today = timezone.localdate()
        match self.value():
            case "overdue":
                return queryset.overdue(today).order_by("due_on", "id")  # type: ignore[attr-defined]
            case "soon":
                return queryset.due_soon(today).order_by("due_on", "id")  # type: ignore[attr-defined]
            case "submitted":
                return queryset.filter(state=MilestoneState.SUBMITTED)
            case "returned":
                return queryset.filter(state=MilestoneState.RETURNED)
            case "no_date":
                return queryset.without_date()  # type: ignore[attr-defined]
        return queryset


class LookAgainFilter(admin.SimpleListFilter):
    """Suspended projects whose day has come, so that none is suspended for ever by being forgotten."""

    title = _("suspension")
    parameter_name = "look_again"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("due", _("Review is due")), ("later", _("Review later"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        suspended = queryset.filter(status=ProjectStatus.SUSPENDED)
        match self.value():
            case "due":
                return suspended.filter(review_again_on__lte=timezone.localdate())
            case "later":
                return suspended.filter(review_again_on__gt=timezone.localdate())
        return queryset


class OpenEpisodeFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("Still overdue")), ("0", _("Closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("0", "1"):
            return queryset.filter(Q(closed_on__isnull=self.value() == "1"))
        return queryset
