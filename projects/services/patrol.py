"""The patrol (巡检): opens an episode for what became overdue, closes what is cured.

Safe to run twice, late, and by many workers at once; after days of downtime it catches up with the
true dates. It works in batches, each one transaction:

1. claim: rows `overdue_q(as_of)` whose present date is not flagged yet, locked and skipping what
   another worker holds. The claim is a column of the locked row (`flagged_due_on`), so a worker that
   comes a moment later finds the row no longer matching instead of taking it again;
2. flag these rows and insert their episodes in the same statement.

The statement is built around the SQL that Django makes from `deadlines.overdue_q`: there is one
definition of overdue, and the patrol has no copy of it.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from journal.context import acting
from projects.deadlines import cured_q, overdue_q, unflagged_q
from projects.models import Milestone, OverdueEpisode, PatrolRun, Programme, SetAside
from projects.services.batches import drain, held_back

BATCH = 10_000
#: No task of the worker lives longer (the time limit of tasks is a quarter of an hour).
DEAD_AFTER = datetime.timedelta(minutes=20)


@dataclass(frozen=True)
class PatrolResult:
    """What one run did. `on` is the day it walked for, ISO; `run_id` its row, None when it was idle."""

    on: str
    opened: int
    closed: int
    set_aside: int
    seconds: float
    run_id: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The stable interface of `manage.py patrol --json`."""
        return {name: value for name, value in asdict(self).items() if name != "run_id"}


def patrol(
    *, as_of: datetime.date, by_clock: bool = True, batch: int = BATCH, goes_on: bool = False
) -> PatrolResult:
    """Walk every programme in force on `as_of`.

    Args:
        as_of: the day in Asia/Shanghai. Rows due before it are overdue.
        by_clock: False when a person chose the day; kept with the run.
        batch: rows per transaction.
        goes_on: more follows from what is opened and closed, and the caller says when it is done (`end_runs`).
            Until then a run that found something has no end, so that another one takes over from it.

    Returns:
        Counts of episodes opened and closed, rows set aside in this run, and the time it took.
    """
    started, clock = timezone.now(), time.perf_counter()
    run = PatrolRun.objects.create(as_of=as_of, by_clock=by_clock, started_at=started)
    with acting(by="patrol", source="patrol"):
        closing, opening = partial(_close_batch, run=run, as_of=as_of), partial(_open_batch, run=run)
        closed, aside_closing = drain(closing, _to_close(as_of), as_of=as_of, batch=batch)
        opened, aside_opening = drain(opening, _to_open(as_of), as_of=as_of, batch=batch)
    run.opened, run.closed, run.set_aside = opened, closed, aside_opening + aside_closing
    run.seconds = round(time.perf_counter() - clock, 3)
    if not goes_on or _is_idle(run):
        run.finished_at = timezone.now()
    _keep(run)
    return PatrolResult(as_of.isoformat(), opened, closed, run.set_aside, run.seconds, run.pk)


def _to_open(as_of: datetime.date) -> QuerySet[Milestone]:
    """Newly overdue milestones, in the words of the partial index `milestone_to_flag`."""
    programmes = list(Programme.objects.in_force(as_of).values_list("pk", flat=True))
    return Milestone.objects.filter(
        overdue_q(as_of),
        unflagged_q(),
        ~held_back(),
        project__programme_id__in=programmes,
        # One that was dated anew since this round closed what was cured still has its first episode: a second
        # beside it breaks a constraint, and the row would be set aside. The next round closes it first.
        flagged_due_on__isnull=True,
    ).order_by("due_on")


def _to_close(as_of: datetime.date) -> QuerySet[Milestone]:
    """Flagged milestones that are cured, in the words of the partial index `milestone_to_close`."""
    # A past day is asked about for what it would have opened; it cures nothing of later days.
    begun = OverdueEpisode.objects.open().filter(milestone=OuterRef("pk"), opened_on__lte=as_of)
    return Milestone.objects.filter(cured_q(), Exists(begun), ~held_back()).order_by("pk")


def _claimed(rows: QuerySet[Milestone]) -> tuple[str, tuple[Any, ...]]:
    """SQL that locks the ids of `rows`, skipping what another worker holds."""
    locked = rows.select_for_update(skip_locked=True, of=("self",)).values("pk")
    return locked.query.sql_with_params()


