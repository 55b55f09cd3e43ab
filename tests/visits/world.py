"""A commission with a leader, a group with an officer, and a project that the leader keeps contact with."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from enterprises.models import Enterprise, User
from projects.models import ActionItem, Programme, Project, SiteVisit
from projects.services.visits import NewItem, instruct, record_visit
from tests import factories

DAY = datetime.timedelta(days=1)


@dataclass
class World:
    sasac: Enterprise
    group: Enterprise
    programme: Programme
    project: Project
    leader: User
    staff: User
    officer: User
    today: datetime.date

    @property
    def at(self) -> datetime.datetime:
        return factories.moment(self.today)


def built() -> World:
    today = timezone.localdate()
    sasac = factories.sasac()
    group = factories.enterprise(parent=sasac)
    programme = factories.programme(
        sasac,
        today.year,
        starts_on=today - DAY * 99,
        ends_on=today + DAY * 99,
        patrolled_until=today + DAY * 199,
    )
    leader, officer = factories.user("leader", sasac), factories.user("officer", group)
    project = factories.project(group, programme, liaison_leader=leader, coordinator=officer)
    return World(sasac, group, programme, project, leader, factories.user("staff", sasac), officer, today)


def visited(world: World, *, on: datetime.date | None = None, **values: Any) -> SiteVisit:
    """A visit by the leader; `values` as `record_visit` takes them."""
    facts: dict[str, Any] = {
        "project_id": world.project.pk,
        "actor": world.leader,
        "leader_id": world.leader.pk,
        "at": world.at,
        "visited_on": on or world.today,
        "findings": "路口占道手续未办妥",
        **values,
    }
    return record_visit(**facts)


def instructed(world: World, *, due_on: datetime.date | None = None, **values: Any) -> ActionItem:
    """An instruction by the leader; `values` as `instruct` takes them."""
    item = NewItem(text=values.pop("text", "一周内拿出赶工方案"), due_on=due_on or world.today + DAY * 7)
    facts: dict[str, Any] = {
        "project_id": world.project.pk,
        "actor": world.leader,
        "leader_id": world.leader.pk,
        "at": world.at,
        "item": item,
        **values,
    }
    return instruct(**facts)
