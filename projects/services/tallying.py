"""Keeps the tallies right: everything once a day, and within the day what was marked (`models.tally_marks`).

A mark is taken away in the transaction that counts again, and the counting sees everything that was committed
until then. What is committed while it counts leaves a mark of its own: a tally is right, or marked.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from projects.models import Programme, Project, TallyMark
from projects.models.tally_marks import ALL_COUNTED_LATER
from projects.services.tally_sql import counted
from projects.tallies import NAMES

_COLUMNS = ", ".join(NAMES)
_SUMS = ", ".join(f"sum(t.{name})::bigint" for name in NAMES)
#: The units above an enterprise, itself included, from its path of ids ("12.40.7.").
ABOVE = "unnest(string_to_array(rtrim({path}, '.'), '.')::bigint[])"


@contextmanager
def counted_later(programme_id: int, as_of: datetime.date) -> Iterator[None]:
    """Inside a transaction: what changes leaves no marks where all of it is still to be counted for the day.

    The programme is held until the transaction ends, so that nobody counts it between the look and the change.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT tallied_on FROM projects_programme WHERE id = %s FOR SHARE", [programme_id])
        (tallied_on,) = cursor.fetchone()
        if tallied_on == as_of:
            yield
            return
        cursor.execute(f"SET LOCAL {ALL_COUNTED_LATER} = 'on'")
        yield
        cursor.execute(f"SET LOCAL {ALL_COUNTED_LATER} = 'off'")


def keep_tallies(*, as_of: datetime.date) -> int:
    """Count again what is not right any more. Safe to repeat and to run in several workers at once.

    Args:
        as_of: today; the tallies of this day are kept as its snapshot.

    Returns:
        Number of pairs of programme and enterprise that were counted, or -1 when everything was.
    """
    done = 0
    for programme in Programme.objects.in_force(as_of):
        with transaction.atomic():
            if not _is_ours():
                return done
            # Read again behind the lock, which waits for lights that are being judged without leaving marks.
            programme = Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
            marked, everything = _take_marks(programme.pk)
            if everything or programme.tallied_on != as_of:
                _count(programme, as_of, None)
                Programme.objects.filter(pk=programme.pk).update(tallied_on=as_of)
                done = -1
            elif marked:
                _count(programme, as_of, sorted(marked))
                done += len(marked) if done >= 0 else 0
    _drop_idle_marks(as_of)
    return done


def _is_ours() -> bool:
    """One worker counts at a time: two would write the sums of the units above both of theirs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('projects_tally'))")
        return bool(cursor.fetchone()[0])


def _take_marks(programme_id: int) -> tuple[set[int], bool]:
    """The marked enterprises of a programme, and whether the tree was rearranged."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM projects_tallymark WHERE programme_id = %s RETURNING enterprise_id", [programme_id]
        )
        marked = {pk for (pk,) in cursor.fetchall()}
    return marked - {None}, None in marked


def _drop_idle_marks(as_of: datetime.date) -> None:
    """Take away the marks of programmes that nobody follows any more; they are counted when they are asked for."""
    idle = Programme.objects.exclude(pk__in=Programme.objects.in_force(as_of).values("pk"))
    with transaction.atomic():
        # Whoever comes back into force must be counted as a whole, for its marks are gone.
        idle.filter(tallied_on__isnull=False).update(tallied_on=None)
        TallyMark.objects.filter(programme__in=list(idle.values_list("pk", flat=True))).delete()


def _count(programme: Programme, as_of: datetime.date, enterprise_ids: Collection[int] | None) -> None:
    """Count some enterprises of a programme, or all of them, then the units above and their day."""
    with connection.cursor() as cursor:
        _count_own(cursor, programme, as_of, enterprise_ids)
        above = None if enterprise_ids is None else _units_above(cursor, enterprise_ids)
        _add_up(cursor, programme, above)
        _keep_day(cursor, programme, as_of, above)


def _count_own(
    cursor: Any, programme: Programme, as_of: datetime.date, enterprise_ids: Collection[int] | None
) -> None:
    projects = Project.objects.filter(programme=programme)
    own, named = "", {"programme": programme.pk, "own": list(enterprise_ids or ())}
    if enterprise_ids is None:
        # Everything is met with everything once. Where the statistics are older than the rows (a first import), the
        # planner takes thousands for one and goes through all milestones again for each project.
        cursor.execute("SET LOCAL enable_nestloop = off")
    else:
        projects = projects.filter(enterprise__in=enterprise_ids)
        own = "AND enterprise_id = ANY(%(own)s)"
    rows, params = counted(projects, programme, as_of)
    cursor.execute(
        f"DELETE FROM projects_tally WHERE programme_id = %(programme)s AND NOT whole {own}", named
    )
    cursor.execute(
        f"INSERT INTO projects_tally (programme_id, whole, enterprise_id, category_id, {_COLUMNS})"
        f" SELECT {int(programme.pk)}, FALSE, c.* FROM ({rows}) c",
        params,
    )
    cursor.execute("SET LOCAL enable_nestloop = on")


def _units_above(cursor: Any, enterprise_ids: Collection[int]) -> list[int]:
    """These enterprises and every unit over one of them."""
    cursor.execute(
        f"SELECT DISTINCT a.id FROM enterprises_enterprise e, {ABOVE.format(path='e.path')} a(id) WHERE e.id = ANY(%s)",
        [list(enterprise_ids)],
    )
    return [pk for (pk,) in cursor.fetchall()]


def _add_up(cursor: Any, programme: Programme, units: list[int] | None) -> None:
    """The whole rows of some units, or of all."""
    cursor.execute(
        f"DELETE FROM projects_tally WHERE programme_id = %(programme)s AND whole {_of(units, 'enterprise_id')}",
        {"programme": programme.pk, "units": units},
    )
    cursor.execute(
        f"""
        INSERT INTO projects_tally (programme_id, whole, enterprise_id, category_id, {_COLUMNS})
        SELECT t.programme_id, TRUE, a.id, t.category_id, {_SUMS}
        FROM projects_tally t JOIN enterprises_enterprise e ON e.id = t.enterprise_id
            CROSS JOIN LATERAL {ABOVE.format(path="e.path")} a(id)
        WHERE t.programme_id = %(programme)s AND NOT t.whole {_of(units, "a.id")}
        GROUP BY t.programme_id, a.id, t.category_id
        """,
        {"programme": programme.pk, "units": units},
    )


def _keep_day(cursor: Any, programme: Programme, as_of: datetime.date, units: list[int] | None) -> None:
    """The snapshot of the day, of some units or of all."""
    named = {"programme": programme.pk, "day": as_of, "units": units}
    cursor.execute(
        "DELETE FROM projects_dailytally"
        f" WHERE programme_id = %(programme)s AND day = %(day)s {_of(units, 'enterprise_id')}",
        named,
    )
    cursor.execute(
        f"""
        INSERT INTO projects_dailytally (programme_id, day, enterprise_id, {_COLUMNS})
        SELECT t.programme_id, %(day)s, t.enterprise_id, {_SUMS}
        FROM projects_tally t
        WHERE t.programme_id = %(programme)s AND t.whole {_of(units, "t.enterprise_id")}
        GROUP BY t.programme_id, t.enterprise_id
        """,
        named,
    )


def _of(units: list[int] | None, column: str) -> str:
    return "" if units is None else f"AND {column} = ANY(%(units)s)"
