"""The portal's Celery app for a process whose clock libfaketime has moved.

Python sleeps until a moment of the monotonic clock, which libfaketime 0.9.10 refuses (EINVAL) when told to leave
that clock alone, and when it is moved as well every wait with a time limit hangs.
"""

from __future__ import annotations

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep

from portal.celery import app as app  # noqa: E402
