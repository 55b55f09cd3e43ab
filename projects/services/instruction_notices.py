"""Telling of instructions and action items: whoever has to act, and whoever waits for the answer."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import F

from enterprises.models import User
from enterprises.scoping import may_each
from notices.services.telling import Tell, settle, tell
from projects.deadlines import item_overdue_q, item_untold_q
from projects.ladder import Recipient
from projects.models import ActionItem, Project
from projects.notice_names import ANSWER, INSTRUCTION, ITEM_OVERDUE
from projects.querysets import in_force_q
from projects.services.posts import Holder, Posts

#: Who acts on an instruction; where both posts are vacant, the next in line.
_ACTING = (Recipient.COORDINATOR.value, Recipient.DIRECT_LEAD.value)
#: Items that one transaction of the patrol tells of.
CHUNK = 500


def tell_instructions(
    items: Iterable[ActionItem], *, actor: User, at: datetime.datetime, as_of: datetime.date
) -> int:
    """Tell of new items at once, in the transaction that writes them. Returns how many notices were written."""
    return _tell_acting(list(items), INSTRUCTION, actor=actor, at=at, as_of=as_of, cause="given")


def tell_reopened(
    item: ActionItem, *, actor: User, at: datetime.datetime, as_of: datetime.date, reason: str
) -> int:
    """Tell that an answer did not hold. An item may be opened again more than once: each is a cause."""
    cause = f"again:{int(at.timestamp())}"
    return _tell_acting([item], INSTRUCTION, actor=actor, at=at, as_of=as_of, cause=cause, reason=reason)


def tell_answer(item: ActionItem, *, actor: User, at: datetime.datetime, as_of: datetime.date) -> int:
    """Tell the leader, whoever wrote it down, and the reviewers that an item is done."""
    posts = Posts([item.project], on=as_of)
    reviewers = {holder.user_id for holder in posts.find(item.project, Recipient.REVIEWER.value).people}
    asked = [(pk, item) for pk in {item.leader_id, item.recorded_by_id, *reviewers} - {actor.pk}]
    data = {**_about(item), "by": str(actor), "note": item.done_note, "done_on": str(item.done_on)}
    return tell(
        (
            Tell(
                recipient_id=pk,
                kind=ANSWER,
                cause=f"item:{item.pk}:done:{int(at.timestamp())}",
                data=data,
                subject=item._meta.label_lower,
                subject_id=item.pk,
                enterprise_id=item.project.enterprise_id,
                on=as_of,
            )
            for pk, _item in may_each("view", asked, on=as_of)
        ),
        at=at,
    )


def tell_overdue_items(*, as_of: datetime.date, at: datetime.datetime) -> int:
    """Tell of the items whose date has passed, once for each date.

    Part of the patrol: rows that another worker has in hand are left to it, and what was claimed is told in
    the same transaction.

    Returns:
        How many notices were written.
    """
    told = 0
    while True:
        with transaction.atomic():
            due = ActionItem.objects.filter(item_overdue_q(as_of), item_untold_q())
            # Of an archived programme nobody is told.
            due = due.filter(in_force_q(as_of, "project__programme__")).order_by("pk")
            rows = due.select_related("project__enterprise", "project__programme", "leader")
            items = list(rows.select_for_update(of=("self",), skip_locked=True)[:CHUNK])
            told += _tell_acting(items, ITEM_OVERDUE, actor=None, at=at, as_of=as_of, cause="late")
            ActionItem.objects.filter(pk__in=[item.pk for item in items]).update(told_due_on=F("due_on"))
        if len(items) < CHUNK:
            return told


def settle_items(ids: Collection[int], *, at: datetime.datetime) -> int:
    """Nobody has to act on these any more."""
    kinds = (INSTRUCTION, ITEM_OVERDUE)
    return settle(subject=ActionItem._meta.label_lower, ids=ids, at=at, kinds=kinds)


def _tell_acting(
    items: list[ActionItem],
    kind: str,
    *,
    actor: User | None,
    at: datetime.datetime,
    as_of: datetime.date,
    cause: str,
    reason: str = "",
) -> int:
    if not items:
        return 0
    posts = Posts([item.project for item in items], on=as_of)
    named = {(item.responsible_id, item) for item in items if item.responsible_id}
    can = {(pk, item.pk) for pk, item in may_each("view", named, on=as_of)}  # type: ignore[arg-type]

    def notices() -> Iterator[Tell]:
        for item in items:
            due = f":{item.due_on}" if kind == ITEM_OVERDUE else ""
            people = _acting(posts, item.project)
            if (item.responsible_id, item.pk) in can:
                people.setdefault(item.responsible_id, Holder(item.responsible_id))  # type: ignore[arg-type]
            if kind == ITEM_OVERDUE:
                people.setdefault(item.leader_id, Holder(item.leader_id))
            data: dict[str, Any] = {**_about(item), "by": str(item.leader), "reason": reason}
            for holder in people.values():
                if actor is None or holder.user_id != actor.pk:
                    yield Tell(
                        recipient_id=holder.user_id,
                        kind=kind,
                        cause=f"item:{item.pk}:{cause}{due}",
                        data={**data, "acting_for": holder.acting_for},
                        subject=item._meta.label_lower,
                        subject_id=item.pk,
                        enterprise_id=item.project.enterprise_id,
                        on=as_of,
                        urgent=kind == INSTRUCTION,
                        mandatory=kind == INSTRUCTION,
                    )

    return tell(notices(), at=at)


def _acting(posts: Posts, project: Project) -> dict[int, Holder]:
    """Coordinator and direct lead; where both posts are vacant, whoever stands in for them."""
    found = [posts.find(project, post) for post in _ACTING]
    filled = [one for one in found if not one.instead]
    return {holder.user_id: holder for one in filled or found[-1:] for holder in one.people}


def _about(item: ActionItem) -> dict[str, Any]:
    project = item.project
    return {
        "text": item.text,
        "due_on": str(item.due_on),
        "of_visit": item.visit_id is not None,
        "project": project.name,
        "project_id": project.pk,
        "enterprise": project.enterprise.short_name or project.enterprise.name,
        "programme": project.programme.name,
    }
