"""The demonstration's past: lights and snapshots of the last quarter, so that trends and "as of" can be looked at.

Generated, like everything of the demonstration: the plan and the milestones as they stand today are judged for each
past day, and progress is made to grow towards what it is today.
"""

from __future__ import annotations

import datetime

from django.db.models import F, IntegerField
from django.db.models.functions import Cast, Round

from projects.models import DailyTally, Programme
from projects.services.lights import refresh_lights
from projects.services.tallying import keep_tallies

DAYS = 91
#: One a week, and each of the last days: a fresh portal should not be waited for.
BACK = (*range(DAYS, 3, -7), 3, 2, 1)
#: Share of today's progress that was reached on the first of these days.
AT_FIRST = 0.7


def load_history(*, programme: Programme, today: datetime.date) -> None:
    """Judge and count days of the last quarter, the earliest first; today is left to the patrol."""
    for back in BACK:
        day = today - datetime.timedelta(days=back)
        refresh_lights(as_of=day, programme_id=programme.pk)
        # The plan is read for the day that all were judged for.
        Programme.objects.filter(pk=programme.pk).update(lights_on=day)
        keep_tallies(as_of=day)
        share = AT_FIRST + (1 - AT_FIRST) * (DAYS - back) / DAYS
        DailyTally.objects.filter(programme=programme, day=day).update(
            actual=Cast(Round(F("actual") * share), IntegerField())
        )
