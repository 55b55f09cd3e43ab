"""The lists of site visits and action items, the forms that mend them, and the two answers to an item."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.roles import Role
from enterprises.scoped_admin import ScopedModelAdmin, person
from enterprises.scoped_export import ExportsList
from journal.context import because
from projects.admin import filters
from projects.admin.visit_pages import item_row
from projects.exporting.lists import ACTION_ITEMS, VISITS
from projects.models import ActionItem, Project, SiteVisit
from projects.services.refusals import Refused
from projects.services.visits import (
    LONGEST_TEXT,
    answer,
    answerers,
    cannot_answer,
    cannot_reopen,
    leaders_for,
    reopen,
)


class ProgrammeOfVisitFilter(filters.ProgrammeFilter):
    path = "project__programme"


class EnterpriseOfVisitFilter(filters.EnterpriseFilter):
    path = "project__enterprise"


class ItemStateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "items"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Open")), ("overdue", _("Overdue")), ("done", _("Done"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "open":
                return queryset.open()  # type: ignore[attr-defined]
            case "overdue":
                return queryset.overdue(timezone.localdate())  # type: ignore[attr-defined]
            case "done":
                return queryset.filter(done_on__isnull=False)
        return queryset


class _Recorded(ExportsList, ScopedModelAdmin):
    """Written from the page of a project; mended here by who wrote it or whose it is, and by the staff."""

    list_display_links = None
    allowed_lookups = ("project__id__exact",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        user = person(request)
        return obj is None or (
            (user.pk in (obj.leader_id, obj.recorded_by_id) or Role.STAFF in user.roles)
            and not obj.project.programme.archived_on
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # what a leader said was said

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return (
            super()
            .get_queryset(request)
            .select_related("project__programme", "project__enterprise", "leader", "recorded_by")
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is not None:
            user, today = person(request), timezone.localdate()
            for name, people in (("leader", leaders_for), ("responsible", answerers)):
                if name in form.base_fields:
                    known = form.base_fields[name].queryset
                    kept = known.filter(pk=getattr(obj, f"{name}_id"))
                    chosen = people(obj.project, user, today).values("pk")
                    form.base_fields[name].queryset = known.filter(pk__in=chosen) | kept
        return form

    @admin.display(description=gettext_lazy("project"))
    def of_project(self, obj: Any) -> Any:
        from projects.templatetags.lights import title_with_place

        return format_html("<div>{}</div>", title_with_place(obj.project))

    @admin.display(description=gettext_lazy("responsible enterprise"))
    def enterprise(self, obj: Any) -> str:
        return str(obj.project.enterprise)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        response = super().response_change(request, obj)
        if "_continue" in request.POST:
            return response
        return HttpResponseRedirect(visits_of(obj.project))


class VisitChangeForm(forms.ModelForm):
    def clean_visited_on(self) -> datetime.date:
        day: datetime.date = self.cleaned_data["visited_on"]
        if day > timezone.localdate():
            raise forms.ValidationError(_("The day of the visit lies in the future."))
        return day


@admin.register(SiteVisit)
class SiteVisitAdmin(_Recorded):
    form = VisitChangeForm
    export_columns = VISITS
    list_display = ("visited_on", "kind", "of_project", "enterprise", "leader", "found", "mend")
    columns_in_file: ClassVar[Any] = {"of_project": ("project",), "found": ("findings",), "mend": ()}
    list_filter = ("kind", ProgrammeOfVisitFilter, EnterpriseOfVisitFilter)
    search_fields = ("project__name", "project__code", "leader__name", "findings", "place")
    search_help_text = gettext_lazy("Project, code, leader, place or findings")
    ordering = ("-visited_on", "-id")
    fields = ("kind", "visited_on", "place", "leader", "companions", "findings")

    @admin.display(description=gettext_lazy("findings"))
    def found(self, obj: SiteVisit) -> str:
        return obj.findings if len(obj.findings) <= 120 else f"{obj.findings[:119]}…"

    @admin.display(description="")
    def mend(self, obj: SiteVisit) -> Any:
        url = reverse("admin:projects_sitevisit_change", args=[obj.pk])
        return format_html('<a href="{}">{}</a>', url, _("Details"))


@admin.register(ActionItem)
class ActionItemAdmin(_Recorded):
    export_columns = ACTION_ITEMS
    list_display = ("state", "what", "of_project", "enterprise", "leader", "who", "due_on", "done_on")
    columns_in_file: ClassVar[Any] = {
        "state": (),  # what the two dates say
        "what": ("text",),
        "of_project": ("project",),
        "who": ("responsible", "responsible_text"),
    }
    list_filter = (ItemStateFilter, ProgrammeOfVisitFilter, EnterpriseOfVisitFilter)
    search_fields = ("text", "project__name", "project__code", "leader__name", "responsible_text")
    search_help_text = gettext_lazy("Text, project, code, leader or who is responsible")
    ordering = ("due_on", "id")
    fields = ("text", "leader", ("responsible", "responsible_text"), "due_on")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("responsible", "done_by", "visit")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What was answered is opened again first: the answer was given to these words and this date.
        return super().has_change_permission(request, obj) and (obj is None or not obj.done_on)

    # -- the list -----------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("state"), ordering="done_on")
    def state(self, obj: ActionItem) -> Any:
        from projects.templatetags.visits import item_badge

        return item_badge(item_row(obj, timezone.localdate()))

    @admin.display(description=gettext_lazy("what is to be done"))
    def what(self, obj: ActionItem) -> Any:
        return format_html(
            '<a class="row-title" href="{}#item-{}">{}</a>', visits_of(obj.project, ""), obj.pk, str(obj)
        )

    @admin.display(description=gettext_lazy("who answers"))
    def who(self, obj: ActionItem) -> str:
        return obj.who or "—"

    # -- the answers ----------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:object_id>/done/", view(self.done_view), name="projects_actionitem_done"),
            path("<int:object_id>/reopen/", view(self.reopen_view), name="projects_actionitem_reopen"),
        ]
        return own + super().get_urls()

    def done_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Say that it is done and how."""
        item = self.get_object(request, str(object_id))
        # Whoever may not answer at all is told what somebody is told for whom the item does not exist.
        if item is None or (not item.done_on and cannot_answer(item, person(request))):
            return self.missing(request, object_id)
        now = timezone.now()
        today = timezone.localdate(now)
        error, note = cannot_answer(item, person(request)), request.POST.get("note", "")
        day = request.POST.get("done_on", today.isoformat())
        if request.method == "POST" and not error:
            try:
                answer(
                    item_id=item.pk,
                    actor=person(request),
                    at=now,
                    done_on=_day(day),
                    note=note,
                    seen=request.POST.get("seen"),
                )
            except Refused as refused:
                error = str(refused)
            else:
                self.message_user(request, _("Answered: the leader and the reviewers are told."))
                return HttpResponseRedirect(visits_of(item.project))
        return self._step_page(
            request,
            item,
            error,
            title=_("Answer: it is done"),
            verb=_("It is done"),
            note=note,
            done_on=day,
            today=today,
        )

    def reopen_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The answer does not hold: open again, with what is missing."""
        item = self.get_object(request, str(object_id))
        if item is None or (item.done_on and cannot_reopen(item, person(request))):
            return self.missing(request, object_id)
        error, note = cannot_reopen(item, person(request)), request.POST.get("note", "")
        if request.method == "POST" and not error:
            try:
                with because(note):
                    reopen(
                        item_id=item.pk,
                        actor=person(request),
                        at=timezone.now(),
                        reason=note,
                        seen=request.POST.get("seen"),
                    )
            except Refused as refused:
                error = str(refused)
            else:
                self.message_user(request, _("Open again; those who have to act are told."))
                return HttpResponseRedirect(visits_of(item.project))
        return self._step_page(
            request, item, error, title=_("Open the item again"), verb=_("Open it again"), note=note
        )

    def _step_page(
        self, request: HttpRequest, item: ActionItem, error: str, *, title: str, **more: Any
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "item": item,
            "row": item_row(item, timezone.localdate()),
            "error": error,
            "back": visits_of(item.project),
            "most": LONGEST_TEXT,
            **more,
        }
        status = 409 if error and request.method == "POST" else 200
        return TemplateResponse(request, "projects/item_step.html", context, status=status)


def visits_of(project: Project, anchor: str = "#h-visits") -> str:
    """Address of the section on the project page."""
    return reverse("admin:projects_project_page", args=[project.pk]) + anchor


def _day(text: str) -> datetime.date:
    try:
        day = parse_date(text)
    except ValueError:  # 31 February
        day = None
    if day is None:
        raise Refused(_("Give the day on which it was done."))
    return day
