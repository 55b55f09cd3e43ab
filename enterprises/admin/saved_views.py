"""Saved views: keeping a list under a name, choosing its columns, sharing it, giving it up."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import Enterprise, SavedView
from enterprises.scoped_admin import ScopedModelAdmin, person
from enterprises.scoped_views import LONGEST_QUERY, KeepsViews, sanitised_order
from enterprises.scoping import may, units_for

_CHANGED = gettext_lazy(
    "Somebody changed this view after you opened it; nothing of yours is kept yet. Keep it once more to put yours "
    "in its place."
)


class ViewForm(forms.Form):
    """A name, the unit to share with, and for each column of the list a place.

    Args:
        columns: key → heading, in the list's own order.
        units: the enterprises that the person may share with.
    """

    name = forms.CharField(
        label=gettext_lazy("name"), max_length=40, widget=forms.TextInput(attrs={"class": "vTextField"})
    )
    unit: Any = forms.ModelChoiceField(
        label=gettext_lazy("shared with unit"),
        queryset=None,
        required=False,
        empty_label=gettext_lazy("only for me"),
    )

    def __init__(self, *args: Any, columns: dict[str, str], units: QuerySet[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = columns
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]
        for key, heading in columns.items():
            self.fields[f"at-{key}"] = forms.IntegerField(
                label=_("Place of “%(column)s”") % {"column": heading},
                min_value=1,
                max_value=999,
                required=False,
            )

    def rows(self) -> list[tuple[str, Any]]:
        """(heading, field of its place): those that have a place first, in order, then the others."""
        placed = {key: self[f"at-{key}"].value() for key in self.columns}
        numbers = {
            key: int(value) if str(value or "").isdecimal() else 10_000 for key, value in placed.items()
        }
        ordered = sorted(self.columns, key=lambda key: numbers[key])
        return [(self.columns[key], self[f"at-{key}"]) for key in ordered]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        placed = [
            (found[f"at-{key}"], at, key) for at, key in enumerate(self.columns) if found.get(f"at-{key}")
        ]
        if not placed and not self.errors:
            raise ValidationError(_("Give at least one column a place."))
        # Two columns with one number stay in the order of the list.
        found["columns"] = [key for _place, _at, key in sorted(placed)]
        return found


@admin.register(SavedView)
class SavedViewAdmin(ScopedModelAdmin):
    #: Never on a form: what was searched for stays out of the journal, and the page has its own guard (`state`).
    readonly_fields = ("query",)
    list_display = ("opening", "of_list", "for_whom", "steps")
    list_display_links = None
    ordering = ("listed", "name", "id")
    fields = ()

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("unit")

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def opening(self, obj: Any) -> str:
        return (
            format_html('<a class="row-title" href="{}">{}</a>', obj.address, obj.name)
            if obj.address
            else obj.name
        )

    @admin.display(description=gettext_lazy("list"), ordering="listed")
    def of_list(self, obj: SavedView) -> str:
        found = _list_of(obj.listed)
        return capfirst(str(found.opts.verbose_name_plural)) if found else obj.listed

    @admin.display(description=gettext_lazy("shared"))
    def for_whom(self, obj: Any) -> str:
        return obj.circle

    @admin.display(description="")
    def steps(self, obj: Any) -> str:
        if not obj.is_mine:
            return ""
        return format_html(
            '<a href="{}">{}</a> · <a href="{}">{}</a>',
            reverse("admin:enterprises_savedview_change", args=[obj.pk]),
            _("Name and columns"),
            reverse("admin:enterprises_savedview_delete", args=[obj.pk]),
            _("Delete"),
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The rows with what the columns need; units beyond the wall are not named."""
        found = super().get_changelist_instance(request)
        reader = person(request)
        shown = list(found.result_list)
        units = {row.unit_id for row in shown if row.unit_id}
        named = dict(Enterprise.objects.visible_to(reader).filter(pk__in=units).values_list("pk", "name"))
        for row in shown:
            listed = _list_of(row.listed)
            row.address = ""
            if listed is not None and listed.has_view_permission(request):
                row.address = listed.address_of(row, request)
            row.is_mine = may(reader, "change", row)
            row.circle = named.get(row.unit_id, _("from above")) if row.unit_id else _("only for me")
        found.result_list = shown
        return found

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        # A view is kept from its list; here there is nothing on screen to keep.
        return super().changelist_view(request, {**(extra_context or {}), "has_add_permission": False})

    # -- keeping --------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.again_view)
        return [path("<int:object_id>/again/", view, name="enterprises_savedview_again"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """`?list=projects.project&query=…&order=…` names what is kept; `from` a view whose columns to begin with."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        listed = _list_of(given.get("list", ""))
        if listed is None or not listed.has_view_permission(request):
            return HttpResponseRedirect(reverse("admin:enterprises_savedview_changelist"))
        view = SavedView(owner=person(request), listed=listed.opts.label_lower)
        self._take(request, view, listed, given)
        begin = given.get("from", "")
        if begin.isascii() and begin.isdecimal() and len(begin) <= 18:
            before = self.get_queryset(request).filter(pk=int(begin), listed=view.listed).first()
            view.columns = before.columns if before else []
        return self._form_page(request, view, listed, _("Keep this view"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        with transaction.atomic():
            view, listed = self._held(request, object_id)
            if view is None or not may(person(request), "change", view):
                return self.missing(request, object_id)
            return self._form_page(request, view, listed, _("Name and columns"))

    def again_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """POST keeps the filters and the order that are on screen in the view that is open."""
        with transaction.atomic():
            view, listed = self._held(request, str(object_id))
            if view is None or not may(person(request), "change", view):
                return self.missing(request, object_id)
            if request.method == "POST":
                before = view.state
                fresh = request.POST.get("seen") == before
                self._take(request, view, listed, request.POST)
                if fresh or view.state == before:
                    view.save(update_fields=["query", "order"])
                    self.message_user(
                        request, _("The view “%(name)s” is kept as it is now.") % {"name": view}
                    )
                else:
                    # Back to what is on screen, where the button now stands for the view as it is.
                    self.message_user(request, _CHANGED, "warning")
            return HttpResponseRedirect(listed.address_of(view, request))

    def _held(self, request: HttpRequest, object_id: str) -> tuple[SavedView | None, Any]:
        """The view and its list; locked when it is going to be changed, so that of two the second sees the first."""
        view = self.get_object(request, object_id)
        if view is not None and request.method == "POST":
            view = SavedView._base_manager.select_for_update(no_key=True).filter(pk=view.pk).first()
        listed = _list_of(view.listed) if view else None
        return (view, listed) if listed is not None else (None, None)

    def _take(self, request: HttpRequest, view: SavedView, listed: Any, given: QueryDict) -> None:
        """Put what is on screen into the view; only what the list accepts."""
        query = QueryDict(given.get("query", "").replace("\0", "")[:LONGEST_QUERY])
        pairs, _dropped = listed.accepted(query, request)
        while pairs and len(urlencode(pairs)) > LONGEST_QUERY:
            pairs = pairs[:-1]
        view.query = urlencode(pairs)
        known = listed.columns_offered(request)
        view.order = sanitised_order(given.get("order", "")[:LONGEST_QUERY].split("."), known)

    def _units(self, request: HttpRequest, view: SavedView) -> QuerySet[Any]:
        """The units that the person has a role at; the one that a view is shared with already stays a choice."""
        held = units_for(person(request), "enterprises.share_savedview")
        rows = Enterprise.objects.visible_to(request.user)
        return rows.filter(path__in=held) | rows.filter(pk=view.unit_id or 0)

    def _form_page(self, request: HttpRequest, view: SavedView, listed: Any, title: str) -> HttpResponse:
        columns = listed.columns_offered(request)
        places = {f"at-{key}": at for at, key in enumerate(listed.columns_of(view), start=1)}
        form = ViewForm(
            request.POST or None,
            columns=columns,
            units=self._units(request, view),
            initial={"name": view.name, "unit": view.unit_id, **places},
        )
        seen, stale = view.state, _is_stale(request, view, form)
        if stale:
            form.add_error(None, str(_CHANGED))
        if request.method == "POST" and form.is_valid() and self._keep(request, view, form):
            self.message_user(request, _("The view “%(name)s” is in the menu of views.") % {"name": view})
            return HttpResponseRedirect(listed.address_of(view, request))
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "form": form,
            "view": view,
            "seen": seen,
            "stale": stale,
            "lasting": columns[listed.lasting_column],
            "list_name": listed.opts.verbose_name_plural,
            "order": ".".join(view.order),
            "back": listed.address_of(view, request) if view.pk else listed._list_url(),
        }
        status = 409 if stale else 400 if form.errors else 200
        return TemplateResponse(request, "admin/saved_view.html", context, status=status)

    def _keep(self, request: HttpRequest, view: SavedView, form: ViewForm) -> bool:
        """Save what the form says, or put onto it what is wrong."""
        adding = view.pk is None
        view.name, view.unit = form.cleaned_data["name"], form.cleaned_data["unit"]
        view.columns = form.cleaned_data["columns"]
        try:
            view.full_clean()
            with transaction.atomic():
                view.save()
                self.stay_inside(request, view, "add" if adding else "change")
        except ValidationError as wrong:
            form.add_error(None, wrong.messages)  # type: ignore[arg-type]
        except IntegrityError:
            # Somebody kept one under this name between the look and the save.
            form.add_error("name", _("A view with this name was saved a moment ago. Choose another name."))
        else:
            return True
        if adding:
            view.pk = None
        return False


def _is_stale(request: HttpRequest, view: SavedView, form: ViewForm) -> bool:
    """Whether somebody changed the view after the form was opened, unless both say the same (a second click)."""
    if request.method != "POST" or view.pk is None or request.POST.get("seen") == view.state:
        return False
    said = form.cleaned_data if form.is_valid() else {}
    return [said.get(name) for name in ("name", "unit", "columns")] != [view.name, view.unit, view.columns]


def _list_of(listed: str) -> Any | None:
    return next(
        (
            one
            for one in admin.site._registry.values()
            if isinstance(one, KeepsViews) and one.opts.label_lower == listed
        ),
        None,
    )
