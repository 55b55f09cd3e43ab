"""The lights of a day at national scale, against one bare aggregate over the same milestones.

The bare aggregate adds up exactly the sums that lights are judged by, for all milestones, and does nothing
with them. Beside it stand an ordinary next day, measured three days in a row, and the worst day, on which
no project has a light yet: every row is written and every history begins.
"""

from __future__ import annotations

import datetime
import gc
import statistics
import time
from collections.abc import Iterator

from django.db import connection

from projects.models import LightPolicyVersion, Milestone, Project
from projects.services.light_sums import sums
from projects.services.lights import follow_patrol
from tools.bench_databases import NAME, Databases
from tools.bench_report import Figure

DAYS = 3
BAR = 3.0


def measure_lights(databases: Databases, today: datetime.date) -> list[Figure]:
    """The worst day and then ordinary ones, in one fresh copy."""
    with databases.copy_of(NAME):
        return list(_figures(today))


def _figures(today: datetime.date) -> Iterator[Figure]:
    total = Project.objects.count()
    bare = _bare(today)
    took, changed = _timed(today)
    yield Figure(
        f"lights of {total:,} projects, all for the first time ({changed:,} written)",
        f"{took:.2f} s",
        f"{bare:.2f} s bare aggregate",
        took / bare,
    )
    rounds = []
    for number in range(1, DAYS + 1):
        day = today + datetime.timedelta(number)
        rounds.append((_bare(day), *_timed(day)))
    bare, took = (statistics.median(row[n] for row in rounds) for n in (0, 1))
    changed = int(statistics.median(row[2] for row in rounds))
    yield Figure(
        f"lights of {total:,} projects, an ordinary next day ({changed:,} written)",
        f"{took:.2f} s",
        f"{bare:.2f} s bare aggregate",
        took / bare,
        f"≤ {BAR:.0f}×",
        took <= BAR * bare,
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE projects_programme SET lights_on = NULL")
    took, changed = _timed(today + datetime.timedelta(DAYS))
    yield Figure(f"the same day once more ({changed:,} written)", f"{took:.2f} s", "", took / bare)


def _timed(day: datetime.date) -> tuple[float, int]:
    gc.collect()
    started = time.perf_counter()
    changed = follow_patrol(run_ids=[], as_of=day)
    return time.perf_counter() - started, changed


def _bare(day: datetime.date) -> float:
    """The median of three; `count(s)` asks for every column, or the planner would leave the sums out."""
    window = LightPolicyVersion.objects.order_by("-pk").values_list("warning_days", flat=True)[0]
    text, params = sums(Milestone.objects.all(), day, window).query.sql_with_params()

    def once() -> float:
        started = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(s) FROM ({text}) s", params)
        return time.perf_counter() - started

    return statistics.median(once() for _ in range(3))
