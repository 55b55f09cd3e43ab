"""People with addresses, a kind of notice that is true until told otherwise, and a world outside that is watched."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from enterprises.models import Enterprise, User
from notices import kinds
from notices.channels.letter import Letter
from notices.kinds import Kind
from notices.models import Notice
from notices.services.outbox import Drained, Outside, drain
from notices.services.packing import Packed, pack
from notices.services.telling import Tell
from notices.ways import Group
from tests import factories

#: A working morning, and what else of it the tests need.
MORNING = factories.moment(datetime.date(2026, 8, 3), 9)
DIGEST_AT = datetime.time(8, 30)
MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)


@dataclass
class Truths:
    """What the kinds of the tests answer: everything holds except the subjects in `over`."""

    over: set[int] = field(default_factory=set)
    raises: bool = False
    asked: int = 0

    def still_true(self, notices: Sequence[Notice]) -> set[int]:
        self.asked += 1
        if self.raises:
            raise RuntimeError("a kind in disorder")
        return {notice.pk for notice in notices if notice.subject_id not in self.over}


@pytest.fixture
def truths(monkeypatch: Any) -> Iterator[Truths]:
    """Kinds "late", "near" and "nudge"; what the portal registers itself is left out."""
    made = Truths()
    monkeypatch.setattr(kinds, "_registered", {})
    for name, group, tone in (
        ("late", Group.OVERDUE, "red"),
        ("near", Group.DUE, "yellow"),
        ("nudge", Group.REMINDER, ""),
    ):
        kinds.register(
            Kind(
                name=name,
                group=group,
                label=name,
                title=lambda data: str(data["title"]),
                url=lambda notice: f"/projects/milestone/{notice.subject_id}/",
                still_true=made.still_true,
                tone=tone,
            )
        )
    yield made


def reader(unit: Enterprise, email: str | None = None, role: str = "officer") -> User:
    made = factories.user(role, unit)
    made.email = f"{made.username}@example.cn" if email is None else email
    made.save(update_fields=["email"])
    return made


def told(to: User, number: int = 1, **values: Any) -> Tell:
    facts = {
        "recipient_id": to.pk,
        "kind": "late",
        "cause": f"late:{number}:{uuid.uuid4().hex[:6]}",
        "data": {"title": f"管网改造 第{number}个节点已逾期"},
        "subject": "projects.milestone",
        "subject_id": number,
        "on": MORNING.date(),
        **values,
    }
    return Tell(**facts)


def packed(now: datetime.datetime = MORNING, **values: Any) -> Packed:
    facts = {"working_day": True, "digest_at": DIGEST_AT, "mail": True, **values}
    return pack(now=now, **facts)


@dataclass
class Hands:
    """A postman and a messenger in one, who write down what they are given and fail when told to."""

    given: list[tuple[str, Letter]] = field(default_factory=list)
    #: Address → what is raised instead; "*" for all.
    failures: dict[str, Exception] = field(default_factory=dict)

    def send(self, letter: Letter, to: str = "", **robot: Any) -> None:
        to = to or robot["address"]
        failure = self.failures.get(to) or self.failures.get("*")
        if failure is not None and not getattr(failure, "may_have_arrived", False):
            raise failure
        self.given.append((to, letter))
        if failure is not None:
            raise failure

    @property
    def titles(self) -> list[str]:
        return [line.title for _to, letter in self.given for line in letter.lines()]


def drained(hands: Any, now: datetime.datetime = MORNING, *, mail: bool = True, **values: Any) -> Drained:
    """One run of the outbox whose clock stands still."""
    outside = Outside(
        clock=lambda: now,
        postman=hands if mail else None,
        messenger=hands,
        portal_url="https://portal.example.cn",
        language="zh-hans",
        **values,
    )
    return drain(outside, until=now + MINUTE)
