"""How the channels do: counted by the delivery, switched off by it for good reasons, switched on by people."""

from __future__ import annotations

import datetime

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from enterprises.models import User
from enterprises.scoping import may
from journal.context import acting
from notices.models import MailServer, Message, Robot
from notices.ways import Channel

#: A channel that answers nobody for so long, at least so many times in a row, is switched off as well.
GIVES_UP_AFTER = datetime.timedelta(days=1)
GIVES_UP_FAILURES = 20
#: A success is written down this often: each is an update of one row that all workers share.
_SUCCESS_EVERY = datetime.timedelta(minutes=1)


def mail_server() -> MailServer:
    """The one row. Made when it is first asked for."""
    return MailServer.objects.get_or_create(name="email")[0]


def did_well(channel: MailServer | Robot, *, at: datetime.datetime) -> None:
    rows = type(channel)._base_manager.filter(pk=channel.pk)
    stale = Q(last_ok_at__isnull=True) | Q(last_ok_at__lt=at - _SUCCESS_EVERY)
    rows.filter(Q(failures__gt=0) | stale).update(failures=0, failing_since=None, last_ok_at=at)


def failed(channel: MailServer | Robot, *, reason: str, at: datetime.datetime) -> None:
    """One more temporary failure; after a day of nothing else the channel is switched off."""
    rows = type(channel)._base_manager.filter(pk=channel.pk)
    rows.update(
        failures=F("failures") + 1,
        failing_since=Coalesce("failing_since", at),
        last_error=reason,
        last_error_at=at,
    )
    if rows.filter(failures__gte=GIVES_UP_FAILURES, failing_since__lte=at - GIVES_UP_AFTER).exists():
        switch_off(channel, reason=reason, at=at)


def switch_off(channel: MailServer | Robot, *, reason: str, at: datetime.datetime) -> None:
    """Ask nothing of the channel any more. Its messages wait; the first reason stays."""
    with acting(by="notices", source="patrol"):
        rows = type(channel)._base_manager.filter(pk=channel.pk)
        rows.filter(switched_off_at__isnull=True).update(
            switched_off_at=at, switched_off_because=reason[:500], last_error=reason, last_error_at=at
        )


def switch_on(channel: MailServer | Robot, *, actor: User, at: datetime.datetime) -> int:
    """Use the channel again, after it was mended and tried (`services.trying`).

    What waits is tried at once, and the days after which a message is given up count anew: it was the channel
    that failed, not they.

    Returns:
        How many messages wait.

    Raises:
        PermissionError: the actor has no right on the channel.
    """
    if not may(actor, "change", channel):
        raise PermissionError("no right to switch this channel on")
    rows = type(channel)._base_manager.filter(pk=channel.pk)
    rows.update(switched_off_at=None, switched_off_because="", failures=0, failing_since=None, last_ok_at=at)
    waiting = Message.objects.filter(state=Message.State.WAITING)
    carried = (
        waiting.filter(robot=channel) if isinstance(channel, Robot) else waiting.filter(channel=Channel.EMAIL)
    )
    return carried.update(next_try_at=at, first_tried_at=None)
