"""What Celery runs. Thin: the clock is read here and passed on."""

from __future__ import annotations

from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from projects.services.evidence import sweep, sweep_incoming
from projects.services.lights import follow_patrol
from projects.services.patrol import patrol


@shared_task(name="projects.patrol", ignore_result=True)
def run_patrol() -> None:
    """Open and close overdue episodes for today, then bring the lights up to date."""
    today = timezone.localdate()
    result = patrol(as_of=today)
    follow_patrol(run_id=result.run_id, as_of=today)


@shared_task(name="projects.sweep_evidence", ignore_result=True)
def sweep_evidence() -> None:
    """Remove the files of uploads that broke off and of drafts that were thrown away."""
    now = timezone.now()
    sweep(now=now)
    sweep_incoming(folder=Path(settings.FILE_UPLOAD_TEMP_DIR), now=now)
