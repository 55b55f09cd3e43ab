"""Telling: writes rows of the inbox, once for each cause and recipient, and marks what is no longer so.

Nothing leaves the portal here. What leaves, when and in which message is decided later
(`services.packing`), so a save is done whatever the mail server and the broker do.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import QuerySet

from enterprises.models import User
from notices.kinds import kind_of
from notices.models import Notice, Preference
from notices.ways import Way

CHUNK = 5_000


@dataclass(frozen=True, kw_only=True)
class Tell:
    """Something one person or one group has to know.

    Args:
        recipient_id: the account; or `robot_id`, the group. Exactly one of them.
        kind: name of a registered kind (`notices.kinds`).
        cause: what it is told about, at most 120 characters. One recipient is told one cause once, for ever.
        data: what the words are made from: JSON values, dates and decimals.
        subject: what it is about, "projects.milestone", with `subject_id`.
        on: the true day of what it tells.
        urgent: leaves at once, where the person has not chosen otherwise.
        mandatory: the programme leaves no choice to keep it in the portal only.
        leaves_at: not before this moment does it leave (quiet hours); None for at once.
    """

    kind: str
    cause: str
    subject: str
    subject_id: int | None
    on: datetime.date
    recipient_id: int | None = None
    robot_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    enterprise_id: int | None = None
    urgent: bool = False
    mandatory: bool = False
    leaves_at: datetime.datetime | None = None


def tell(items: Iterable[Tell], *, at: datetime.datetime) -> int:
    """Write notices; what a recipient was told already is passed over.

    Args:
        items: any number, from anywhere; read in chunks.
        at: the moment, for `at` and for a blank `leaves_at`.

    Returns:
        How many were new.
    """
    source, new = iter(items), 0
    while chunk := list(islice(source, CHUNK)):
        new += _insert(chunk, _Ways(chunk), at)
    return new


def settle(
    *,
    subject: str,
    ids: Iterable[int] | QuerySet[Any, Any],
    at: datetime.datetime,
    kinds: Iterable[str] | None = None,
) -> int:
    """Mark what was told about these things as no longer so: it is not unread and not sent any more.

    Args:
        subject: "projects.milestone".
        ids: ids, or a queryset of one column of ids.
        kinds: only notices of these kinds; None for all.

    Returns:
        How many notices were marked.
    """
    chosen = ids if isinstance(ids, QuerySet) else list(ids)
    rows = Notice.objects.filter(subject=subject, subject_id__in=chosen, settled_at__isnull=True)
    if kinds is not None:
        rows = rows.filter(kind__in=list(kinds))
    return rows.update(settled_at=at)


def way_of(*, urgent: bool, mandatory: bool, preferred: str | None, has_address: bool) -> Way:
    """How a notice leaves the portal for a person.

    The person's choice holds, except that what the programme makes mandatory leaves the portal at least with
    the digest, and at once when it is urgent. Without an address everything stays in the inbox: an address
    that is filled in later does not bring the past with it.
    """
    if not has_address:
        return Way.INBOX
    own = Way.AT_ONCE if urgent else Way.DIGEST
    if mandatory and urgent:
        return Way.AT_ONCE
    way = Way(preferred) if preferred else own
    return Way.DIGEST if mandatory and way == Way.INBOX else way


class _Ways:
    """Preferences and addresses of everybody in a chunk, with two queries."""

    def __init__(self, chunk: list[Tell]) -> None:
        people = {item.recipient_id for item in chunk if item.recipient_id is not None}
        chosen = Preference._base_manager.filter(user_id__in=people)
        reached = User._base_manager.filter(pk__in=people, is_active=True).exclude(email="")
        self.preferred = {
            (user, group): way for user, group, way in chosen.values_list("user_id", "group", "way")
        }
        self.reached = set(reached.values_list("pk", flat=True))

    def of(self, item: Tell) -> Way:
        if item.recipient_id is None:
            return Way.AT_ONCE if item.urgent else Way.DIGEST
        return way_of(
            urgent=item.urgent,
            mandatory=item.mandatory,
            preferred=self.preferred.get((item.recipient_id, kind_of(item.kind).group)),
            has_address=item.recipient_id in self.reached,
        )


_INSERT = """
INSERT INTO notices_notice (recipient_id, robot_id, kind, cause, data, subject, subject_id, enterprise_id,
                            "on", at, urgent, way, leaves_at)
SELECT recipient_id, robot_id, kind, cause, data, subject, subject_id, enterprise_id,
       "on", %(at)s, urgent, way, COALESCE(leaves_at, %(at)s)
FROM jsonb_to_recordset(%(rows)s::jsonb)
     AS told(recipient_id bigint, robot_id bigint, kind text, cause text, data jsonb, subject text,
             subject_id bigint, enterprise_id bigint, "on" date, urgent boolean, way text,
             leaves_at timestamptz)
ON CONFLICT DO NOTHING
"""


def _insert(chunk: list[Tell], ways: _Ways, at: datetime.datetime) -> int:
    # In one order for all writers: two that tell the same causes wait for each other instead of dying.
    chunk.sort(key=lambda item: (item.recipient_id or 0, item.robot_id or 0, item.cause))
    rows = [
        {
            "recipient_id": item.recipient_id,
            "robot_id": item.robot_id,
            "kind": item.kind,
            "cause": item.cause,
            "data": dict(item.data),
            "subject": item.subject,
            "subject_id": item.subject_id,
            "enterprise_id": item.enterprise_id,
            "on": item.on,
            "urgent": item.urgent,
            "way": ways.of(item).value,
            "leaves_at": item.leaves_at and item.leaves_at.isoformat(),
        }
        for item in chunk
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {"rows": json.dumps(rows, cls=DjangoJSONEncoder), "at": at})
        return int(cursor.rowcount)
