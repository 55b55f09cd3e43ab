"""The registers as tables: which columns leave, and that no row beyond the wall does, whatever list is handed over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from import_export import fields, resources

from enterprises.models import Enterprise, PartyBranch, User
from enterprises.scoped_admin import person
from enterprises.scoped_export import ExportsList
from enterprises.spreadsheets import OutColumn

_CHUNK = 1_000


class ScopedResource(resources.ModelResource):
    """A resource that reads through the wall. It only goes out: taking in has its own roads.

    Args:
        reader: the account for which rows leave.
    """

    def __init__(self, reader: User) -> None:
        super().__init__()
        self.reader = reader

    def get_queryset(self) -> Any:
        return self._meta.model.objects.visible_to(self.reader)

    def filter_export(self, queryset: Any, **_kwargs: Any) -> Any:
        """Those rows of a list that the reader may see: asked once more, so that no caller can forget it."""
        return queryset.filter(pk__in=self.get_queryset().order_by().values("pk"))

    def cells(self, queryset: Any, keys: Sequence[str]) -> Iterator[list[Any]]:
        """The cells of each row, some thousand rows in memory at a time."""
        chosen = [(key, self.fields[key]) for key in keys]
        for row in self.filter_export(queryset).iterator(_CHUNK):
            yield [self._value(key, field, row) for key, field in chosen]

    def _value(self, key: str, field: fields.Field, row: Any) -> Any:
        """As it is, not as text: a number stays one in a spreadsheet."""
        own = getattr(self, f"dehydrate_{key}", None)
        return field.get_value(row) if own is None else own(row)

    def import_data(self, *_args: Any, **_kwargs: Any) -> Any:
        raise NotImplementedError("registers are taken in by enterprises.services.register")


class EnterpriseResource(ScopedResource):
    name = fields.Field("name", _("full name"))
    short_name = fields.Field("short_name", _("short name"))
    kind = fields.Field("get_kind_display", _("kind"))
    code = fields.Field("code", _("code"))
    credit_code = fields.Field("credit_code", _("unified social credit code"))
    region_code = fields.Field("region_code", _("region code"))
    parent = fields.Field("visible_parent", _("parent"))
    status = fields.Field("get_status_display", _("status"))
    projects = fields.Field("projects_here", _("projects"))

    class Meta:
        model = Enterprise
        fields = (
            "name",
            "short_name",
            "kind",
            "code",
            "credit_code",
            "region_code",
            "parent",
            "status",
            "projects",
        )


class PartyBranchResource(ScopedResource):
    name = fields.Field("name", _("name"))
    kind = fields.Field("get_kind_display", _("kind"))
    enterprise = fields.Field("enterprise__name", _("enterprise"))
    secretary = fields.Field("secretary", _("secretary"))
    member_count = fields.Field("member_count", _("members"))
    code = fields.Field("code", _("code"))

    class Meta:
        model = PartyBranch
        fields = ("name", "kind", "enterprise", "secretary", "member_count", "code")


class UserResource(ScopedResource):
    """Accounts. What guards an account, the hash of its password above all, is no column."""

    username = fields.Field("username", _("account"))
    name = fields.Field("name", _("name"))
    phone = fields.Field("phone", _("phone"))
    roles = fields.Field(None, _("roles"))
    is_active = fields.Field("is_active", _("may log in"))

    class Meta:
        model = User
        fields = ("username", "name", "phone", "roles", "is_active")

    def dehydrate_roles(self, row: Any) -> str:
        # The list has prefetched the memberships that the reader sees; others are not named.
        held = getattr(row, "shown_memberships", ())
        return "；".join(f"{one.get_role_display()}（{one.unit}）" for one in held)


class ExportsRegister(ExportsList):
    """An exporting list whose columns a resource names."""

    resource_class: ClassVar[type[ScopedResource]]
    widths: ClassVar[dict[str, float]] = {
        "name": 36,
        "parent": 30,
        "enterprise": 36,
        "roles": 40,
        "credit_code": 22,
    }

    def columns_out(self, request: HttpRequest) -> list[OutColumn]:
        resource = self.resource_class(person(request))
        order = resource._meta.fields
        return [
            OutColumn(key, str(resource.fields[key].column_name), width=self.widths.get(key, 14))
            for key in order
        ]

    def cells_of(self, request: HttpRequest, rows: Any, keys: Sequence[str]) -> Iterator[list[Any]]:
        return self.resource_class(person(request)).cells(rows, keys)