def _open_batch(rows: QuerySet[Milestone], *, run: PatrolRun) -> int:
    """Flag a batch and open its episodes; returns how many."""
    claim, params = _claimed(rows)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH claimed (id) AS ({claim}),
            flagged AS (
                UPDATE projects_milestone m SET flagged_due_on = m.due_on
                FROM claimed WHERE m.id = claimed.id
                RETURNING m.id, m.due_on, m.open_since
            )
            INSERT INTO projects_overdueepisode (milestone_id, due_on, opened_on, opened_at, opened_by_id, cause)
            SELECT id, due_on, GREATEST(due_on + 1, open_since), now(), %s, '' FROM flagged
            """,
            [*params, run.pk],
        )
        return cursor.rowcount


def _close_batch(rows: QuerySet[Milestone], *, run: PatrolRun, as_of: datetime.date) -> int:
    """Close the episodes of a batch with their cause, and take the flag off; returns how many."""
    claim, params = _claimed(rows)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH claimed (id) AS ({claim}),
            cleared AS (
                UPDATE projects_milestone m SET flagged_due_on = NULL
                FROM claimed WHERE m.id = claimed.id
                RETURNING m.id, m.state, m.is_suspended, m.claimed_on, m.closed_since
            )
            UPDATE projects_overdueepisode e SET
                closed_on = COALESCE(c.closed_since, %s), closed_at = now(), closed_by_id = %s,
                cause = CASE
                    WHEN c.state IN ('submitted', 'accepted', 'cancelled') THEN c.state
                    WHEN c.is_suspended THEN 'suspended'
                    ELSE 'rescheduled'
                END,
                days_late = GREATEST(0, COALESCE(
                    CASE WHEN c.state IN ('submitted', 'accepted') THEN c.claimed_on END, c.closed_since, %s
                ) - e.due_on)
            FROM cleared c WHERE e.milestone_id = c.id AND e.closed_on IS NULL
            """,
            [*params, as_of, run.pk, as_of],
        )
        return cursor.rowcount


def _keep(run: PatrolRun) -> None:
    """Keep the run; an idle one is folded into the idle run before it, or the table would fill."""
    idle = _is_idle(run)
    previous = PatrolRun.objects.exclude(pk=run.pk).order_by("-pk").first() if idle else None
    if (
        previous is not None
        and previous.finished_at is not None
        and (previous.as_of, previous.by_clock) == (run.as_of, run.by_clock)
        and _is_idle(previous)
    ):
        PatrolRun.objects.filter(pk=previous.pk).update(
            finished_at=run.finished_at, seconds=run.seconds, repeats=previous.repeats + 1
        )
        run.delete()
        return
    run.save()


def _is_idle(run: PatrolRun) -> bool:
    return not (run.opened or run.closed or run.set_aside or run.escalated or run.told)


def runs_to_follow(*, run_id: int | None) -> list[int]:
    """The run, and all that have come to no end: whose worker died, and those at work just now.

    What follows from their episodes (lights, notices that are settled) would otherwise wait for midnight. To do it
    twice changes nothing.
    """
    endless = PatrolRun.objects.filter(finished_at=None).values_list("pk", flat=True)
    return sorted({*endless, *([] if run_id is None else [run_id])})


def end_runs(*, run_ids: Iterable[int], run_id: int | None, at: datetime.datetime) -> None:
    """Write down that everything that follows from these runs is done.

    Args:
        run_ids: as `runs_to_follow` had them before it was done. Those of others are ended when they can be alive
            no more, with the numbers that they did not live to write down: they may yet open episodes.
        run_id: one's own.
    """
    if run_id is not None:
        PatrolRun.objects.filter(pk=run_id).update(finished_at=at)
    for dead in PatrolRun.objects.filter(pk__in=run_ids, finished_at=None, started_at__lt=at - DEAD_AFTER):
        opened, closed = dead.opened_episodes.count(), dead.closed_episodes.count()  # type: ignore[attr-defined]
        PatrolRun.objects.filter(pk=dead.pk, finished_at=None).update(
            finished_at=at, opened=opened, closed=closed
        )


def retry_set_aside(*, set_aside: SetAside) -> None:
    """Let the next patrol try the row again; if it fails again, it is set aside anew."""
    SetAside.objects.filter(pk=set_aside.pk, resolved_at__isnull=True).update(resolved_at=timezone.now())


def last_run() -> PatrolRun | None:
    """The latest run by the clock that came to its end."""
    return next(iter(PatrolRun.objects.raw(*_last_run_sql())), None)


@cache
def _last_run_sql() -> tuple[str, tuple[Any, ...]]:
    """Every page asks this: it is put into SQL once."""
    runs = PatrolRun.objects.filter(by_clock=True, finished_at__isnull=False).order_by("-finished_at")[:1]
    text, params = runs.query.sql_with_params()
    return text, tuple(params)
