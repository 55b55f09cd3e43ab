"""Programmes and their categories."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import Enterprise
from enterprises.scoped_admin import ScopedInline, ScopedModelAdmin, person
from enterprises.scoping import may
from projects.admin.ladder_page import ladder_page
from projects.admin.light_pages import rules_page
from projects.models import Category, Programme, Project
from projects.services.lights import refresh_lights
from projects.services.programmes import archive
from projects.services.refusals import Refused

#: Set here once; afterwards on a page of their own, which shows first what would change colour.
LIGHTS = gettext_lazy("Lights")


class CategoryInline(ScopedInline):
    model = Category
    fields = ("order", "name")


@admin.register(Programme)
class ProgrammeAdmin(ScopedModelAdmin):
    list_display = ("name", "year_of", "owner_name", "starts_on", "ends_on", "state", "rows_and_reported")
    search_fields = ("name", "code")
    inlines = (CategoryInline,)
    autocomplete_fields = ("owner",)
    readonly_fields = ("archived_on", "is_demo", "owner_name")
    shown_instead = {"owner": "owner_name"}
    fieldsets = (
        (None, {"fields": ("name", "code", "year", "owner", ("starts_on", "ends_on", "patrolled_until"))}),
        (LIGHTS, {"fields": (("warning_days", "yellow_gap", "red_gap"), ("red_fades", "reporting_cycle"))}),
        (
            gettext_lazy("Where this comes from"),
            {"fields": ("reported_total", "source", "note", "archived_on", "is_demo")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # An officer's count is of the rows that the officer may see.
        seen = (
            Project.objects.visible_to(request.user)
            .filter(programme=OuterRef("pk"))
            .order_by()
            .values("programme")
            .annotate(n=Count("pk"))
            .values("n")
        )
        owners = Enterprise.objects.visible_to(request.user).filter(pk=OuterRef("owner_id"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                rows_seen=Coalesce(Subquery(seen), 0), visible_owner=Subquery(owners.values("name")[:1])
            )
        )

    @admin.display(description=gettext_lazy("year"), ordering="year")
    def year_of(self, obj: Programme) -> str:
        return str(obj.year)  # as a number it would read 2,026

    @admin.display(description=gettext_lazy("issued by"))
    def owner_name(self, obj: Any) -> str:
        if obj.owner_id is None:
            return _("the whole portal")
        # From below, the issuing unit is "above": its name is not the officer's to see.
        return obj.visible_owner or _("the unit above")

    @admin.display(description=gettext_lazy("state"))
    def state(self, obj: Programme) -> str:
        if obj.archived_on and obj.archived_on <= timezone.localdate():
            return _("Archived")
        return _("In force") if obj.in_force(timezone.localdate()) else _("Not in force")

    @admin.display(description=gettext_lazy("projects / reported"))
    def rows_and_reported(self, obj: Any) -> str:
        return f"{obj.rows_seen:,} / {obj.reported_total or '—'}"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return [row for row in fieldsets if row[0] is not LIGHTS] if obj is not None else fieldsets

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if "owner" in form.base_fields and (obj is None or obj.owner_id):
            form.base_fields["owner"].required = True  # on screen every programme has an issuer
        return form

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or not obj.archived_on)

    def get_urls(self) -> list[Any]:
        own = [
            path(
                "<int:object_id>/archive/",
                self.admin_site.admin_view(self.archive_view),
                name="projects_programme_archive",
            ),
            path(
                "<int:object_id>/lights/",
                self.admin_site.admin_view(self.lights_view),
                name="projects_programme_lights",
            ),
            path(
                "<int:object_id>/ladder/",
                self.admin_site.admin_view(self.ladder_view),
                name="projects_programme_ladder",
            ),
        ]
        return own + super().get_urls()

    def lights_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        programme = self.get_object(request, str(object_id))
        if programme is None or not self.has_view_permission(request, programme):
            return self.missing(request, object_id)
        return rules_page(request, self, programme)

    def ladder_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        programme = self.get_object(request, str(object_id))
        if programme is None or not self.has_view_permission(request, programme):
            return self.missing(request, object_id)
        return ladder_page(request, self, programme)

    def archive_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        programme = self.get_object(request, str(object_id))
        if programme is None or not may(person(request), "archive", programme):
            return self.missing(request, object_id)
        page = reverse("admin:projects_programme_change", args=[programme.pk])
        if request.method != "POST":
            return self.confirm(
                request,
                programme,
                title=_("Archive the programme"),
                consequence=_(
                    "It becomes history: no lights, no patrol, no reports and no changes any more. This cannot be undone."
                ),
                verb=_("Archive"),
                back=page,
                tone="danger",
            )
        try:
            archive(programme_id=programme.pk, actor=person(request), as_of=timezone.localdate())
        except Refused as refused:
            self.message_user(request, str(refused), "error")
        else:
            self.message_user(
                request, _("Archived: “%(name)s” is history from today on.") % {"name": programme}
            )
        return HttpResponseRedirect(page)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.has_changed():
            # Its dates say whether it is in force; its thresholds are set on the page of the rules.
            refresh_lights(as_of=timezone.localdate(), programme_id=form.instance.pk)
