"""manage.py import_enterprises FILE.csv [--under CODE] [--json]"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprises.models import Enterprise
from enterprises.services.register import import_enterprises, read_csv
from journal.context import acting


class Command(BaseCommand):
    help = "Make or update enterprises from a CSV; repeating it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--under", metavar="CODE", help="unit that rows without a parent belong to")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, file: Path, under: str | None, json: bool, **options: Any) -> None:
        parent = None
        if under:
            parent = Enterprise.objects.filter(code=under).first()
            if parent is None:
                raise CommandError(f"单位 {under} 不存在。/ There is no unit {under}.")
        try:
            rows = read_csv(file)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        with acting(by="import_enterprises", source="command", why=file.name):
            result = import_enterprises(rows, under=parent)
        self._tell(result, json)
        if result.errors:
            raise CommandError("未保存任何内容。/ Nothing was saved.", returncode=1)

    def _tell(self, result: Any, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(result.as_dict(), ensure_ascii=False))
            return
        self.stdout.write(
            f"新增 {result.created}，变更 {result.changed}，未变 {result.unchanged}"
            f" / created {result.created}, changed {result.changed}, unchanged {result.unchanged}"
        )
        for line in result.errors:
            self.stderr.write(line)
