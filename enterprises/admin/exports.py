"""Layouts of exports, which a unit shares; and what was taken out, which the audit administrator reads."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import Enterprise, ExportLayout, ListExport
from enterprises.scoped_admin import ScopedModelAdmin, person
from enterprises.scoped_export import ExportsList
from enterprises.scoping import outermost, units_for
from enterprises.services.journal_export import UNITS, partly_beyond
from enterprises.spreadsheets import OutColumn

_LONGEST_HEADING = 60


class LayoutForm(forms.Form):
    """A name, the unit that shares it, and for each column of the list a place and a heading.

    Args:
        columns: those of the list, in its own order.
        units: the enterprises that may share the layout.
    """

    name = forms.CharField(label=gettext_lazy("name"), max_length=60)
    unit: Any = forms.ModelChoiceField(label=gettext_lazy("shared by unit"), queryset=None, empty_label=None)

    def __init__(self, *args: Any, columns: list[OutColumn], units: QuerySet[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = columns
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]
        for column in columns:
            self.fields[f"at-{column.key}"] = forms.IntegerField(
                label=_("Place of “%(column)s”") % {"column": column.heading},
                min_value=1,
                max_value=999,
                required=False,
            )
            self.fields[f"as-{column.key}"] = forms.CharField(
                label=_("Heading of “%(column)s”") % {"column": column.heading},
                max_length=_LONGEST_HEADING,
                required=False,
            )

    def rows(self) -> list[tuple[OutColumn, Any, Any]]:
        """(column, field of its place, field of its heading), for the page."""
        return [(column, self[f"at-{column.key}"], self[f"as-{column.key}"]) for column in self.columns]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        placed = [
            (found[f"at-{column.key}"], at, column.key)
            for at, column in enumerate(self.columns)
            if found.get(f"at-{column.key}")
        ]
        if not placed and not self.errors:
            raise ValidationError(_("Give at least one column a place."))
        # Two columns with one number stay in the order of the list.
        found["columns"] = [[key, found.get(f"as-{key}", "").strip()] for _place, _at, key in sorted(placed)]
        return found


@admin.register(ExportLayout)
class ExportLayoutAdmin(ScopedModelAdmin):
    list_display = ("name", "of_list", "unit", "shown_columns")
    list_display_links = None
    ordering = ("listed", "name", "id")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("unit")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a layout is made anew from another one, and the old one removed

    @admin.display(description=gettext_lazy("list"), ordering="listed")
    def of_list(self, obj: ExportLayout) -> str:
        found = _list_of(obj.listed)
        return capfirst(str(found.opts.verbose_name_plural)) if found else obj.listed

    @admin.display(description=gettext_lazy("columns"))
    def shown_columns(self, obj: ExportLayout) -> int:
        return len(obj.chosen())

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """`?list=projects.project` names the list, `?from=7` a layout to begin with."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        lists = [one for one in _lists() if one.has_view_permission(request)]
        asked = request.POST.get("list") or request.GET.get("list", "")
        listed = next((one for one in lists if one.opts.label_lower == asked), None)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Columns of an export"),
            "opts": self.opts,
        }
        if listed is None:
            context["lists"] = [(one.opts.label_lower, one.opts.verbose_name_plural) for one in lists]
            return TemplateResponse(request, "admin/export_layout.html", context)
        columns = listed.columns_out(request)
        units = Enterprise.objects.visible_to(request.user).filter(
            path__in=outermost(units_for(person(request), "enterprises.add_exportlayout"))
        )
        form = LayoutForm(
            request.POST or None, columns=columns, units=units, initial=self._initial(request, columns)
        )
        if request.method == "POST" and form.is_valid():
            taken = ExportLayout(
                name=form.cleaned_data["name"],
                unit=form.cleaned_data["unit"],
                listed=asked,
                columns=form.cleaned_data["columns"],
            )
            try:
                taken.full_clean()
            except ValidationError as wrong:
                form.add_error(None, wrong.messages)  # type: ignore[arg-type]
            else:
                taken.save()
                self.stay_inside(request, taken, "add")
                self.message_user(
                    request, _("The layout “%(name)s” is in the export menu.") % {"name": taken}
                )
                return HttpResponseRedirect(reverse(f"admin:{asked.replace('.', '_')}_changelist"))
        context |= {"form": form, "listed": asked, "list_name": listed.opts.verbose_name_plural}
        status = 400 if form.errors else 200
        return TemplateResponse(request, "admin/export_layout.html", context, status=status)

    def _initial(self, request: HttpRequest, columns: list[OutColumn]) -> dict[str, Any]:
        begin = request.GET.get("from", "")
        rows = self.get_queryset(request)
        known = (
            rows.filter(pk=begin).first()
            if begin.isascii() and begin.isdecimal() and len(begin) <= 18
            else None
        )
        chosen = known.chosen() if known else [(column.key, "") for column in columns]
        return {
            **{f"at-{key}": at for at, (key, _heading) in enumerate(chosen, start=1)},
            **{f"as-{key}": heading for key, heading in chosen},
        }


def _lists() -> list[Any]:
    return [one for one in admin.site._registry.values() if isinstance(one, ExportsList)]


def _list_of(listed: str) -> Any | None:
    return next((one for one in _lists() if one.opts.label_lower == listed), None)


@admin.register(ListExport)
class ListExportAdmin(ScopedModelAdmin):
    list_display = ("at", "by", "unit", "of_list", "through", "form", "rows")
    list_display_links = None
    list_filter = ("form",)
    search_fields = ("by", "listed")
    search_help_text = gettext_lazy("Person")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("unit")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        shown = list(found.result_list)
        beyond = partly_beyond(
            exports=shown, reader=person(request), permission="enterprises.view_listexport"
        )
        for row in shown:
            row.is_partly_beyond = row.pk in beyond
        found.result_list = shown
        return found

    @admin.display(description=gettext_lazy("list"), ordering="listed")
    def of_list(self, obj: ListExport) -> str:
        found = _list_of(obj.listed)
        return capfirst(str(found.opts.verbose_name_plural)) if found else obj.listed

    @admin.display(description=gettext_lazy("filters"))
    def through(self, obj: Any) -> str:
        if getattr(obj, "is_partly_beyond", True):
            return _("Not shown: the export also reached into other units")
        return "，".join(f"{name}={value}" for name, value in obj.filters.items() if name != UNITS) or "—"
