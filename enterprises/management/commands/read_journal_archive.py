"""manage.py read_journal_archive FILE [--verify]"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprises.models import JournalArchive
from journal.archive_files import lines_of, sha256_of


class Command(BaseCommand):
    help = "Print the entries of an archive, or compare the file with the row that was kept of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--verify", action="store_true", help="compare hash and count, print no entry")

    def handle(self, *args: Any, file: Path, verify: bool, **options: Any) -> None:
        try:
            if verify:
                self._verify(file)
                return
            for entry in lines_of(file):
                self.stdout.write(json.dumps(entry, ensure_ascii=False))
        except (OSError, EOFError, ValueError) as error:
            raise CommandError(f"无法读取：{error} / Cannot be read: {error}") from error

    def _verify(self, file: Path) -> None:
        row = JournalArchive.objects.filter(file_name=file.name).first()
        if row is None:
            raise CommandError(f"没有 {file.name} 的归档记录。/ No record of {file.name}.")
        if sha256_of(file) != row.sha256:
            raise CommandError("文件与归档时不一致。/ The file is not what was archived.")
        count = sum(1 for _entry in lines_of(file))
        if count != row.entries:
            raise CommandError(
                f"条数不符：{count}，应为 {row.entries}。/ {count} entries, not {row.entries}."
            )
        self.stdout.write(f"一致，共 {count} 条。/ Unchanged, {count} entries.")
