"""Packing: puts what waits into messages, one for each recipient. Sending them is `services.outbox`.

A few statements, each over all recipients at once. Five workers at once make no two messages of one thing: only
one packs at a time (an advisory lock, taken or passed over), a notice points to at most one message, and a second
digest of a recipient's day is refused by a constraint.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

#: A second urgent message does not follow the first within this time: what comes meanwhile goes together.
PAUSE = datetime.timedelta(seconds=60)
_LOCK = 0x6E6F7469  # any number that nobody else uses
_TAKE = "SELECT pg_try_advisory_xact_lock(%s)"


@dataclass(frozen=True)
class Packed:
    """How many messages were made or merged, and notices that stay in the portal because nothing carries them."""

    at_once: int = 0
    digests: int = 0
    merged: int = 0
    stayed: int = 0


def pack(
    *,
    now: datetime.datetime,
    working_day: bool,
    digest_at: datetime.time,
    mail: bool,
) -> Packed:
    """Make the messages that are due.

    Args:
        now: the moment; its day in the portal's time zone is the day of what is made.
        working_day: whether that day is one; digests wait for the next otherwise.
        digest_at: time of day from which the digest is made.
        mail: whether a mail server is set up. Without one what people were told stays in their inbox, for
            good: setting one up later must not send the past.
    """
    local = timezone.localtime(now)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE, [_LOCK])
        if not cursor.fetchone()[0]:
            return Packed()
        facts: dict[str, Any] = {"now": now, "today": local.date(), "paused": now - PAUSE, "mail": mail}
        cursor.execute(_STAYS, facts)
        stayed = int(cursor.fetchone()[0])
        _fill(cursor, _rows(cursor, _UNTRIED, facts), {**facts, "way": "at_once"})
        at_once = _make(cursor, _MAKE_AT_ONCE, {**facts, "way": "at_once"})
        if not working_day or local.time() < digest_at:
            return Packed(at_once=at_once, stayed=stayed)
        cursor.execute(_MERGE, facts)
        merged = int(cursor.fetchone()[0])
        digests = _make(cursor, _MAKE_DIGESTS, {**facts, "way": "digest"})
        return Packed(at_once=at_once, digests=digests, merged=merged, stayed=stayed)


def _make(cursor: Any, statement: str, facts: dict[str, Any]) -> int:
    """Make the messages and put into them what waits; how many there are."""
    made = _rows(cursor, statement, facts)
    _fill(cursor, made, facts)
    return len(made)


def _fill(cursor: Any, messages: list[Any], facts: dict[str, Any]) -> None:
    """Put what waits into these messages: rows of id, recipient, robot.

    Whatever the planner takes the numbers of rows for, this is one hash join. Left to itself it took 60,000 waiting
    notices for one and compared each with each of 20,000 messages.
    """
    if not messages:
        return
    cursor.execute("SET LOCAL enable_nestloop = off")
    for place, who in ((1, "recipient_id"), (2, "robot_id")):
        ids, whom = [row[0] for row in messages if row[place]], [row[place] for row in messages if row[place]]
        if ids:
            cursor.execute(_FILL.format(who=who), {**facts, "ids": ids, "whom": whom})
    cursor.execute("SET LOCAL enable_nestloop = on")


def _rows(cursor: Any, statement: str, facts: dict[str, Any]) -> list[Any]:
    cursor.execute(statement, facts)
    return list(cursor.fetchall())


#: In the words of the partial index `notice_to_pack`.
_WAITING = "n.message_id IS NULL AND n.settled_at IS NULL AND NOT (n.way = 'inbox')"

# What nothing will carry: no mail server, or a robot that a person took out of use.
_STAYS = f"""
WITH kept AS (
    UPDATE notices_notice n SET way = 'inbox'
    WHERE {_WAITING} AND (
        (n.recipient_id IS NOT NULL AND NOT %(mail)s)
        OR n.robot_id IN (SELECT id FROM notices_robot WHERE NOT is_on)
    )
    RETURNING 1
)
SELECT count(*) FROM kept
"""

_NO_OTHER = """
    AND NOT EXISTS (SELECT FROM notices_message t WHERE t.recipient_id = n.recipient_id AND {which})
    AND NOT EXISTS (SELECT FROM notices_message t WHERE t.robot_id = n.robot_id AND {which})
"""
_NONE_JUST_NOW = _NO_OTHER.format(which="t.kind = 'at_once' AND t.created_at > %(paused)s")
_NO_DIGEST_TODAY = _NO_OTHER.format(which="""t.kind = 'digest' AND t."on" = %(today)s""")

# While the channel is away, what is urgent joins the message that was never tried: no storm when it is back.
# The message is locked first: one that a worker is just claiming would be put into words without the new lines.
_UNTRIED = f"""
SELECT m.id, m.recipient_id, m.robot_id FROM notices_message m
WHERE m.state = 'waiting' AND m.kind = 'at_once' AND m.attempts = 0 AND (
    m.recipient_id IN (SELECT n.recipient_id FROM notices_notice n
                       WHERE {_WAITING} AND n.way = 'at_once' AND n.leaves_at <= %(now)s)
    OR m.robot_id IN (SELECT n.robot_id FROM notices_notice n
                      WHERE {_WAITING} AND n.way = 'at_once' AND n.leaves_at <= %(now)s)
)
FOR UPDATE SKIP LOCKED
"""

_MAKE = f"""
WITH made AS (
    INSERT INTO notices_message (key, channel, kind, recipient_id, robot_id, "on", address, subject, state,
                                 created_at, next_try_at, attempts, last_error)
    SELECT gen_random_uuid(), COALESCE(r.kind, 'email'), %(way)s, w.recipient_id, w.robot_id, %(today)s, '', '',
           'waiting', %(now)s, %(now)s, 0, ''
    FROM (
        SELECT DISTINCT n.recipient_id, n.robot_id FROM notices_notice n
        WHERE {_WAITING} AND n.way = %(way)s AND n.leaves_at <= %(now)s {{none}}
    ) w LEFT JOIN notices_robot r ON r.id = w.robot_id
    ON CONFLICT DO NOTHING RETURNING id, recipient_id, robot_id
)
SELECT id, recipient_id, robot_id FROM made
"""
_MAKE_AT_ONCE = _MAKE.format(none=_NONE_JUST_NOW)
_MAKE_DIGESTS = _MAKE.format(none=_NO_DIGEST_TODAY)

_FILL = f"""
UPDATE notices_notice n SET message_id = made.id
FROM unnest(%(ids)s::bigint[], %(whom)s::bigint[]) AS made(id, whom)
WHERE {_WAITING} AND n.way = %(way)s AND n.leaves_at <= %(now)s AND n.{{who}} = made.whom
"""

# A digest of an earlier morning that was never tried goes into today's, so that days of a broken channel or of
# missed runs end in one message. One that was tried may have arrived: it stays as it is and goes on alone.
_MERGE = f"""
WITH old AS (
    SELECT n.id FROM notices_message n
    WHERE n.state = 'waiting' AND n.kind = 'digest' AND n.attempts = 0 AND n."on" < %(today)s
    {_NO_DIGEST_TODAY}
    FOR UPDATE OF n SKIP LOCKED
), freed AS (
    UPDATE notices_notice n SET message_id = NULL FROM old WHERE n.message_id = old.id RETURNING 1
), merged AS (
    UPDATE notices_message m SET state = 'merged', finished_at = %(now)s FROM old WHERE m.id = old.id RETURNING 1
)
SELECT count(*) FROM merged
"""
