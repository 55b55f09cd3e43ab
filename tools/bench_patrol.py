"""The patrol at national scale, against bare SQL that has the same effect."""

from __future__ import annotations

import datetime
import gc
import os
import signal
import statistics
import subprocess
import time
from pathlib import Path

from django.db import connection, transaction

from portal.servers import commands
from projects.models import OverdueEpisode, PatrolRun, Programme, Project
from projects.services.patrol import patrol
from tools.bench_databases import NAME, Databases
from tools.bench_report import Figure, milliseconds

#: Closing an episode may cost so many times what opening one costs.
CURES_BAR = 2.0

#: What the patrol does, as a database programmer would write it who had only this to do.
BARE_PATROL = """
    WITH flagged AS (
        UPDATE projects_milestone m SET flagged_due_on = m.due_on
        FROM projects_project p
        WHERE p.id = m.project_id AND p.programme_id = ANY(%(programmes)s)
            AND m.state IN ('not_started', 'in_progress', 'returned') AND NOT m.is_suspended
            AND m.due_on < %(today)s
            AND (m.flagged_due_on IS NULL OR m.flagged_due_on < m.due_on OR m.flagged_due_on > m.due_on)
        RETURNING m.id, m.due_on, m.open_since
    )
    INSERT INTO projects_overdueepisode (milestone_id, due_on, opened_on, opened_at, opened_by_id, cause)
    SELECT id, due_on, GREATEST(due_on + 1, open_since), now(), %(run)s, '' FROM flagged
"""


def measure_patrol(
    databases: Databases, today: datetime.date, milestones: int, overdue: int, repeat: int
) -> list[Figure]:
    """Newly overdue milestones, each round in two fresh copies of the same database."""
    portal: list[float] = []
    bare: list[float] = []
    for number in range(repeat):
        # In turns, so that neither always comes second to a warm disk.
        for way in (portal, bare) if number % 2 == 0 else (bare, portal):
            with databases.copy_of(NAME):
                way.append(_time_patrol(today, overdue) if way is portal else _time_bare(today, overdue))
    ours, theirs = statistics.median(portal), statistics.median(bare)
    return [
        Figure(
            f"patrol, {overdue:,} newly overdue of {milestones:,} milestones",
            f"{ours:.2f} s",
            f"{theirs:.2f} s bare SQL",
            ours / theirs,
            "≤ 2×",
            ours <= 2 * theirs,
        )
    ]


def measure_after(databases: Databases, today: datetime.date, overdue: int) -> list[Figure]:
    """In one copy in which the patrol has been: nothing newly due, cures."""
    with databases.copy_of(NAME):
        opened = patrol(as_of=today)
        idle = [patrol(as_of=today).seconds for _ in range(21)]
        what = f"patrol, nothing newly due, {overdue:,} episodes open"
        return [_idle_figure(what, idle), _cures(today, opened.seconds / max(opened.opened, 1))]


def _idle_figure(what: str, seconds: list[float]) -> Figure:
    middle = statistics.median(seconds)
    return Figure(
        what, f"{milliseconds(middle)} (worst {milliseconds(max(seconds))})", bar="< 50 ms", ok=middle < 0.05
    )


def _cures(today: datetime.date, opening: float) -> Figure:
    """Half of the flagged milestones are claimed behind the portal's back; the patrol closes them.

    Args:
        opening: seconds for each episode that was opened in the same run. A trigger whose plan goes through all rows
            for each row once made closing a hundred times dearer, and no test of correctness noticed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE projects_milestone SET state = 'submitted', claimed_on = %s, closed_since = %s"
            " WHERE flagged_due_on IS NOT NULL AND id %% 2 = 0",
            [today, today],
        )
    result = patrol(as_of=today)
    ratio = result.seconds / max(result.closed, 1) / opening
    return Figure(
        f"patrol, {result.closed:,} cured at once",
        f"{result.seconds:.2f} s",
        f"{opening * result.closed:.2f} s for opening as many",
        ratio,
        f"≤ {CURES_BAR:g}×",
        ratio <= CURES_BAR,
    )


def _time_patrol(today: datetime.date, overdue: int) -> float:
    gc.collect()
    started = time.perf_counter()
    result = patrol(as_of=today)
    took = time.perf_counter() - started
    _require(result.opened == overdue == OverdueEpisode.objects.count())
    return took


def _time_bare(today: datetime.date, overdue: int) -> float:
    run = PatrolRun.objects.create(as_of=today, started_at=datetime.datetime.now(datetime.UTC))
    programmes = list(Programme.objects.in_force(today).values_list("pk", flat=True))
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BARE_PATROL, {"today": today, "programmes": programmes, "run": run.pk})
    took = time.perf_counter() - started
    _require(overdue == OverdueEpisode.objects.count())
    return took


def measure_memory(databases: Databases, overdue: int) -> Figure:
    """A real worker, started as production starts it; its first deed is a patrol and all lights."""
    with databases.copy_of(NAME) as copy:
        worker = subprocess.Popen(
            commands.worker(os.environ),
            env=databases.environ_of(copy),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            peaks = _peaks_until_done(worker, deadline=time.monotonic() + 300)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(60)
        _require(OverdueEpisode.objects.count() == overdue)
        _require(not Project.objects.filter(light="").exists())
    largest = max(peaks.values()) / 1024
    return Figure(
        "peak memory of the worker: patrol and all lights",
        f"{largest:.0f} MB (its {len(peaks)} processes: {' + '.join(f'{kb / 1024:.0f}' for kb in peaks.values())})",
        bar="< 200 MB",
        ok=largest < 200,
    )


def _peaks_until_done(worker: subprocess.Popen[bytes], deadline: float) -> dict[int, int]:
    """High-water mark in KiB of each process of the worker, read until all lights are on."""
    peaks: dict[int, int] = {}
    looks = 0
    while time.monotonic() < deadline:
        for pid in [worker.pid, *_children(worker.pid)]:
            peaks[pid] = max(peaks.get(pid, 0), _high_water(pid))
        looks += 1
        done = looks % 20 == 0 and PatrolRun.objects.filter(finished_at__isnull=False).exists()
        if done and not Project.objects.filter(light="").exists():
            return peaks
        time.sleep(0.05)
    raise RuntimeError("the worker did not finish")


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    found = [int(word) for word in text.split()]
    return found + [deeper for child in found for deeper in _children(child)]


def _high_water(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM")), 0)


def _require(holds: bool) -> None:
    if not holds:
        raise RuntimeError("the effect is not the one that was to be measured")
