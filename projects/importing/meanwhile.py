"""What colleagues did between the preview and the confirmation: rows that may no longer be written as shown."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Min

from enterprises.models import User
from journal.versions import versions_of
from projects.importing.fields import MANY
from projects.models import LedgerImport, Project


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
