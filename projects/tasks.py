"""What Celery runs. Thin: the clock is read here and passed on."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from projects.services.lights import refresh_lights
from projects.services.patrol import patrol


@shared_task(name="projects.patrol", ignore_result=True)
def run_patrol() -> None:
    """Open and close overdue episodes for today, then bring the lights up to date."""
    today = timezone.localdate()
    patrol(as_of=today)
    refresh_lights(as_of=today)
