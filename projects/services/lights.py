"""Keeps each project's light and progress beside it, so that lists can filter and sort by them.

One statement a batch: the milestones are added up, `projects.lights.RULES` is asked, rows that changed are
written, and where the light or its rule changed, the history (`LightSpan`) goes on with a new span.

Percents are stored whole, as they are shown and judged: on an ordinary day that saves most of the writes.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from django.db import connection, transaction
from django.db.models import Q

from projects.models import Milestone, OverdueEpisode, Programme, Project
from projects.periods import DAY
from projects.services.batches import server_is_away, set_aside
from projects.services.light_sql import name_case
from projects.services.light_sums import Batch, judged
from projects.services.tallying import counted_later

logger = logging.getLogger(__name__)

#: Projects per transaction: a person who changes one of them waits for no more than these.
CHUNK = 20_000
#: Database sessions that judge at once when everything is judged: one writes its log while two compute.
SESSIONS = 3


def refresh_lights(
    *,
    as_of: datetime.date,
    project_ids: Iterable[int] | None = None,
    programme_id: int | None = None,
) -> int:
    """Judge projects of the programmes in force and store what changed.

    Projects are locked by ascending id, before their milestones are read: a colleague's change is either
    seen or comes after. A day before the present span began stores nothing in the history.

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


def follow_patrol(*, run_ids: Collection[int], as_of: datetime.date) -> int:
    """After a patrol: all lights once a day, then only those of projects whose episodes it touched.

    Whatever a person changes refreshes its own project at once, so a minute's patrol has little to do.

    Args:
        run_ids: runs of the patrol (`runs_to_follow`).
        as_of: the day that was patrolled.

    Returns:
        Number of projects whose light, reason or progress changed.
    """
    stale = Programme.objects.in_force(as_of).exclude(lights_on=as_of)
    if stale.exists():
        changed = refresh_lights(as_of=as_of)
        Programme.objects.in_force(as_of).update(lights_on=as_of)
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
        if server_is_away(fault):
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

    Otherwise one bad row would leave twenty thousand projects without the light of the day, and have all of
    them judged again by every round.
    """
    try:
        return _judge_batch(batch, as_of)
    except Exception as fault:
        if server_is_away(fault):
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
    with transaction.atomic():
        # The thresholds are read in each transaction: they may be changed while we walk.
        programme = Programme.objects.get(pk=batch.programme_id)
        with counted_later(programme.pk, as_of):
            _lock(batch)
            return _store(programme, batch, as_of)


def _refresh_some(programmes: list[Programme], ids: list[int], as_of: datetime.date) -> int:
    if not ids:
        return 0
    with transaction.atomic():
        # All at once and only then by programme, or two of us might lock them in different orders.
        rows = Project.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
        held = dict(rows.values_list("pk", "programme_id"))
        changed = 0
        for programme in programmes:
            mine = tuple(pk for pk, of in held.items() if of == programme.pk)
            if mine:
                changed += _store(programme, Batch(programme.pk, mine[0], mine[-1], mine), as_of)
        return changed


def batches(programme_id: int) -> Iterator[Batch]:
    """The projects of a programme in ranges of ascending ids."""
    ids = Project.objects.filter(programme_id=programme_id).order_by("pk").values_list("pk", flat=True)
    last = 0
    # The index is asked for each end; fetching all ids to count them takes as long as judging a batch.
    while (end := ids.filter(pk__gt=last)[CHUNK - 1 : CHUNK].first()) is not None:
        yield Batch(programme_id, last + 1, end)
        last = end
    if (end := ids.filter(pk__gt=last).last()) is not None:
        yield Batch(programme_id, last + 1, end)


def _lock(batch: Batch) -> None:
    rows = batch.of(Project.objects.filter(programme_id=batch.programme_id), "pk")
    locking, params = rows.select_for_update(no_key=True).order_by("pk").values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({locking}) locked", params)


def _store(programme: Programme, batch: Batch, as_of: datetime.date) -> int:
    """Judge a locked batch and write what changed; returns for how many projects something did."""
    lights, params = judged(
        batch,
        programme.light_policy,
        as_of,
        policy_since=programme.policy_since,
        red_shown_on=red_shown_on(programme, as_of),
    )
    number, rule = programme.policy_number, name_case("j.rule_no")
    differs = (
        "j.was_light <> j.light OR j.was_planned IS DISTINCT FROM j.planned OR j.was_actual <> j.actual"
        " OR j.reason_differs"
    )
    # What shows as before needs no look at its span, unless the thresholds changed since all were judged: most rows of
    # an ordinary day are let go here, before they are kept for the statements below.
    every_span = batch.ids is not None or policy_is_new(programme)
    kept = "" if every_span else f"WHERE {differs}"
    moved = "TRUE" if every_span else f"(j.was_light <> j.light OR j.was_reason->>'rule' <> {rule})"
    # What is said twice below (the range, the array) keeps the planner from reading whole tables for a batch.
    projects = batch.range("p.id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH judged AS MATERIALIZED (SELECT j.* FROM ({lights}) j {kept}),
            moved AS MATERIALIZED (
                SELECT j.id, j.light, j.reason, {rule} AS rule FROM judged j WHERE {moved}
            ),
            closed AS (
                UPDATE projects_lightspan s SET until_on = %s
                FROM moved m
                WHERE s.project_id = m.id AND s.until_on IS NULL AND s.from_on <= %s
                    AND s.project_id = ANY (ARRAY(SELECT id FROM moved))
                    AND (s.light <> m.light OR s.policy_number <> %s OR s.reason->>'rule' <> m.rule)
                RETURNING s.project_id
            ),
            opened AS (
                INSERT INTO projects_lightspan (project_id, light, reason, policy_number, from_on)
                SELECT m.id, m.light, m.reason, %s, %s FROM moved m
                WHERE m.id IN (SELECT project_id FROM closed)
                    OR NOT EXISTS (
                        SELECT FROM projects_lightspan s
                        WHERE s.project_id = m.id AND s.until_on IS NULL
                            AND s.project_id = ANY (ARRAY(SELECT id FROM moved))
                    )
            ),
            stored AS (
                UPDATE projects_project p SET
                    light = j.light, light_reason = j.reason, light_on = %s,
                    planned_percent = j.planned, actual_percent = j.actual,
                    last_red_on = CASE WHEN j.light = 'red' THEN GREATEST(j.red_until, %s)
                        ELSE j.red_until END
                FROM judged j
                WHERE p.id = j.id AND {projects} AND ({differs})
                RETURNING p.id
            )
            SELECT count(*) FROM stored
            """,
            [*params, as_of, as_of, number, number, as_of, as_of, as_of],
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
