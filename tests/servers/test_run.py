"""`make run` from its start to its end, with the real portal: one long walk, as it is slow."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.servers.layout import PROJECT_ROOT, Layout
from portal.servers.processes import identity, wait_until

pytestmark = pytest.mark.processes

RUN = [sys.executable, "-m", "portal.servers", "run"]
UP = "The portal is up"


class Run:
    """A started `make run` whose output can be read."""

    def __init__(self, data_dir: Path, environ: dict[str, str], port: int, demo: str = "0") -> None:
        self.layout = Layout(data_dir)
        self.output = data_dir.parent / "output"
        self.environ = {**environ, "DATA_DIR": str(data_dir), "PORT": str(port), "DEMO": demo}
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                RUN, env=self.environ, cwd=PROJECT_ROOT, stdout=output, stderr=output
            )

    def said(self, words: str, seconds: float = 90) -> bool:
        return wait_until(
            lambda: words in self.output.read_text() or self.process.poll() is not None, seconds
        ) and (words in self.output.read_text())

    def pids(self) -> dict[str, int]:
        entries = json.loads(self.layout.children_file.read_text())
        return {entry["name"]: entry["pid"] for entry in entries}


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def started(data_dir: Path, bare_environ: dict[str, str], port: int) -> Iterator[list[Run]]:
    runs: list[Run] = []
    yield runs
    for run in runs:
        if run.process.poll() is None:
            run.process.terminate()
            run.process.wait(60)


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def test_the_portal_starts_survives_kill_9_and_stops_cleanly(
    data_dir: Path, bare_environ: dict[str, str], port: int, started: list[Run]
) -> None:
    first = Run(data_dir, bare_environ, port)
    started.append(first)
    assert first.said(UP), first.output.read_text()
    assert answers(port)
    everything = {"postgres", "valkey", "web", "worker", "beat"}
    assert set(first.pids()) == everything

    # A second start on the same data folder is told so; manage.py beside finds the servers.
    again = subprocess.run(
        RUN, env=first.environ, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )
    assert again.returncode == 1
    assert "已有一个进程在使用" in again.stderr
    script = "from django.db import connection as c; c.ensure_connection(); print('connected')"
    beside = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", script],
        env={**bare_environ, "DATA_DIR": str(data_dir)},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "connected" in beside.stdout, beside.stderr

    # kill -9 of the supervisor: nothing of it is left when the next start is up.
    before = {pid: identity(pid) for pid in first.pids().values()}
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    second = Run(data_dir, bare_environ, port)
    started.append(second)
    assert second.said(UP), second.output.read_text()
    assert answers(port)
    assert not any(known and identity(pid) == known for pid, known in before.items())

    # kill -9 of the web process: it is said, and it comes back.
    os.kill(second.pids()["web"], signal.SIGKILL)
    assert second.said("web 意外退出")
    assert wait_until(lambda: answers(port), 30)

    pids = second.pids()
    assert set(pids) == everything
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(60) == 0
    assert "已停止" in second.output.read_text()
    assert all(identity(pid) is None for pid in pids.values())
    assert not (second.layout.postgres_data / "postmaster.pid").exists()
    assert "Traceback" not in second.output.read_text()
