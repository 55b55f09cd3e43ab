"""What Celery runs. Thin: the clock is read here and passed on."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from projects.services.lights import follow_patrol
from projects.services.patrol import patrol


@shared_task(name="projects.patrol", ignore_result=True)
def run_patrol() -> None:
    """Open and close overdue episodes for today, then bring the lights up to date."""
    today = timezone.localdate()
    result = patrol(as_of=today)
    follow_patrol(run_id=result.run_id, as_of=today)
