"""The checks of `make chaos --only worker` notice what they are there for: each is shown a violation by hand."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.utils import timezone

from projects.models import Milestone, OverdueEpisode, PatrolRun, Project, SetAside
from projects.services.lights import refresh_lights
from projects.services.patrol import patrol
from tests import factories
from tools import chaos_worker_ledger as checks
from tools.chaos_worker_ledger import WORKER_INVARIANTS, Ledger, Save

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def world(today: datetime.date) -> dict[str, Any]:
    """One milestone that is overdue and recorded, one that was and is mended: nothing is violated."""
    project = factories.project(factories.enterprise(parent=factories.sasac()))
    overdue, mended = (factories.milestone(project, today - DAY * n) for n in (3, 5))
    patrol(as_of=today)
    Milestone.objects.filter(pk=mended.pk).update(due_on=today + DAY)
    patrol(as_of=today)
    refresh_lights(as_of=today)
    ledger = Ledger(today)
    ledger.breached = {(overdue.pk, today - DAY * 3), (mended.pk, today - DAY * 5)}
    ledger.cured = {(mended.pk, today - DAY * 5)}
    ledger.outages = [(100.0, 110.0)]
    ledger.saves = [Save("saving", 1, 2, 302), Save("saving", 99, 130, 0), Save("saving", 105, 106, 503)]
    return {"ledger": ledger, "overdue": overdue, "mended": mended, "today": today}


def test_nothing_is_found_where_nothing_is_wrong(world: dict[str, Any]) -> None:
    assert {check.__name__: check(world["ledger"]) for check in WORKER_INVARIANTS} == {
        check.__name__: [] for check in WORKER_INVARIANTS
    }
    assert world["ledger"].unrecorded() == 0


def found_by(world: dict[str, Any]) -> set[str]:
    return {check.__name__ for check in WORKER_INVARIANTS if check(world["ledger"])}


def test_a_breach_without_a_record_is_found(world: dict[str, Any]) -> None:
    world["ledger"].breached.add((world["overdue"].pk, world["today"] - DAY * 9))
    assert found_by(world) == {"each_breach_is_recorded_once"}
    assert world["ledger"].unrecorded() == 1


def test_a_second_record_of_one_breach_is_found(world: dict[str, Any]) -> None:
    episode = OverdueEpisode.objects.get(milestone=world["mended"])
    episode.pk = None
    episode.save()
    assert found_by(world) == {"each_breach_is_recorded_once", "runs_agree_with_episodes"}


def test_a_record_of_what_never_was_is_found(world: dict[str, Any]) -> None:
    world["ledger"].breached.discard((world["mended"].pk, world["today"] - DAY * 5))
    assert found_by(world) == {"nothing_else_is_recorded"}


def test_a_date_of_the_downtime_is_found(world: dict[str, Any]) -> None:
    OverdueEpisode.objects.filter(milestone=world["overdue"]).update(opened_on=world["today"])
    assert found_by(world) == {"episodes_bear_the_true_dates"}


def test_a_mended_one_that_stays_open_is_found(world: dict[str, Any]) -> None:
    OverdueEpisode.objects.filter(milestone=world["mended"]).update(
        cause="", closed_on=None, closed_by=None, days_late=None
    )
    assert {"cured_ones_are_closed", "flags_agree_with_episodes"} <= found_by(world)
    assert world["ledger"].unrecorded() == 1


def test_a_flag_without_an_episode_is_found(world: dict[str, Any]) -> None:
    Milestone.objects.filter(pk=world["mended"].pk).update(flagged_due_on=world["today"])
    assert found_by(world) == {"flags_agree_with_episodes"}


def test_a_run_that_boasts_is_found(world: dict[str, Any]) -> None:
    PatrolRun.objects.filter(opened__gt=0).update(opened=7)
    assert found_by(world) == {"runs_agree_with_episodes"}


def test_a_row_that_was_given_up_is_found(world: dict[str, Any]) -> None:
    SetAside.objects.create(
        milestone=world["overdue"], as_of=world["today"], at=timezone.now(), error="server closed"
    )
    assert found_by(world) == {"nothing_is_set_aside"}


def test_a_colour_that_is_out_of_date_is_found(world: dict[str, Any]) -> None:
    Project.objects.update(light="green")
    assert found_by(world) == {"the_lights_are_current"}


@pytest.mark.parametrize(
    "save", [Save("saving", 1, 2, 500), Save("saving", 1, 7, 302), Save("saving", 1, 2, 0)]
)
def test_a_save_that_fails_or_waits_while_the_database_is_up_is_found(
    world: dict[str, Any], save: Save
) -> None:
    world["ledger"].saves.append(save)
    assert found_by(world) == {"no_save_needs_the_broker"}


def test_processes_that_live_or_end_unasked_are_found(world: dict[str, Any]) -> None:
    world["ledger"].survivors.append("children of worker1")
    world["ledger"].ended.append("beat0 ended with status 1")
    assert found_by(world) == {checks.no_child_outlives_its_worker.__name__, "nobody_ends_by_themselves"}
