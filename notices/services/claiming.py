"""Claiming: which worker has which message, and how its attempt ended.

A claim is a column of the row with an end (`leased_until`), committed before anything is sent. A worker that is
killed gives its messages back by doing nothing; one that comes back after its lease ended finds that its word no
longer counts (every outcome is written only while the lease is still its own).
"""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass

from django.db import connection
from django.db.models import F
from django.utils import timezone

from notices.models import Message

#: Longer than an attempt, shorter than anybody waits: what a killed worker held is sent within a minute.
LEASE = datetime.timedelta(seconds=45)
#: After an attempt: 30 s, 1, 2, 5, 15, 30 minutes, then every hour.
BACKOFF = tuple(datetime.timedelta(seconds=each) for each in (30, 60, 120, 300, 900, 1800, 3600))
GIVEN_UP_AFTER = datetime.timedelta(days=3)


@dataclass(frozen=True)
class Claim:
    """Messages of one worker, until a moment."""

    ids: tuple[int, ...]
    until: datetime.datetime


_CLAIM = """
UPDATE notices_message SET leased_until = %(until)s, attempts = attempts + 1, last_tried_at = %(now)s,
       first_tried_at = COALESCE(first_tried_at, %(now)s)
WHERE id IN (
    SELECT m.id FROM notices_message m
    WHERE m.state = 'waiting' AND m.next_try_at <= %(now)s
      AND (m.leased_until IS NULL OR m.leased_until <= %(now)s)
      AND CASE WHEN m.channel = 'email' THEN %(mail)s
               ELSE m.robot_id IN (SELECT id FROM notices_robot WHERE is_on AND switched_off_at IS NULL) END
    ORDER BY m.next_try_at, m.id LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
RETURNING id
"""


def claim(*, now: datetime.datetime, limit: int, mail: bool) -> Claim:
    """Take the messages that are due and that nobody holds.

    Args:
        mail: whether e-mail may be sent at all: a server is set up and not switched off.
    """
    until = now + LEASE
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"now": now, "until": until, "limit": limit, "mail": mail})
        return Claim(tuple(sorted(row[0] for row in cursor.fetchall())), until)


def give_back(claimed: Claim, ids: list[int]) -> None:
    """Messages that were claimed and not tried after all: as if nothing had been."""
    if not ids:
        return
    mine = Message.objects.filter(pk__in=ids, leased_until=claimed.until)
    mine.filter(attempts=1).update(first_tried_at=None, last_tried_at=None)
    mine.update(leased_until=None, attempts=F("attempts") - 1)


def fix_words(message: Message, claimed: Claim, *, subject: str, address: str) -> bool:
    """Write down that the message is handed over now; from here on its content does not change.

    Returns:
        False when another worker has it: then it must not be sent.
    """
    mine = Message.objects.filter(pk=message.pk, leased_until=claimed.until, state=Message.State.WAITING)
    return bool(mine.update(subject=subject, address=address[:254]))


def finish(message: Message, claimed: Claim, *, state: str, at: datetime.datetime, error: str = "") -> bool:
    """The message is done with: sent, failed for good, or dropped."""
    mine = Message.objects.filter(pk=message.pk, leased_until=claimed.until)
    return bool(mine.update(state=state, finished_at=at, leased_until=None, last_error=error))


def put_off(
    message: Message, claimed: Claim, *, at: datetime.datetime, error: str, words_stay: bool
) -> datetime.datetime | None:
    """Try again later, or give up after days.

    Args:
        words_stay: the message may have arrived, so a further copy must say the same. Otherwise the next
            attempt tells what is true then.

    Returns:
        When it is tried next; None when it was given up.
    """
    if message.first_tried_at is not None and at - message.first_tried_at >= GIVEN_UP_AFTER:
        finish(message, claimed, state=Message.State.FAILED, at=at, error=error)
        return None
    due = at + backoff(message.attempts)
    mine = Message.objects.filter(pk=message.pk, leased_until=claimed.until)
    words = {} if words_stay else {"subject": ""}
    mine.update(next_try_at=due, leased_until=None, last_error=error, **words)
    return due


def wait_for_the_channel(
    message: Message, claimed: Claim, *, at: datetime.datetime, error: str, words_stay: bool
) -> None:
    """The channel was switched off: the message waits, to go first when it is on again."""
    mine = Message.objects.filter(pk=message.pk, leased_until=claimed.until)
    words = {} if words_stay else {"subject": ""}
    mine.update(next_try_at=at, leased_until=None, last_error=error, **words)


def backoff(attempts: int) -> datetime.timedelta:
    """Time until the next attempt, a fifth more or less: a thousand that failed together come back apart."""
    pause = BACKOFF[min(max(attempts, 1), len(BACKOFF)) - 1]
    return pause * random.uniform(0.8, 1.2)


def day_of(moment: datetime.datetime) -> datetime.date:
    """The day of a moment in the portal's time zone."""
    return timezone.localtime(moment).date()
