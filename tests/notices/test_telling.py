"""Telling: one cause is told once, in the way that the person and the programme agree on."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import IntegrityError

from notices import kinds
from notices.kinds import Kind, kind_of
from notices.models import Notice, Preference, Robot
from notices.services.telling import settle, tell, way_of
from notices.ways import Group, Way
from tests import factories
from tests.notices.world import MORNING, reader, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("truths")]


@pytest.fixture
def unit() -> Any:
    return factories.enterprise(parent=factories.sasac())


def test_one_cause_is_told_to_one_person_once(unit: Any) -> None:
    one, other = reader(unit), reader(unit)
    items = [told(one, cause="late:1"), told(other, cause="late:1"), told(one, cause="late:1")]
    assert tell(items, at=MORNING) == 2
    assert tell(items, at=MORNING) == 0
    assert Notice.objects.count() == 2


def test_the_data_of_a_notice_may_hold_dates(unit: Any) -> None:
    tell([told(reader(unit), data={"title": "x", "due_on": datetime.date(2026, 8, 1)})], at=MORNING)
    assert Notice.objects.get().data == {"title": "x", "due_on": "2026-08-01"}


def test_a_notice_for_nobody_is_refused(unit: Any) -> None:
    with pytest.raises(IntegrityError):
        tell([told(reader(unit), recipient_id=None)], at=MORNING)


def test_telling_many_asks_the_database_no_more_often(unit: Any, django_assert_num_queries: Any) -> None:
    people = [reader(unit) for _n in range(5)]
    with django_assert_num_queries(3):  # preferences, addresses, rows
        tell([told(person, n) for person in people for n in range(40)], at=MORNING)


@pytest.mark.parametrize(
    ("urgent", "mandatory", "preferred", "has_address", "expected"),
    [
        (False, False, None, True, Way.DIGEST),
        (True, False, None, True, Way.AT_ONCE),
        (True, False, "digest", True, Way.DIGEST),
        (True, False, "inbox", True, Way.INBOX),
        (False, False, "at_once", True, Way.AT_ONCE),
        (False, True, "inbox", True, Way.DIGEST),
        (True, True, "inbox", True, Way.AT_ONCE),
        (True, True, "digest", True, Way.AT_ONCE),
        (True, True, None, False, Way.INBOX),
    ],
)
def test_the_way_follows_person_and_programme(
    urgent: bool, mandatory: bool, preferred: str | None, has_address: bool, expected: Way
) -> None:
    way = way_of(urgent=urgent, mandatory=mandatory, preferred=preferred, has_address=has_address)
    assert way == expected


def test_a_choice_holds_for_its_group_only(unit: Any) -> None:
    person = reader(unit)
    Preference.objects.create(user=person, group=Group.OVERDUE, way=Way.INBOX)
    tell([told(person, 1, kind="late"), told(person, 2, kind="near")], at=MORNING)
    assert dict(Notice.objects.values_list("kind", "way")) == {"late": "inbox", "near": "digest"}


def test_who_has_no_address_has_the_inbox_and_one_filled_in_later_sends_no_past(unit: Any) -> None:
    person = reader(unit, email="")
    tell([told(person, 1, urgent=True, mandatory=True)], at=MORNING)
    person.email = "late@example.cn"
    person.save()
    tell([told(person, 2, urgent=True)], at=MORNING)
    assert list(Notice.objects.order_by("pk").values_list("way", flat=True)) == ["inbox", "at_once"]


def test_a_group_is_told_with_its_digest_or_at_once(unit: Any) -> None:
    robot = Robot.objects.create(enterprise=unit, name="督办群", kind="wecom", address="x")
    tell(
        [
            told(reader(unit), n, recipient_id=None, robot_id=robot.pk, urgent=urgent)
            for n, urgent in ((1, False), (2, True))
        ],
        at=MORNING,
    )
    assert list(Notice.objects.order_by("subject_id").values_list("way", flat=True)) == ["digest", "at_once"]


def test_settling_marks_what_was_told_about_a_thing_and_nothing_else(unit: Any) -> None:
    person = reader(unit)
    tell([told(person, 1), told(person, 1, kind="near"), told(person, 2)], at=MORNING)
    assert settle(subject="projects.milestone", ids=[1], at=MORNING, kinds=["near"]) == 1
    assert settle(subject="projects.milestone", ids=[1], at=MORNING) == 1
    assert settle(subject="projects.milestone", ids=[1], at=MORNING) == 0
    assert Notice.objects.get(settled_at=None).subject_id == 2


def test_rows_of_an_unknown_kind_speak_plainly(unit: Any) -> None:
    tell([told(reader(unit), kind="of yesterday", data={"title": "旧通知"})], at=MORNING)
    notice = Notice.objects.get()
    kind = kind_of(notice.kind)
    assert (kind.title(notice.data), kind.url(notice)) == ("旧通知", "")
    assert kind.title({}) == "of yesterday"
    assert kind.still_true([notice]) == {notice.pk}


def test_two_kinds_of_one_name_are_refused() -> None:
    kind = kind_of("late")
    kinds.register(kind)
    with pytest.raises(ValueError, match="late"):
        kinds.register(Kind("late", Group.DUE, "x", str, str, kinds.everything_holds))
