"""GET /healthz: whether each part lives, for people and for monitors."""

from __future__ import annotations

from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal import heartbeat
from projects.services.patrol import last_run

#: Two missed rounds, and time for a long one: the patrol counts as late (seconds).
PATROL_LATE_AFTER = 2 * settings.PATROL_SECONDS + 30


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when every part is well, else 503. Each part says its state and, where it has one, its age in seconds."""
    parts = {**_database(), **_broker()}
    well = all(part["state"] == "ok" for part in parts.values())
    return JsonResponse(
        {"state": "ok" if well else "unwell", "parts": parts},
        status=200 if well else 503,
        headers={"Cache-Control": "no-store"},
    )


def _database() -> dict[str, dict[str, Any]]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        # Of those that came to their end: a run that was killed has none, and would stand before all others.
        latest = last_run()
    except DatabaseError:
        return {"database": {"state": "down", "age": None}, "last_patrol": {"state": "unknown", "age": None}}
    if latest is None or latest.finished_at is None:
        return {"database": {"state": "ok", "age": 0}, "last_patrol": {"state": "never", "age": None}}
    age = (timezone.now() - latest.finished_at).total_seconds()
    state = "ok" if age <= PATROL_LATE_AFTER else "late"
    return {"database": {"state": "ok", "age": 0}, "last_patrol": {"state": state, "age": round(age, 1)}}


def _broker() -> dict[str, dict[str, Any]]:
    try:
        ages = heartbeat.ages()
    except redis.RedisError:
        return {
            "broker": {"state": "down", "age": None},
            "worker": {"state": "unknown", "age": None},
            "beat": {"state": "unknown", "age": None},
        }
    parts: dict[str, dict[str, Any]] = {"broker": {"state": "ok", "age": 0}}
    for name, age in ages.items():
        lives = age is not None and age <= heartbeat.AWAY_AFTER
        parts[name] = {"state": "ok" if lives else "away", "age": None if age is None else round(age, 1)}
    return parts
