"""Versions of the thresholds: previewed, set once, counted by the database."""

from __future__ import annotations

import dataclasses
import datetime
import random
from typing import Any

import pytest
from django.db import connection

from projects.lights import LightPolicy, reason_text
from projects.models import LightPolicyVersion, LightSpan, Programme, Project
from projects.services.lights import refresh_lights
from projects.services.policies import faults, preview, set_policy
from projects.services.refusals import Refused
from tests import factories

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def world(today: datetime.date) -> dict[str, Any]:
    """Forty projects of every shape, judged."""
    chance = random.Random(5)
    root = factories.sasac()
    group = factories.enterprise(parent=root)
    programme = factories.programme(root, today.year)
    for _n in range(40):
        project = factories.project(chance.choice([root, group]), programme)
        for _step in range(chance.randrange(1, 4)):
            start = today - DAY * chance.randrange(1, 60)
            due = today + DAY * chance.choice([-1, 3, 12, 20, 40])
            factories.milestone(
                project, max(start, due), starts_on=start, percent=chance.randrange(0, 101),
                awaits_extension=chance.random() < 0.1,
            )  # fmt: skip
    Project.objects.filter(pk__in=list(Project.objects.values_list("pk", flat=True)[:10])).update(
        last_red_on=today - DAY
    )
    refresh_lights(as_of=today)
    programme.refresh_from_db()
    staff, officer = factories.user("staff", root), factories.user("officer", group)
    return {"programme": programme, "staff": staff, "officer": officer, "group": group}


def _set(world: dict[str, Any], policy: LightPolicy, today: datetime.date, **values: Any) -> Programme:
    facts: dict[str, Any] = {"actor": world["staff"], "reason": "年初太严", "seen_number": 1, **values}
    return set_policy(programme_id=world["programme"].pk, policy=policy, as_of=today, **facts)


@pytest.mark.parametrize(
    "policy",
    [
        LightPolicy(warning_days=14, yellow_gap=5, red_gap=15),
        LightPolicy(warning_days=0, yellow_gap=40, red_gap=80),
        LightPolicy(red_fades=False),
        LightPolicy(yellow_gap=20, red_gap=20, cycle="week"),
    ],
)
def test_the_preview_is_what_saving_then_does(
    world: dict[str, Any], today: datetime.date, policy: LightPolicy
) -> None:
    before = dict(Project.objects.values_list("pk", "light"))
    stored = list(Project.objects.order_by("pk").values())
    tried = preview(programme=world["programme"], policy=policy, as_of=today, reader=world["staff"])
    assert list(Project.objects.order_by("pk").values()) == stored
    _set(world, policy, today)
    after = dict(Project.objects.values_list("pk", "light"))
    moved = {pk: (before[pk], after[pk]) for pk in before if before[pk] != after[pk]}
    assert {change.project.pk: (change.was, change.light) for change in tried.changes} == moved
    assert tried.changing == len(moved)
    assert tried.total == 40
    for change in tried.changes:
        change.project.refresh_from_db()
        assert change.reason == reason_text(change.project.reason, today)


def test_some_policy_changes_something(world: dict[str, Any], today: datetime.date) -> None:
    tried = preview(
        programme=world["programme"], policy=LightPolicy(14, 1, 5), as_of=today, reader=world["staff"]
    )
    assert tried.changing > 3


def test_a_reader_is_told_of_no_project_behind_the_wall(world: dict[str, Any], today: datetime.date) -> None:
    tried = preview(
        programme=world["programme"], policy=LightPolicy(14, 1, 5), as_of=today, reader=world["officer"]
    )
    assert 0 < tried.total == Project.objects.filter(enterprise=world["group"]).count() < 40
    assert {change.project.enterprise for change in tried.changes} <= {world["group"]}


def test_a_version_keeps_its_day_its_reason_and_who_set_it(
    world: dict[str, Any], today: datetime.date
) -> None:
    programme = _set(world, LightPolicy(red_gap=50), today)
    assert (programme.policy_number, programme.policy_since) == (2, today)
    newest = LightPolicyVersion.objects.filter(programme=programme).latest("number")
    assert (newest.number, newest.red_gap, newest.reason) == (2, 50, "年初太严")
    assert (newest.since, newest.made_by) == (today, world["staff"])
    assert set(LightSpan.objects.filter(until_on=None).values_list("policy_number", flat=True)) == {2}


def test_raw_sql_leaves_a_version_too(world: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE projects_programme SET yellow_gap = 12 WHERE id = %s", [world["programme"].pk])
        cursor.execute("UPDATE projects_programme SET note = 'x' WHERE id = %s", [world["programme"].pk])
    versions = LightPolicyVersion.objects.filter(programme=world["programme"]).order_by("number")
    assert [(v.number, v.yellow_gap, v.reason) for v in versions] == [(1, 10, ""), (2, 12, "")]


def test_somebody_was_faster(world: dict[str, Any], today: datetime.date) -> None:
    other = factories.user("staff", world["programme"].owner, name="赵某某")
    _set(world, LightPolicy(red_gap=50), today, actor=other)
    with pytest.raises(Refused) as refused:
        _set(world, LightPolicy(red_gap=60), today)
    assert "赵某某" in str(refused.value)
    assert Programme.objects.get(pk=world["programme"].pk).red_gap == 50
    assert _set(world, LightPolicy(red_gap=60), today, seen_number=2).policy_number == 3


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (LightPolicy(yellow_gap=30, red_gap=10), "red_gap"),
        (LightPolicy(yellow_gap=0), "yellow_gap"),
        (LightPolicy(red_gap=101), "red_gap"),
        (LightPolicy(warning_days=61), "warning_days"),
        (LightPolicy(cycle="century"), "cycle"),
    ],
)
def test_thresholds_that_overlap_are_refused_at_their_field(
    world: dict[str, Any], today: datetime.date, policy: LightPolicy, field: str
) -> None:
    assert list(faults(policy)) == [field]
    with pytest.raises(Refused):
        _set(world, policy, today)
    assert LightPolicyVersion.objects.filter(programme=world["programme"]).count() == 1


def test_yellow_and_red_may_touch() -> None:
    assert faults(LightPolicy(yellow_gap=30, red_gap=30)) == {}


@pytest.mark.parametrize("case", ["officer", "blank", "same", "archived"])
def test_what_else_is_refused(world: dict[str, Any], today: datetime.date, case: str) -> None:
    values: dict[str, Any] = {}
    policy = LightPolicy(red_gap=50)
    if case == "officer":
        values["actor"] = world["officer"]
    elif case == "blank":
        values["reason"] = " \u3000 "
    elif case == "same":
        policy = dataclasses.replace(world["programme"].light_policy)
    else:
        Programme.objects.filter(pk=world["programme"].pk).update(archived_on=today)
    with pytest.raises(Refused):
        _set(world, policy, today, **values)
    assert Programme.objects.get(pk=world["programme"].pk).policy_number == 1


def test_a_programme_that_is_not_in_force_has_nothing_to_preview(world: dict[str, Any]) -> None:
    later = world["programme"].patrolled_until + DAY
    tried = preview(
        programme=world["programme"], policy=LightPolicy(14, 1, 5), as_of=later, reader=world["staff"]
    )
    assert (tried.total, tried.changes) == (0, ())
