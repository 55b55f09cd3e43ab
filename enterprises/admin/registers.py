"""Enterprises and party organisations."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from enterprises.admin.resources import EnterpriseResource, ExportsRegister, PartyBranchResource
from enterprises.models import (
    Enterprise,
    EnterpriseAlias,
    EnterpriseWords,
    PartyBranch,
    PartyBranchWords,
)
from enterprises.scoped_admin import ScopedInline, ScopedModelAdmin
from enterprises.scoped_search import SearchesWords
from enterprises.scoped_views import KeepsViews


def demo_mark(unit: Enterprise) -> SafeString:
    return (
        format_html('<span class="demo-mark">{}</span>', _("demo data")) if unit.is_demo else SafeString("")
    )


class AliasInline(ScopedInline):
    model = EnterpriseAlias


@admin.register(Enterprise)
class EnterpriseAdmin(SearchesWords, KeepsViews, ExportsRegister, ScopedModelAdmin):
    words = EnterpriseWords
    resource_class = EnterpriseResource
    list_display = ("tree_name", "short_name", "kind", "code", "parent_name", "project_count", "status")
    more_columns = ("credit_code", "region_code", "is_demo")
    columns_in_file: ClassVar[Any] = {
        "tree_name": ("name",),
        "parent_name": ("parent",),
        "project_count": ("projects",),
        "is_demo": (),
    }
    lasting_column = "tree_name"
    list_display_links = ("tree_name",)
    list_filter = ("kind", "status")
    search_fields = ("name", "short_name", "code", "aliases__name")
    search_help_text = _("Name, short name, alias or code")
    allowed_lookups = ("parent__id__exact",)
    autocomplete_fields = ("parent",)
    inlines = (AliasInline,)
    ordering = ("path",)
    readonly_fields = ("is_demo", "parent_name")
    shown_instead = {"parent": "parent_name"}
    fieldsets = (
        (None, {"fields": ("name", "short_name", "kind", "parent", "status")}),
        (_("Identity"), {"fields": ("code", "credit_code", "region_code")}),
        (_("Where this comes from"), {"fields": ("source", "note", "is_demo")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        parents = Enterprise.objects.visible_to(request.user).filter(pk=OuterRef("parent_id"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                projects_here=Count("projects", distinct=True),
                visible_parent=Subquery(parents.values("name")[:1]),
            )
        )

    @admin.display(description=_("full name"), ordering="path")
    def tree_name(self, obj: Enterprise) -> str:
        return format_html(
            '<span class="tree" data-depth="{}"><span class="row-title">{}</span>{}</span>',
            min(obj.depth, 5),
            obj.name,
            demo_mark(obj),
        )

    @admin.display(description=_("parent"))
    def parent_name(self, obj: Any) -> str:
        # An officer's own unit has a parent that the officer may not see: no name, no hint.
        return obj.visible_parent or "—"

    @admin.display(description=_("projects"), ordering="projects_here")
    def project_count(self, obj: Any) -> int:
        return obj.projects_here


@admin.register(PartyBranch)
class PartyBranchAdmin(SearchesWords, ExportsRegister, ScopedModelAdmin):
    words = PartyBranchWords
    resource_class = PartyBranchResource
    list_display = ("marked_name", "kind", "enterprise", "secretary", "member_count", "code")
    columns_in_file: ClassVar[Any] = {"marked_name": ("name",)}
    list_display_links = ("marked_name",)
    list_filter = ("kind",)
    search_fields = ("name", "code", "enterprise__name", "enterprise__short_name")
    search_help_text = _("Name, code or enterprise")
    allowed_lookups = ("enterprise__id__exact",)
    autocomplete_fields = ("enterprise", "parent")
    ordering = ("path",)
    fieldsets = (
        (None, {"fields": ("name", "kind", "enterprise", "parent")}),
        (_("People"), {"fields": ("secretary", "member_count")}),
        (_("Identity"), {"fields": ("code", "source", "note")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("enterprise")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # A code that is taken would tell an officer of a row behind the wall.
        return () if self.has_add_permission(request) else ("code",)

    @admin.display(description=_("name"), ordering="name")
    def marked_name(self, obj: PartyBranch) -> str:
        return format_html('<span class="row-title">{}</span>{}', obj.name, demo_mark(obj.enterprise))
