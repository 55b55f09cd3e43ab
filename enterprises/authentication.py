"""The login: name and password, then the memberships decide what the account is."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from enterprises.models import User


class AccountBackend(BaseBackend):
    """Rights come from `User.has_perm`, so this backend only checks passwords."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if not username or password is None:
            return None
        user = User._base_manager.filter(username=username).first()
        if user is None:
            # Hash all the same: the time of the answer must not tell which accounts exist.
            User().set_password(password)
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: int) -> User | None:
        return User._base_manager.filter(pk=user_id, is_active=True).first()
