"""Opening accounts and giving them memberships."""

from __future__ import annotations

import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from enterprises.models import Enterprise, Membership, User
from enterprises.roles import Role


@transaction.atomic
def create_member(
    *,
    username: str,
    role: str,
    unit: Enterprise,
    name: str = "",
    password: str | None = None,
    valid_from: datetime.date | None = None,
    valid_until: datetime.date | None = None,
    is_demo: bool = False,
) -> tuple[Membership, bool]:
    """Give an account (opened if it is new) a role at a unit. Repeating it changes nothing.

    Args:
        password: of a new account; without one nobody can log in to it until one is set.

    Returns:
        The membership, and whether it was made now.

    Raises:
        django.core.exceptions.ValidationError: unknown role, separation of duties, weak password.
    """
    if role not in Role.values:
        raise ValidationError(_("There is no role %(role)s.") % {"role": role})
    user = User._base_manager.filter(username=username).first()
    if user is None:
        if password is not None:
            validate_password(password, User(username=username, name=name))
        user = User.objects.create_user(username, name=name, password=password)
        if is_demo:
            user.is_demo = True
            user.save(update_fields=["is_demo"])
    found = Membership.objects.filter(user=user, role=role, unit=unit).first()
    if found is not None:
        return found, False
    membership = Membership(user=user, role=role, unit=unit, valid_from=valid_from, valid_until=valid_until)
    membership.full_clean()
    membership.save()
    return membership, True
