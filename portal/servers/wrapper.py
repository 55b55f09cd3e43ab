"""`python -m portal.servers with -- COMMAND`: a command with both servers around it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from portal.servers.accounts import claimed
from portal.servers.console import Problem
from portal.servers.embedded import EmbeddedServers, needed
from portal.servers.layout import Layout
from portal.servers.processes import Children, die_with_parent
from portal.servers.signals import StopRequested, StopSignals


def run_with_servers(layout: Layout, argv: list[str], *, durable: bool) -> int:
    """Start the servers, run `argv` with their addresses in its environment, stop the servers.

    Returns:
        The exit status of the command, 128 + N when signal N ended it, as a shell says it.
    """
    stop = StopSignals()
    stop.install()
    with claimed(layout, servers=bool(needed())):
        children = Children(layout.children_file)
        children.end_orphans()
        servers = EmbeddedServers(layout, children, os.environ, stop, durable=durable)
        try:
            servers.start()
            return _run(argv, {**os.environ, **servers.exported}, stop)
        except StopRequested:
            return 128 + (stop.last or signal.SIGTERM)
        finally:
            servers.stop()


def _run(argv: list[str], environ: dict[str, str], stop: StopSignals) -> int:
    parent = os.getpid()
    try:
        # In our own session and process group: it may own the terminal (a debugger in a test).
        process = subprocess.Popen(
            argv,
            env=environ,
            preexec_fn=lambda: die_with_parent(signal.SIGTERM, parent),
        )
    except OSError as error:
        raise Problem(
            f"无法运行 {argv[0]}：{error.strerror}。",
            f"Cannot run {argv[0]}: {error.strerror}.",
        ) from None
    seen = 0
    while True:
        try:
            status = process.wait(timeout=0.1)
            return status if status >= 0 else 128 - status
        except subprocess.TimeoutExpired:
            if stop.count > seen and stop.last is not None:
                seen = stop.count
                if not (stop.last == signal.SIGINT and _terminal_told_it()):
                    process.send_signal(stop.last)


def _terminal_told_it() -> bool:
    """Whether Ctrl-C went to the command as well; passing it on would interrupt it twice."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False
