"""Milestones: the list by deadline, and the steps that can be taken on one."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.scoped_admin import ScopedModelAdmin, person
from enterprises.scoped_export import ExportsList
from enterprises.scoped_views import KeepsViews
from enterprises.search import terms
from journal.context import because
from projects.admin import filters
from projects.admin.bars import list_bar
from projects.admin.counted_filters import CategoryOfMilestoneFilter, PromiseFilter, WithinOfProjectFilter
from projects.admin.draft_forms import draft_page
from projects.admin.extension_form import ExtensionPage
from projects.admin.reminding import Reminding
from projects.admin.report_form import ReportPage, no_change
from projects.exporting.lists import MILESTONES
from projects.milestone_tones import days_shown, tone_of
from projects.models import Milestone
from projects.services.lights import refresh_lights
from projects.services.milestones import refusal, take_step
from projects.services.refusals import Refused
from projects.services.search import milestones_or_projects
from projects.states import MilestoneState
from projects.workflow import UNDER_WAY, Subject, transition


@admin.register(Milestone)
class MilestoneAdmin(KeepsViews, ExportsList, Reminding, ScopedModelAdmin):
    export_columns = MILESTONES
    reminds = Milestone
    list_display = (
        "deadline_badge",
        "name_and_project",
        "enterprise",
        "who",
        "due_on",
        "percent_bar",
        "state",
    )
    more_columns = (
        *("project_code", "programme", "weight", "starts_on", "baseline_due_on"),
        *("claimed_on", "accepted_on", "is_suspended"),
    )
    lasting_column = "name_and_project"
    columns_in_file: ClassVar[Any] = {
        "deadline_badge": (),  # the due date in words
        "name_and_project": ("milestone", "project"),
        "percent_bar": ("percent",),
        "project_code": ("code",),
        "is_suspended": ("suspended",),
    }
    list_display_links = None
    list_filter = (
        filters.WhenFilter,
        "state",
        filters.ProgrammeOfMilestoneFilter,
        filters.EnterpriseOfMilestoneFilter,
        filters.NamedFilter,
        PromiseFilter,
        CategoryOfMilestoneFilter,
        WithinOfProjectFilter,
    )
    search_fields = (
        "name",
        "project__name",
        "project__code",
        "project__enterprise__name",
        "project__enterprise__short_name",
    )
    search_help_text = gettext_lazy("Milestone, project, code or enterprise")
    allowed_lookups = ("project__id__exact",)
    autocomplete_fields = ("project",)
    initial_from_link = ("project",)
    ordering = ("due_on", "id")
    fields = ("project", "order", "name", "weight", ("starts_on", "due_on"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return (
            super()
            .get_queryset(request)
            .select_related(
                "project__enterprise",
                "project__programme",
                "project__accountable_lead",
                "project__direct_lead",
                "project__coordinator",
            )
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        asked = terms(search_term)
        if asked:
            return queryset.filter(milestones_or_projects(asked)), False
        return (queryset.none() if search_term.strip() else queryset), False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        # After approval the plan stands: its dates and weights, and the start that progress is measured by.
        return (
            ("project", "name", "weight", "starts_on", "due_on") if obj.project.approved_on else ("project",)
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (
            obj is None
            or (not obj.project.programme.archived_on and obj.project.status in (*UNDER_WAY, "suspended"))
        )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "project":
            field.queryset = field.queryset.filter(programme__archived_on=None, status__in=UNDER_WAY)
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What was promised is cancelled with a reason, not deleted.
        return super().has_delete_permission(request, obj) and (obj is None or not obj.project.approved_on)

    # -- the list -----------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("deadline"), ordering="due_on")
    def deadline_badge(self, obj: Milestone) -> Any:
        from projects.templatetags.lights import milestone_badge

        today = timezone.localdate()
        return milestone_badge(tone_of(obj, today), days_shown(obj, today), obj, today)

    @admin.display(description=gettext_lazy("milestone"))
    def name_and_project(self, obj: Milestone) -> Any:
        from projects.templatetags.lights import milestone_title

        return milestone_title(obj)

    @admin.display(description=gettext_lazy("responsible enterprise"))
    def enterprise(self, obj: Milestone) -> str:
        return str(obj.project.enterprise)

    @admin.display(description=gettext_lazy("code"))
    def project_code(self, obj: Milestone) -> str:
        return obj.project.code

    @admin.display(description=gettext_lazy("programme"))
    def programme(self, obj: Milestone) -> str:
        return str(obj.project.programme)

    @admin.display(description=gettext_lazy("who answers"))
    def who(self, obj: Milestone) -> str:
        return obj.project.who_answers

    @admin.display(description=gettext_lazy("progress"), ordering="percent")
    def percent_bar(self, obj: Milestone) -> Any:
        return list_bar(obj.percent)

    # -- steps --------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:object_id>/step/<slug:action>/", view(self.step_view), name="projects_milestone_step"),
            path("<int:object_id>/report/", view(self.report_view), name="projects_milestone_report"),
            path(
                "<int:object_id>/no-change/", view(self.no_change_view), name="projects_milestone_no_change"
            ),
            path(
                "<int:object_id>/extension/", view(self.extension_view), name="projects_milestone_extension"
            ),
        ]
        return own + super().get_urls()

    def report_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return draft_page(ReportPage, self, request, object_id)

    def no_change_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return no_change(self, request, object_id)

    def extension_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return draft_page(ExtensionPage, self, request, object_id)

    def step_view(self, request: HttpRequest, object_id: int, action: str) -> HttpResponse:
        """A page that asks for what the step needs; posting it takes the step."""
        milestone = self.get_object(request, str(object_id))
        step = transition(Subject.MILESTONE, action)
        if milestone is None or step is None or not step.permission:
            return self.missing(request, object_id)
        today = timezone.localdate()
        error, comment = refusal(milestone, step, person(request), today), ""
        if request.method == "POST":
            comment = request.POST.get("comment", "")
            try:
                with because(comment):
                    take_step(
                        milestone_id=milestone.pk,
                        action=action,
                        actor=person(request),
                        as_of=today,
                        comment=comment,
                    )
            except Refused as refused:
                error = str(refused)
            else:
                self.message_user(
                    request, _("Done: %(step)s — %(name)s.") % {"step": step.label, "name": milestone}
                )
                return HttpResponseRedirect(self._page_of(milestone))
        context = {
            **self.admin_site.each_context(request),
            "title": step.label,
            "opts": self.opts,
            "milestone": milestone,
            "step": step,
            "to_label": MilestoneState(step.to_state).label,
            "error": error,
            "comment": comment,
            "back": self._page_of(milestone),
        }
        return TemplateResponse(
            request,
            "admin/projects/milestone/step.html",
            context,
            status=409 if error and request.method == "POST" else 200,
        )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        refresh_lights(as_of=timezone.localdate(), project_ids=[form.instance.project_id])

    def _page_of(self, milestone: Milestone) -> str:
        return reverse("admin:projects_project_page", args=[milestone.project_id])
