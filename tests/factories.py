"""Valid, dull objects. A test says only what it is about."""

from __future__ import annotations

import datetime
import itertools
from typing import Any
from zoneinfo import ZoneInfo

from enterprises.models import Enterprise, Membership, PartyBranch, User
from projects.models import (
    Category,
    CloseOut,
    ExtensionRequest,
    Milestone,
    Programme,
    ProgressReport,
    Project,
)
from projects.services import close_outs, extensions, reports

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


def moment(day: datetime.date, hour: int = 12) -> datetime.datetime:
    """An hour of a day in Shanghai."""
    return datetime.datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo("Asia/Shanghai"))


def report(
    of: Milestone, by: User, on: datetime.date, *, claimed_on: datetime.date | None = None, **texts: Any
) -> ProgressReport:
    """A report that was handed in by the services, as an officer would."""
    draft = reports.open_draft(milestone_id=of.pk, actor=by, as_of=on)
    texts = {"done": "已完成管沟开挖 200 米", "percent": 50, "claimed_on": claimed_on, **texts}
    reports.save_draft(report_id=draft.pk, actor=by, texts=texts)
    return reports.submit(report_id=draft.pk, actor=by, at=moment(on))


def extension(
    of: Milestone, by: User, on: datetime.date, to_on: datetime.date, shifts: Any = None, **texts: Any
) -> ExtensionRequest:
    """A request that was filed by the services, as an officer would."""
    draft = extensions.open_draft(milestone_id=of.pk, actor=by, as_of=on)
    texts = {"to_on": to_on, "reason_class": "site", "reason": "连续暴雨，路面无法开挖", **texts}
    extensions.save_draft(request_id=draft.pk, actor=by, texts=texts, shifts=shifts)
    return extensions.submit(request_id=draft.pk, actor=by, at=moment(on))


def close_out(of: Project, by: User, on: datetime.date, **texts: Any) -> CloseOut:
    """A close-out that was asked for by the services, as an officer would."""
    draft = close_outs.open_draft(project_id=of.pk, actor=by, as_of=on)
    texts = {"achieved": "全部完成", "completed_on": on, "follow_up_owner": "李某某", **texts}
    close_outs.save_draft(close_out_id=draft.pk, actor=by, texts=texts)
    return close_outs.submit(close_out_id=draft.pk, actor=by, at=moment(on))
