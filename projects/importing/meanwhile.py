"""What colleagues did between the preview and the confirmation: rows that may no longer be written as shown."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection
from django.db.models import Count, Min

from enterprises.models import Enterprise, PartyBranch, User
from journal.versions import versions_of
from projects.importing.fields import MANY, label_of
from projects.models import Category, LedgerImport, Project

#: Fields whose values are rows of other tables, which a colleague may remove.
_POINTING: dict[str, type[Any]] = {
    "category_id": Category,
    "liaison_leader_id": User,
    "supporting_enterprises": Enterprise,
    "party_branches": PartyBranch,
}
#: The ids that accepted rows would write, by field: of new projects all values, of others what differs.
_POINTERS = """
    SELECT r.id, k.key, pointer.value::bigint AS pointer
    FROM projects_ledgerrow r
    CROSS JOIN unnest(%(keys)s::text[]) AS k(key)
    CROSS JOIN LATERAL (
        SELECT CASE r.change WHEN 'new' THEN r.data->'values'->k.key ELSE r.data->'differences'->k.key->1 END AS said
    ) cell
    CROSS JOIN LATERAL jsonb_array_elements_text(
        CASE jsonb_typeof(said) WHEN 'array' THEN said WHEN 'number' THEN jsonb_build_array(said) ELSE '[]' END
    ) pointer
    WHERE r.ledger_id = %(ledger)s AND r.outcome = 'accepted' AND r.change IN ('new', 'changed') AND r.result = ''
"""


def untouched(ledger: LedgerImport, rows: Any, actor: User) -> set[int]:
    """Lock the projects that `rows` would change, and find those which are as the person was shown them.

    Args:
        rows: accepted rows of the ledger with a project, each project in one row only (`first_of_each`).

    Returns:
        Projects to be changed. Missing are those that somebody changed, removed or linked otherwise, that
        left the actor's reach, and whose new name was given away.
    """
    versions = dict(rows.order_by("project_id").values_list("project_id", "version"))
    ids = list(versions)
    list(Project.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    now = versions_of(Project.objects.filter(pk__in=ids))
    allowed = set(Project.objects.permitted(actor, "change").filter(pk__in=ids).values_list("pk", flat=True))
    same = {pk for pk in ids if now.get(pk) == versions[pk] and pk in allowed}
    return same - _linked_otherwise(rows) - _names_given_away(ledger, rows)


def first_of_each(rows: Any) -> Any:
    """The rows without those whose project an earlier row speaks of, by its code or its name; these conflict."""
    twice = (
        rows.order_by().values("project_id").annotate(n=Count("pk"), first=Min("position")).filter(n__gt=1)
    )
    for project_id, first in twice.values_list("project_id", "first"):
        rows.filter(project_id=project_id, position__gt=first).update(result="conflict")
    return rows.filter(result="")


def call_gone(ledger_id: int) -> int:
    """Make conflicts of the rows that name what somebody removed since the preview; what is there is locked.

    Asked only where the writing failed at it, in the transaction that tries once more: a look at every row of a
    large ledger costs seconds.

    Returns:
        How many rows.
    """
    found = 0
    # As `confirm` does: whoever has it in hand just now writes what these rows became.
    mine = LedgerImport.objects.select_for_update(of=("self",), skip_locked=True)
    if not mine.filter(pk=ledger_id, state=LedgerImport.State.CONFIRMING).exists():
        return found
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT key, pointer FROM ({_POINTERS}) named",
            {"ledger": ledger_id, "keys": list(_POINTING)},
        )
        named: dict[str, set[int]] = {}
        for key, pointer in cursor.fetchall():
            named.setdefault(key, set()).add(pointer)
        for key, ids in named.items():
            rows = _POINTING[key]._base_manager.filter(pk__in=ids).order_by("pk")
            # Shared, as a foreign key locks it: nobody removes these before the ledger is written.
            sql, params = rows.values("pk").query.sql_with_params()
            cursor.execute(f"{sql} FOR KEY SHARE", params)
            gone = ids - {pk for (pk,) in cursor.fetchall()}
            if gone:
                finding = ["GONE_MEANWHILE", key.removesuffix("_id"), {"field": label_of(key)}]
                cursor.execute(
                    "UPDATE projects_ledgerrow SET result = 'conflict', data = jsonb_set("
                    "data, '{findings}', coalesce(data->'findings', '[]') || jsonb_build_array(%(finding)s::jsonb))"
                    f" WHERE id IN (SELECT id FROM ({_POINTERS}) named WHERE pointer = ANY (%(gone)s))",
                    {
                        "ledger": ledger_id,
                        "keys": [key],
                        "gone": sorted(gone),
                        "finding": json.dumps(finding),
                    },
                )
                found += cursor.rowcount
    return found


def _linked_otherwise(rows: Any) -> set[int]:
    """Projects whose links are not those that were shown: a link of its own leaves no entry on the project."""
    found: set[int] = set()
    for field in MANY:
        differing = rows.filter(data__differences__has_key=field.key)
        shown = dict(differing.values_list("project_id", f"data__differences__{field.key}"))
        if not shown:
            continue
        relation: Any = Project._meta.get_field(field.key)
        links = relation.remote_field.through._base_manager.filter(project_id__in=shown)
        present: dict[int, set[int]] = {}
        for pk, other in links.values_list("project_id", f"{relation.m2m_reverse_field_name()}_id"):
            present.setdefault(pk, set()).add(other)
        found |= {pk for pk, (old, _new) in shown.items() if set(old) != present.get(pk, set())}
    return found


def _names_given_away(ledger: LedgerImport, rows: Any) -> set[int]:
    """Projects whose new name another project of the unit has, or an earlier row gives."""
    renamed = rows.filter(data__differences__has_key="name").order_by("position")
    wanted = {pk: new for pk, (_old, new) in renamed.values_list("project_id", "data__differences__name")}
    if not wanted:
        return set()
    units = dict(Project.objects.filter(pk__in=wanted).values_list("pk", "enterprise_id"))
    there = Project.objects.filter(programme=ledger.programme_id, name__in=set(wanted.values()))
    taken = set(there.values_list("enterprise_id", "name"))
    found: set[int] = set()
    for pk, name in wanted.items():
        place = (units.get(pk, 0), name)
        if place in taken:
            found.add(pk)
        taken.add(place)
    return found
