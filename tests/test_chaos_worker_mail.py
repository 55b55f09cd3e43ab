"""The checks of `make chaos` on what was mailed notice what they are there for: each is shown a violation."""

from __future__ import annotations

import datetime
import uuid
from email.message import EmailMessage
from typing import Any

import pytest
from django.utils import timezone

from notices.models import Message, Notice
from tests import factories
from tools.chaos_worker_mail import MAIL_INVARIANTS
from tools.mail_sink import Received

pytestmark = pytest.mark.django_db


def mail(key: object, to: str, *titles: str) -> Received:
    """A mail as the sink keeps it, with its lines numbered as in a letter."""
    made = EmailMessage()
    made["Message-ID"], made["Subject"] = f"<{key}@portal.example>", "摘要"
    made.set_content("\n".join(f"{n}. {title}" for n, title in enumerate(titles, 1)))
    return Received(f"<{key}@portal.example>", to, "摘要", True, made.as_bytes().decode("latin-1"))


@pytest.fixture
def world() -> dict[str, Any]:
    """One notice, told by one message of which two copies arrived: nothing is violated."""
    person = factories.user(name="甲")
    person.email = "a@chaos.example"
    person.save()
    now = timezone.now()
    message = Message.objects.create(
        channel="email",
        kind="digest",
        recipient=person,
        on=now.date(),
        state="sent",
        created_at=now,
        next_try_at=now,
    )
    notice = Notice.objects.create(
        recipient=person,
        kind="chaos",
        cause="a:1",
        data={"title": "节点一逾期"},
        on=now.date(),
        at=now,
        way="digest",
        leaves_at=now - datetime.timedelta(seconds=1),
        message=message,
    )
    received = [mail(message.key, person.email, "节点一逾期")] * 2
    return {"message": message, "notice": notice, "received": received, "person": person}


def found_by(world: dict[str, Any]) -> set[str]:
    return {check.__name__ for check in MAIL_INVARIANTS if check(world["received"])}


def test_nothing_is_found_where_nothing_is_wrong(world: dict[str, Any]) -> None:
    assert found_by(world) == set()


def test_a_mail_that_never_arrived_is_found(world: dict[str, Any]) -> None:
    world["received"] = []
    assert found_by(world) == {"every_notice_arrived"}


def test_a_message_that_still_waits_is_found(world: dict[str, Any]) -> None:
    Message.objects.update(state="waiting")
    assert found_by(world) == {"every_notice_arrived"}


def test_what_is_urgent_and_in_no_message_is_found(world: dict[str, Any]) -> None:
    Notice.objects.update(message=None)
    assert found_by(world) == set(), "what comes after the digest of the day waits for the next one"
    Notice.objects.update(way="at_once")
    assert found_by(world) == {"every_notice_arrived"}


def test_a_copy_that_says_something_else_is_found(world: dict[str, Any]) -> None:
    world["received"].append(mail(world["message"].key, world["person"].email, "节点二逾期"))
    assert found_by(world) == {"copies_are_copies"}


def test_one_cause_in_two_mails_is_found(world: dict[str, Any]) -> None:
    stranger = uuid.uuid4()
    world["received"].append(mail(stranger, world["person"].email, "别的", "节点一逾期"))
    assert found_by(world) == {"copies_are_copies", "nobody_is_told_twice"}
    world["received"][-1] = mail(stranger, "b@chaos.example", "节点一逾期")
    assert found_by(world) == {"copies_are_copies"}, "to somebody else it is another matter"
