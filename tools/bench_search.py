"""The search over everything at national scale, by real HTTP, beside the list of projects in the same run."""

from __future__ import annotations

import datetime
import http.client
import os
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from enterprises.models import User
from portal.servers.commands import web
from projects.scale.seed import OFFICER, STAFF
from projects.services.lights import refresh_lights
from tools.bench_databases import Databases
from tools.bench_pages import WARM_UP
from tools.bench_report import Figure, milliseconds

BAR = 3.0
#: What is typed, and what is told of it. Two characters each, from nearly every name down to none.
ASKED = (
    ("in most names", "改造"),
    ("in some names", "电梯"),
    ("a street", "梅岭"),
    ("initials", "gs"),
    ("a code", "P0123456"),
    ("in no name", "龘靐"),
)


def measure_search(databases: Databases, *, name: str, today: datetime.date, repeat: int) -> list[Figure]:
    """Search page against list page, for the staff of everything and for an officer of one group."""
    figures = []
    with databases.copy_of(name) as copy:
        refresh_lights(as_of=today)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # autovacuum does this within its minute
        with _serving({**databases.environ_of(copy), "WEB_WORKERS": "1"}) as port:
            for account in (STAFF, OFFICER):
                asking = _Asking(port, account)
                listed = asking.median(reverse("admin:projects_project_changelist"), repeat)
                for what, query in ASKED:
                    took = asking.median(f"{reverse('admin:search')}?q={quote(query)}", repeat)
                    figures.append(
                        Figure(
                            f"search “{query}” ({what}), {account.removeprefix('bench_')}",
                            milliseconds(took),
                            f"{milliseconds(listed)} project list",
                            took / listed,
                            f"< {BAR:.0f}×",
                            took < BAR * listed,
                        )
                    )
        figures.append(_size())
    return figures


class _Asking:
    """One person at one kept connection."""

    def __init__(self, port: int, account: str) -> None:
        client = Client(SERVER_NAME="localhost")
        user = User.objects.get(username=account)
        client.force_login(user, backend="enterprises.authentication.AccountBackend")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.headers = {"Host": "localhost", "Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def median(self, url: str, repeat: int) -> float:
        return statistics.median([self._take(url) for _n in range(WARM_UP + repeat)][WARM_UP:])

    def _take(self, url: str) -> float:
        started = time.perf_counter()
        self.connection.request("GET", url, headers=self.headers)
        response = self.connection.getresponse()
        response.read()
        took = time.perf_counter() - started
        if response.status != 200:
            raise RuntimeError(f"{url}: {response.status}")
        return took


@contextmanager
def _serving(environ: dict[str, str]) -> Iterator[int]:
    """The web process that `make run` starts, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {**os.environ, **environ, "PORT": str(port), "BIND_HOST": "127.0.0.1"}
    process = subprocess.Popen(
        web(environ), env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _try in range(300):
            if process.poll() is not None:
                raise RuntimeError("the web process ended")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _size() -> Figure:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_size_pretty(sum(pg_total_relation_size(c)))"
            " FROM unnest(ARRAY['projects_projectwords', 'projects_milestonename', 'enterprises_enterprisewords']::regclass[]) c"
        )
        return Figure("words kept for the search, with their indexes", cursor.fetchone()[0])
