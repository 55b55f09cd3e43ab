"""Set-based writes of what a ledger says: new projects and changed ones, a statement for all rows.

The rows go into a temporary table by COPY and from there into the tables of the portal by one INSERT or UPDATE.
The journal's triggers see every row all the same, and 200,000 rows take seconds instead of a working day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import IntegrityError, connection, transaction

from enterprises.sort_key import pinyin_key
from projects.copying import copy_into, copy_text, text_of
from projects.importing.fields import FIELDS, MANY
from projects.models import Milestone, Project
from projects.services.projects import COMPLETION

#: Columns of a new project that a ledger fills, beside the fields.
_ALSO = ("programme_id", "enterprise_id", "code", "status", "start_text", "due_text", "sort_key")
_LIGHT = ("light", "light_reason", "light_on", "last_red_on", "planned_percent", "actual_percent")
_FIELD_COLUMNS = tuple(field.key for field in FIELDS)
COLUMNS = (*_ALSO, *_LIGHT, *_FIELD_COLUMNS)
STEP_COLUMNS = ("name", "order", "starts_on", "due_on", "percent", "state")


#: What a row names may have been deleted since it was read: such a row is left out, not the ledger with it.
_ALL_STAND = " AND ".join(
    f'(s."{f.column}" IS NULL OR EXISTS'
    f' (SELECT FROM "{f.related_model._meta.db_table}" x WHERE x.id = s."{f.column}"))'
    for f in Project._meta.concrete_fields
    if f.column in _FIELD_COLUMNS and isinstance(f.related_model, type)
)


def stage() -> None:
    """Make the temporary tables of this transaction; they are gone with it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DROP TABLE IF EXISTS staged_project, staged_step, staged_link;
            CREATE TEMPORARY TABLE staged_project (LIKE projects_project) ON COMMIT DROP;
            ALTER TABLE staged_project ADD COLUMN position int, ADD COLUMN keys text[];
            CREATE TEMPORARY TABLE staged_step (LIKE projects_milestone) ON COMMIT DROP;
            CREATE TEMPORARY TABLE staged_link (position int, kind text, other_id bigint) ON COMMIT DROP;
            """
        )
        for table in ("staged_project", "staged_step"):
            # A copy of the columns, not of their rules: what is not staged is not there.
            cursor.execute(
                "SELECT string_agg(format('ALTER COLUMN %%I DROP NOT NULL', attname), ', ')"
                " FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attnotnull",
                [table],
            )
            if dropping := cursor.fetchone()[0]:
                cursor.execute(f"ALTER TABLE {table} {dropping}")


def analyse() -> None:
    """Have the planner look at the tables that were just filled."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE projects_project, projects_milestone")


def clear() -> None:
    """Empty the temporary tables for the next part of the rows."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE staged_project, staged_step, staged_link")


def draw_ids(number: int) -> list[int]:
    """Ids for new projects, drawn beforehand: a row finds its project again without looking at names."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('projects_project', 'id')) FROM generate_series(1, %s)",
            [number],
        )
        return [pk for (pk,) in cursor.fetchall()]


def projects_text(rows: Iterable[tuple[int, int, dict[str, Any]]]) -> str:
    """New projects as `insert_projects` reads them: (position, id, column → value). Asks no database.

    Columns that are missing get the model's default.
    """
    columns = {str(field.column): field for field in Project._meta.concrete_fields}
    defaults = [(name, columns[name].get_prep_value(columns[name].get_default())) for name in COLUMNS]
    return text_of(
        [position, pk, *(values.get(name, default) for name, default in defaults)]
        for position, pk, values in rows
    )


def insert_projects(text: str) -> list[int]:
    """Insert new projects (`projects_text`); rows that exist meanwhile are left out.

    Returns:
        The ids of those that were inserted.
    """
    copy_text("staged_project", ["position", "id", *COLUMNS], text)
    rest = [f for f in Project._meta.concrete_fields if f.column not in COLUMNS and not f.primary_key]
    filled = ", ".join(f'"{f.column}"' for f in rest)
    named = ", ".join(f'"{name}"' for name in COLUMNS)
    insert = (
        f"INSERT INTO projects_project (id, {named}, {filled})"
        f" SELECT id, {named}, {', '.join(['%s'] * len(rest))} FROM staged_project s WHERE {_ALL_STAND}"
        " ORDER BY position {unless} RETURNING id"
    )
    values = [_prepared(f) for f in rest]
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute(insert.format(unless=""), values)
        except IntegrityError:
            # Somebody took one of them in meanwhile. Asked for at once, this has each row looked for in three indexes
            # before it is written.
            cursor.execute(insert.format(unless="ON CONFLICT DO NOTHING"), values)
        return [pk for (pk,) in cursor.fetchall()]


