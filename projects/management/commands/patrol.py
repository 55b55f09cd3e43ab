"""manage.py patrol [--on DATE] [--json]: the same service that the worker runs."""

from __future__ import annotations

import datetime
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from projects.services.lights import follow_patrol
from projects.services.patrol import end_runs, patrol


class Command(BaseCommand):
    help = "Open and close overdue episodes for a day (today by default)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--on", type=datetime.date.fromisoformat, metavar="DATE", help="the day, as 2021-08-01"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, on: datetime.date | None, json: bool, **options: Any) -> None:
        today = timezone.localdate()
        is_today = on is None or on == today
        result = patrol(as_of=on or today, by_clock=on is None, goes_on=is_today)
        if is_today:  # lights show today; a past day must not repaint them
            run_ids = [] if result.run_id is None else [result.run_id]
            follow_patrol(run_ids=run_ids, as_of=today)
            end_runs(run_ids=run_ids, run_id=result.run_id, at=timezone.now())
        self._tell(result, json)

    def _tell(self, result: Any, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(result.as_dict(), ensure_ascii=False))
        else:
            self.stdout.write(
                f"{result.on}：新增逾期 {result.opened}，解除 {result.closed}，搁置 {result.set_aside}，用时 {result.seconds} 秒"
                f" / opened {result.opened}, closed {result.closed}, set aside {result.set_aside}, {result.seconds} s"
            )
