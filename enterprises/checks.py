"""Refusal by construction: start-up stops when a model or an admin stands outside the wall."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.checks import CheckMessage, Error, register

from enterprises.querysets import ScopedQuerySet
from enterprises.roles import PERMISSIONS
from enterprises.scoped_admin import ScopedInline, ScopedModelAdmin
from enterprises.scoping import PortalWide, Scope

OWN_APPS = frozenset({"enterprises", "projects", "notices", "journal"})


def _own_models() -> list[Any]:
    """The portal's models without the journal's event tables, which are append-only copies."""
    return [
        model
        for model in apps.get_models()
        if model._meta.app_label in OWN_APPS and not hasattr(model, "pgh_tracked_model")
    ]


@register()
def models_stand_behind_the_wall(**_kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for model in _own_models():
        if model._meta.auto_created:
            continue  # a many-to-many table is reached only through its two ends
        scope = getattr(model, "scope", None)
        if not isinstance(scope, Scope):
            found.append(
                Error(
                    f"{model._meta.label} says nothing about who may see it.",
                    hint='Declare `scope = Within("path__to__enterprise")` (see enterprises/scoping.py).',
                    obj=model,
                    id="enterprises.E001",
                )
            )
        elif isinstance(scope, PortalWide) and len(scope.reason) < 20:
            found.append(
                Error(
                    f"{model._meta.label} stands outside the wall without a written reason.",
                    obj=model,
                    id="enterprises.E002",
                )
            )
        if not isinstance(model._default_manager.get_queryset(), ScopedQuerySet):
            found.append(
                Error(
                    f"{model._meta.label}.objects has no visible_to().",
                    hint="Use `ScopedQuerySet.as_manager()` or a subclass.",
                    obj=model,
                    id="enterprises.E003",
                )
            )
    return found


@register()
def admins_stand_behind_the_wall(**_kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for model, model_admin in admin.site._registry.items():
        if not isinstance(model_admin, ScopedModelAdmin):
            found.append(
                Error(
                    f"{type(model_admin).__name__} is not a ScopedModelAdmin.",
                    hint="Everything the admin shows goes through enterprises/scoped_admin.py.",
                    obj=model,
                    id="enterprises.E004",
                )
            )
            continue
        if model_admin.raw_id_fields:
            found.append(
                Error(
                    f"{type(model_admin).__name__} has raw_id_fields, which accept any id.",
                    obj=model,
                    id="enterprises.E005",
                )
            )
        found += [
            Error(
                f"{type(model_admin).__name__} filters by {item}, which would offer every row of it.",
                hint="Write a filter over visible_to(), as in projects/admin/filters.py.",
                obj=model,
                id="enterprises.E008",
            )
            for item in model_admin.list_filter
            if isinstance(item, str) and model._meta.get_field(item).is_relation
        ]
        for inline in model_admin.inlines:
            if not issubclass(inline, ScopedInline) or inline.raw_id_fields:
                found.append(
                    Error(
                        f"{inline.__name__} is not a ScopedInline without raw_id_fields.",
                        obj=inline,
                        id="enterprises.E006",
                    )
                )
    return found


@register()
def permissions_name_real_models(**_kwargs: Any) -> list[CheckMessage]:
    """A typing error in the table of roles would silently take a right away."""
    labels = {model._meta.label_lower for model in apps.get_models()} | {"journal.entry"}
    return [
        Error(f"enterprises.roles names {permission}, but there is no such model.", id="enterprises.E007")
        for permission in sorted(set().union(*PERMISSIONS.values()))
        if f"{permission.split('.')[0]}.{permission.rsplit('_', 1)[1]}" not in labels
    ]
