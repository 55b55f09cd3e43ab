"""Packing: one message for each recipient, whatever waits and however often it is asked for."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest
from django.db import IntegrityError, connection

from notices.models import Message, Notice, Robot
from notices.services import claiming
from notices.services.telling import settle, tell
from tests import factories
from tests.notices.world import DAY, MINUTE, MORNING, packed, reader, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("truths")]


@pytest.fixture
def unit() -> Any:
    return factories.enterprise(parent=factories.sasac())


def robot(unit: Any, **values: Any) -> Robot:
    return Robot.objects.create(enterprise=unit, name="督办群", kind="wecom", address="x", **values)


def test_a_digest_holds_all_that_waits_for_one_person(unit: Any) -> None:
    one, other = reader(unit), reader(unit)
    tell([told(one, 1), told(one, 2), told(other, 1)], at=MORNING)
    assert packed().digests == 2
    assert Notice.objects.filter(message__recipient=one).count() == 2
    digest = Message.objects.get(recipient=one)
    assert (digest.kind, digest.channel, digest.on, digest.state) == (
        "digest",
        "email",
        MORNING.date(),
        "waiting",
    )
    assert packed().digests == 0


@pytest.mark.parametrize(
    ("now", "working_day"),
    [(MORNING.replace(hour=8, minute=29), True), (MORNING, False)],
    ids=["before the time", "no working day"],
)
def test_there_is_no_digest(unit: Any, now: datetime.datetime, working_day: bool) -> None:
    tell([told(reader(unit))], at=now)
    assert packed(now, working_day=working_day).digests == 0


def test_there_is_one_digest_a_day_and_what_comes_later_waits_for_the_next(unit: Any) -> None:
    person = reader(unit)
    tell([told(person, 1)], at=MORNING)
    packed()
    tell([told(person, 2)], at=MORNING + MINUTE)
    assert packed(MORNING + MINUTE).digests == 0
    assert packed(MORNING + DAY).digests == 1


def test_the_database_itself_refuses_a_second_digest_of_a_day(unit: Any) -> None:
    person = reader(unit)
    facts: dict[str, Any] = {
        "recipient": person,
        "kind": "digest",
        "channel": "email",
        "on": MORNING.date(),
        "created_at": MORNING,
        "next_try_at": MORNING,
    }
    Message.objects.create(**facts)
    with pytest.raises(IntegrityError):
        Message.objects.create(**facts)


def test_fifty_urgent_notices_are_one_message(unit: Any) -> None:
    person = reader(unit)
    tell([told(person, n, urgent=True) for n in range(50)], at=MORNING)
    assert packed().at_once == 1
    assert Notice.objects.filter(message__isnull=False).count() == 50


def test_urgent_ones_that_follow_within_a_minute_go_together(unit: Any) -> None:
    person = reader(unit)
    tell([told(person, 1, urgent=True)], at=MORNING)
    packed()
    Message.objects.update(state="sent")
    for n in (2, 3):
        tell([told(person, n, urgent=True)], at=MORNING)
        assert packed(MORNING + MINUTE / 3).at_once == 0
    assert packed(MORNING + MINUTE * 2).at_once == 1
    assert Notice.objects.filter(message=Message.objects.latest("pk")).count() == 2


def test_urgent_ones_join_a_message_that_was_never_tried(unit: Any) -> None:
    """The mail server is away for days: when it is back there is one message, not one for each hour."""
    person = reader(unit)
    for hour in range(5):
        tell([told(person, hour, urgent=True)], at=MORNING)
        packed(MORNING + MINUTE * 60 * hour)
    message = Message.objects.get()
    assert message.notices.count() == 5


def test_quiet_hours_are_kept(unit: Any) -> None:
    tell([told(reader(unit), urgent=True, leaves_at=MORNING + MINUTE)], at=MORNING)
    assert packed().at_once == 0
    assert packed(MORNING + MINUTE).at_once == 1


def test_three_days_of_missed_runs_end_in_one_digest_each(unit: Any) -> None:
    people = [reader(unit) for _n in range(3)]
    for day in range(3):
        tell([told(person, day) for person in people], at=MORNING + DAY * day)
    assert packed(MORNING + DAY * 3).digests == 3
    assert set(Message.objects.values_list("notices__on", flat=True).distinct()) == {MORNING.date()}


def test_an_older_digest_that_was_never_tried_goes_into_the_new_one(unit: Any) -> None:
    person = reader(unit)
    tell([told(person, 1)], at=MORNING)
    packed()
    tell([told(person, 2)], at=MORNING)
    result = packed(MORNING + DAY)
    assert (result.merged, result.digests) == (1, 1)
    old, new = Message.objects.order_by("pk")
    assert (old.state, old.notices.count(), new.notices.count()) == ("merged", 0, 2)


def test_an_older_digest_that_was_tried_goes_on_alone(unit: Any) -> None:
    person = reader(unit)
    tell([told(person, 1)], at=MORNING)
    packed()
    claiming.claim(now=MORNING, limit=9, mail=True)
    tell([told(person, 2)], at=MORNING)
    assert packed(MORNING + DAY).merged == 0
    old, new = Message.objects.order_by("pk")
    assert (old.state, old.notices.count(), new.notices.count()) == ("waiting", 1, 1)


def test_what_is_settled_is_not_packed(unit: Any) -> None:
    tell([told(reader(unit), 1)], at=MORNING)
    settle(subject="projects.milestone", ids=[1], at=MORNING)
    assert packed().digests == 0


def test_without_a_mail_server_it_stays_in_the_inbox_for_good(unit: Any) -> None:
    tell([told(reader(unit), 1, urgent=True), told(reader(unit), 2)], at=MORNING)
    assert packed(mail=False).stayed == 2
    result = packed()
    assert (result.at_once, result.digests) == (0, 0)


def test_a_group_has_its_digest_and_its_urgent_message(unit: Any) -> None:
    group = robot(unit)
    person = reader(unit)
    for n, urgent in ((1, True), (2, False)):
        tell([told(person, n, recipient_id=None, robot_id=group.pk, urgent=urgent)], at=MORNING)
    result = packed(mail=False)
    assert (result.at_once, result.digests) == (1, 1)
    assert set(Message.objects.values_list("channel", flat=True)) == {"wecom"}


def test_a_robot_that_is_out_of_use_is_told_nothing(unit: Any) -> None:
    group = robot(unit, is_on=False)
    tell([told(reader(unit), 1, recipient_id=None, robot_id=group.pk)], at=MORNING)
    assert packed().stayed == 1
    assert not Message.objects.exists()


def test_twenty_thousand_recipients_are_packed_in_seconds(unit: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO enterprises_user (username, name, phone, email, password, is_active, is_demo)"
            " SELECT 'many' || n, '', '', n || '@example.cn', '', true, false FROM generate_series(1, 20000) n"
        )
        cursor.execute(
            'INSERT INTO notices_notice (recipient_id, kind, cause, data, subject, subject_id, "on", at, urgent, way, leaves_at)'
            " SELECT id, 'late', 'c' || n, '{}', 's', n, %s, %s, false, 'digest', %s"
            " FROM enterprises_user, generate_series(1, 3) n WHERE username LIKE 'many%%'",
            [MORNING.date(), MORNING, MORNING],
        )
    began = time.perf_counter()
    assert packed().digests == 20_000
    assert time.perf_counter() - began < 20
    assert not Notice.objects.filter(message=None).exists()
