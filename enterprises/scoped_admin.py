"""Admin classes behind the wall: every road a stock ModelAdmin leaves open is closed here.

A stock admin whose `get_queryset` alone is scoped still leaks through choices, autocomplete,
filters, look-ups in the query string, initial values, delete confirmations and exports. Whoever
writes an admin of the portal starts from these classes; a system check refuses any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import NestedObjects, quote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import connection, models, router
from django.db.models.fields.related import RelatedField
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.querysets import ScopedQuerySet
from enterprises.scoped_edits import SafeEdits
from enterprises.scoped_inlines import KeepsWhatLiesBeyond
from enterprises.scoped_lists import CappedPaginator, ScopedChangeList
from enterprises.scoped_widgets import PlainAutocomplete, PlainAutocompleteMultiple, TidyText
from enterprises.scoping import may


def person(request: HttpRequest) -> User:
    """The account behind a request to a page of the admin, which lets nobody else in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def columns_of(obj: models.Model, names: Iterable[str]) -> list[str]:
    """Those of `names` that are columns of the row itself."""
    own = {field.name for field in obj._meta.concrete_fields}
    return [name for name in names if name in own]


class _ScopedForms:
    """What a model admin and an inline share: scoped choices and permissions from the wall."""

    model: type[models.Model]
    formfield_overrides: Any = {
        models.CharField: {"form_class": TidyText},
        models.TextField: {"form_class": TidyText},
        models.SlugField: {},  # has a form field of its own, which lets nothing odd through
    }

    def _allows(self, request: HttpRequest, action: str, obj: models.Model | None) -> bool:
        meta = self.model._meta
        if not request.user.has_perm(f"{meta.app_label}.{action}_{meta.model_name}"):
            return False
        return obj is None or may(request.user, action, obj)  # type: ignore[arg-type]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = self._choices(db_field, request)
        if db_field.name in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
            kwargs.setdefault("widget", PlainAutocomplete(db_field, self.admin_site))  # type: ignore[attr-defined]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = self._choices(db_field, request)
        if db_field.name in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
            kwargs.setdefault("widget", PlainAutocompleteMultiple(db_field, self.admin_site))  # type: ignore[attr-defined]
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        widget = getattr(field, "widget", None)
        if isinstance(db_field, RelatedField) and hasattr(widget, "can_add_related"):
            # The pop-up links open a second window whose answer carries names; nobody needs them.
            field.widget = widget.widget  # type: ignore[union-attr]
        return field

    def _choices(self, db_field: Any, request: HttpRequest) -> models.QuerySet:
        rows: Any = db_field.remote_field.model.objects
        return rows.choosable_by(request.user)


