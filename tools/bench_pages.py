"""Pages at national scale, asked of the whole portal in this process: middleware, views, templates."""

from __future__ import annotations

import datetime
import statistics
import time
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test import Client
from django.urls import reverse

from enterprises.models import User
from projects.scale.seed import OFFICER, STAFF
from projects.services.lights import refresh_lights
from projects.services.patrol import patrol
from projects.services.tallying import keep_tallies
from tools.bench_databases import Databases
from tools.bench_report import Figure, milliseconds

WARM_UP = 5
OVERDUE_LIST_BAR = 0.060


@dataclass(frozen=True)
class Page:
    what: str
    url: str
    account: str


@dataclass(frozen=True)
class Taken:
    """Medians over some requests, and the quickest of them: on a busy machine the two lie apart."""

    seconds: float
    best: float
    sql_seconds: float
    queries: int
    rows: int


def pages() -> list[Page]:
    overdue = reverse("admin:projects_milestone_changelist") + "?when=overdue"
    projects = reverse("admin:projects_project_changelist")
    lists = (("overdue list", overdue), ("project list", projects), ("home", reverse("admin:index")))
    return [Page(what, url, account) for what, url in lists for account in (STAFF, OFFICER)]


def measure_pages(
    databases: Databases, *, large: str, small: str, today: datetime.date, repeat: int
) -> list[Figure]:
    """Each page over the large and over the small database."""
    taken = {name: _walk(databases, name, today, repeat) for name in (large, small)}
    return [figure for page in pages() for figure in _figures(page, taken[large][page], taken[small][page])]


def _walk(databases: Databases, name: str, today: datetime.date, repeat: int) -> dict[Page, Taken]:
    with databases.copy_of(name):
        patrol(as_of=today)
        refresh_lights(as_of=today)
        keep_tallies(as_of=today)  # as the patrol does after the lights of a day
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # autovacuum does this within its minute
        return {page: take(page, repeat) for page in pages()}


def take(page: Page, repeat: int) -> Taken:
    """Ask for a page several times."""
    client = Client(SERVER_NAME="localhost")
    user = User.objects.get(username=page.account)
    client.force_login(user, backend="enterprises.authentication.AccountBackend")
    times: list[float] = []
    sql: list[float] = []
    queries = rows = 0
    for number in range(WARM_UP + repeat):
        clock = _SqlClock()
        with connection.execute_wrapper(clock):
            started = time.perf_counter()
            response = client.get(page.url)
            took = time.perf_counter() - started
        if response.status_code != 200:
            raise RuntimeError(f"{page.url}: {response.status_code}")
        if number >= WARM_UP:
            times.append(took)
            sql.append(clock.seconds)
        queries = clock.queries
        rows = response.content.count(b"<tr") - 1
    return Taken(statistics.median(times), min(times), statistics.median(sql), queries, rows)


class _SqlClock:
    """Adds up the time that a request waits for the database."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.queries = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.queries += 1
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - started


def _figures(page: Page, large: Taken, small: Taken) -> list[Figure]:
    bars, held = [], True
    if page.what == "overdue list":
        bars, held = [f"< {OVERDUE_LIST_BAR * 1000:.0f} ms", "< 2×"], large.seconds < OVERDUE_LIST_BAR
    if page.what == "project list":
        bars, held = ["same queries", "< 2×"], large.queries == small.queries
    ratio = large.seconds / small.seconds
    return [
        Figure(
            f"{page.what}, {page.account.removeprefix('bench_')}, {large.rows} rows",
            f"{_told(large)}",
            f"{_told(small)} over 300",
            ratio,
            ", ".join(bars),
            (held and ratio < 2) if bars else None,
        )
    ]


def _told(taken: Taken) -> str:
    return (
        f"{milliseconds(taken.seconds)} (best {milliseconds(taken.best)}, "
        f"SQL {milliseconds(taken.sql_seconds)}, {taken.queries} queries)"
    )
