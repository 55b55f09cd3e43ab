"""What the patrol found and did: episodes, runs, rows set aside. Read, never edited."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.scoped_admin import ScopedModelAdmin, person
from enterprises.scoped_export import ExportsList
from enterprises.scoped_views import KeepsViews
from enterprises.scoping import may
from projects.admin import filters
from projects.admin.reminding import Reminding
from projects.exporting.lists import EPISODES
from projects.models import Milestone, OverdueEpisode, PatrolRun, SetAside
from projects.services.patrol import retry_set_aside


class ReadOnlyAdmin(ScopedModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(OverdueEpisode)
class OverdueEpisodeAdmin(KeepsViews, ExportsList, Reminding, ReadOnlyAdmin):
    export_columns = EPISODES
    reminds = Milestone
    reminded_by = "milestone"
    list_display = (
        "milestone_title",
        "enterprise",
        "who",
        "due_on",
        "opened_on",
        "closed_on",
        "cause",
        "late",
    )
    lasting_column = "milestone_title"
    columns_in_file: ClassVar[Any] = {"milestone_title": ("milestone", "project")}
    list_display_links = None
    list_filter = (filters.OpenEpisodeFilter, "cause")
    search_fields = ("milestone__name", "milestone__project__name", "milestone__project__enterprise__name")
    search_help_text = gettext_lazy("Milestone or project")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return (
            super()
            .get_queryset(request)
            .select_related(
                "milestone__project__enterprise",
                "milestone__project__programme",
                "milestone__project__accountable_lead",
                "milestone__project__direct_lead",
                "milestone__project__coordinator",
            )
        )

    @admin.display(description=gettext_lazy("milestone"))
    def milestone_title(self, obj: OverdueEpisode) -> Any:
        from projects.templatetags.lights import milestone_title

        return milestone_title(obj.milestone)

    @admin.display(description=gettext_lazy("responsible enterprise"))
    def enterprise(self, obj: OverdueEpisode) -> str:
        return str(obj.milestone.project.enterprise)

    @admin.display(description=gettext_lazy("who answers"))
    def who(self, obj: OverdueEpisode) -> str:
        return obj.milestone.project.who_answers

    @admin.display(description=gettext_lazy("days late"), ordering="due_on")
    def late(self, obj: OverdueEpisode) -> str:
        return _("%(n)d days") % {"n": obj.days(timezone.localdate())}


@admin.register(PatrolRun)
class PatrolRunAdmin(ReadOnlyAdmin):
    list_display = (
        "started_at",
        "finished_at",
        "as_of",
        "opened",
        "closed",
        "set_aside",
        "seconds",
        "repeats",
        "by_clock",
    )
    list_display_links = None
    ordering = ("-id",)


@admin.register(SetAside)
class SetAsideAdmin(ReadOnlyAdmin):
    list_display = ("at", "milestone_name", "as_of", "error", "resolved_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter),)
    fields = ("milestone_name", "as_of", "at", "error", "resolved_at")
    ordering = ("-id",)

    readonly_fields = ("milestone_name",)

    @admin.display(description=gettext_lazy("milestone"))
    def milestone_name(self, obj: SetAside) -> str:
        return f"#{obj.milestone_id} {obj.milestone}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("milestone")

    def get_urls(self) -> list[Any]:
        own = [
            path(
                "<int:object_id>/retry/",
                self.admin_site.admin_view(self.retry_view),
                name="projects_setaside_retry",
            )
        ]
        return own + super().get_urls()

    def retry_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        row = self.get_object(request, str(object_id))
        if row is None or not may(person(request), "retry", row):
            return self.missing(request, object_id)
        if request.method == "POST":
            retry_set_aside(set_aside=row)
            self.message_user(request, _("The next patrol will try this row again."))
        return HttpResponseRedirect(reverse("admin:patrol"))
