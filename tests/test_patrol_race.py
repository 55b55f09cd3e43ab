"""Workers that patrol at the same moment, as processes with connections of their own.

Each test works in a scratch copy of the test database: the control needs one without the constraint
that would stop it, and rows that other processes shall see must be committed.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterator

import pytest
from django.db import connection, connections

from projects.models import Milestone, OverdueEpisode, PatrolRun
from tests import factories
from tools.bench_race import drop_the_guard, duplicates, patrol_together, race, read_decide_save

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

PROCESSES = 6
NEWLY_OVERDUE = 300


@pytest.fixture
def scratch(transactional_db: None) -> Iterator[None]:
    """A copy of the (empty) test database, which this process works on until the test has ended."""
    name = connection.settings_dict["NAME"]
    copy = f"{name}_race"
    connections.close_all()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
    connection.settings_dict["NAME"] = copy
    try:
        yield
    finally:
        connections.close_all()
        connection.settings_dict["NAME"] = name
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')


def _newly_overdue(count: int, today: datetime.date) -> None:
    root = factories.sasac()
    project = factories.project(factories.enterprise(parent=root), factories.programme(root))
    Milestone.objects.bulk_create(
        Milestone(
            project=project,
            name=f"节点{n}",
            state="in_progress",
            due_on=today - datetime.timedelta(n % 40 + 1),
        )
        for n in range(count)
    )


def test_six_processes_open_each_overdue_milestone_exactly_once(scratch: None, today: datetime.date) -> None:
    _newly_overdue(NEWLY_OVERDUE, today)
    # Small batches: everyone claims several times, while the others hold rows.
    shares = race(functools.partial(patrol_together, batch=20), as_of=today, processes=PROCESSES)
    assert sum(shares) == NEWLY_OVERDUE
    assert OverdueEpisode.objects.count() == NEWLY_OVERDUE
    assert duplicates() == 0
    opened_in_runs = sum(PatrolRun.objects.values_list("opened", flat=True))
    assert opened_in_runs == NEWLY_OVERDUE


def test_the_claim_alone_is_enough_without_the_constraint_behind_it(
    scratch: None, today: datetime.date
) -> None:
    _newly_overdue(NEWLY_OVERDUE, today)
    drop_the_guard()
    race(functools.partial(patrol_together, batch=20), as_of=today, processes=PROCESSES)
    assert OverdueEpisode.objects.count() == NEWLY_OVERDUE
    assert duplicates() == 0


def test_control_read_decide_save_opens_the_same_milestone_more_than_once(
    scratch: None, today: datetime.date
) -> None:
    count = 30
    _newly_overdue(count, today)
    drop_the_guard()
    race(read_decide_save, as_of=today, processes=PROCESSES)
    assert OverdueEpisode.objects.count() > count
    assert duplicates() > 0
