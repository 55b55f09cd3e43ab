"""Signs of life of worker and beat, for /healthz.

Each stamps its own key in the broker. A task that beat sends and the worker runs would be simpler,
but could not tell which of the two is dead.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import redis
from celery.beat import PersistentScheduler
from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings

#: Seconds between two stamps, and after how many the process counts as away (two periods and a bit).
PERIOD = 10
AWAY_AFTER = 25

_stop = threading.Event()


def key(part: str) -> str:
    return f"portal:alive:{part}"


def connection() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)


def stamp(part: str) -> None:
    """Say that `part` lives. A broker that is away is seen elsewhere; it must not end the process."""
    with contextlib.suppress(redis.RedisError):
        connection().set(key(part), time.time(), ex=24 * 3600)


def ages() -> dict[str, float | None]:
    """Seconds since worker and beat were last seen; None for never.

    Raises:
        redis.RedisError: the broker does not answer.
    """
    seen = connection().mget([key("worker"), key("beat")])
    now = time.time()
    return {
        part: None if value is None else max(0.0, now - float(value))
        for part, value in zip(("worker", "beat"), seen, strict=True)
    }


@worker_ready.connect
def _worker_lives(**_kwargs: Any) -> None:
    def keep_stamping() -> None:
        while True:
            stamp("worker")
            if _stop.wait(PERIOD):
                return

    _stop.clear()
    threading.Thread(target=keep_stamping, name="heartbeat", daemon=True).start()


@worker_shutting_down.connect
def _worker_leaves(**_kwargs: Any) -> None:
    _stop.set()


class StampingScheduler(PersistentScheduler):
    """Beat's own scheduler, which stamps whenever it looks at its schedule."""

    _stamped = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> float:
        now = time.monotonic()
        if now - self._stamped >= PERIOD or not self._stamped:
            self._stamped = now
            stamp("beat")
        return min(super().tick(*args, **kwargs), PERIOD)
