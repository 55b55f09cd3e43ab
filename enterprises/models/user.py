"""Accounts. What an account may do comes only from its memberships; there is no superuser."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from enterprises.querysets import ScopedQuerySet
from enterprises.roles import PERMISSIONS
from enterprises.scoping import Grant, WithinAny, may
from journal.tracking import tracked


class UserManager(BaseUserManager.from_queryset(ScopedQuerySet)):  # type: ignore[misc]
    def create_user(self, username: str, *, name: str = "", password: str | None = None) -> User:
        """Open an account. Without a password nobody can log in to it."""
        user: User = self.model(username=self.model.normalize_username(username), name=name)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user


@tracked(exclude=["password", "last_login"])
class User(AbstractBaseUser):
    username = models.CharField(
        _("account"),
        max_length=60,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": _("This account name is taken.")},
    )
    name = models.CharField(_("name"), max_length=60, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    is_active = models.BooleanField(_("may log in"), default=True)
    is_demo = models.BooleanField(_("demonstration data"), default=False, editable=False)

    #: The hash is in no journal; that it was changed, when and by whom, is.
    password_set_at = models.DateTimeField(_("password set at"), null=True, blank=True, editable=False)
    unlocked_at = models.DateTimeField(_("log-in unlocked at"), null=True, blank=True, editable=False)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()
    scope = WithinAny("memberships", "unit", orphans=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["username"]

    #: Django's admin and libraries ask for these; the answer comes from the memberships.
    is_superuser = False

    def __str__(self) -> str:
        return self.name or self.username

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(raw_password)
        self.password_set_at = timezone.now()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name or self.username

    @cached_property
    def grants(self) -> tuple[Grant, ...]:
        """Memberships in force today, read once per request (a user object lives that long)."""
        if not self.is_active:
            return ()
        with connection.cursor() as cursor:
            cursor.execute(*_grants_sql(self.pk, timezone.localdate()))
            return tuple(Grant(*row) for row in cursor.fetchall())

    @property
    def unit_names(self) -> str:
        """The units at which a role is held today, by full name, for the journal."""
        return "、".join(dict.fromkeys(grant.unit_name for grant in self.grants))

    @property
    def is_staff(self) -> bool:
        """Whether the portal lets this account in at all: at least one membership in force."""
        return bool(self.grants)

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(grant.role for grant in self.grants)

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        """Django's question. With an object, the answer is the wall's."""
        if obj is not None:
            _app, codename = perm.split(".", 1)
            return may(self, codename.split("_", 1)[0], obj)
        return any(grant.gives(perm) for grant in self.grants)

    def has_perms(self, perms: Iterable[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return any(p.startswith(f"{app_label}.") for g in self.grants for p in PERMISSIONS[g.role])


@lru_cache(maxsize=2_000)
def _grants_sql(user_id: int | None, day: datetime.date) -> tuple[str, tuple[Any, ...]]:
    """The question with which every request begins: it is put into SQL once a person and day."""
    rows = User(pk=user_id).memberships.in_force(day)  # type: ignore[attr-defined]
    text, params = rows.values_list("role", "unit_id", "unit__path", "unit__name").query.sql_with_params()
    return text, tuple(params)
