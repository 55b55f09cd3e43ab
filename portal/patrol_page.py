"""The patrol page: people must see that the worker lives, and what it did."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.scoped_admin import person
from notices.models import Message
from portal import heartbeat
from portal.health import PATROL_LATE_AFTER
from projects.models import PatrolRun, SetAside
from projects.services.patrol import last_run

DAYS_SHOWN = 14
RUNS_SHOWN = 20
ASIDE_SHOWN = 20

_COUNTS = ("opened", "closed", "escalated", "told", "set_aside")
#: A run that did something; the others only say that the patrol lives.
_BUSY = Q(opened__gt=0) | Q(closed__gt=0) | Q(escalated__gt=0) | Q(told__gt=0) | Q(set_aside__gt=0)


@dataclass(frozen=True)
class Part:
    """One process that the patrol needs.

    Attributes:
        age: seconds since its last sign of life, None when there was none.
        state: "ok", "away", or "unknown" when the broker itself does not answer.
    """

    label: str
    state: str
    age: int | None


def patrol_response(site: Any, request: HttpRequest) -> HttpResponse:
    """GET /patrol/."""
    user = person(request)
    if not user.has_perm("projects.view_patrolrun"):
        raise PermissionDenied
    now = timezone.now()
    run = last_run()
    late = (
        run is None or run.finished_at is None or (now - run.finished_at).total_seconds() > PATROL_LATE_AFTER
    )
    aside = SetAside.objects.visible_to(user).filter(resolved_at__isnull=True)
    context = {
        **site.each_context(request),
        "title": _("Patrol"),
        "run": run,
        "is_late": late,
        "next_at": run.finished_at + datetime.timedelta(seconds=settings.PATROL_SECONDS)
        if run and run.finished_at and not late
        else None,
        "every": settings.PATROL_SECONDS,
        "parts": parts(),
        "days": _days(timezone.localdate(now)),
        "runs": PatrolRun.objects.visible_to(user).filter(_BUSY).order_by("-pk")[:RUNS_SHOWN],
        "outbox": _outbox(user, now),
        "sees_aside": user.has_perm("projects.view_setaside"),
        "aside": aside.select_related("milestone__project__enterprise").order_by("-pk")[:ASIDE_SHOWN],
        "aside_count": aside.count(),
    }
    return TemplateResponse(request, "portal/patrol.html", context)


def parts() -> list[Part]:
    """Worker and beat as /healthz sees them."""
    labels = {"worker": _("Worker"), "beat": _("Clock")}
    try:
        ages = heartbeat.ages()
    except redis.RedisError:
        return [Part(_("Broker"), "away", None), *(Part(label, "unknown", None) for label in labels.values())]
    found = [Part(_("Broker"), "ok", None)]
    for name, age in ages.items():
        lives = age is not None and age <= heartbeat.AWAY_AFTER
        found.append(Part(labels[name], "ok" if lives else "away", None if age is None else round(age)))
    return found


def _days(today: datetime.date) -> QuerySet[Any, Any]:
    """What the patrol did on each of the last days, newest first. Counts only: they belong to no unit."""
    since = today - datetime.timedelta(days=DAYS_SHOWN - 1)
    return (
        PatrolRun.objects.filter(by_clock=True, as_of__gte=since)
        .order_by()
        .values("as_of")
        .annotate(first=Min("started_at"), last=Max("finished_at"), runs=Sum("repeats"))
        .annotate(**{f"n_{name}": Sum(name) for name in _COUNTS})
        .order_by("-as_of")
    )


def _outbox(user: User, now: datetime.datetime) -> dict[str, int] | None:
    """What left the portal today and what waits, of the people whose deliveries `user` may follow."""
    if not user.has_perm("notices.log_message"):
        return None
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    states = Message.State
    return (
        Message.objects.permitted(user, "log")
        .order_by()
        .aggregate(
            sent=Count("pk", filter=Q(state=states.SENT, finished_at__gte=midnight)),
            waiting=Count("pk", filter=Q(state=states.WAITING)),
            failed=Count("pk", filter=Q(state=states.FAILED, finished_at__gte=midnight)),
        )
    )
