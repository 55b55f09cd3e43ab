"""Processes that patrol at the same time, and the negative control: the same without the guard.

The control is read, decide, save: what a patrol looks like that was written without thinking of a
second worker. It runs in a copy without the unique constraint, which would only turn the double
episode into a crash. If it shows no duplicates, the race was none, and the first result says nothing.
"""

from __future__ import annotations

import datetime
import multiprocessing
import traceback
from collections.abc import Callable
from functools import partial
from multiprocessing.synchronize import Barrier
from typing import Any

from django.db import connection, connections
from django.utils import timezone

from projects.models import Milestone, OverdueEpisode, PatrolRun
from projects.services.patrol import BATCH, patrol
from tools.bench_databases import Databases
from tools.bench_report import Figure

PROCESSES = 6
Rival = Callable[[datetime.date, Barrier], int]


def patrol_together(as_of: datetime.date, together: Barrier, batch: int = BATCH) -> int:
    """The portal's patrol."""
    together.wait(60)
    return patrol(as_of=as_of, batch=batch).opened


def read_decide_save(as_of: datetime.date, together: Barrier) -> int:
    """The control. Everyone reads before anyone writes, as happens when beat's message comes twice."""
    run = PatrolRun.objects.create(as_of=as_of, started_at=timezone.now())
    found = list(Milestone.objects.overdue(as_of).filter(flagged_due_on__isnull=True))
    together.wait(60)
    for milestone in found:
        OverdueEpisode.objects.create(
            milestone=milestone,
            due_on=milestone.due_on,
            opened_on=milestone.due_on + datetime.timedelta(days=1),
            opened_at=timezone.now(),
            opened_by=run,
        )
        milestone.flagged_due_on = milestone.due_on
        milestone.save(update_fields=["flagged_due_on"])
    return len(found)


def race(rival: Rival, *, as_of: datetime.date, processes: int = PROCESSES) -> list[int]:
    """Run `rival` in several processes, each with a connection of its own; what each returned.

    Raises:
        RuntimeError: one of them failed; its traceback is the message.
    """
    # A child that inherited our connection would end it for us when it exits.
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    together, answers = fork.Barrier(processes), fork.Queue()
    running = [fork.Process(target=_one, args=(rival, as_of, together, answers)) for _ in range(processes)]
    for process in running:
        process.start()
    results = [answers.get(timeout=300) for _ in running]
    for process in running:
        process.join(60)
    failed = [result for result in results if isinstance(result, str)]
    if failed:
        raise RuntimeError("\n".join(failed))
    return results


def _one(rival: Rival, as_of: datetime.date, together: Barrier, answers: Any) -> None:
    try:
        connection.ensure_connection()
        answers.put(rival(as_of, together))
    except Exception:  # whatever it was, the parent has to say it
        answers.put(traceback.format_exc())
    finally:
        connections.close_all()


def drop_the_guard() -> None:
    """Take the constraint away that would stop a second open episode. For scratch databases."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX episode_one_open_per_milestone")


def duplicates() -> int:
    """Open episodes beyond the first of their milestone."""
    open_ones = OverdueEpisode.objects.open()
    return open_ones.count() - open_ones.values("milestone_id").distinct().count()


def measure_race(databases: Databases, template: str, today: datetime.date, overdue: int) -> list[Figure]:
    with databases.copy_of(template):
        # Small batches, or the first to come would have everything before the others have begun.
        shares = race(partial(patrol_together, batch=200), as_of=today)
        opened, double = OverdueEpisode.objects.count(), duplicates()
    with databases.copy_of(template):
        drop_the_guard()
        race(read_decide_save, as_of=today)
        control = OverdueEpisode.objects.count()
    return [
        Figure(
            f"{PROCESSES} processes patrol {overdue:,} newly overdue at once",
            f"{opened:,} episodes, {double} double (shares {' + '.join(map(str, sorted(shares)))})",
            bar=f"exactly {overdue:,}",
            ok=opened == overdue and not double,
        ),
        Figure(
            "the same without the guard (negative control)",
            f"{control:,} episodes",
            bar="must show duplicates",
            ok=control > overdue,
        ),
    ]
