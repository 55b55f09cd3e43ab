"""manage.py archive_journal [--dry-run]"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from enterprises.services.journal_archive import archive_journal, first_day_kept, waiting
from journal.archiving import Unreadable


class Command(BaseCommand):
    help = "Move journal entries older than JOURNAL_RETENTION_DAYS into files; repeating it is safe."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many entries would go")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        today, days = timezone.localdate(), settings.JOURNAL_RETENTION_DAYS
        kept = first_day_kept(as_of=today, days=days)
        if dry_run:
            count = waiting(as_of=today, days=days)
            self.stdout.write(
                f"{kept} 之前的 {count} 条日志将归档，未作改动。/ {count} entries before {kept} would be archived."
            )
            return
        try:
            done = archive_journal(as_of=today, days=days, folder=settings.JOURNAL_ARCHIVE_DIR)
        except (OSError, EOFError, ValueError, Unreadable) as error:
            raise CommandError(
                f"归档未完成，日志未删除：{error} / Not archived, nothing deleted: {error}"
            ) from error
        for archived in done:
            self.stdout.write(f"{archived.file_name} {archived.entries} sha256 {archived.sha256}")
        count = sum(archived.entries for archived in done)
        self.stdout.write(f"{kept} 之前的 {count} 条日志已归档。/ {count} entries before {kept} archived.")
