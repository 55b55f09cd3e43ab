"""The inbox: what one person reads, and what the header of every page says about it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Exists, IntegerField, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Coalesce

from enterprises.models import User
from enterprises.scoping import Grant
from notices.kinds import kinds_of
from notices.models import MailServer, Notice, Preference, Robot
from notices.ways import Group, Way

#: In the words of the partial index `notice_unread`.
UNREAD = Q(read_at__isnull=True, settled_at__isnull=True)


@dataclass(frozen=True)
class Header:
    """What every page shows: how much is unread, and whether something that carries messages is switched off."""

    unread: int
    mail_is_off: bool
    robots_are_off: bool

    @property
    def shown(self) -> str:
        return "99+" if self.unread > 99 else str(self.unread)


def header_of(*, reader: User) -> Header:
    """One query for all of it. Channels are told to whoever may look at them."""
    text, params = _header_sql(reader.pk, reader.grants)
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        row = cursor.fetchone()
    return Header(*(row or (0, False, False)))


@lru_cache(maxsize=1_000)
def _header_sql(reader_id: int, grants: tuple[Grant, ...]) -> tuple[str, tuple[Any, ...]]:
    """The question of every page: it is put into SQL once a person, which takes five times as long as the answer.

    It depends on nothing but these two: who asks, and what the memberships of today open to him.
    """
    reader = User(pk=reader_id)
    reader.grants = grants
    unread = (
        Notice.objects.visible_to(reader)
        .filter(UNREAD)
        .order_by()
        .values("recipient")
        .annotate(n=Count("pk"))
    )
    off = Q(switched_off_at__isnull=False)
    mail, robots = MailServer.objects.visible_to(reader), Robot.objects.visible_to(reader)
    rows = (
        User._base_manager.filter(pk=reader.pk)
        .annotate(
            unread=Coalesce(Subquery(unread.values("n")), Value(0), output_field=IntegerField()),
            mail_is_off=Exists(mail.filter(off)),
            robots_are_off=Exists(robots.filter(off, is_on=True)),
        )
        .values_list("unread", "mail_is_off", "robots_are_off")
    )
    text, params = rows.query.sql_with_params()
    return text, tuple(params)


def notices_of(*, reader: User, show: str = "", group: str = "", text: str = "") -> QuerySet[Notice]:
    """Notices of one person, newest first.

    Args:
        show: "unread", "settled", or anything else for all.
        group: a `ways.Group`, or "" for all.
        text: occurs in what the notice tells: a programme, a project, an enterprise.
    """
    rows = Notice.objects.visible_to(reader).select_related("enterprise").order_by("-id")
    if show == "unread":
        rows = rows.filter(UNREAD)
    elif show == "settled":
        rows = rows.filter(settled_at__isnull=False)
    if group in Group.values:
        rows = rows.filter(kind__in=kinds_of(group))
    if text:
        told: Any = rows.alias(words=Cast("data", TextField()))
        rows = told.filter(Q(words__icontains=text) | Q(enterprise__name__icontains=text))
    return rows


def mark(*, reader: User, ids: Iterable[int] | None, read: bool, at: datetime.datetime) -> int:
    """Mark notices as read or unread; `None` for all. Ids of others are passed over like missing ones.

    What is no longer so is not unread: "all" leaves it alone, and tells of as many as the header counted.

    Returns:
        How many changed.
    """
    rows = Notice.objects.permitted(reader, "change").filter(read_at__isnull=read)
    rows = rows.filter(settled_at__isnull=True) if ids is None else rows.filter(pk__in=list(ids))
    return rows.update(read_at=at if read else None)


def ways_of(*, reader: User) -> dict[str, str]:
    """Group → chosen way, for the groups where something was chosen."""
    return dict(Preference.objects.visible_to(reader).values_list("group", "way"))


@transaction.atomic
def choose(*, actor: User, email: str, ways: dict[str, str]) -> None:
    """Keep one's own address and choices; "" for a group goes back to the way of the notice itself.

    What already waits keeps the way it was written with: an address filled in today does not send the past.
    """
    # Two windows at once: the second waits and finds the rows of the first, instead of making them again.
    own = User._base_manager.select_for_update(no_key=True).get(pk=actor.pk)
    if own.email != email:
        own.email = email
        own.save(update_fields=["email"])
    held = {row.group: row for row in Preference.objects.visible_to(actor)}
    for group in Group.values:
        way, row = ways.get(group, ""), held.get(group)
        if way not in Way.values:
            if row is not None:
                row.delete()
        elif row is None:
            Preference.objects.create(user=actor, group=group, way=way)
        elif row.way != way:
            row.way = way
            row.save(update_fields=["way"])
