"""A broker that is killed while a task runs, with a real worker: the worker goes on by itself."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings

from portal.servers import commands
from portal.servers.accounts import claimed
from portal.servers.embedded import EmbeddedServers
from portal.servers.layout import PROJECT_ROOT, Layout
from portal.servers.processes import Children, wait_until
from portal.servers.signals import StopSignals

pytestmark = pytest.mark.processes


@pytest.fixture
def broker(data_dir: Path) -> Iterator[EmbeddedServers]:
    """A Valkey of the test's own."""
    layout = Layout(data_dir)
    with claimed(layout, servers=True):
        servers = EmbeddedServers(
            layout, Children(layout.children_file), {"DATABASE_URL": "elsewhere"}, StopSignals()
        )
        servers.start()
        yield servers
        servers.stop()


def test_a_worker_goes_on_when_the_broker_was_killed_while_a_task_ran(
    broker: EmbeddedServers, tmp_path: Path
) -> None:
    """With receipts in the broker (`ack_emulation`) every worker that had a task in hand ended here."""
    url = broker.layout.celery_broker_url
    sender = Celery("tests", broker=url, set_as_current=False)
    sender.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    argv = ["tests.stuck_worker" if part == "portal" else part for part in commands.worker({})]
    environ = {**os.environ, "REDIS_URL": broker.layout.redis_url}
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            argv, env=environ, cwd=PROJECT_ROOT, stdout=log, stderr=log, start_new_session=True
        )
    try:
        for name in ("first", "second"):
            sender.send_task("tests.slow", [str(tmp_path), name])
            assert wait_until((tmp_path / f"{name}-begun").exists, 60), (tmp_path / "log").read_text()
            child = broker.running["valkey"]
            child.process.kill()
            child.process.wait()
            assert wait_until((tmp_path / f"{name}-done").exists, 10), "what was at hand is finished"
            server = broker.servers[0]
            child = broker.restart(child)
            assert wait_until(lambda: server.is_ready(child), 30)  # noqa: B023
        assert worker.poll() is None, (tmp_path / "log").read_text()
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
