"""Projects: the list, the project page, the form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any, ClassVar

from django.contrib import admin
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.roles import Role
from enterprises.scoped_admin import ScopedInline, ScopedModelAdmin, person
from enterprises.scoped_export import ExportsList
from enterprises.scoped_search import SearchesWords
from enterprises.scoped_views import KeepsViews
from enterprises.scoping import may
from enterprises.spreadsheets import OutColumn
from projects.admin import filters
from projects.admin.bars import list_bar
from projects.admin.bulk import SetsForMany
from projects.admin.close_out_form import CloseOutPage
from projects.admin.counted_filters import NeedsFilter, WithinFilter
from projects.admin.draft_forms import draft_page
from projects.admin.evidence_gallery import gallery
from projects.admin.light_pages import why_page
from projects.admin.project_page import project_page
from projects.admin.project_status import status_page
from projects.admin.reminding import Reminding
from projects.admin.visit_pages import VisitPages
from projects.exporting.columns import LEDGER
from projects.exporting.ledger import write_ledger
from projects.models import Milestone, Project, ProjectWords
from projects.services.lights import refresh_lights
from projects.services.projects import EDITABLE, approve, fixed_fields, next_code
from projects.services.refusals import Refused

PEOPLE = ("liaison_leader", "accountable_lead", "direct_lead", "coordinator")


class MilestoneInline(ScopedInline):
    model = Milestone
    fields = ("order", "name", "weight", "starts_on", "due_on")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name", "starts_on", "due_on", "weight") if obj is not None and obj.approved_on else ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and (obj is None or not obj.approved_on)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or not obj.approved_on)


@admin.register(Project)
class ProjectAdmin(
    SearchesWords, KeepsViews, ExportsList, SetsForMany, Reminding, VisitPages, ScopedModelAdmin
):
    words = ProjectWords
    reminds = Project
    list_display = (
        "light_badge",
        "name_and_place",
        "enterprise",
        "category",
        "progress",
        "due_on",
        "status",
    )
    more_columns = (
        *("code", "place", "programme", "who", "liaison_leader", "is_key", "phase"),
        *("starts_on", "baseline_due_on", "approved_on"),
    )
    lasting_column = "name_and_place"
    whole_export = gettext_lazy("Full ledger")
    columns_in_file: ClassVar[Any] = {
        "light_badge": ("light",),
        "name_and_place": ("name", "place"),
        "progress": ("progress", "planned"),
        "due_on": ("deadline",),
        # The list names the highest of the three who is known, the ledger each of them.
        "who": ("accountable_lead", "direct_lead", "coordinator"),
        "starts_on": ("start",),
        "baseline_due_on": (),
        "approved_on": (),
    }
    column_joins = {
        "who": ("accountable_lead", "direct_lead", "coordinator"),
        "liaison_leader": ("liaison_leader",),
    }
    list_display_links = None  # the name leads to the page, not to the form
    list_per_page = 100
    list_filter = (
        ("light", admin.ChoicesFieldListFilter),
        "status",
        "is_key",
        filters.LookAgainFilter,
        filters.ProgrammeFilter,
        filters.CategoryNameFilter,
        filters.EnterpriseFilter,
        NeedsFilter,
        WithinFilter,
    )
    search_fields = (
        "name",
        "code",
        "place",
        "enterprise__name",
        "enterprise__short_name",
        "accountable_lead_text",
        "direct_lead_text",
        "coordinator_text",
    )
    search_help_text = gettext_lazy("Name, code, place, enterprise or person")
    allowed_lookups = ("light__exact", "programme__id__exact")
    autocomplete_fields = ("enterprise", "supporting_enterprises", "party_branches")
    initial_from_link = ("programme", "enterprise")
    inlines = (MilestoneInline,)
    ordering = ("-id",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "programme",
                    "code",
                    "name",
                    "place",
                    ("category", "content_class", "audience"),
                    "is_key",
                )
            },
        ),
        (
            gettext_lazy("Who answers for it"),
            {
                "fields": (
                    "enterprise",
                    "supporting_enterprises",
                    "party_branches",
                    "liaison_leader",
                    ("accountable_lead", "accountable_lead_text"),
                    ("direct_lead", "direct_lead_text"),
                    ("coordinator", "coordinator_text"),
                )
            },
        ),
        (
            gettext_lazy("What is promised, and by when"),
            {
                "fields": (
                    "measures",
                    ("beneficiaries_text", "beneficiaries_number", "beneficiaries_unit"),
                    "investment_text",
                    ("starts_on", "due_on", "is_standing"),
                    "phase",
                )
            },
        ),
        (
            gettext_lazy("Where this comes from"),
            {
                "classes": ("collapse",),
                "fields": ("start_text", "due_text", "status_text", "published_on", "source", "note"),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related("programme", "enterprise", "category")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        approver = may(person(request), "approve", obj)
        return fixed_fields(approved=bool(obj.approved_on), approver=approver)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Closed out, terminated, or awaiting that: reopening it is a decision, not an edit.
        return super().has_change_permission(request, obj) and (
            obj is None or (not obj.programme.archived_on and obj.status in EDITABLE)
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What was approved is a promise: it is closed out or terminated, never deleted.
        return super().has_delete_permission(request, obj) and (obj is None or not obj.approved_on)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None and not request.user.has_perm("projects.approve_project"):
            return [
                (title, {**o, "fields": [f for f in o["fields"] if f != "code"]}) for title, o in fieldsets
            ]
        return fieldsets

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "programme":
            field.queryset = field.queryset.filter(archived_on=None)
        elif db_field.name == "category":
            field.queryset = field.queryset.filter(programme__archived_on=None).select_related("programme")
            field.label_from_instance = lambda category: f"{category}（{category.programme}）"
        elif db_field.name == "liaison_leader":
            field.queryset = field.queryset.filter(memberships__role=Role.LEADER).distinct()
        elif db_field.name in PEOPLE:
            field.queryset = field.queryset.filter(
                memberships__role__in=(Role.STAFF, Role.OFFICER)
            ).distinct()
        return field

    # -- the list -----------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("light"), ordering="light")
    def light_badge(self, obj: Project) -> Any:
        from projects.templatetags.lights import light_of

        return light_of(obj)

    @admin.display(description=gettext_lazy("project name"), ordering="sort_key")
    def name_and_place(self, obj: Project) -> Any:
        from projects.templatetags.lights import title_with_place

        return title_with_place(obj)

    @admin.display(description=gettext_lazy("who answers"))
    def who(self, obj: Project) -> str:
        return obj.who_answers

    @admin.display(description=gettext_lazy("progress"), ordering="actual_percent")
    def progress(self, obj: Project) -> Any:
        if obj.light_on is None:
            return "—"  # never judged: nothing was ever reported, which is not the same as 0 %
        return list_bar(obj.actual_percent, obj.planned_percent)

    def columns_out(self, request: HttpRequest) -> list[OutColumn]:
        return list(LEDGER)

    def write_out(
        self, request: HttpRequest, rows: Any, file: IO[bytes], form: str, columns: Sequence[OutColumn]
    ) -> int:
        return write_ledger(file, form, rows, columns, reader=person(request), as_of=timezone.localdate())

    # -- the project page ---------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        own = [
            path(
                "<int:object_id>/", self.admin_site.admin_view(self.page_view), name="projects_project_page"
            ),
            path(
                "<int:object_id>/light/",
                self.admin_site.admin_view(self.light_view),
                name="projects_project_light",
            ),
            path(
                "<int:object_id>/approve/",
                self.admin_site.admin_view(self.approve_view),
                name="projects_project_approve",
            ),
            path(
                "<int:object_id>/status/<slug:action>/",
                self.admin_site.admin_view(self.status_view),
                name="projects_project_status",
            ),
            path(
                "<int:object_id>/close-out/",
                self.admin_site.admin_view(self.close_out_view),
                name="projects_project_close_out",
            ),
            path(
                "<int:object_id>/evidence/",
                self.admin_site.admin_view(self.evidence_view),
                name="projects_project_evidence",
            ),
        ]
        return own + super().get_urls()

    def page_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        project = self.get_object(request, str(object_id))
        if project is None or not self.has_view_permission(request, project):
            return self.missing(request, object_id)
        return project_page(request, self, project)

    def light_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        project = self.get_object(request, str(object_id))
        if project is None or not self.has_view_permission(request, project):
            return self.missing(request, object_id)
        return why_page(request, self, project)

    def status_view(self, request: HttpRequest, object_id: int, action: str) -> HttpResponse:
        project = self.get_object(request, str(object_id))
        found = project is not None and self.has_view_permission(request, project)
        page = status_page(request, self, project, action) if found else None
        return self.missing(request, object_id) if page is None else page

    def close_out_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return draft_page(CloseOutPage, self, request, object_id)

    def evidence_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        project = self.get_object(request, str(object_id))
        if project is None or not self.has_view_permission(request, project):
            return self.missing(request, object_id)
        return gallery(request, self, project)

    def approve_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        project = self.get_object(request, str(object_id))
        if project is None or not may(person(request), "approve", project):
            return self.missing(request, object_id)
        page = reverse("admin:projects_project_page", args=[project.pk])
        if request.method != "POST":
            return self.confirm(
                request,
                project,
                title=_("Approve the dates"),
                consequence=_(
                    "From now on the dates, starts and weights of this project and its milestones are the promise: "
                    "no form changes them any more, and no milestone can be added."
                ),
                verb=_("Approve the dates"),
                back=page,
            )
        try:
            approve(project_id=project.pk, actor=person(request), as_of=timezone.localdate())
        except Refused as refusal:
            self.message_user(request, str(refusal), "error")
        else:
            self.message_user(
                request, _("Approved: the dates of “%(name)s” stand from now on.") % {"name": project}
            )
        return HttpResponseRedirect(page)

    # -- saving -------------------------------------------------------------------------------

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:
            # A colleague or a ledger took the code or the name in the same moment. Judged once more, the form
            # draws another code, or says what is wrong with the name.
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not obj.code:
            obj.code = next_code(obj)
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Number new milestones that were left at 0, so that the plan reads in the order it was typed."""
        taken = max([f.instance.order for f in formset.forms if f.instance.order], default=0)
        for inner in formset.extra_forms:
            if inner.has_changed() and not inner.instance.order:
                taken += 1
                inner.instance.order = taken
        super().save_formset(request, form, formset, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        refresh_lights(as_of=timezone.localdate(), project_ids=[form.instance.pk])

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        response = super().response_add(request, obj, post_url_continue)
        return self._to_page(request, obj, response)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._to_page(request, obj, super().response_change(request, obj))

    def _to_page(self, request: HttpRequest, obj: Any, response: HttpResponse) -> HttpResponse:
        if "_continue" in request.POST or "_addanother" in request.POST:
            return response
        return HttpResponseRedirect(reverse("admin:projects_project_page", args=[obj.pk]))
