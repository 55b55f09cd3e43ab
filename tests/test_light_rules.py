"""One table of rules, two readers: what Python judges and what SQL judges is the same."""

from __future__ import annotations

import datetime
import itertools
import json
import random
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from projects.lights import RULES, LightPolicy, ProjectFacts, judge, red_counts_from, rule_that_fits
from projects.models import Milestone, Programme, Project
from projects.services.light_facts import facts_of
from projects.services.light_sql import light_case, name_case, number_case, reason_case
from projects.services.lights import follow_patrol, refresh_lights
from projects.states import MilestoneState, ProjectStatus
from tests import factories

DAY = datetime.timedelta(days=1)
D = datetime.date(2026, 6, 1)
#: Each fact at its edges; together they meet every rule from both sides.
GRID: dict[str, list[Any]] = {
    "status": ["", "not_started", "in_progress", "awaiting", "closed_out", "suspended", "terminated"],
    "planned": [None, 0, 40, 41, 50.5, 70, 71],
    "actual": [0, 30.5, 40],
    "overdue": [0, 2],
    "missed_on": [None, D],
    "due_soon": [0, 1],
    "awaits": [0, 1],
    "started": [False, True],
    "red_on": [None, D],
}
KINDS = {
    "status": "text", "planned": "int", "actual": "int", "gap": "int", "overdue": "int", "worst_on": "date",
    "missed_on": "date", "due_soon": "int", "next_on": "date", "awaits": "int", "started": "bool", "red_on": "date",
}  # fmt: skip


def _all_facts() -> list[ProjectFacts]:
    return [
        ProjectFacts(
            **facts,
            worst_on=D if facts["overdue"] else None,
            next_on=D + DAY if facts["due_soon"] else None,
        )
        for facts in (dict(zip(GRID, values, strict=True)) for values in itertools.product(*GRID.values()))
    ]


