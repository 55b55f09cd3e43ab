"""What Celery runs. Thin: the clock is read here and passed on."""

from __future__ import annotations

from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from projects.importing import intake
from projects.importing.working import waiting, work_on
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


@shared_task(name="projects.ledgers", ignore_result=True)
def work_on_ledgers() -> None:
    """Read the ledgers that were handed in and write those that were confirmed, whoever rang the bell."""
    for ledger_id in waiting():
        work_on(ledger_id=ledger_id, as_of=timezone.localdate(), now=timezone.now)


@shared_task(name="projects.sweep_ledgers", ignore_result=True)
def sweep_ledgers() -> None:
    intake.sweep(now=timezone.now())
