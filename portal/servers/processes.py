"""Child processes that never outlive us unnoticed.

Two nets. On Linux the kernel signals a child when its parent dies (PR_SET_PDEATHSIG), so even
kill -9 leaves nothing running for more than moments. Everywhere, each child is written down with
its process id and start time, and the next start ends what is still there. The start time is what
makes the id trustworthy: ids are reused, and a stranger's process must never be ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.servers.accounts import Account
from portal.servers.console import START_MARK

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

#: A log larger than this is put aside as `.1` when its process starts.
LOG_LIMIT_BYTES = 5 * 1024 * 1024


def die_with_parent(with_signal: int, parent: int) -> None:
    """Ask the kernel to send us `with_signal` when our parent is gone (Linux; else nothing)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, with_signal, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)


def identity(pid: int) -> str | None:
    """When process `pid` started, as text that no later process of that id shares; None if gone."""
    if sys.platform == "linux":
        try:
            # The command name is in brackets and may hold spaces and brackets itself.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return None
        state, start_ticks = fields[0], fields[19]
        return None if state in "ZX" else f"{boot}:{start_ticks}"
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    state, _, started = shown.partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


@dataclass
class Child:
    """A process we started."""

    name: str
    process: subprocess.Popen[bytes]
    stop_signal: int

    @property
    def running(self) -> bool:
        return self.process.poll() is None


def run_once(
    argv: Sequence[str | Path],
    *,
    log: Path,
    account: Account,
    environ: Mapping[str, str],
    cwd: Path,
    text: str = "",
) -> int:
    """Run a short command to its end, as `account`; its output goes to `log`. The exit status."""
    with log.open("ab") as output:
        return subprocess.run(
            [str(part) for part in argv],
            input=text.encode(),
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environ),
            cwd=cwd,
            check=False,
            start_new_session=True,
            preexec_fn=_before_exec(signal.SIGKILL),
            user=account.dropped_uid,
            group=account.dropped_gid,
            extra_groups=account.dropped_groups,
        ).returncode


class Children:
    """The children of one data folder, with the record that the next start reads.

    Args:
        record: the file of that record.
    """

    def __init__(self, record: Path) -> None:
        self.record = record
        self.running: list[Child] = []

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        log: Path,
        environ: Mapping[str, str],
        cwd: Path,
        stop_signal: int = signal.SIGTERM,
        account: Account | None = None,
    ) -> Child:
        """Start a child in a session of its own and write it down.

        A session of its own, because Ctrl-C goes to every process of the terminal's group: the
        servers would be gone before the web processes have finished with them.
        """
        _put_aside(log)
        with log.open("ab") as output:
            # The message about a failure quotes what came after this line, not an older failure.
            output.write(f"{START_MARK}{name} {time.strftime('%F %T %z')}\n".encode())
            output.flush()
            process = subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environ),
                cwd=cwd,
                start_new_session=True,
                preexec_fn=_before_exec(stop_signal),
                user=account.dropped_uid if account else None,
                group=account.dropped_gid if account else None,
                extra_groups=account.dropped_groups if account else None,
            )
        child = Child(name, process, stop_signal)
        self.running.append(child)
        self._write()
        return child

    def stop(self, children: Sequence[Child], *, grace: float) -> None:
        """Stop these children together; after `grace` seconds their whole groups are killed."""
        for child in children:
            if child.running:
                child.process.send_signal(child.stop_signal)
        wait_until(lambda: not any(child.running for child in children), grace)
        for child in children:
            if child.running:
                _signal_group(child.process.pid, signal.SIGKILL)
                child.process.wait()
        self.forget(children)

    def forget(self, children: Sequence[Child]) -> None:
        """Strike ended children from the record."""
        self.running = [child for child in self.running if child not in children]
        self._write()

    def end_orphans(self, *, grace: float = 15) -> list[str]:
        """End what an earlier start of the same data folder left running; the names of those.

        Only processes whose id and start time are both as recorded are touched.
        """
        try:
            recorded = json.loads(self.record.read_text())
        except (OSError, ValueError):
            return []  # a first start, or a record cut short: the kernel's net has caught them
        orphans = [entry for entry in recorded if identity(entry["pid"]) == entry["identity"]]
        for entry in orphans:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(entry["pid"], entry["signal"])

        def gone() -> bool:
            return all(identity(entry["pid"]) != entry["identity"] for entry in orphans)

        wait_until(gone, grace)
        for entry in orphans:
            if identity(entry["pid"]) == entry["identity"]:
                _signal_group(entry["pid"], signal.SIGKILL)
        wait_until(gone, 5)
        return [entry["name"] for entry in orphans]

    def _write(self) -> None:
        entries = [
            {
                "name": child.name,
                "pid": child.process.pid,
                "identity": identity(child.process.pid),
                "signal": int(child.stop_signal),
            }
            for child in self.running
        ]
        draft = self.record.with_suffix(".new")
        try:
            draft.write_text(json.dumps(entries))
            draft.replace(self.record)
        except OSError:
            # A disk that filled up meanwhile must not keep us from stopping what runs.
            return


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether `condition` comes true within that time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.03)
    return True


def _before_exec(on_parents_death: int) -> Callable[[], None]:
    parent = os.getpid()
    # subprocess calls this after it changed the user; the kernel forgets the wish at that change.
    return lambda: die_with_parent(on_parents_death, parent)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _put_aside(log: Path) -> None:
    with contextlib.suppress(OSError):
        if log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_name(log.name + ".1"))
