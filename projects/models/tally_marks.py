"""Triggers that mark which tallies are to be counted again.

Triggers, because no road may forget it: not a form, not an import by COPY, not raw SQL. Once per statement, not
once per row: an import of 200,000 projects writes as many marks as it has enterprises.
"""

from __future__ import annotations

from collections.abc import Sequence

import pgtrigger

#: Set to "on" for a transaction whose rows are all counted again afterwards (the lights of a new day).
ALL_COUNTED_LATER = "portal.all_counted_later"

_NOT_NOW = f"""
    IF current_setting('{ALL_COUNTED_LATER}', true) = 'on' THEN
        RETURN NULL;
    END IF;
"""


def marks_project(columns: Sequence[str]) -> list[pgtrigger.Trigger]:
    """For the table of projects: marks where a project stands, and where it stood.

    Args:
        columns: those that are counted by; a change of another one marks nothing.
    """
    return _three("SELECT r.programme_id, r.enterprise_id FROM {rows} r", columns)


def marks_of_project(columns: Sequence[str]) -> list[pgtrigger.Trigger]:
    """For a table whose rows name their project."""
    return _three(
        "SELECT p.programme_id, p.enterprise_id FROM {rows} r JOIN projects_project p ON p.id = r.project_id",
        columns,
    )


def marks_of_milestone(columns: Sequence[str]) -> list[pgtrigger.Trigger]:
    """For a table whose rows name their milestone."""
    return _three(
        "SELECT p.programme_id, p.enterprise_id FROM {rows} r"
        " JOIN projects_milestone m ON m.id = r.milestone_id JOIN projects_project p ON p.id = m.project_id",
        columns,
    )


def marks_tree() -> pgtrigger.Trigger:
    """For the tree of enterprises: a unit that moved takes its sums to another branch."""
    return pgtrigger.Trigger(
        name="marks_tally_tree",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("path", "parent_id"),
        condition=pgtrigger.Q(old__path__df=pgtrigger.F("new__path")),
        func="""
            INSERT INTO projects_tallymark (programme_id, enterprise_id) SELECT id, NULL FROM projects_programme;
            RETURN NULL;
        """,
    )


def _three(pairs: str, columns: Sequence[str]) -> list[pgtrigger.Trigger]:
    # What is on one side only has changed. Not a join of the two sides: PostgreSQL knows nothing of these rows, and goes
    # through ten thousand of them again for each of ten thousand.
    counted = ", ".join(("id", *columns))
    was, now = (f"SELECT {counted} FROM {rows}" for rows in ("was", "now"))
    both = f"(({was} EXCEPT {now}) UNION ALL ({now} EXCEPT {was}))"
    return [
        _mark("insert", pgtrigger.Insert, pgtrigger.Referencing(new="now"), pairs.format(rows="now")),
        _mark(
            "update", pgtrigger.Update, pgtrigger.Referencing(old="was", new="now"), pairs.format(rows=both)
        ),
        _mark("delete", pgtrigger.Delete, pgtrigger.Referencing(old="was"), pairs.format(rows="was")),
    ]


def _mark(
    name: str, operation: pgtrigger.Operation, rows: pgtrigger.Referencing, pairs: str
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=f"marks_tally_{name}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=rows,
        # Planned anew each time: a plan made for one row would be kept for the next hundred thousand.
        func=f"""{_NOT_NOW}
            EXECUTE $mark$
                INSERT INTO projects_tallymark (programme_id, enterprise_id)
                SELECT DISTINCT pair.* FROM ({pairs}) pair
            $mark$;
            RETURN NULL;
        """,
    )
