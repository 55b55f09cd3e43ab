"""Set-based writes of what a ledger says: new projects and changed ones, a statement for all rows.

The rows go into a temporary table by COPY and from there into the tables of the portal by one INSERT or UPDATE.
The journal's triggers see every row all the same, and 200,000 rows take seconds instead of a working day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection

from enterprises.sort_key import pinyin_key
from projects.copying import copy_into
from projects.importing.fields import FIELDS, MANY
from projects.models import Milestone, Project
from projects.services.projects import COMPLETION

#: Columns of a new project that a ledger fills, beside the fields.
_ALSO = ("programme_id", "enterprise_id", "code", "status", "start_text", "due_text", "sort_key")
COLUMNS = (*_ALSO, *(field.key for field in FIELDS))
_STEP_COLUMNS = ("name", "order", "starts_on", "due_on", "percent", "state")


def stage() -> None:
    """Make the temporary tables of this transaction; they are gone with it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DROP TABLE IF EXISTS staged_project, staged_step, staged_link;
            CREATE TEMPORARY TABLE staged_project (LIKE projects_project) ON COMMIT DROP;
            ALTER TABLE staged_project ADD COLUMN position int, ADD COLUMN keys text[];
            CREATE TEMPORARY TABLE staged_step (LIKE projects_milestone, position int) ON COMMIT DROP;
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


def stage_projects(rows: Iterable[tuple[int, dict[str, Any]]]) -> int:
    """Stage new projects: (position, column → value); columns that are missing get the model's default."""
    defaults = {name: _default(name) for name in COLUMNS}

    def lines() -> Iterator[list[Any]]:
        for position, values in rows:
            yield [position, *(values.get(name, defaults[name]) for name in COLUMNS)]

    return copy_into("staged_project", ["position", *COLUMNS], lines())


def insert_projects() -> int:
    """Insert what is staged; rows that exist meanwhile are left out. Returns how many were inserted.

    The ids are drawn beforehand, so that a row finds its project again without looking at names.
    """
    rest = [f for f in Project._meta.concrete_fields if f.column not in COLUMNS and not f.primary_key]
    filled = ", ".join(f'"{f.column}"' for f in rest)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE staged_project SET id = nextval(pg_get_serial_sequence('projects_project', 'id')) WHERE id IS NULL"
        )
        named = ", ".join(f'"{name}"' for name in COLUMNS)
        values = ", ".join(["%s"] * len(rest))
        cursor.execute(
            f"INSERT INTO projects_project (id, {named}, {filled}) SELECT id, {named}, {values} FROM staged_project"
            " ORDER BY position ON CONFLICT DO NOTHING",
            [_prepared(f) for f in rest],
        )
        return int(cursor.rowcount)


def stage_steps(rows: Iterable[tuple[int, dict[str, Any]]]) -> int:
    """Stage milestones of new projects: (position of the project's row, column → value)."""
    lines = ([position, *(step[name] for name in _STEP_COLUMNS)] for position, step in rows)
    return copy_into("staged_step", ["position", *_STEP_COLUMNS], lines)


def insert_steps() -> int:
    """Insert the staged milestones of projects that were inserted."""
    rest = [
        f
        for f in Milestone._meta.concrete_fields
        if f.column not in (*_STEP_COLUMNS, "project_id") and not f.primary_key
    ]
    named = ", ".join(f'"{name}"' for name in _STEP_COLUMNS)
    staged = ", ".join(f's."{name}"' for name in _STEP_COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE staged_project; ANALYZE staged_step")
        cursor.execute(
            f"INSERT INTO projects_milestone (project_id, {named}, {', '.join(str(f.column) for f in rest)})"
            f" SELECT p.id, {staged}, {', '.join(['%s'] * len(rest))}"
            " FROM staged_step s JOIN staged_project t ON t.position = s.position"
            ' JOIN projects_project p ON p.id = t.id ORDER BY s.position, s."order"',
            [_prepared(f) for f in rest],
        )
        return int(cursor.rowcount)


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


def _default(column: str) -> Any:
    return _prepared(next(f for f in Project._meta.concrete_fields if f.column == column))


def _prepared(field: Any) -> Any:
    return field.get_db_prep_save(field.get_default(), connection)
