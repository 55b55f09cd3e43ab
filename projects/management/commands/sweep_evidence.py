"""manage.py sweep_evidence [--older-than-hours N] [--dry-run]: the same service that the worker runs."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from projects.services.evidence import SWEEP_AFTER, sweep, sweep_incoming


class Command(BaseCommand):
    help = "Remove evidence files that no record names: of uploads that broke off, of discarded drafts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than-hours",
            type=float,
            default=SWEEP_AFTER.total_seconds() / 3600,
            metavar="N",
            help="leave younger files alone: their upload may be under way (default: %(default)g)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, older_than_hours: float, dry_run: bool, **options: Any) -> None:
        if not 0 <= older_than_hours <= 24 * 365 * 10:
            raise CommandError("--older-than-hours 应为不小于 0 的小时数 / is a number of hours, 0 or more")
        grace = datetime.timedelta(hours=older_than_hours)
        now, incoming = timezone.now(), Path(settings.FILE_UPLOAD_TEMP_DIR)
        count = sweep(now=now, older_than=grace, dry_run=dry_run)
        count += sweep_incoming(folder=incoming, now=now, older_than=grace, dry_run=dry_run)
        self.stdout.write(
            f"可清理的无主文件 {count} 个（未删除） / {count} orphan files found, none removed"
            if dry_run
            else f"已清理无主文件 {count} 个 / {count} orphan files removed"
        )
