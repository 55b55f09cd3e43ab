"""What one round of the patrol leaves undone, the next one does."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import ProgrammingError
from django.utils import timezone

from projects.models import Milestone, OverdueEpisode, PatrolRun, Project, SetAside
from projects.services import lights, patrol, rounds
from tests import factories
from tests.test_pages import DAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def late_since_the_round() -> Milestone:
    """A milestone that became overdue after the first round of the day, by which all lights were judged."""
    today = timezone.localdate()
    programme = factories.programme(factories.sasac())
    factories.milestone(factories.project(programme.owner, programme), today + DAY * 50)
    rounds.go_round(at=timezone.now())
    return factories.milestone(factories.project(programme.owner, programme), today - DAY)


def killed(*_args: Any, **_kwargs: Any) -> Any:
    raise SystemExit("killed")


def light_of(milestone: Milestone) -> str:
    return Project.objects.values_list("light", flat=True).get(pk=milestone.project_id)


@pytest.mark.parametrize("module, step", [(rounds, "follow_patrol"), (patrol, "_keep")])
def test_a_worker_that_is_killed_in_a_round_leaves_its_lights_to_the_next_one(
    late_since_the_round: Milestone, monkeypatch: pytest.MonkeyPatch, module: Any, step: str
) -> None:
    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(module, step, killed)
        rounds.go_round(at=timezone.now())
    assert OverdueEpisode.objects.filter(milestone=late_since_the_round).exists()
    rounds.go_round(at=timezone.now())
    assert light_of(late_since_the_round) == "red"


def test_a_round_that_came_to_its_end_is_not_followed_again(
    late_since_the_round: Milestone, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds.go_round(at=timezone.now())
    done = OverdueEpisode.objects.get(milestone=late_since_the_round).opened_by_id
    asked: list[int] = []
    monkeypatch.setattr(rounds, "follow_patrol", lambda **given: asked.extend(given["run_ids"]))
    rounds.go_round(at=timezone.now())
    assert done not in asked
    assert not PatrolRun.objects.filter(finished_at=None).exists()


def test_a_run_that_was_killed_is_ended_with_its_numbers_once_it_cannot_be_alive(
    late_since_the_round: Milestone, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(patrol, "_keep", killed)
        rounds.go_round(at=timezone.now())
    dead = PatrolRun.objects.get(finished_at=None)
    rounds.go_round(at=timezone.now())
    dead.refresh_from_db()
    assert dead.finished_at is None  # it might be at work, and open more
    PatrolRun.objects.filter(pk=dead.pk).update(started_at=timezone.now() - datetime.timedelta(hours=1))
    rounds.go_round(at=timezone.now())
    dead.refresh_from_db()
    assert (dead.opened, dead.closed) == (1, 0)
    assert dead.finished_at is not None


def test_one_project_that_cannot_be_judged_leaves_the_others_their_light(
    late_since_the_round: Milestone, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = factories.milestone(
        factories.project(late_since_the_round.project.enterprise, late_since_the_round.project.programme),
        timezone.localdate() - DAY,
    )
    judge = lights._store

    def store(programme: Any, batch: Any, as_of: Any) -> int:
        if poison.project_id in batch.ids:
            raise ValueError("poison")
        return judge(programme, batch, as_of)

    monkeypatch.setattr(lights, "_store", store)
    rounds.go_round(at=timezone.now())
    assert light_of(late_since_the_round) == "red"
    assert light_of(poison) != "red"
    assert poison.set_asides.filter(resolved_at=None, error__contains="poison").exists()


def test_a_statement_that_does_not_fit_the_tables_sets_nobody_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    programme = factories.programme(factories.sasac())
    for _n in range(4):
        factories.milestone(factories.project(programme.owner, programme), timezone.localdate() - DAY)
    # A worker of the new version, before its migrations.
    monkeypatch.setattr(lights, "DIFFERS", "j.column_of_tomorrow")
    with pytest.raises(ProgrammingError):
        rounds.go_round(at=timezone.now())
    assert not SetAside.objects.exists()
    monkeypatch.undo()
    rounds.go_round(at=timezone.now())
    assert set(Project.objects.values_list("light", flat=True)) == {"red"}


@pytest.mark.parametrize(("minutes", "light"), [(2, "red"), (11, "green")])
def test_what_a_request_of_yesterday_wrote_after_midnight_is_judged_again(minutes: int, light: str) -> None:
    """The second case is the control: later on, nobody is at work who began yesterday."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    programme = factories.programme(factories.sasac())
    late = factories.milestone(factories.project(programme.owner, programme), timezone.localdate() - DAY)
    rounds.go_round(at=midnight)
    # An import began at 23:59; its light of yesterday comes after the first round of today.
    Project.objects.filter(pk=late.project_id).update(light="green")
    rounds.go_round(at=midnight + datetime.timedelta(minutes=minutes))
    assert light_of(late) == light
