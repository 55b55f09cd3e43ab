"""What Celery runs. Thin: the clock is read here and passed on."""

from __future__ import annotations

from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from projects.services.evidence import sweep, sweep_incoming
from projects.services.rounds import go_round


@shared_task(name="projects.patrol", ignore_result=True)
def run_patrol() -> None:
    """One round for today: episodes, lights, the ladder."""
    go_round(at=timezone.now())


@shared_task(name="projects.sweep_evidence", ignore_result=True)
def sweep_evidence() -> None:
    """Remove the files of uploads that broke off and of drafts that were thrown away."""
    now = timezone.now()
    sweep(now=now)
    sweep_incoming(folder=Path(settings.FILE_UPLOAD_TEMP_DIR), now=now)
