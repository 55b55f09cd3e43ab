"""The portal's day is Shanghai's, whatever zone the machine is in. `make chaos` tries it with moved clocks."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from portal.servers.layout import PROJECT_ROOT

ASK = """
import datetime, time
import django
django.setup()
from django.conf import settings
from django.utils import timezone
from portal.celery import app

minute = datetime.timedelta(minutes=1)
midnight = datetime.datetime(2026, 11, 24, 16, tzinfo=datetime.UTC)  # the 25th begins in Shanghai
print(timezone.localdate(midnight - minute), timezone.localdate(midnight))
schedule = settings.CELERY_BEAT_SCHEDULE["patrol-at-midnight"]["schedule"]
schedule.app = app
for now in (midnight - minute, midnight + minute):
    schedule.nowfun = lambda: now
    print(schedule.remaining_estimate(now - 2 * minute))
print(schedule.is_due(midnight - minute).is_due)
print(time.strftime("%Z", time.localtime()))
"""


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_the_day_ends_at_midnight_in_shanghai_on_any_machine(zone: str) -> None:
    environ = {**os.environ, "TZ": zone, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    told = subprocess.run(
        [sys.executable, "-c", ASK], env=environ, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    days, before, after, due, name = told.stdout.split("\n")[:5]
    assert days == "2026-11-24 2026-11-25"
    assert before == "0:01:00", "a minute before midnight the patrol of the new day is a minute off"
    assert after.startswith("-"), "a minute after it the patrol that was missed is due"
    assert due == "True"
    assert name == "CST"
