"""Lights that are judged by several at once, on connections of their own."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from projects.models import LightSpan, Milestone, Programme, Project, SetAside
from projects.services import lights
from projects.services.lights import refresh_lights
from projects.services.milestones import take_step
from tests import factories
from tests.racing import until_somebody_waits

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def programme(today: datetime.date) -> Programme:
    made = factories.programme(factories.sasac(), today.year)
    for _n in range(60):
        factories.milestone(factories.project(made.owner, made), today + DAY * 40, percent=50)
    return made


def _at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Run each on a thread and a connection of its own, from the same moment on."""
    gate = threading.Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> Any:
        try:
            gate.wait(30)
            return deed()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def _true_to_the_spans() -> bool:
    """One open span a project, and it tells what the project shows."""
    shown = {p.pk: (p.light, p.light_reason["rule"]) for p in Project.objects.all()}
    spans = {s.project_id: (s.light, s.reason["rule"]) for s in LightSpan.objects.filter(until_on=None)}
    return shown == spans


def test_judging_twice_at_once_and_a_step_beside_it_neither_hangs_nor_lies(
    programme: Programme, today: datetime.date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lights, "CHUNK", 7)  # many transactions, so that they meet
    staff = factories.user("staff", programme.owner)
    refresh_lights(as_of=today)
    milestones = list(Milestone.objects.order_by("-pk").values_list("pk", flat=True))
    ids = list(Project.objects.order_by("-pk").values_list("pk", flat=True))

    def steps() -> None:
        for pk in milestones[:20]:
            take_step(
                milestone_id=pk, action="cancel", actor=staff, as_of=today + DAY, comment="并入其他节点"
            )

    _at_once(
        lambda: refresh_lights(as_of=today + DAY),
        lambda: refresh_lights(as_of=today + DAY),
        lambda: refresh_lights(as_of=today + DAY, project_ids=ids),
        steps,
    )
    assert _true_to_the_spans()
    # Nothing was left as it had been read before somebody else's change.
    assert refresh_lights(as_of=today + DAY) == 0
    assert Milestone.objects.filter(state="cancelled").count() == 20


def test_a_batch_waits_for_the_change_of_a_colleague_and_sees_it(
    programme: Programme, today: datetime.date
) -> None:
    refresh_lights(as_of=today)
    held, done = threading.Event(), threading.Event()
    project = Project.objects.earliest("pk")
    Project.objects.filter(pk=project.pk).update(light="yellow")  # there is something to write

    def colleague() -> None:
        with transaction.atomic():
            list(Project.objects.select_for_update(no_key=True).filter(pk=project.pk))
            Milestone.objects.filter(project=project).update(due_on=today - DAY)
            held.set()
            until_somebody_waits()
        done.set()

    def judge() -> int:
        held.wait(30)
        return refresh_lights(as_of=today)

    _at_once(colleague, judge)
    assert done.is_set()
    project.refresh_from_db()
    assert project.light == "red"


def test_control_without_the_lock_the_change_is_not_seen(
    programme: Programme, today: datetime.date, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh_lights(as_of=today)
    monkeypatch.setattr(lights, "_lock", lambda batch: None)
    project = Project.objects.earliest("pk")
    Project.objects.filter(pk=project.pk).update(light="yellow")
    held, judged = threading.Event(), threading.Event()

    def colleague() -> None:
        with transaction.atomic():
            Milestone.objects.filter(project=project).update(due_on=today - DAY)
            held.set()
            judged.wait(30)

    def judge() -> None:
        held.wait(30)
        refresh_lights(as_of=today)
        judged.set()

    _at_once(colleague, judge)
    project.refresh_from_db()
    assert project.light == "green"


def test_what_need_not_be_written_waits_for_nobody_and_its_colleague_judges_it(
    programme: Programme, today: datetime.date
) -> None:
    refresh_lights(as_of=today)
    project = Project.objects.earliest("pk")
    held, judged = threading.Event(), threading.Event()

    def colleague() -> None:
        with transaction.atomic():
            list(Project.objects.select_for_update(no_key=True).filter(pk=project.pk))
            Milestone.objects.filter(project=project).update(due_on=today - DAY)
            held.set()
            assert judged.wait(30), "the batch waits for a row that it does not write"
            refresh_lights(as_of=today, project_ids=[project.pk])

    def judge() -> None:
        held.wait(30)
        assert refresh_lights(as_of=today) == 0
        judged.set()

    _at_once(colleague, judge)
    project.refresh_from_db()
    assert project.light == "red"
    assert _true_to_the_spans()


def test_sessions_of_their_own_judge_everything_once(
    programme: Programme, today: datetime.date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lights, "CHUNK", 7)
    assert refresh_lights(as_of=today) == 60
    assert refresh_lights(as_of=today) == 0
    assert LightSpan.objects.count() == 60


def test_a_server_that_goes_away_from_one_session_is_told(
    programme: Programme, today: datetime.date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Halving is for bad projects; with the server away each of them would be called bad, one by one."""
    monkeypatch.setattr(lights, "CHUNK", 7)
    store, first = lights._store, Project.objects.earliest("pk").pk

    def failing(programme: Programme, batch: Any, as_of: datetime.date) -> int:
        if batch.first == first:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return store(programme, batch, as_of)

    monkeypatch.setattr(lights, "_store", failing)
    with pytest.raises(OperationalError):
        refresh_lights(as_of=today)
    assert not SetAside.objects.exists()
