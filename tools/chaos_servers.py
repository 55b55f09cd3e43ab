"""An embedded PostgreSQL and Valkey of a chaos run's own, which can be killed and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from portal.servers.accounts import claimed
from portal.servers.embedded import EmbeddedServers
from portal.servers.layout import PROJECT_ROOT, Layout
from portal.servers.processes import Children, die_with_parent, wait_until
from portal.servers.signals import StopSignals

#: What a part of `make chaos` is given by the servers around it, and must not take for its own.
NOT_OURS = ("DATABASE_URL", "REDIS_URL", "DATABASE_URL_FILE", "REDIS_URL_FILE")


class Servers:
    """Both servers of one data folder, durable as in `make run`."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.children = Children(layout.children_file)
        environ = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        self._embedded = EmbeddedServers(layout, self.children, environ, StopSignals())
        #: (from, until) in seconds of time.monotonic() in which PostgreSQL was away.
        self.without_database: list[tuple[float, float]] = []

    @property
    def environ(self) -> dict[str, str]:
        return self._embedded.exported

    def start(self) -> None:
        self.children.end_orphans()
        self._embedded.start()

    def stop(self) -> None:
        self._embedded.stop()

    def pid(self, name: str) -> int:
        return self._embedded.running[name].process.pid

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """End one of them without a word and wait until it is gone."""
        child = self._embedded.running[name]
        child.process.send_signal(number)
        child.process.wait()

    def revive(self, name: str) -> None:
        """Start it again, as `make run` would, and wait until it answers.

        Raises:
            RuntimeError: it does not, for two minutes.
        """
        child = self._embedded.running[name]
        server = next(server for server in self._embedded.servers if server.name == name)
        for _attempt in range(2):  # a start that met the last moments of its predecessor is tried again
            child = self._embedded.restart(child)
            if wait_until(lambda: server.is_ready(child) or not child.running, 120) and child.running:  # noqa: B023
                return
        raise RuntimeError(f"{name} does not come back; see {server.log}")

    def restart_database(self, number: int) -> None:
        """End PostgreSQL by SIGQUIT (`pg_ctl restart -m immediate`) or SIGKILL, and start it again."""
        began = time.monotonic()
        self.kill("postgres", number)
        self.revive("postgres")
        self.without_database.append((began, time.monotonic()))


@contextlib.contextmanager
def own_servers(name: str) -> Iterator[Servers]:
    """Servers in the folder `name` of DATA_DIR; os.environ leads to them from then on."""
    layout = Layout(Layout.from_environ().data_dir / name)
    with claimed(layout, servers=True):
        servers = Servers(layout)
        try:
            servers.start()
            os.environ.update(servers.environ)
            yield servers
        finally:
            servers.stop()


class Member:
    """One process of the portal, in a process group of its own, gone with us at the latest."""

    def __init__(self, name: str, argv: list[str], log: Path, environ: Mapping[str, str]) -> None:
        self.name, self.argv, self.log, self.environ = name, argv, log, dict(environ)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        parent = os.getpid()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                env=self.environ,
                cwd=PROJECT_ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(signal.SIGKILL, parent),
            )

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """SIGKILL for the process alone: what it has forked must end by itself."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 30) -> None:
        """As a supervisor stops it: SIGTERM, and after a while the whole group by force."""
        if self.process is None:
            return
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def children_of(pid: int) -> list[int]:
    """The processes that `pid` has forked (Linux)."""
    if sys.platform != "linux":
        return []
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found
