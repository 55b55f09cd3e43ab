"""One value for many projects at once: liaison leader, category, key or not. Each project is judged by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.roles import Role
from enterprises.scoping import may
from journal.context import because
from projects.models import Category, Project
from projects.services.projects import EDITABLE, fixed_fields
from projects.services.refusals import Refused

MOST_AT_ONCE = 500
LONGEST_REASON = 300


class Change(StrEnum):
    """What may be set for many: the field of the project."""

    LIAISON_LEADER = "liaison_leader"
    CATEGORY = "category"
    IS_KEY = "is_key"


@dataclass(frozen=True)
class Changed:
    """What became of one project. `refused` says why it stays as it was; `same` that it was so already."""

    project: Project
    refused: str = ""
    same: bool = False


def leaders(actor: User) -> Any:
    """The accounts that the actor may name as a liaison leader."""
    return (
        User.objects.choosable_by(actor)
        .filter(memberships__role=Role.LEADER)
        .distinct()
        .order_by("name", "id")
    )


def present(project: Project, change: Change) -> str:
    """The value as a page sends it back, to see whether somebody changed it meanwhile."""
    value = getattr(project, change if change == Change.IS_KEY else f"{change}_id")
    return "" if value is None else str(value)


def refusal(project: Project, change: Change, actor: User, named: frozenset[int]) -> str:
    """Why `actor` may not change this of the project now, or "".

    Args:
        named: ids of the present liaison leaders that the actor may name; somebody beyond the wall is not replaced.
    """
    if not may(actor, "change", project):
        return _("Your role does not include this step.")
    if project.programme.archived_on:
        return _("The programme is archived or not in force; its milestones are history.")
    if project.status not in EDITABLE:
        return _("The project is “%(status)s”: it is not edited any more.") % {
            "status": project.get_status_display()
        }
    fixed = fixed_fields(approved=bool(project.approved_on), approver=may(actor, "approve", project))
    if change in fixed:
        return _("What was approved stands; this is not changed any more.")
    holder = project.liaison_leader_id
    if change == Change.LIAISON_LEADER and holder is not None and holder not in named:
        return _("The present liaison leader was named by a unit above yours.")
    return ""


@transaction.atomic
def change_many(
    *,
    change: Change,
    value: User | str | bool | None,
    seen: Mapping[int, str],
    actor: User,
    reason: str = "",
) -> list[Changed]:
    """Set one value for many projects.

    Args:
        value: an account or None for the liaison leader, the name of a category or "" for none, True or False for key.
        seen: project id → `present` value on the page that the person decided on; ids found through the wall.
        reason: kept in the journal with each change.

    Returns:
        One outcome for each project that exists, by id. What changed since the page was shown stays as it is.

    Raises:
        Refused: too many at once, or a leader whom the actor may not name; nothing was changed.
    """
    if len(seen) > MOST_AT_ONCE:
        raise Refused(_("At most %(most)d can be changed at once.") % {"most": MOST_AT_ONCE})
    if (
        change == Change.LIAISON_LEADER
        and isinstance(value, User)
        and not leaders(actor).filter(pk=value.pk).exists()
    ):
        raise Refused(_("Choose one of the leaders offered."))
    rows = Project.objects.filter(pk__in=list(seen)).order_by("pk")
    # Locked first and by id, as every service does; then read with what the judgement needs.
    list(rows.select_for_update(of=("self",), no_key=True).values_list("pk"))
    projects = list(rows.select_related("enterprise", "programme", "category", "liaison_leader"))
    named = _named(projects, actor)
    categories = _categories(projects, str(value)) if change == Change.CATEGORY and value else {}
    with because(reason[:LONGEST_REASON]):
        return [
            _change(project, change, value, seen[project.pk], actor, named, categories)
            for project in projects
        ]


def _change(
    project: Project,
    change: Change,
    value: User | str | bool | None,
    was: str,
    actor: User,
    named: frozenset[int],
    categories: Mapping[int, Category],
) -> Changed:
    if refused := refusal(project, change, actor, named):
        return Changed(project, refused)
    target: Any = value
    if change == Change.CATEGORY:
        target = categories.get(project.programme_id) if value else None
        if value and target is None:
            return Changed(project, _("The programme has no category “%(name)s”.") % {"name": value})
    # Before the look at what was seen: a second click finds the work of the first one, not somebody else's.
    # Before the look at what was seen: a second click finds the work of the first one, not somebody else's.
    if getattr(project, change) == target:
        return Changed(project, same=True)
    if present(project, change) != was:
        return Changed(project, _("Somebody changed this meanwhile; look at it again."))
    if present(project, change) != was:
        return Changed(project, _("Somebody changed this meanwhile; look at it again."))
    setattr(project, change, target)
    project.save(update_fields=[change])
    return Changed(project)


def _named(projects: list[Project], actor: User) -> frozenset[int]:
    """Of the liaison leaders that stand on the projects: those whom the actor may name."""
    holders = {project.liaison_leader_id for project in projects if project.liaison_leader_id}
    return frozenset(User.objects.choosable_by(actor).filter(pk__in=holders).values_list("pk", flat=True))


def judge(projects: list[Project], change: Change, actor: User) -> list[tuple[Project, str]]:
    """(project, why it cannot be changed or "") for a page that asks before anything is changed."""
    named = _named(projects, actor)
    return [(project, refusal(project, change, actor, named)) for project in projects]


def _categories(projects: list[Project], name: str) -> dict[int, Category]:
    """The category of that name in each programme of the projects."""
    programmes = {project.programme_id for project in projects}
    return {row.programme_id: row for row in Category.objects.filter(programme__in=programmes, name=name)}