class ScopedModelAdmin(_ScopedForms, SafeEdits):
    """Base of every admin of the portal.

    Subclasses name the look-ups that may come in the query string in `allowed_lookups`; anything
    else is refused, because a look-up through a relation reads one bit of a foreign row at a time.
    """

    allowed_lookups: ClassVar[Sequence[str]] = ()
    #: Fields that a link may pre-fill (`?project=7`); relations are checked against the wall.
    initial_from_link: ClassVar[Sequence[str]] = ()
    #: Relation → read-only column shown where its value lies beyond the wall.
    shown_instead: ClassVar[dict[str, str]] = {}
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    paginator = CappedPaginator
    view_on_site = False
    save_as = False
    actions: Any = ()

    # -- rows ---------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        rows: Any = self.model._default_manager
        ordering = self.get_ordering(request)
        visible = rows.visible_to(request.user)
        return visible.order_by(*ordering) if ordering else visible

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ScopedChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in self.allowed_lookups or lookup in self._filter_lookups(request)

    def _filter_lookups(self, request: HttpRequest | None) -> set[str]:
        """The query names that the declared list filters themselves write into their links."""
        names: set[str] = set()
        for item in self.get_list_filter(request):  # type: ignore[arg-type]
            field = item[0] if isinstance(item, list | tuple) else item
            if isinstance(field, str):
                names |= {
                    f"{field}{end}"
                    for end in ("__exact", "__id__exact", "__isnull", "__isempty", "__gte", "__lt")
                }
            elif parameter := getattr(field, "parameter_name", None):
                names.add(parameter)  # a filter of our own; it asks the wall itself
        return names

    # -- permissions --------------------------------------------------------------------------

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, "view", obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._allows(request, "add", None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, "delete", obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # The stock bulk deletion names rows outside the wall and asks nobody's rules.
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    # -- forms --------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out relations whose present value lies beyond the wall; they stay as they are.

        Offered as a choice they could not be kept (the value is not among the choices), and shown
        read-only they would name what the person may not see. `shown_instead` names a column to
        show in their place.
        """
        fieldsets = super().get_fieldsets(request, obj)
        beyond = self._beyond(request, obj) if obj is not None else set()
        if not beyond:
            return fieldsets
        return [
            (title, {**options, "fields": self._without(options["fields"], beyond)})
            for title, options in fieldsets
        ]

    def _beyond(self, request: HttpRequest, obj: models.Model) -> set[str]:
        found = set()
        for field in (*self.opts.fields, *self.opts.many_to_many):
            related: Any = field.related_model
            if not field.is_relation or not isinstance(
                related._default_manager.get_queryset(), ScopedQuerySet
            ):
                continue
            if field.many_to_many:
                values = list(getattr(obj, field.name).values_list("pk", flat=True))
            else:
                values = [value for value in [getattr(obj, field.attname)] if value is not None]
            known = related.objects.choosable_by(request.user).filter(pk__in=values).count() if values else 0
            if known < len(values):
                found.add(field.name)
        return found

    def _without(self, fields: Iterable[Any], beyond: set[str]) -> list[Any]:
        kept: list[Any] = []
        for field in fields:
            if isinstance(field, list | tuple):
                if inner := self._without(field, beyond):
                    kept.append(tuple(inner))
            elif field not in beyond:
                kept.append(field)
            elif field in self.shown_instead:
                kept.append(self.shown_instead[field])
        return kept

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = {}
        for name in self.initial_from_link:
            value = request.GET.get(name)
            if value is None:
                continue
            field = self.model._meta.get_field(name)
            if field.is_relation:
                related: Any = field.related_model
                try:
                    found = related.objects.choosable_by(request.user).filter(pk=value).exists()
                except ValueError:
                    continue
                if not found:
                    continue
            initial[name] = value
        return initial

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Find the row through the wall; for a save, lock it first.

        Unlocked, a form that was being saved wrote back what it had read before a colleague's
        decision, and the decision was gone.
        """
        if request.method == "POST" and connection.in_atomic_block and object_id.isdecimal():
            locked = self.model._base_manager.select_for_update(of=("self",), no_key=True)
            locked.filter(pk=object_id[:18]).first()
        return super().get_object(request, object_id, from_field)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write only what the form changed: the other columns belong to whoever set them."""
        if not change:
            obj.save()
        elif columns := columns_of(obj, form.changed_data):
            obj.save(update_fields=columns)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        for obj in formset.new_objects:
            obj.save()
        for obj, changed in formset.changed_objects:
            obj.save(update_fields=columns_of(obj, changed))
        for obj in formset.deleted_objects:
            obj.delete()
        formset.save_m2m()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        self.stay_inside(request, form.instance, "change" if change else "add")

    def stay_inside(self, request: HttpRequest, obj: models.Model, action: str) -> None:
        """Re-read what was saved through the wall; the transaction is rolled back if it left it.

        Raises:
            PermissionDenied: the saved row is no longer one on which the person may do `action`.
        """
        rows: Any = self.model._default_manager
        if not rows.permitted(request.user, action).filter(pk=obj.pk).exists():
            raise PermissionDenied(_("The record would leave the units you answer for. Nothing was saved."))

    def confirm(
        self,
        request: HttpRequest,
        obj: models.Model,
        *,
        title: str,
        consequence: str,
        verb: str,
        back: str,
        tone: str = "",
    ) -> HttpResponse:
        """Ask before a step that cannot be taken back; the page posts to its own address."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "object": obj,
            "consequence": consequence,
            "verb": verb,
            "back": back,
            "tone": tone,
        }
        return TemplateResponse(request, "admin/confirm.html", context)

    def missing(self, request: HttpRequest, object_id: object) -> HttpResponse:
        """The one answer for an id that does not exist and for one behind the wall."""
        return self._get_obj_does_not_exist_redirect(request, self.opts, str(object_id))  # type: ignore[attr-defined]

    # -- deletion -----------------------------------------------------------------------------

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """What would go, and what stands in the way: by name only what the person may see."""
        objs = list(objs)
        collector = NestedObjects(using=router.db_for_write(self.model), origin=objs)
        collector.collect(objs)
        found: Any = collector.model_objs
        counts = {str(model._meta.verbose_name_plural): len(rows) for model, rows in found.items()}
        blocked = [self._named(request, obj) for obj in collector.protected]
        gone = collector.nested(lambda obj: self._named(request, obj))
        return gone, counts, set(), blocked

    def _named(self, request: HttpRequest, obj: models.Model) -> str:
        kind = str(obj._meta.verbose_name)
        if not hasattr(type(obj), "scope") or not may(request.user, "view", obj):  # type: ignore[arg-type]
            return format_html("{}", kind)
        try:
            url = reverse(
                f"{self.admin_site.name}:{obj._meta.app_label}_{obj._meta.model_name}_change",
                args=(quote(obj.pk),),
            )
        except NoReverseMatch:
            return format_html("{}: {}", kind, obj)
        return format_html('{}: <a href="{}">{}</a>', kind, url, obj)

    # -- history ------------------------------------------------------------------------------

    # Django's own LogEntry would be a second, weaker journal that is silent outside the admin.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any: ...
    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any: ...
    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any: ...

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        from journal.reading import history_response

        obj = self.get_object(request, object_id)
        if obj is None or not self.has_view_permission(request, obj):
            return self.missing(request, object_id)
        return history_response(request, self, obj)


class ScopedInline(_ScopedForms, admin.TabularInline):
    """Base of every inline: its rows, choices and rights come from the wall as well."""

    extra = 0
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        rows: Any = self.model._default_manager
        return rows.visible_to(request.user)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        own = kwargs.get("formset", self.formset)
        kwargs["formset"] = type(own.__name__, (KeepsWhatLiesBeyond, own), {})
        return super().get_formset(request, obj, **kwargs)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, "view", None)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, "add", None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, "change", None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, "delete", None)
