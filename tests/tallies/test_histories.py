"""Whatever happens to projects, and by whichever road, every tally is what counting from scratch gives."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from enterprises.models import Enterprise
from projects.models import (
    ExtensionRequest,
    Milestone,
    Programme,
    ProgressReport,
    Project,
    Tally,
    TallyMark,
)
from projects.services.lifecycle import change_status
from projects.services.milestones import take_step
from projects.services.refusals import Refused
from projects.services.reviews import decide
from projects.services.rounds import go_round
from projects.services.tally_reading import day_of, tallies_of
from projects.services.tallying import keep_tallies
from tests import factories
from tests.factories import moment
from tests.tallies.recount import ByUnit, recount

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
NAMED = ("供水", "供气", None)


class World:
    """Enterprises in three storeys with projects, and everything that people and the patrol do to them."""

    def __init__(self, seed: int, today: datetime.date) -> None:
        self.random, self.today = random.Random(seed), today
        self.root = factories.sasac()
        self.groups = [factories.enterprise(f"集团{n}", parent=self.root) for n in range(3)]
        self.firms = [
            factories.enterprise(f"公司{n}", kind="subsidiary", parent=self.random.choice(self.groups))
            for n in range(4)
        ]
        self.programme = factories.programme(
            self.root,
            today.year,
            starts_on=today - DAY * 200,
            ends_on=today + DAY * 120,
            patrolled_until=today + DAY * 200,
        )
        self.staff = [factories.user("staff", self.root) for _ in range(2)]
        self.officer = factories.user("officer", self.root)

    def pick(self, rows: Any) -> Any:
        found = list(rows.order_by("pk"))
        return self.random.choice(found) if found else None

    def day(self) -> datetime.date:
        return self.today + DAY * self.random.randint(-25, 40)

    def begin_project(self) -> None:
        name = self.random.choice(NAMED)
        project = factories.project(
            self.random.choice([self.root, *self.groups, *self.firms]),
            self.programme,
            status=self.random.choice(["in_progress", "not_started", ""]),
            category=factories.category(self.programme, name) if name else None,
            starts_on=self.random.choice([None, self.today - DAY * 30, self.today - DAY * 3]),
            approved_on=self.today - DAY * 40,
        )
        for _ in range(self.random.randint(0, 3)):
            due = self.random.choice([None, self.day(), self.day()])
            factories.milestone(project, due, starts_on=due - DAY * 20 if due else None)

    def hand_in(self) -> None:
        milestone = self.pick(Milestone.objects.all())
        if milestone:
            claimed = self.random.choice([None, self.today - DAY * self.random.randint(0, 5)])
            percent = self.random.choice([10, 55, 90])
            factories.report(milestone, self.officer, self.today, claimed_on=claimed, percent=percent)

    def draft(self) -> None:
        from projects.services import reports

        milestone = self.pick(Milestone.objects.all())
        if milestone:
            reports.open_draft(milestone_id=milestone.pk, actor=self.officer, as_of=self.today)

    def review(self) -> None:
        found = self.pick(ProgressReport.objects.filter(state="submitted"))
        if found:
            self._decide(ProgressReport, found, self.random.choice(["accept", "accept", "return"]))

    def ask_for_time(self) -> None:
        milestone = self.pick(Milestone.objects.filter(due_on__isnull=False))
        if milestone:
            to_on = milestone.due_on + DAY * self.random.randint(1, 60)
            factories.extension(milestone, self.officer, self.today, to_on)

    def give_time(self) -> None:
        found = self.pick(ExtensionRequest.objects.filter(state="submitted"))
        if found:
            self._decide(
                ExtensionRequest, found, self.random.choice(["approve", "approve", "return", "reject"])
            )

    def _decide(self, kind: Any, row: Any, action: str) -> None:
        actor, at = self.staff[0], moment(self.today)
        decide(kind=kind, pk=row.pk, action=action, actor=actor, at=at, comment="请补充")

    def change_life(self) -> None:
        project = self.pick(Project.objects.all())
        if project:
            change_status(
                project_id=project.pk,
                action=self.random.choice(["suspend", "resume", "terminate"]),
                actor=self.staff[0],
                as_of=self.today,
                reason="道路改线",
                look_again_on=self.today + DAY * 30,
            )

    def give_up(self) -> None:
        milestone = self.pick(Milestone.objects.all())
        if milestone:
            take_step(
                milestone_id=milestone.pk,
                action="cancel",
                actor=self.staff[0],
                as_of=self.today,
                comment="方案取消",
            )

    def remove(self) -> None:
        milestone = self.pick(Milestone.objects.filter(reports=None, extensions=None))
        if milestone:
            milestone.delete()

    def move_project(self) -> None:
        project = self.pick(Project.objects.all())
        if project:
            Project.objects.filter(pk=project.pk).update(enterprise=self.random.choice(self.firms))

    def move_unit(self) -> None:
        firm = Enterprise.objects.get(pk=self.random.choice(self.firms).pk)
        firm.parent = self.random.choice(self.groups)
        firm.save()

    def by_raw_sql(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE projects_milestone SET due_on = due_on + 3 WHERE id % 3 = 0")

    def patrol(self) -> None:
        go_round(at=moment(self.today))

    def next_day(self) -> None:
        self.today += DAY
        go_round(at=moment(self.today, 0))

    def count(self) -> None:
        keep_tallies(as_of=self.today)

    def acts(self) -> list[Callable[[], None]]:
        return [
            *(self.begin_project, self.begin_project, self.hand_in, self.hand_in, self.draft, self.review),
            *(self.review, self.ask_for_time, self.give_time, self.change_life, self.give_up, self.remove),
            *(self.move_project, self.move_unit, self.by_raw_sql, self.patrol, self.next_day, self.count),
        ]

    def shown(self) -> ByUnit:
        """What the cockpit would show of every unit; categories without a project are left out."""
        units = list(Enterprise.objects.all())
        programme = Programme.objects.get(pk=self.programme.pk)
        found = tallies_of(programme, units, self.today)
        rows = {
            pk: {category: counts for category, counts in tallied.by_category.items() if counts.projects}
            for pk, tallied in found.items()
        }
        return {pk: categories for pk, categories in rows.items() if categories}

    def truth(self) -> ByUnit:
        return recount(Programme.objects.get(pk=self.programme.pk), self.today)


@pytest.mark.parametrize("seed", range(6))
def test_after_a_random_history_no_number_differs_from_a_count_from_scratch(
    seed: int, today: datetime.date
) -> None:
    world = World(seed, today)
    acts = world.acts()
    for _ in range(4):
        world.begin_project()
    world.patrol()
    compared = 0
    for step in range(70):
        act = world.random.choice(acts)
        try:
            act()
        except Refused:
            continue  # what the rules forbid is part of a history too
        if step % 5 == 0:
            compared += 1
            assert world.shown() == world.truth(), f"seed {seed}, step {step}: {act.__name__}"
    assert compared > 8
    keep_tallies(as_of=world.today)
    assert not TallyMark.objects.exists()
    assert world.shown() == world.truth()
    units = list(Enterprise.objects.all())
    programme = Programme.objects.get(pk=world.programme.pk)
    days = day_of(programme, units, world.today)
    assert {pk: days[pk] for pk in days} == {
        pk: tallied.counts for pk, tallied in tallies_of(programme, units, world.today).items() if pk in days
    }


def test_without_the_marks_a_change_would_not_be_seen(today: datetime.date) -> None:
    world = World(1, today)
    world.begin_project()
    world.patrol()
    world.begin_project()
    TallyMark.objects.all().delete()
    assert world.shown() != world.truth(), "the comparison can fail"
    assert Tally.objects.exists()


def test_a_patrol_that_only_flags_marks_nothing(today: datetime.date) -> None:
    world = World(1, today)
    world.begin_project()
    world.patrol()
    assert not TallyMark.objects.exists()
    Milestone.objects.update(flagged_due_on=today)
    Project.objects.update(note="改写说明")
    assert not TallyMark.objects.exists()
