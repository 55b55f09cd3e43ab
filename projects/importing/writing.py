"""Set-based writes of what a ledger says: new projects and changed ones, a statement for all rows.

New rows go into the tables by COPY; where one of them exists meanwhile, and for changes, into a temporary table and
from there by one INSERT or UPDATE.
The journal's triggers see every row all the same, and 200,000 rows take seconds instead of a working day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import IntegrityError, connection, models, transaction

from enterprises.sort_key import pinyin_key
from projects.copying import copy_into, copy_text, text_of
from projects.importing.fields import FIELDS, MANY
from projects.models import Milestone, Project
from projects.services.projects import COMPLETION

#: Columns of a new project that a ledger fills, beside the fields.
_ALSO = ("programme_id", "enterprise_id", "code", "status", "start_text", "due_text", "sort_key")
_LIGHT = (
    *("light", "light_reason", "light_on", "last_red_on", "actual_percent"),
    *("planned_from", "planned_start", "planned_daily", "planned_until"),
)
COLUMNS = ("id", *_ALSO, *_LIGHT, *(field.key for field in FIELDS))
STEP_COLUMNS = ("project_id", "name", "order", "starts_on", "due_on", "percent", "state")


def stage() -> None:
    """Make the temporary tables of this transaction; they are gone with it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DROP TABLE IF EXISTS staged_project, staged_step, staged_link;
            CREATE TEMPORARY TABLE staged_project (LIKE projects_project) ON COMMIT DROP;
            ALTER TABLE staged_project ADD COLUMN keys text[];
            CREATE TEMPORARY TABLE staged_step (LIKE projects_milestone) ON COMMIT DROP;
            CREATE TEMPORARY TABLE staged_link (project_id bigint, kind text, other_id bigint) ON COMMIT DROP;
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


def draw_ids(number: int) -> list[int]:
    """Ids for new projects, drawn beforehand: a row finds its project again without looking at names."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('projects_project', 'id')) FROM generate_series(1, %s)",
            [number],
        )
        return [pk for (pk,) in cursor.fetchall()]


def projects_text(rows: Iterable[dict[str, Any]]) -> str:
    """New projects as `insert_projects` reads them: column → value, the id among them. Asks no database.

    Columns that are missing get the model's default.
    """
    defaults = [(name, _default(Project, name)) for name in COLUMNS if name != "id"]
    rest = [_default(Project, name) for name in _rest(Project, COLUMNS)]
    return text_of(
        [values["id"], *(values.get(name, default) for name, default in defaults), *rest] for values in rows
    )


def insert_projects(text: str, ids: list[int]) -> list[int]:
    """Insert new projects; rows that exist meanwhile are left out.

    Args:
        text: of `projects_text`.
        ids: all ids in it.

    Returns:
        The ids of those that were inserted.
    """
    columns = [*COLUMNS, *_rest(Project, COLUMNS)]
    try:
        with transaction.atomic():
            copy_text("projects_project", columns, text)
        return ids
    except IntegrityError:
        pass  # somebody took one of them in meanwhile
    stage()
    copy_text("staged_project", columns, text)
    listed = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO projects_project ({listed}) SELECT {listed} FROM staged_project"
            " ORDER BY id ON CONFLICT DO NOTHING RETURNING id"
        )
        return [pk for (pk,) in cursor.fetchall()]


def steps_text(rows: Iterable[dict[str, Any]]) -> str:
    """Milestones of new projects as `insert_steps` reads them: column → value. Asks no database."""
    rest = [_default(Milestone, name) for name in _rest(Milestone, STEP_COLUMNS)]
    return text_of([*(step[name] for name in STEP_COLUMNS), *rest] for step in rows)


def insert_steps(text: str, project_ids: list[int] | None = None) -> None:
    """Insert milestones (`steps_text`): all of them, or those of some projects only."""
    columns = [*STEP_COLUMNS, *_rest(Milestone, STEP_COLUMNS)]
    if project_ids is None:
        copy_text("projects_milestone", columns, text)
        return
    copy_text("staged_step", columns, text)
    listed = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO projects_milestone ({listed}) SELECT {listed} FROM staged_step"
            ' WHERE project_id = ANY (%s::bigint[]) ORDER BY project_id, "order"',
            [project_ids],
        )


def stage_changes(rows: Iterable[tuple[int, dict[str, Any]]]) -> int:
    """Stage changes of projects: (project, field → new value)."""
    names = [field.key for field in FIELDS]

    def lines() -> Iterator[list[Any]]:
        for project_id, values in rows:
            keys = [name for name in names if name in values]
            sort_key = pinyin_key(values["name"], 300) if "name" in values else None
            stated = "{" + ",".join([*keys, *(["sort_key"] if sort_key else [])]) + "}"
            yield [project_id, stated, sort_key, *(values.get(name) for name in names)]

    return copy_into("staged_project", ["id", "keys", "sort_key", *names], lines())


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
    """Stage the supporting enterprises and party organisations: (project, field, ids); [] for none."""
    none: list[int | None] = [None]
    pairs = ((project_id, key, other) for project_id, key, others in rows for other in (others or none))
    return copy_into("staged_link", ["project_id", "kind", "other_id"], pairs)


def put_links() -> None:
    """Make the links of the projects what was staged."""
    with connection.cursor() as cursor:
        for field in MANY:
            through: Any = getattr(Project, field.key).through
            table = through._meta.db_table
            other = "enterprise_id" if field.key == "supporting_enterprises" else "partybranch_id"
            joined = "FROM staged_link l JOIN projects_project p ON p.id = l.project_id WHERE l.kind = %s"
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


def _rest(model: type[models.Model], columns: Sequence[str]) -> list[str]:
    """The columns of a model that a ledger does not fill."""
    return [
        str(field.column)
        for field in model._meta.concrete_fields
        if field.column not in columns and not field.primary_key
    ]


def _default(model: type[models.Model], column: str) -> Any:
    field = next(one for one in model._meta.concrete_fields if one.column == column)
    return field.get_prep_value(field.get_default())
