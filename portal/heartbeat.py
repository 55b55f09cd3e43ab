"""Signs of life of worker and beat, for /healthz.

Each stamps its own key in the broker. A task that beat sends and the worker runs would be simpler,
but could not tell which of the two is dead. That tasks are really run is told by the last patrol.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

import redis
from celery import bootsteps
from celery.beat import PersistentScheduler
from django.conf import settings
from kombu.exceptions import OperationalError

#: Seconds between two stamps, and after how many the process counts as away (two periods and a bit).
PERIOD = 10
AWAY_AFTER = 25


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


class SignOfLife(bootsteps.StartStopStep):
    """Part of the worker's consumer: started with each connection to the broker, stopped with it.

    It stamps from a timer of the event loop that takes tasks from the queue. A thread would go on
    stamping while that loop hangs, or waits for a broker that it has lost.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        stamp("worker")
        self._entry = consumer.timer.call_repeatedly(PERIOD, stamp, ("worker",))
        # After any time away, of worker or broker, the first thing is a patrol: what beat sent meanwhile may
        # be lost, and its next tick may be a period off.
        with contextlib.suppress(OperationalError):
            consumer.app.send_task("projects.patrol", expires=settings.PATROL_SECONDS, retry=False)

    def stop(self, consumer: Any) -> None:
        entry = getattr(self, "_entry", None)
        if entry is not None:
            entry.cancel()


class StampingScheduler(PersistentScheduler):
    """Beat's own scheduler, which stamps whenever it looks at its schedule."""

    _stamped = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> float:
        now = time.monotonic()
        if now - self._stamped >= PERIOD or not self._stamped:
            self._stamped = now
            stamp("beat")
        return min(super().tick(*args, **kwargs), PERIOD)
