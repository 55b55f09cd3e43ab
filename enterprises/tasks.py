"""What Celery runs. Thin: the clock and the settings are read here and passed on."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from enterprises.services.journal_archive import archive_journal


@shared_task(name="journal.archive", ignore_result=True)
def run_archive() -> None:
    """Move entries older than the retention into files."""
    archive_journal(
        as_of=timezone.localdate(),
        days=settings.JOURNAL_RETENTION_DAYS,
        folder=settings.JOURNAL_ARCHIVE_DIR,
    )
