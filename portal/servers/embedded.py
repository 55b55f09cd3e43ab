"""The embedded servers of one data folder, as a pair."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from portal.servers.accounts import servers_account
from portal.servers.console import failed, say, storage_problem
from portal.servers.layout import Layout
from portal.servers.postgres import Postgres
from portal.servers.processes import Child, Children
from portal.servers.signals import StopSignals
from portal.servers.valkey import Valkey

#: PostgreSQL ends its sessions and writes a checkpoint; on a slow disk that is not instant.
STOP_SECONDS = 30.0


def given(environ: Mapping[str, str], name: str) -> bool:
    """Whether a setting is given, directly or as the name of a file that holds it."""
    return bool(environ.get(name) or environ.get(f"{name}_FILE"))


class EmbeddedServers:
    """Those of PostgreSQL and Valkey that the environment does not already name.

    Args:
        layout: the data folder.
        children: what starts and records the processes.
        environ: DATABASE_URL and REDIS_URL in it replace a server each.
        stop: looked at while waiting.
        durable: False only for tests.
    """

    def __init__(
        self,
        layout: Layout,
        children: Children,
        environ: Mapping[str, str],
        stop: StopSignals,
        *,
        durable: bool = True,
    ) -> None:
        self.layout = layout
        self.children = children
        self.stop_signals = stop
        self.exported = {"DATA_DIR": str(layout.data_dir)}
        self.servers: list[Postgres | Valkey] = []
        self.running: dict[str, Child] = {}
        wanted = needed(environ)
        if wanted:
            account = servers_account()
            if "DATABASE_URL" in wanted:
                self.servers.append(Postgres(layout, account, durable=durable))
                self.exported["DATABASE_URL"] = layout.database_url
            if "REDIS_URL" in wanted:
                self.servers.append(Valkey(layout, account, durable=durable))
                self.exported["REDIS_URL"] = layout.redis_url

    def start(self) -> None:
        """Start them side by side and wait until both answer.

        Raises:
            Problem: one does not come up, or its folder cannot be used.
        """
        if self.layout.servers_dir != self.layout.data_dir and self.servers:
            say(
                f"帐户 nobody 无法进入 {self.layout.data_dir}，内置服务器的数据放在 "
                f"{self.layout.servers_dir}",
                "the servers' files are there, because `nobody` cannot enter the data folder",
            )
        try:
            for server in self.servers:
                server.prepare()
                self.running[server.name] = server.launch(self.children)
            for server in self.servers:
                self._wait(server)
        except OSError as error:
            raise storage_problem(error, self.layout.data_dir) from None

    def restart(self, child: Child) -> Child:
        """Start that one of the servers again whose process `child` has ended."""
        server = next(server for server in self.servers if server.name == child.name)
        self.children.forget([child])
        server.prepare()
        self.running[server.name] = server.launch(self.children)
        return self.running[server.name]

    def stop(self) -> None:
        """Stop them cleanly."""
        self.children.stop(list(self.running.values()), grace=STOP_SECONDS)
        self.running.clear()

    def _wait(self, server: Postgres | Valkey) -> None:
        """Wait until `server` answers; one that crashed while recovering gets a second start."""
        second_try = False
        end = time.monotonic() + server.start_seconds
        while not server.is_ready(self.running[server.name]):
            self.stop_signals.pause(0.03)
            if self.running[server.name].running and time.monotonic() < end:
                continue
            if second_try:
                raise failed(
                    f"内置 {server.title} 未能启动。",
                    f"The embedded {server.title} did not start.",
                    server.log,
                )
            second_try = True
            self.children.stop([self.running[server.name]], grace=5)
            self.stop_signals.pause(0.5)
            server.prepare()
            self.running[server.name] = server.launch(self.children)
            end = time.monotonic() + server.start_seconds


def needed(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The addresses that nobody gave, so that a server of ours has to stand behind them."""
    return [name for name in ("DATABASE_URL", "REDIS_URL") if not given(environ, name)]
