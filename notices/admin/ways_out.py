"""The ways out as the settings describe them, for pages that send while a person waits."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from notices.channels.email import MailAccount, Postman
from notices.channels.robots import Messenger

#: A person waits, and so does the web process: shorter than the worker's patience.
PATIENCE = 8.0


def postman() -> Postman | None:
    """None while no mail server is set up."""
    account = MailAccount.of_settings(at_most=PATIENCE)
    return Postman(account) if account is not None else None


def messenger() -> Messenger:
    return Messenger(settings.NOTICES_ROBOT_HOSTS, timeout=PATIENCE)


def wording() -> dict[str, Any]:
    """Arguments of every service that writes a message."""
    return {"portal_url": settings.PORTAL_URL, "language": settings.LANGUAGE_CODE}
