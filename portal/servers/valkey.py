"""One embedded Valkey: on a private unix socket, with an append-only file, never evicting."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from portal.servers.accounts import Account, private_folder
from portal.servers.binaries import valkey_server
from portal.servers.layout import Layout
from portal.servers.processes import Child, Children


class Valkey:
    """The embedded Valkey of one data folder.

    Args:
        layout: the data folder.
        account: who it runs as.
        durable: False only for tests: nothing is written to disk.
    """

    name = "valkey"
    title = "Valkey"
    start_seconds = 60.0

    def __init__(self, layout: Layout, account: Account, *, durable: bool = True) -> None:
        self.layout = layout
        self.account = account
        self.durable = durable
        self.log = layout.logs / "valkey.log"
        self.data = layout.servers_dir / "valkey"

    def prepare(self) -> None:
        """Make its folders and find its program."""
        private_folder(self.layout.sockets_dir, self.account)
        private_folder(self.data, self.account)
        self.program = valkey_server(self.layout, self.account)

    def launch(self, children: Children) -> Child:
        """Start the process without waiting for it."""
        return children.start(
            self.name,
            self._argv(),
            log=self.log,
            environ={"LC_ALL": "C", "PATH": os.defpath},
            cwd=self.data,
            account=self.account,
        )

    def _argv(self) -> list[str | Path]:
        return [
            self.program,
            *("--port", "0"),
            *("--unixsocket", self.layout.valkey_socket),
            *("--unixsocketperm", "700"),
            *("--dir", self.data),
            *("--daemonize", "no"),
            *("--save", ""),
            *("--appendonly", "yes" if self.durable else "no"),
            # A broker must refuse a new message rather than drop an old one silently.
            *("--maxmemory", "256mb"),
            *("--maxmemory-policy", "noeviction"),
        ]

    def is_ready(self, child: Child) -> bool:
        """Whether it answers, with its append-only file loaded."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(2)
                client.connect(os.fspath(self.layout.valkey_socket))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")  # -LOADING while it reads its file
        except OSError:
            return False
