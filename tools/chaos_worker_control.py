"""The worker with one fault put in: a patrol that opens episodes by read, decide, save. The negative control.

`make chaos ARGS="--only worker --control"` runs the workers on this instead of `portal`, on a database without
the constraint that would turn a double episode into a crash. If the checks find nothing here, they find nothing.
"""

from __future__ import annotations

import datetime
import time

import django
from django.db.models import QuerySet
from django.utils import timezone

from portal.celery import app as app

django.setup()

from projects.models import Milestone, OverdueEpisode, PatrolRun  # noqa: E402
from projects.services import patrol  # noqa: E402


def _careless(rows: QuerySet[Milestone], *, run: PatrolRun) -> int:
    """Everyone reads before anyone writes, as happens when beat's message comes twice."""
    found = list(rows)
    time.sleep(0.2)
    for row in found:
        assert row.due_on is not None
        OverdueEpisode.objects.create(
            milestone=row,
            due_on=row.due_on,
            opened_on=row.due_on + datetime.timedelta(days=1),
            opened_at=timezone.now(),
            opened_by=run,
        )
        Milestone.objects.filter(pk=row.pk).update(flagged_due_on=row.due_on)
    return len(found)


patrol._open_batch = _careless
