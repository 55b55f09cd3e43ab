"""Writing down who came in, who went out and who failed to: from Django's own signals and those of axes."""

from __future__ import annotations

from typing import Any

from axes.helpers import get_client_ip_address
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from enterprises.models import SignIn, User
from enterprises.scoping import outermost

#: So much of the name of an unknown account is kept: people type passwords into the wrong field.
BEGINNING = 3


def _write(request: HttpRequest | None, user: User | None, username: str, outcome: str) -> None:
    username = username.replace("\0", "")
    if user is None:
        user = User.objects.filter(username=username[:60]).first()
    units = {grant.unit_path: grant.unit_id for grant in user.grants} if user else {}
    # A row for each tree that the person is in: auditors of one do not see the rows of another.
    SignIn.objects.bulk_create(
        SignIn(
            user=user,
            username=user.username if user else f"{username[:BEGINNING]}…",
            unit_id=unit_id,
            address=(get_client_ip_address(request) or None) if request and request.META else None,
            outcome=outcome,
        )
        for unit_id in [units[path] for path in outermost(list(units))] or [None]
    )


def _logged_in(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    _write(request, user, user.username, SignIn.Outcome.LOGGED_IN)


def _logged_out(request: HttpRequest, user: User | None, **_kwargs: Any) -> None:
    if user is not None:  # nobody was logged in
        _write(request, user, user.username, SignIn.Outcome.LOGGED_OUT)


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_kwargs: Any) -> None:
    if not getattr(request, "axes_locked_out", False):  # `_locked` writes that one
        _write(request, None, str(credentials.get("username") or ""), SignIn.Outcome.FAILED)


def _locked(request: HttpRequest, username: str | None = None, **_kwargs: Any) -> None:
    _write(request, None, str(username or ""), SignIn.Outcome.LOCKED)


def connect() -> None:
    user_logged_in.connect(_logged_in, dispatch_uid="sign_in")
    user_logged_out.connect(_logged_out, dispatch_uid="sign_out")
    user_login_failed.connect(_failed, dispatch_uid="sign_in_failed")
    user_locked_out.connect(_locked, dispatch_uid="locked_out")
