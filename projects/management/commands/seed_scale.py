"""manage.py seed_scale: deterministic data of national size, for benchmarks."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from projects.scale import marking
from projects.scale.plan import Size
from projects.scale.seed import AlreadySeeded, seed


class Command(BaseCommand):
    help = (
        "Fill a database that is marked as a benchmark's with units, projects and milestones under invented "
        "Chinese names. Opens the accounts bench_staff and bench_officer, without passwords."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--projects", type=int, default=200_000, metavar="N")
        parser.add_argument("--milestones-per-project", type=int, default=5, metavar="M")
        parser.add_argument("--enterprises", type=int, default=5_000, metavar="E")
        parser.add_argument(
            "--overdue", type=int, default=0, metavar="K", help="milestones overdue today and not flagged yet"
        )
        parser.add_argument("--replace", action="store_true", help="empty the portal's tables first")
        parser.add_argument(
            "--mark-this-database",
            action="store_true",
            help="mark this database as a benchmark's and do nothing else; refused when it holds projects",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["mark_this_database"]:
                name = marking.mark()
                self.stdout.write(
                    f"数据库 {name} 已标记为基准测试库。/ {name} is marked as a benchmark's now."
                )
                return
            size = Size(
                projects=options["projects"],
                milestones_per_project=options["milestones_per_project"],
                enterprises=options["enterprises"],
                overdue=options["overdue"],
            )
            quiet = options["verbosity"] < 2
            done = seed(
                size,
                today=timezone.localdate(),
                replace=options["replace"],
                say=(lambda _text: None) if quiet else self.stdout.write,
            )
        except (ValueError, AlreadySeeded, marking.NotForBenchmarks) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"已生成 {done.enterprises} 家单位、{done.projects} 个项目、{done.milestones} 个节点，"
            f"其中新逾期 {done.overdue} 个，用时 {done.seconds} 秒。/ {done.enterprises} enterprises, "
            f"{done.projects} projects and {done.milestones} milestones, {done.overdue} of them newly overdue, "
            f"in {done.seconds} s."
        )
