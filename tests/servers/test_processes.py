"""Orphans are found and ended; a stranger that got a recorded process id is not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.servers.processes import Children, identity, wait_until


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def _record(children: Children, pid: int, known_as: str | None) -> None:
    children.record.write_text(
        json.dumps([{"name": "web", "pid": pid, "identity": known_as, "signal": signal.SIGTERM}])
    )


def test_an_orphan_of_the_last_start_is_ended(tmp_path: Path, stranger: subprocess.Popen[bytes]) -> None:
    children = Children(tmp_path / "children.json")
    _record(children, stranger.pid, identity(stranger.pid))
    assert children.end_orphans() == ["web"]
    assert stranger.wait(5) == -signal.SIGTERM


def test_a_process_that_only_has_the_recorded_id_is_left_alone(
    tmp_path: Path, stranger: subprocess.Popen[bytes]
) -> None:
    children = Children(tmp_path / "children.json")
    _record(children, stranger.pid, "another-boot:1")
    assert children.end_orphans() == []
    assert stranger.poll() is None


@pytest.mark.parametrize("text", ["", "[{", "[]"])
def test_a_record_cut_short_is_no_obstacle(tmp_path: Path, text: str) -> None:
    children = Children(tmp_path / "children.json")
    children.record.write_text(text)
    assert children.end_orphans() == []


def test_an_orphan_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    children = Children(tmp_path / "children.json")
    _record(children, process.pid, identity(process.pid))
    children.end_orphans(grace=0.2)
    assert process.wait(5) == -signal.SIGKILL


def test_a_process_that_has_ended_has_no_identity() -> None:
    process = subprocess.Popen(["true"])
    assert wait_until(lambda: identity(process.pid) is None, 5)  # a zombie counts as ended
    process.wait()
    assert identity(process.pid) is None


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_a_child_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = f"""
import os, pathlib, time
from portal.servers.processes import Children
child = Children(pathlib.Path({str(tmp_path)!r}, "c.json")).start(
    "sleep", ["sleep", "60"], log=pathlib.Path({str(tmp_path)!r}, "log"), environ=os.environ,
    cwd=pathlib.Path("/"))
print(child.process.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert identity(pid) is not None
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert wait_until(lambda: identity(pid) is None, 5)
