from __future__ import annotations

import datetime

import pytest
from django.utils import timezone


@pytest.fixture
def today() -> datetime.date:
    """The day of the clock: pages read it, and what is counted for another day is not what they show."""
    return timezone.localdate()
