"""Signs of life: who stamps, who does not, and how quickly /healthz hears of it. With a real worker."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.test import Client
from django.utils import timezone

from portal import heartbeat
from portal.servers import commands
from portal.servers.layout import PROJECT_ROOT
from portal.servers.processes import wait_until
from projects.models import PatrolRun

PERIOD = 0.5


@pytest.fixture
def broker(settings: Any) -> redis.Redis:
    """A database of Valkey of these tests' own."""
    settings.REDIS_URL = os.environ["REDIS_URL"].replace("db=0", "db=7")
    found = heartbeat.connection()
    found.flushdb()
    return found


@pytest.fixture
def worker(broker: redis.Redis, settings: Any, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    argv = ["tests.stuck_worker" if part == "portal" else part for part in commands.worker({})]
    argv += ["-n", f"{tmp_path.name}@test"]
    environ = {**os.environ, "REDIS_URL": settings.REDIS_URL}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            argv, env=environ, cwd=PROJECT_ROOT, stdout=log, stderr=log, start_new_session=True
        )
    try:
        assert wait_until(lambda: broker.exists(heartbeat.key("worker")) == 1, 60), (
            tmp_path / "log"
        ).read_text()
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def never(condition: Callable[[], bool], seconds: float) -> bool:
    return not wait_until(condition, seconds)


@pytest.mark.processes
def test_a_worker_whose_loop_hangs_does_not_look_alive(
    worker: subprocess.Popen[bytes], broker: redis.Redis
) -> None:
    stamped = broker.get(heartbeat.key("worker"))
    assert wait_until(lambda: broker.get(heartbeat.key("worker")) != stamped, 10), "while it turns it stamps"
    broker.set("hang", 1)
    time.sleep(2 * PERIOD)  # it notices within a tenth of a second
    stamped = broker.get(heartbeat.key("worker"))
    assert never(lambda: broker.get(heartbeat.key("worker")) != stamped, 6 * PERIOD)
    assert worker.poll() is None, "it is still there, and its threads with it"


@pytest.mark.processes
def test_after_a_flush_the_worker_is_seen_again_within_a_period(
    worker: subprocess.Popen[bytes], broker: redis.Redis
) -> None:
    for _time in range(3):
        broker.flushdb()
        assert wait_until(lambda: broker.exists(heartbeat.key("worker")) == 1, 2 * PERIOD)


@pytest.mark.django_db
def test_health_answers_at_once_while_the_broker_is_away(settings: Any, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/none.sock?db=0"
    began = time.monotonic()
    answer = Client().get("/healthz")
    assert time.monotonic() - began < 1
    assert answer.status_code == 503
    assert answer.json()["parts"]["broker"]["state"] == "down"


@pytest.mark.django_db
def test_a_patrol_that_was_killed_does_not_stand_before_those_that_ended() -> None:
    """Its run has no end, and PostgreSQL sorts what is missing before everything: /healthz stayed red for good."""
    now = timezone.now()
    PatrolRun.objects.create(as_of=now.date(), started_at=now, finished_at=now)
    PatrolRun.objects.create(as_of=now.date(), started_at=now)
    assert Client().get("/healthz").json()["parts"]["last_patrol"]["state"] == "ok"
