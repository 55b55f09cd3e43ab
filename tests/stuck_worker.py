"""The portal's worker with a short heartbeat, whose loop hangs for ever when it finds the key "hang", and a slow task."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from celery.signals import worker_ready

from portal import heartbeat
from portal.celery import app as app

heartbeat.PERIOD = 0.5  # type: ignore[assignment]


@worker_ready.connect
def _hang_when_told(sender: Any, **_kwargs: Any) -> None:
    def look() -> None:
        if heartbeat.connection().get("hang"):
            time.sleep(3600)

    sender.timer.call_repeatedly(0.1, look)


@app.task(name="tests.slow", ignore_result=True)
def slow(folder: str, name: str) -> None:
    """A task that takes a second, and tells by files when it began and ended."""
    (Path(folder) / f"{name}-begun").touch()
    time.sleep(1)
    (Path(folder) / f"{name}-done").touch()