def steps_text(rows: Iterable[tuple[int, dict[str, Any]]]) -> str:
    """Milestones of new projects as `insert_steps` reads them: (id of the project, column → value)."""
    return text_of([project_id, *(step[name] for name in STEP_COLUMNS)] for project_id, step in rows)


def insert_steps(text: str, project_ids: list[int]) -> None:
    """Insert milestones (`steps_text`) of those projects that were inserted."""
    copy_text("staged_step", ["project_id", *STEP_COLUMNS], text)
    rest = [
        f
        for f in Milestone._meta.concrete_fields
        if f.column not in (*STEP_COLUMNS, "project_id") and not f.primary_key
    ]
    named = ", ".join(f'"{name}"' for name in ("project_id", *STEP_COLUMNS))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO projects_milestone ({named}, {', '.join(str(f.column) for f in rest)})"
            f" SELECT {named}, {', '.join(['%s'] * len(rest))} FROM staged_step"
            ' WHERE project_id = ANY (%s::bigint[]) ORDER BY project_id, "order"',
            [*(_prepared(f) for f in rest), project_ids],
        )


def stage_changes(rows: Iterable[tuple[int, int, dict[str, Any]]]) -> int:
    """Stage changes of projects: (position, project, field → new value)."""
    names = [field.key for field in FIELDS]

    def lines() -> Iterator[list[Any]]:
        for position, project_id, values in rows:
            keys = [name for name in names if name in values]
            sort_key = pinyin_key(values["name"], 300) if "name" in values else None
            stated = "{" + ",".join([*keys, *(["sort_key"] if sort_key else [])]) + "}"
            yield [position, project_id, stated, sort_key, *(values.get(name) for name in names)]

    return copy_into("staged_project", ["position", "id", "keys", "sort_key", *names], lines())


def update_projects() -> int:
    """Write the staged changes: each project once, so that the journal has one entry for it."""
    names = [*(field.key for field in FIELDS), "sort_key"]
    put = ", ".join(
        f'"{name}" = CASE WHEN \'{name}\' = ANY (s.keys) THEN s."{name}" ELSE p."{name}" END'
        for name in names
    )
    with connection.cursor() as cursor:
        # A date without a finer plan is carried by one milestone, which follows it (services.projects.take_in);
        # where somebody dated the milestone otherwise, it stays where they put it.
        cursor.execute(
            """
            UPDATE projects_milestone m SET
                due_on = CASE WHEN 'due_on' = ANY (s.keys) THEN s.due_on ELSE m.due_on END,
                starts_on = CASE WHEN 'starts_on' = ANY (s.keys) THEN s.starts_on ELSE m.starts_on END
            FROM projects_project p JOIN staged_project s ON s.id = p.id
            WHERE m.project_id = p.id AND m.name = %s AND p.approved_on IS NULL
                AND (s.keys && ARRAY['due_on', 'starts_on'])
                AND NOT EXISTS (SELECT FROM projects_milestone o WHERE o.project_id = p.id AND o.id <> m.id)
                AND (m.due_on, m.starts_on) IS NOT DISTINCT FROM (p.due_on, p.starts_on)
            """,
            [COMPLETION],
        )
        cursor.execute(f"UPDATE projects_project p SET {put} FROM staged_project s WHERE s.id = p.id")
        return int(cursor.rowcount)


def stage_links(rows: Iterable[tuple[int, str, list[int]]]) -> int:
    """Stage the supporting enterprises and party organisations of rows: (position, field, ids); [] for none."""
    none: list[int | None] = [None]
    pairs = ((position, key, other) for position, key, others in rows for other in (others or none))
    return copy_into("staged_link", ["position", "kind", "other_id"], pairs)


def put_links() -> None:
    """Make the links of the staged rows what was staged."""
    with connection.cursor() as cursor:
        for field in MANY:
            through: Any = getattr(Project, field.key).through
            table = through._meta.db_table
            other = "enterprise_id" if field.key == "supporting_enterprises" else "partybranch_id"
            joined = (
                "FROM staged_link l JOIN staged_project t ON t.position = l.position"
                " JOIN projects_project p ON p.id = t.id WHERE l.kind = %s"
            )
            cursor.execute(
                f"DELETE FROM {table} x WHERE x.project_id IN (SELECT p.id {joined}) AND NOT EXISTS"
                f" (SELECT {joined} AND p.id = x.project_id AND l.other_id = x.{other})",
                [field.key, field.key],
            )
            cursor.execute(
                f"INSERT INTO {table} (project_id, {other}) SELECT DISTINCT p.id, l.other_id {joined}"
                " AND l.other_id IS NOT NULL ON CONFLICT DO NOTHING",
                [field.key],
            )


def _prepared(field: Any) -> Any:
    return field.get_db_prep_save(field.get_default(), connection)
