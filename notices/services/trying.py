"""Test messages: sent while the person waits, written into the delivery log like any other."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import translation
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.scoping import may
from notices.channels.failures import SendFailure
from notices.channels.letter import Letter
from notices.models import Message, Robot
from notices.services import health
from notices.services.claiming import day_of
from notices.services.composing import compose
from notices.services.outbox import MailCarrier, RobotCarrier
from notices.services.turns import turn
from notices.ways import Channel

#: Between two test messages of one person: the address is theirs to type, and this is no way to flood somebody.
PAUSE = datetime.timedelta(seconds=60)


class TooSoon(Exception):
    """The person has just sent a test message."""


def try_mail(
    *, actor: User, postman: MailCarrier, at: datetime.datetime, portal_url: str, language: str
) -> Message:
    """Send a test message to the actor's own address.

    Returns:
        The row of the log; `last_error` says why it did not leave.

    Raises:
        TooSoon
        ValueError: the actor has no address.
    """
    if not actor.email:
        raise ValueError("no address to send a test message to")
    with _one_at_a_time(actor, at):
        message = _message(actor, Channel.EMAIL, at, recipient=actor, address=actor.email)
        letter = _letter(message, portal_url, language)
        error = ""
        try:
            postman.send(letter, actor.email)
        except SendFailure as failure:
            error = failure.reason
        if not error:
            health.did_well(health.mail_server(), at=at)
        return _kept(message, letter, error, at)


def try_robot(
    *,
    actor: User,
    robot: Robot,
    messenger: RobotCarrier,
    at: datetime.datetime,
    portal_url: str,
    language: str,
) -> Message:
    """Send a test message to a group.

    Raises:
        TooSoon
        PermissionError: the actor may not change the robot.
    """
    if not may(actor, "change", robot):
        raise PermissionError("no right to send through this robot")
    with _one_at_a_time(robot, at):
        message = _message(actor, robot.kind, at, robot=robot, address=robot.name)
        letter = _letter(message, portal_url, language)
        error = ""
        try:
            messenger.send(letter, kind=robot.kind, address=robot.address, secret=robot.secret, now=at)
        except SendFailure as failure:
            error = failure.reason
        if not error:
            health.did_well(robot, at=at)
        return _kept(message, letter, error, at)


@contextmanager
def _one_at_a_time(to: User | Robot, at: datetime.datetime) -> Iterator[None]:
    """The row of the log is written after the attempt; who presses again meanwhile would find none.

    Raises:
        TooSoon: one was sent within `PAUSE`, or is being sent.
    """
    mine = Message.objects.filter(robot=to) if isinstance(to, Robot) else Message.objects.filter(recipient=to)
    with turn(f"notices.test:{to._meta.model_name}:{to.pk}") as is_ours:
        if not is_ours or mine.filter(kind=Message.Kind.TEST, created_at__gt=at - PAUSE).exists():
            raise TooSoon
        yield


def _message(
    actor: User,
    channel: str,
    at: datetime.datetime,
    *,
    address: str,
    recipient: User | None = None,
    robot: Robot | None = None,
) -> Message:
    return Message(
        key=uuid.uuid4(),
        channel=channel,
        kind=Message.Kind.TEST,
        recipient=recipient,
        robot=robot,
        on=day_of(at),
        address=address,
        created_at=at,
        next_try_at=at,
        attempts=1,
        first_tried_at=at,
        last_tried_at=at,
    )


def _letter(message: Message, portal_url: str, language: str) -> Letter:
    with translation.override(language):
        message.subject = _("Test message of the livelihood project portal")
    return compose(message, [], portal_url=portal_url, language=language)


def _kept(message: Message, letter: Letter, error: str, at: datetime.datetime) -> Message:
    """Written after the attempt: a row that waits would be taken by a worker and sent once more."""
    message.subject = letter.subject
    message.state = Message.State.FAILED if error else Message.State.SENT
    message.last_error = error
    message.finished_at = at
    message.save(force_insert=True)
    return message
