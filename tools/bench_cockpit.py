"""The cockpit at national scale against the cockpit of 600 projects, and against a page that asks nothing."""

from __future__ import annotations

import datetime
import time

from django.db import connection

from enterprises.models import Enterprise
from projects.models import Programme, Project
from projects.scale.seed import STAFF
from projects.services.lights import refresh_lights
from projects.services.patrol import patrol
from projects.services.tallying import keep_tallies
from tools.bench_databases import Databases
from tools.bench_http import Served, analysed, served
from tools.bench_report import Figure, milliseconds

#: Days of snapshots behind today; those of the past are copies of today's.
HISTORY = 90
#: Of the pages: whoever is logged in, its address, what it is called.
COCKPIT, BARE = "/cockpit/", "/login/"


def measure_cockpit(
    databases: Databases, *, large: str, small: str, today: datetime.date, repeat: int
) -> list[Figure]:
    """Medians over HTTP, both databases and the bare page in one run."""
    few, _bare, _figures = _walk(databases, small, today, repeat)
    many, bare, figures = _walk(databases, large, today, repeat)
    return [
        Figure(
            "cockpit of the whole, p50 over HTTP",
            milliseconds(many),
            f"{milliseconds(few)} with 600 projects",
            many / few,
            "< 2×",
            many / few < 2,
        ),
        Figure(
            "the same",
            milliseconds(many),
            f"{milliseconds(bare)} a page that asks nothing (log-in)",
            many / bare,
            "≤ 5×",
            many / bare <= 5,
        ),
        *figures,
    ]


def _walk(
    databases: Databases, name: str, today: datetime.date, repeat: int
) -> tuple[float, float, list[Figure]]:
    with databases.copy_of(name) as copy:
        patrol(as_of=today)
        refresh_lights(as_of=today)
        started = time.perf_counter()
        keep_tallies(as_of=today)
        whole = time.perf_counter() - started
        _past(today)
        analysed()
        started = time.perf_counter()
        Project.objects.filter(pk__in=Project.objects.values("pk")[:1]).update(category=None)
        keep_tallies(as_of=today)
        one = time.perf_counter() - started
        url = databases.url_of(copy)
        with served(url) as server:
            cockpit, _size = server.times(COCKPIT, STAFF, repeat)
            bare, _size = server.times(BARE, None, repeat)
            marked = _while_marked(server, repeat)
            wall = _wall(server, repeat)
        n = f"{Project.objects.count():,} projects"
        figures = [
            Figure(
                f"all tallies of a day, {n}, {Enterprise.objects.count():,} enterprises", f"{whole:.2f} s"
            ),
            Figure("tallies after one change", f"{one * 1000:.0f} ms"),
            Figure("cockpit put together anew, while one enterprise is marked", milliseconds(marked)),
            *wall,
        ]
        return cockpit, bare, figures


def _while_marked(server: Served, repeat: int) -> float:
    programme, project = Programme.objects.first(), Project.objects.first()
    assert programme is not None
    assert project is not None
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO projects_tallymark (programme_id, enterprise_id) VALUES (%s, %s)",
            [project.programme_id, project.enterprise_id],
        )
    return server.times(COCKPIT, STAFF, repeat)[0]


def _wall(server: Served, repeat: int) -> list[Figure]:
    took, size = server.times("/wall/", STAFF, max(3, repeat // 3))
    return [Figure("wall chart, first window", milliseconds(took), f"{size / 1024:.0f} KiB before gzip")]


def _past(today: datetime.date) -> None:
    from projects.tallies import NAMES

    names = ", ".join(NAMES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO projects_dailytally (programme_id, enterprise_id, day, {names})"
            f" SELECT programme_id, enterprise_id, day - n, {names}"
            " FROM projects_dailytally, generate_series(1, %s) n WHERE day = %s",
            [HISTORY, today],
        )
