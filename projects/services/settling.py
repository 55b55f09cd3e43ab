"""Notices about what is no longer so: they stay in the inbox as history, unread no more and never sent."""

from __future__ import annotations

import datetime
from collections.abc import Collection

from django.db.models import DateField, Exists, OuterRef, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from notices.models import Notice
from notices.services.telling import settle
from projects.deadlines import due_by_q, open_q
from projects.models import Milestone, OverdueEpisode
from projects.notice_names import DUE, OVERDUE, REMINDER


def settle_notices(*, as_of: datetime.date, at: datetime.datetime, run_ids: Collection[int]) -> int:
    """Mark what was told about due dates and is no longer so.

    Overdue notices are many and end with their episode, so only those of the episodes that these runs closed
    are looked at; the others are few, and are compared with their milestones each time.

    Args:
        run_ids: runs of the patrol (`runs_to_follow`).

    Returns:
        How many notices were marked.
    """
    closed = OverdueEpisode.objects.filter(closed_by__in=run_ids).values("milestone_id")
    ended = settle(subject="projects.milestone", ids=closed, at=at, kinds=[OVERDUE]) if run_ids else 0
    owed = Milestone.objects.filter(open_q(), pk=OuterRef("subject_id"))
    ahead = owed.filter(due_by_q(as_of, datetime.date.max), due_on=OuterRef("told_date"))
    return ended + (
        Notice.objects.filter(settled_at__isnull=True, subject="projects.milestone", kind__in=[DUE, REMINDER])
        .annotate(told_date=Cast(KT("data__due_on"), DateField()))
        .filter(Q(kind=DUE) & ~Exists(ahead) | Q(kind=REMINDER) & ~Exists(owed))
        .update(settled_at=at)
    )
