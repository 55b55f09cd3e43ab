"""Who holds a post of a project today: the person, whoever acts for that person, or the next in line.

A post is vacant when nobody is named, when only a name and a phone stand there, or when the account has no
role in force that reaches the project: a notice to any of these would be read by nobody.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from enterprises.models import Membership
from enterprises.roles import roles_with
from enterprises.scoping import prefixes
from projects.ladder import Recipient
from projects.models import Project

#: Told when no person is named: the party officers of the enterprise, nearest first.
OFFICERS = "officers"
NOBODY = "nobody"

#: In this order a vacant post passes on (product rules, section 4; a liaison leader's goes to the reviewer).
NEXT = (
    Recipient.COORDINATOR.value,
    Recipient.DIRECT_LEAD.value,
    Recipient.ACCOUNTABLE_LEAD.value,
    OFFICERS,
    Recipient.REVIEWER.value,
)
POST_NAMES = {
    **{post.value: post.label for post in Recipient},
    OFFICERS: _("the enterprise's party officers"),
    NOBODY: _("nobody"),
}
_FIELDS = {
    Recipient.COORDINATOR.value: "coordinator_id",
    Recipient.DIRECT_LEAD.value: "direct_lead_id",
    Recipient.ACCOUNTABLE_LEAD.value: "accountable_lead_id",
    Recipient.LIAISON_LEADER.value: "liaison_leader_id",
}
_ROLES = {
    OFFICERS: roles_with("projects.change_progressreport"),
    Recipient.REVIEWER.value: roles_with("projects.review_progressreport"),
}


@dataclass(frozen=True)
class Holder:
    """A person to tell. `acting_for` names the colleague whose post it is, "" when it is their own."""

    user_id: int
    acting_for: str = ""


@dataclass(frozen=True)
class Found:
    """Who is told for a post.

    Attributes:
        people: without repetition; empty only where nobody at all can be told.
        instead: the post that stood in for a vacant one (a key of `POST_NAMES`), "" when it was filled.
    """

    people: tuple[Holder, ...]
    instead: str = ""


class Posts:
    """Answers for many projects after one query.

    Args:
        projects: with `enterprise` loaded.
        on: the day on which memberships must be in force.
    """

    def __init__(self, projects: Iterable[Project], *, on: datetime.date) -> None:
        paths = {path for project in projects for path in prefixes(project.enterprise.path)}
        held = Membership.objects.filter(unit__path__in=paths, user__is_active=True).in_force(on)
        self._held: dict[str, list[tuple[str, int, int | None, str]]] = {}
        rows = held.order_by("pk")
        for path, role, user_id, acting_for_id, name, account in rows.values_list(
            *("unit__path", "role", "user_id"),
            *("acting_for_id", "acting_for__name", "acting_for__username"),
        ):
            self._held.setdefault(path, []).append((role, user_id, acting_for_id, name or account or ""))
        self._readers = roles_with("projects.view_project")

    def find(self, project: Project, post: str) -> Found:
        """Who is told when `post` of `project` has to be told."""
        if people := self._holders(project, post):
            return Found(people)
        after = NEXT.index(post) + 1 if post in NEXT else NEXT.index(Recipient.REVIEWER.value)
        for other in NEXT[after:]:
            if other != post and (people := self._holders(project, other)):
                return Found(people, other)
        return Found((), NOBODY)

    def _holders(self, project: Project, post: str) -> tuple[Holder, ...]:
        if post in _ROLES:
            return self._nearest(project, _ROLES[post])
        principal = getattr(project, _FIELDS[post])
        if principal is None:
            return ()
        found: dict[int, Holder] = {}
        for path in prefixes(project.enterprise.path):
            for role, user_id, acting_for_id, name in self._held.get(path, ()):
                if role not in self._readers:
                    continue
                if user_id == principal:
                    found[user_id] = Holder(user_id)
                elif acting_for_id == principal:
                    found.setdefault(user_id, Holder(user_id, name))
        return tuple(found.values())

    def _nearest(self, project: Project, roles: frozenset[str]) -> tuple[Holder, ...]:
        """The holders of a role at the nearest unit that has any, going up the tree."""
        for path in reversed(prefixes(project.enterprise.path)):
            found = {
                user_id: Holder(user_id, name)
                for role, user_id, _acting_for_id, name in self._held.get(path, ())
                if role in roles
            }
            if found:
                return tuple(found.values())
        return ()
