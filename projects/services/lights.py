"""Keeps each project's light and progress beside it, so that lists can filter and sort by them.

One statement a batch: the milestones are added up, `projects.lights.RULES` is asked, rows that changed are
written, and where the light or its rule changed, the history (`LightSpan`) goes on with a new span.

What a day moves by itself is not stored: of the plan the line is kept (`planned_progress.Stretch`), of what is late
the date. On an ordinary day nearly all rows stay as they are.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from django.db import connection, transaction
from django.db.models import Max, Min, Q

from projects.models import Milestone, OverdueEpisode, Programme, Project
from projects.periods import DAY
from projects.services.batches import is_no_rows_fault, set_aside
from projects.services.light_sql import Sql, name_case
from projects.services.light_sums import Batch, among, judged
from projects.services.planned_sql import stretches
from projects.services.tallying import counted_later
from projects.states import MilestoneState

logger = logging.getLogger(__name__)

#: Projects looked at by one statement. Locked are those of them that are written.
CHUNK = 50_000
#: Database sessions that judge at once when everything is judged.
SESSIONS = 2

#: Of a row of `judged`: it is not what is stored.
DIFFERS = "(j.was_light <> j.light OR NOT j.line_holds OR j.was_actual <> j.actual OR j.reason_differs)"


def refresh_lights(
    *,
    as_of: datetime.date,
    project_ids: Iterable[int] | None = None,
    programme_id: int | None = None,
) -> int:
    """Judge projects of the programmes in force and store what changed.

    Projects that are written are locked by ascending id, before their milestones are read: a colleague's change is
    either seen or comes after. A day before the present span began stores nothing in the history.

    Args:
        as_of: the day that the lights are for.
        project_ids: only these; None for all.
        programme_id: only those of this programme; None for all.

    Returns:
        Number of projects whose light, reason or progress changed.
    """
    programmes = Programme.objects.in_force(as_of)
    if programme_id is not None:
        programmes = programmes.filter(pk=programme_id)
    if project_ids is None:
        return sum(_refresh_all(programme, as_of) for programme in programmes)
    ids = sorted(set(project_ids))
    return sum(
        _refresh_some(list(programmes), ids[first : first + CHUNK], as_of)
        for first in range(0, len(ids), CHUNK)
    )


def follow_patrol(*, run_ids: Collection[int], as_of: datetime.date, all_again: bool = False) -> int:
    """After a patrol: all lights once a day, then only those of projects whose episodes it touched.

    Whatever a person changes refreshes its own project at once, so a minute's patrol has little to do.

    Args:
        run_ids: runs of the patrol (`runs_to_follow`).
        as_of: the day that was patrolled.
        all_again: judge all, though all were judged for that day.

    Returns:
        Number of projects whose light, reason or progress changed.
    """
    stale = Programme.objects.in_force(as_of).exclude(lights_on=as_of)
    if all_again or stale.exists():
        changed = refresh_lights(as_of=as_of)
        # The plan is read for this day from here on, and no row says so: the tallies are counted anew.
        stale.update(lights_on=as_of, tallied_on=None)
        return changed
    if not run_ids:
        return 0
    touched = (
        OverdueEpisode.objects.filter(Q(opened_by__in=run_ids) | Q(closed_by__in=run_ids))
        .values_list("milestone__project_id", flat=True)
        .distinct()
    )
    return _refresh_touched(sorted(touched), as_of)


def _refresh_touched(ids: list[int], as_of: datetime.date) -> int:
    """Judge these projects; one that cannot be judged is set aside, as in `_refresh_batch`."""
    try:
        return refresh_lights(as_of=as_of, project_ids=ids)
    except Exception as fault:
        if is_no_rows_fault(fault):
            raise
        if len(ids) > 1:
            middle = len(ids) // 2
            return _refresh_touched(ids[:middle], as_of) + _refresh_touched(ids[middle:], as_of)
        _leave_out(ids[0], as_of, fault)
        return 0


def _refresh_all(programme: Programme, as_of: datetime.date) -> int:
    found = list(batches(programme.pk))
    if len(found) == 1 or connection.in_atomic_block:
        return sum(_refresh_batch(batch, as_of) for batch in found)
    # Batches are transactions of their own, so two may go at once; each waits for the database, not for us.
    with ThreadPoolExecutor(SESSIONS, thread_name_prefix="lights") as pool:
        return sum(pool.map(partial(_in_own_session, as_of=as_of), found))


def _in_own_session(batch: Batch, as_of: datetime.date) -> int:
    try:
        return _refresh_batch(batch, as_of)
    finally:
        connection.close()  # a thread's own; it would stay open after the thread has ended


def _refresh_batch(batch: Batch, as_of: datetime.date) -> int:
    """Judge a batch; one that fails is halved until the project at fault stands alone and is set aside.

    Otherwise one bad row would leave a whole range of projects without the light of the day, and have all of
    them judged again by every round.
    """
    try:
        return _judge_batch(batch, as_of)
    except Exception as fault:
        if is_no_rows_fault(fault):
            raise
        if batch.first < batch.last:
            middle = (batch.first + batch.last) // 2
            halves = (replace(batch, last=middle), replace(batch, first=middle + 1))
            return sum(_refresh_batch(half, as_of) for half in halves)
        _leave_out(batch.first, as_of, fault)
        return 0


def _leave_out(project_id: int, as_of: datetime.date, fault: Exception) -> None:
    logger.error("Project %s cannot be judged; it keeps the light it had", project_id, exc_info=fault)
    milestone = Milestone.objects.filter(project_id=project_id).order_by("pk").values_list("pk").first()
    if milestone is not None:
        set_aside(milestone_id=milestone[0], as_of=as_of, error=fault)


def _judge_batch(batch: Batch, as_of: datetime.date) -> int:
    """Look at all, then lock and judge once more the few that would be written.

    What is written was read behind the lock; what is not written was not touched, and a colleague who changes it
    meanwhile judges it in the same transaction.
    """
    with transaction.atomic():
        programme = Programme.objects.get(pk=batch.programme_id)
        # Where thresholds changed since all were judged, spans may name the older ones though no light is another.
        if not policy_is_new(programme):
            changing = _changing(programme, batch, as_of)
            if not changing:
                return 0
            if len(changing) < CHUNK // 4:  # more of them are quicker all at once than each by its id
                batch = replace(batch, ids=changing)
        with counted_later(batch.programme_id, as_of):
            _lock(batch)
            # The thresholds are read behind the lock: they may have been changed meanwhile.
            return _store(Programme.objects.get(pk=batch.programme_id), batch, as_of)


def _changing(programme: Programme, batch: Batch, as_of: datetime.date) -> tuple[int, ...]:
    """Ids of the projects that would be written, as far as can be seen without a lock."""
    lights, params = _judged(programme, batch, as_of)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT j.id FROM ({lights}) j WHERE {DIFFERS} ORDER BY j.id", params)
        return tuple(pk for (pk,) in cursor.fetchall())


def _judged(programme: Programme, batch: Batch, as_of: datetime.date) -> Sql:
    return judged(
        batch,
        programme.light_policy,
        as_of,
        policy_since=programme.policy_since,
        red_shown_on=red_shown_on(programme, as_of),
    )


def _refresh_some(programmes: list[Programme], ids: list[int], as_of: datetime.date) -> int:
    if not ids:
        return 0
    with transaction.atomic():
        # All at once and only then by programme, or two of us might lock them in different orders.
        rows = Project.objects.select_for_update(no_key=True).filter(among("pk", ids)).order_by("pk")
        held = dict(rows.values_list("pk", "programme_id"))
        changed = 0
        for programme in programmes:
            mine = tuple(pk for pk, of in held.items() if of == programme.pk)
            if mine:
                changed += _store(programme, Batch(programme.pk, mine[0], mine[-1], mine), as_of)
        return changed


def batches(programme_id: int) -> Iterator[Batch]:
    """The projects of a programme in ranges of ascending ids.

    Ranges of equal width: to find where so many projects end, all of them would have to be walked through before the
    first is judged. Where ids of other programmes lie between, a range holds fewer.
    """
    ends = Project.objects.filter(programme_id=programme_id).aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is not None:
        for first in range(ends["first"], ends["last"] + 1, CHUNK):
            yield Batch(programme_id, first, min(first + CHUNK - 1, ends["last"]))


def _lock(batch: Batch) -> None:
    rows = batch.of(Project.objects.filter(programme_id=batch.programme_id), "pk")
    locking, params = rows.select_for_update(no_key=True).order_by("pk").values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({locking}) locked", params)


def _store(programme: Programme, batch: Batch, as_of: datetime.date) -> int:
    """Judge a locked batch and write what changed; returns for how many projects something did."""
    lights, params = _judged(programme, batch, as_of)
    number, rule = programme.policy_number, name_case("j.rule_no")
    steps = batch.of(Milestone.objects.exclude(state=MilestoneState.CANCELLED), "project_id")
    lines, line_params = stretches(steps, as_of).query.sql_with_params()
    mine, mine_params = batch.sql("p.id")
    spans, span_params = batch.sql("s.project_id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH judged AS MATERIALIZED (
                SELECT j.*, {rule} AS rule, l.daily, l.until_on
                FROM ({lights}) j LEFT JOIN ({lines}) l ON l.project_id = j.id
            ),
            closed AS (
                UPDATE projects_lightspan s SET until_on = %s
                FROM judged j
                WHERE s.project_id = j.id AND {spans} AND s.until_on IS NULL AND s.from_on <= %s
                    AND (s.light <> j.light OR s.policy_number <> %s OR s.reason->>'rule' <> j.rule)
                RETURNING s.project_id
            ),
            opened AS (
                INSERT INTO projects_lightspan (project_id, light, reason, policy_number, from_on)
                SELECT j.id, j.light, j.reason, %s, %s FROM judged j
                WHERE j.id IN (SELECT project_id FROM closed)
                    OR j.id NOT IN (
                        SELECT s.project_id FROM projects_lightspan s WHERE {spans} AND s.until_on IS NULL
                    )
            ),
            stored AS (
                UPDATE projects_project p SET
                    light = j.light, light_reason = j.kept_reason, light_on = %s, actual_percent = j.actual,
                    planned_from = CASE WHEN j.line_holds THEN p.planned_from
                        WHEN j.planned IS NOT NULL THEN %s END,
                    planned_start = CASE WHEN j.line_holds THEN p.planned_start ELSE j.planned END,
                    planned_daily = CASE WHEN j.line_holds THEN p.planned_daily
                        WHEN j.planned IS NOT NULL THEN j.daily END,
                    planned_until = CASE WHEN j.line_holds THEN p.planned_until
                        WHEN j.planned IS NOT NULL THEN j.until_on END,
                    last_red_on = CASE WHEN j.light = 'red' THEN GREATEST(j.red_until, %s)
                        ELSE j.red_until END
                FROM judged j
                WHERE p.id = j.id AND {mine} AND {DIFFERS}
                RETURNING p.id
            )
            SELECT count(*) FROM stored
            """,
            [
                *(*params, *line_params),
                *(as_of, *span_params, as_of, number),
                *(number, as_of, *span_params),
                *(as_of, as_of, as_of, *mine_params),
            ],
        )
        return int(cursor.fetchone()[0])


def red_shown_on(programme: Programme, as_of: datetime.date) -> datetime.date:
    """Until which day a stored red was shown: today, once all lights of today are judged, else yesterday."""
    judged_today = programme.lights_on is not None and programme.lights_on >= as_of
    return as_of if judged_today else as_of - DAY


def policy_is_new(programme: Programme) -> bool:
    """Whether spans may still name older thresholds: they changed since all lights were judged."""
    since, judged_on = programme.policy_since, programme.lights_on
    return since is not None and (judged_on is None or judged_on <= since)
