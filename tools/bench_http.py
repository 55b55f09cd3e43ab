"""The portal behind its real web server, asked over HTTP."""

from __future__ import annotations

import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.test import Client

from enterprises.models import User

WARM_UP = 5


@dataclass(frozen=True)
class Served:
    """A web server on a port of this machine, with one worker and one thread: times of requests, not of queues."""

    port: int

    def times(self, path: str, account: str | None, repeat: int) -> tuple[float, int]:
        """Median seconds of a page and its size in bytes.

        Args:
            account: who is logged in; None for nobody.

        Raises:
            RuntimeError: the page was not answered with 200.
        """
        headers = {"Host": "localhost", "Cookie": _session(account) if account else ""}
        took: list[float] = []
        size = 0
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        for number in range(WARM_UP + repeat):
            started = time.perf_counter()
            line.request("GET", path, headers=headers)
            answer = line.getresponse()
            size = len(answer.read())
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status}")
            if number >= WARM_UP:
                took.append(time.perf_counter() - started)
        line.close()
        return statistics.median(took), size


def _session(account: str) -> str:
    client = Client(SERVER_NAME="localhost")
    client.force_login(
        User.objects.get(username=account), backend="enterprises.authentication.AccountBackend"
    )
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


@contextmanager
def served(url: str) -> Iterator[Served]:
    """Run gunicorn on the database of `url` for the time of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "portal.wsgi", "--no-control-socket", "--log-level", "error"]
    command += ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "1", "--keep-alive", "30"]
    server = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url})
    try:
        _wait(port, server)
        yield Served(port)
    finally:
        server.terminate()
        server.wait(30)


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    for _n in range(300):
        if server.poll() is not None:
            raise RuntimeError("the web server did not start")
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the web server does not answer")


def analysed() -> None:
    """What autovacuum does within its minute."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
