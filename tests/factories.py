"""Valid, dull objects. A test says only what it is about."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

from enterprises.models import Enterprise, Membership, PartyBranch, User
from projects.models import Category, Milestone, Programme, Project

_number = itertools.count(1)
PASSWORD = "correct horse 2026"


def sasac(name: str = "市国资委", **values: Any) -> Enterprise:
    return enterprise(name, kind="sasac", parent=None, **values)


def enterprise(
    name: str = "水务集团", *, kind: str = "group", parent: Enterprise | None, **values: Any
) -> Enterprise:
    n = next(_number)
    made = Enterprise.objects.create(
        code=values.pop("code", f"E{n}"), name=name, kind=kind, parent=parent, **values
    )
    made.refresh_from_db()
    return made


def branch(unit: Enterprise, name: str = "机关党支部", **values: Any) -> PartyBranch:
    n = next(_number)
    return PartyBranch.objects.create(
        code=f"P{n}", name=f"{name}{n}", kind="branch", enterprise=unit, **values
    )


def user(role: str | None = None, unit: Enterprise | None = None, **values: Any) -> User:
    n = next(_number)
    made = User.objects.create_user(
        values.pop("username", f"u{n}"), name=values.pop("name", f"某{n}"), password=PASSWORD
    )
    if role and unit:
        Membership.objects.create(user=made, role=role, unit=unit, **values)
    return made


def programme(owner: Enterprise | None = None, year: int = 2026, **values: Any) -> Programme:
    n = next(_number)
    facts = {
        "code": f"g{n}",
        "name": f"民生实事{n}",
        "starts_on": datetime.date(year, 1, 1),
        "ends_on": datetime.date(year, 12, 31),
        "patrolled_until": datetime.date(year + 1, 4, 2),
        **values,
    }
    return Programme.objects.create(year=year, owner=owner, **facts)


def category(in_programme: Programme, name: str = "供水") -> Category:
    return Category.objects.get_or_create(programme=in_programme, name=name)[0]


def project(unit: Enterprise, in_programme: Programme | None = None, **values: Any) -> Project:
    n = next(_number)
    facts = {"code": f"X{n}", "name": f"管网改造{n}", "status": "in_progress", **values}
    return Project.objects.create(programme=in_programme or programme(), enterprise=unit, **facts)


def milestone(of: Project, due_on: datetime.date | None = None, **values: Any) -> Milestone:
    n = next(_number)
    facts = {"name": f"节点{n}", "state": "in_progress", **values}
    return Milestone.objects.create(project=of, due_on=due_on, **facts)
