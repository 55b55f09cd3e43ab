"""A due date that moves while a round is under way: found by `make chaos`, whose control met it first."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db.models import QuerySet

from projects.models import Milestone, OverdueEpisode, SetAside
from projects.services import patrol as patrols
from projects.services.patrol import patrol
from tests import factories

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def test_a_date_that_moves_between_closing_and_opening_waits_for_the_next_round(
    today: datetime.date, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = factories.project(factories.enterprise(parent=factories.sasac()))
    milestone = factories.milestone(project, today - DAY * 9)
    patrol(as_of=today)
    to_open = patrols._to_open

    def move_first(as_of: datetime.date) -> QuerySet[Milestone]:
        Milestone.objects.filter(pk=milestone.pk).update(due_on=today - DAY * 3)
        return to_open(as_of)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(patrols, "_to_open", move_first)
        result: Any = patrol(as_of=today)
    assert (result.closed, result.opened, result.set_aside) == (0, 0, 0)
    assert not SetAside.objects.exists()
    result = patrol(as_of=today)
    assert (result.closed, result.opened) == (1, 1)
    assert OverdueEpisode.objects.open().get().due_on == today - DAY * 3
