"""Verbs on programmes."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from enterprises.models import Enterprise, User
from enterprises.scoping import may
from projects.models import Programme
from projects.services.refusals import Refused


@transaction.atomic
def create_programme(
    *,
    code: str,
    name: str,
    year: int,
    starts_on: datetime.date | None = None,
    ends_on: datetime.date | None = None,
    owner: Enterprise | None = None,
    **facts: Any,
) -> tuple[Programme, bool]:
    """Make a programme; one with this code that is there already stays as it is.

    Args:
        starts_on, ends_on: blank for the calendar year.
        owner: the SASAC that issues it; blank for the whole portal.

    Returns:
        The programme, and whether it was made now.

    Raises:
        django.core.exceptions.ValidationError: a value breaks a rule of the model.
    """
    found = Programme.objects.filter(code=code).first()
    if found is not None:
        return found, False
    programme = Programme(
        code=code,
        name=name,
        year=year,
        starts_on=starts_on or datetime.date(year, 1, 1),
        ends_on=ends_on or datetime.date(year, 12, 31),
        owner=owner,
        **facts,
    )
    programme.full_clean()
    programme.save()
    return programme, True


@transaction.atomic
def archive(*, programme_id: int, actor: User, as_of: datetime.date) -> Programme:
    """Close a programme's books: from `as_of` on it is history and no longer patrolled.

    Raises:
        Refused: archived already, or not the actor's.
    """
    programme = Programme.objects.select_for_update(of=("self",)).get(pk=programme_id)
    if not may(actor, "archive", programme):
        raise Refused(_("Your role does not include this step."))
    if programme.archived_on:
        raise Refused(_("Archived already on %(day)s.") % {"day": programme.archived_on.isoformat()})
    programme.archived_on = as_of
    programme.save(update_fields=["archived_on"])
    return programme
