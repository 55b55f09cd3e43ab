"""The mark of a cockpit: it stays the same as long as everything that the page shows does.

A row of PostgreSQL that is written anew stands at another place of its table (`ctid`), written by another transaction
(`xmin`). So the rows themselves say that they are as they were, and no road past the portal can forget to say it.
What is counted has its own marks (`models.tally_marks`): where one is left, the page has no mark and is put together.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection


@dataclass(frozen=True)
class Subject:
    """The rows that a page of one programme and one unit was put together from.

    Attributes:
        path: of the unit; the units above it and directly below it belong to the page.
        own: other units whose names are shown.
        projects: those of the red list; their units and persons belong to the page.
    """

    programme_id: int
    unit_id: int
    path: str
    day: datetime.date
    own: Sequence[int] = ()
    projects: Sequence[int] = ()


def mark_of(subject: Subject) -> str | None:
    """The mark of a page about these rows, of the moment at which it is read.

    Read with everything else of the page in one snapshot (`cockpit.snapshot`), or a change between the two is lost.

    Returns:
        None where the tallies of the day are not kept, or something is marked to be counted again.
    """
    named: dict[str, Any] = {
        "programme": subject.programme_id,
        "unit": subject.unit_id,
        "below": f"{subject.path}%",
        "day": subject.day,
        "units": [*map(int, subject.path.rstrip(".").split(".")), *subject.own],
        "projects": list(subject.projects),
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUERY, named)
        found = cursor.fetchone()
    return str(found[0]) if found else None


def _rows(table: str, condition: str) -> str:
    return (
        "COALESCE((SELECT string_agg(concat_ws(':', r.id, r.xmin, r.ctid), ' ' ORDER BY r.id)"
        f" FROM {table} r WHERE {condition}), '')"
    )


_RED = "FROM projects_project WHERE id = ANY (%(projects)s::bigint[])"
_UNITS = f"%(units)s::bigint[] || ARRAY(SELECT enterprise_id {_RED})"
_PEOPLE = f"ARRAY(SELECT unnest(ARRAY[accountable_lead_id, direct_lead_id, coordinator_id]) {_RED})"
# Past days are not asked: a round that writes one of theirs writes the programme, too.
_QUERY = f"""
    SELECT concat_ws('|',
        {_rows("projects_programme", "TRUE")},
        {_rows("projects_dailytally", "r.programme_id = %(programme)s AND r.enterprise_id = %(unit)s AND r.day = %(day)s")},
        {_rows("projects_category", "r.programme_id = %(programme)s")},
        {_rows("enterprises_enterprise", f"r.parent_id = %(unit)s OR r.id = ANY ({_UNITS})")},
        {_rows("projects_project", "r.id = ANY (%(projects)s::bigint[])")},
        {_rows("enterprises_user", f"r.id = ANY ({_PEOPLE})")}
    )
    WHERE EXISTS (SELECT FROM projects_programme p WHERE p.id = %(programme)s AND p.tallied_on = %(day)s)
        AND NOT EXISTS (
            SELECT FROM projects_tallymark m LEFT JOIN enterprises_enterprise e ON e.id = m.enterprise_id
            WHERE m.programme_id = %(programme)s AND (e.id IS NULL OR e.path LIKE %(below)s)
        )
"""
