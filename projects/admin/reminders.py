"""What was reminded of by hand, and how often each enterprise had to be."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from enterprises.scoped_export import ExportsList
from projects.admin import filters
from projects.admin.oversight import ReadOnlyAdmin
from projects.exporting.lists import REMINDERS
from projects.models import Reminder
from projects.periods import Cycle, period_of

MOST_ENTERPRISES = 30


class ProgrammeOfReminderFilter(filters.ProgrammeFilter):
    path = "project__programme"


class SentFilter(admin.SimpleListFilter):
    title = _("reminded")
    parameter_name = "sent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (Cycle.WEEK.value, _("this week")),
            (Cycle.MONTH.value, _("this month")),
            (Cycle.QUARTER.value, _("this quarter")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in (Cycle.WEEK, Cycle.MONTH, Cycle.QUARTER):
            today: datetime.date = timezone.localdate()
            return queryset.filter(sent_on__gte=period_of(today, str(self.value())).first)
        return queryset


@admin.register(Reminder)
class ReminderAdmin(ExportsList, ReadOnlyAdmin):
    export_columns = REMINDERS
    list_display = ("sent_at", "what", "enterprise", "note", "sent_by", "told")
    columns_in_file: ClassVar[Any] = {"what": ("milestone", "project")}
    list_display_links = None
    list_filter = (SentFilter, ProgrammeOfReminderFilter, filters.EnterpriseFilter)
    search_fields = ("project__name", "project__code", "enterprise__name", "note")
    search_help_text = _("Project, code, enterprise or note")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related(
            "project__programme", "milestone__project__programme", "enterprise", "sent_by"
        )

    @admin.display(description=_("reminded of"))
    def what(self, obj: Reminder) -> Any:
        from projects.templatetags.lights import milestone_title, title_with_place

        # One element: on a narrow screen each of several would become a row of its own beside the label.
        return format_html(
            "<div>{}</div>",
            milestone_title(obj.milestone) if obj.milestone else title_with_place(obj.project),
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        shown = getattr(response, "context_data", None)
        if shown and "cl" in shown:
            shown["per_enterprise"] = _per_enterprise(shown["cl"].queryset, request)
        return response


def _per_enterprise(reminders: QuerySet[Any], request: HttpRequest) -> list[dict[str, Any]]:
    """The enterprises that were reminded most often, counted by the filters of the list itself."""
    counted = (
        reminders.order_by()
        .values("enterprise_id", "enterprise__name")
        .annotate(n=Count("pk"), last=Max("sent_on"))
        .order_by("-n", "enterprise_id")[:MOST_ENTERPRISES]
    )
    kept = {name: value for name, value in request.GET.items() if name not in ("enterprise", "p")}
    page = reverse("admin:projects_reminder_changelist")
    return [
        {**row, "url": f"{page}?{urlencode({**kept, 'enterprise': row['enterprise_id']})}"} for row in counted
    ]
