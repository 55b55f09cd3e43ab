"""Whose entries of the journal a person may read: the wall, for rows that may be gone by now.

The event tables keep what a row was when it was written, so a scope is followed through *them*: from a
deleted milestone to its deleted project to the enterprise that answered for it. Through the live tables
these entries would have vanished from the journal together with their rows.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from enterprises.models import Enterprise, Membership, User
from enterprises.scoping import NOTHING, Personal, PortalWide, SharedBelow, Within, WithinAny, units_for
from journal.tracking import event_model_of

PERMISSION = "journal.view_entry"
EXPORT = "journal.export_entry"


def reads_everything(reader: User, permission: str = PERMISSION) -> bool:
    """Whether a permission is held at the top of every tree: nothing lies behind this reader's wall."""
    units = units_for(reader, permission)
    return bool(units) and not Enterprise.objects.filter(parent=None).exclude(path__in=units).exists()


def entries_q(event_model: type[models.Model], reader: User, permission: str = PERMISSION) -> Q:
    """The rows of an event table that `reader` may read in the journal.

    Args:
        event_model: a table of `journal.reading.event_models`.
        reader: an account; without the permission anywhere it gets nothing.
        permission: PERMISSION to read, EXPORT to take entries out.
    """
    units = units_for(reader, permission)
    if not units:
        return NOTHING
    if reads_everything(reader, permission):
        return Q()  # no condition, no cost
    model: Any = event_model.pgh_tracked_model  # type: ignore[attr-defined]
    scope = model.scope
    if isinstance(scope, PortalWide):
        return Q()
    if isinstance(scope, WithinAny):
        return _through(model, scope, units)
    if isinstance(scope, Personal):
        # What people set for themselves belongs, for the auditor, to the units in which they hold a role.
        held: Any = event_model_of(Membership)
        inside = held._base_manager.filter(_along(Membership, ["unit"], units))
        return Q((f"{scope.path}_id__in", inside.values("user_id")))
    assert isinstance(scope, Within | SharedBelow)
    inside = _along(model, scope.path.split("__") if scope.path else [], units)
    return inside | Q((f"{scope.path}__isnull", True)) if isinstance(scope, SharedBelow) else inside


def _along(model: Any, path: list[str], units: list[str]) -> Q:
    """Event rows of `model` whose `path` led to one of `units` or below, at the time or ever since."""
    if not path:
        found = NOTHING
        for unit in units:
            found |= Q(path__startswith=unit)
        return found
    first, *rest = path
    related = model._meta.get_field(first).related_model
    rows: Any = event_model_of(related)
    return Q(
        (f"{first}_id__in", rows._base_manager.filter(_along(related, rest, units)).values("pgh_obj_id"))
    )


def _through(model: Any, scope: WithinAny, units: list[str]) -> Q:
    relation = model._meta.get_field(scope.through)
    rows: Any = event_model_of(relation.related_model)
    back = relation.field.attname
    inside = rows._base_manager.filter(_along(relation.related_model, scope.path.split("__"), units))
    found = Q(pgh_obj_id__in=inside.values(back))
    return found | ~Q(pgh_obj_id__in=rows._base_manager.values(back)) if scope.orphans else found