def _judged_by_sql(facts: list[ProjectFacts], policy: LightPolicy) -> list[tuple[int, str, str, dict]]:
    rows = [
        {name: str(v) if isinstance(v, datetime.date) else v for name, v in one.shown().items()}
        for one in facts
    ]
    number, params = number_case(policy, "f")
    columns = ", ".join(f"{name} {kind}" for name, kind in KINDS.items())
    for n, row in enumerate(rows):
        row["place"] = n
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT no, {light_case("no")}, {name_case("no")}, {reason_case("no", "j")}::text FROM (
                SELECT f.*, {number} AS no
                FROM jsonb_to_recordset(%s::jsonb) AS f ({columns}, place int)
            ) j ORDER BY j.place
            """,
            [*params, json.dumps(rows)],
        )
        return [(no, light, name, json.loads(reason)) for no, light, name, reason in cursor.fetchall()]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "policy",
    [LightPolicy(), LightPolicy(yellow_gap=1, red_gap=1), LightPolicy(red_fades=False, red_gap=100)],
)
def test_sql_and_python_find_the_same_rule_light_and_reason_for_every_fact(policy: LightPolicy) -> None:
    facts = _all_facts()
    met = set()
    for one, (no, light, name, reason) in zip(facts, _judged_by_sql(facts, policy), strict=True):
        expected, why = judge(one, policy)
        assert (no, light, name, reason) == (rule_that_fits(one, policy), expected.value, why["rule"], why), (
            one
        )
        met.add(no)
    # The grid is worth something only if it meets every rule that is asked.
    unreachable = {5} if policy.red_gap == 100 else set()  # nobody is more than 100 points behind
    assert met == {n for n, rule in enumerate(RULES) if rule.is_asked(policy)} - unreachable


@pytest.mark.django_db
def test_control_a_swapped_rule_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    facts, policy = _all_facts(), LightPolicy()
    swapped = (*RULES[:3], RULES[4], RULES[3], *RULES[5:])
    monkeypatch.setattr("projects.services.light_sql.RULES", swapped)
    found = [row[3] for row in _judged_by_sql(facts, policy)]
    assert found != [dict(judge(one, policy)[1]) for one in facts]


def projects_of_every_kind(today: datetime.date) -> Programme:
    """Eighty projects of every status with up to four milestones of every state and date."""
    chance = random.Random(11)
    root = factories.sasac()
    programme = factories.programme(root, today.year, starts_on=today - DAY * 90, ends_on=today + DAY * 90,
        patrolled_until=today + DAY * 180)  # fmt: skip
    for _n in range(80):
        values: dict[str, Any] = {"status": chance.choice([*ProjectStatus.values, ""])}
        if values["status"] == "suspended":
            values.update(status_reason="停工", review_again_on=today + DAY)
        if values["status"] == "terminated":
            values["status"] = "in_progress"  # keeps the progress it had; see the test of close-outs
        project = factories.project(
            root, programme, due_on=chance.choice([None, today - DAY, today + DAY]),
            last_red_on=chance.choice([None, today, today - DAY * 40]), **values,
        )  # fmt: skip
        for _step in range(chance.randrange(0, 5)):
            start = chance.choice([None, today + DAY * chance.randrange(-60, 20)])
            due = chance.choice([None, (start or today) + DAY * chance.randrange(0, 50)])
            factories.milestone(
                project, due, starts_on=start, state=chance.choice(MilestoneState.values),
                weight=chance.randrange(1, 60), percent=chance.randrange(0, 101), claimed_on=today,
                accepted_on=today, awaits_extension=chance.random() < 0.1, is_suspended=chance.random() < 0.1,
            )  # fmt: skip
    return programme


@pytest.mark.django_db
def test_what_is_stored_is_what_the_facts_in_hand_say(today: datetime.date) -> None:
    programme = projects_of_every_kind(today)
    before = {
        project.pk: facts_of(project, list(project.milestones.all()), today)
        for project in Project.objects.select_related("programme")
    }
    assert refresh_lights(as_of=today) == 80
    rules = set()
    for project in Project.objects.all():
        light, reason = judge(before[project.pk], programme.light_policy)
        assert (project.light, project.reason) == (light.value, reason), before[project.pk]
        rules.add(reason["rule"])
        assert (project.light == "red") >= Milestone.objects.overdue(today).filter(
            project=project
        ).exists() or (project.status in ("closed_out", "suspended"))
    assert len(rules) > 6


def _wrong_after(days: int, today: datetime.date) -> int:
    """How often, in so many days one after the other, a stored light is not what the facts in hand say."""
    wrong = 0
    for number in range(days):
        day = today + DAY * number
        facts = {
            project.pk: (project, facts_of(project, list(project.milestones.all()), day))
            for project in Project.objects.select_related("programme")
        }
        follow_patrol(run_ids=[], as_of=day)
        for project in Project.objects.select_related("programme"):
            before, seen = facts[project.pk]
            if before.light == "red":  # it was so until yesterday; `last_red_on` stands still meanwhile
                last = max(before.last_red_on or day - DAY, day - DAY)
                first = red_counts_from(before.programme.light_policy, day, before.programme.policy_since)
                seen = replace(seen, red_on=last if first <= last <= day else None)
            light, reason = judge(seen, project.programme.light_policy)
            wrong += (project.light, project.reason) != (light.value, reason)
    return wrong


@pytest.mark.django_db
def test_day_after_day_each_reason_is_that_of_the_day(
    today: datetime.date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projects.services.lights.CHUNK", 17)  # several batches, the last one not full
    projects_of_every_kind(today)
    assert _wrong_after(12, today) == 0


@pytest.mark.django_db
def test_control_a_reason_that_is_not_looked_at_is_soon_an_old_one(
    today: datetime.date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projects.services.light_sums.reason_differs", lambda *_names: "FALSE")
    projects_of_every_kind(today)
    assert _wrong_after(12, today) > 0


def test_a_red_counts_from_the_first_day_of_the_period_and_after_the_day_of_the_rules() -> None:
    june = datetime.date(2026, 6, 20)
    first = datetime.date(2026, 6, 1)
    assert red_counts_from(LightPolicy(), june, None) == first
    assert red_counts_from(LightPolicy(), june, datetime.date(2026, 5, 3)) == first
    assert red_counts_from(LightPolicy(), june, datetime.date(2026, 6, 10)) == datetime.date(2026, 6, 11)
    assert red_counts_from(LightPolicy(cycle="week"), june, None) == datetime.date(2026, 6, 15)
