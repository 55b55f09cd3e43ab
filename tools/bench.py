"""make bench: measure the portal at national scale against the bars it promises.

Runs inside `python -m portal.servers with`; everything happens in databases of its own, which are made
and dropped. `make bench ARGS="--projects 20000 --overdue 10000"` is a quick look at a tenth of the size.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
import time
from typing import Any

import django


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    if not os.environ.get("DATABASE_URL"):
        print("请用 make bench 运行。/ Run it by `make bench`: it needs the servers.", file=sys.stderr)
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    # Pages name their style sheets by the hash that this computes.
    subprocess.run([sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"], check=True)
    django.setup()
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    from django.conf import settings
    from django.utils import timezone

    from projects.scale.plan import Size
    from tools.bench_databases import NAME, Databases
    from tools.bench_export import measure_export
    from tools.bench_hostile import measure_hostile
    from tools.bench_ledger import measure_ledgers
    from tools.bench_lights import measure_lights
    from tools.bench_pages import measure_pages
    from tools.bench_patrol import measure_after, measure_memory, measure_patrol
    from tools.bench_race import measure_race
    from tools.bench_report import Figure, machine, table
    from tools.bench_review import measure_review
    from tools.bench_search import measure_search

    settings.LOGGING_CONFIG = None
    today: datetime.date = timezone.localdate()
    databases = Databases(os.environ["DATABASE_URL"])
    full = Size(options.projects, options.milestones_per_project, options.enterprises, options.overdue)
    # 300 projects with one milestone each: both small lists have more rows than a page.
    small = Size(projects=300, milestones_per_project=1, enterprises=20, overdue=250)
    rivals = Size(projects=2_000, milestones_per_project=5, enterprises=100, overdue=5_000)
    started = time.perf_counter()
    databases.prepare(NAME, full, today=today, keep=options.keep)
    seeding = time.perf_counter() - started
    databases.prepare("portal_small_bench", small, today=today, keep=options.keep)
    databases.prepare("portal_race_bench", rivals, today=today, keep=options.keep)
    figures: list[Figure] = []
    if seeding > 1 or not options.keep:
        what = f"migrate and seed_scale, {full.projects:,} projects × {full.milestones_per_project}"
        figures.append(Figure(what, f"{seeding:.0f} s", bar="< 2 min", ok=seeding < 120))
    parts = {
        "patrol": lambda: [
            *measure_patrol(databases, today, full.milestones, full.overdue, options.repeat),
            *measure_after(databases, today, full.overdue),
        ],
        "lights": lambda: measure_lights(databases, today),
        "memory": lambda: [measure_memory(databases, full.overdue)],
        "pages": lambda: measure_pages(
            databases, large=NAME, small="portal_small_bench", today=today, repeat=options.requests
        ),
        "review": lambda: measure_review(
            databases, small="portal_small_bench", today=today, repeat=options.requests
        ),
        "ledger": lambda: measure_ledgers(databases, small="portal_race_bench", today=today),
        "cockpit": lambda: _cockpit(databases, today, options),
        "search": lambda: measure_search(databases, name=NAME, today=today, repeat=options.requests),
        "hostile": lambda: measure_hostile(databases, name="portal_race_bench"),
        "export": lambda: measure_export(databases, today=today, repeat=1),
        "race": lambda: measure_race(databases, "portal_race_bench", today, rivals.overdue),
    }
    for name, measure in parts.items():
        if not options.only or name in options.only:
            print(f"… {name}", file=sys.stderr, flush=True)
            figures += measure()
    databases.enter(NAME)
    print(f"\n{today}, {machine()}\n\n{table(figures)}\n")
    databases.leave()
    if not options.keep:
        for name in (NAME, "portal_small_bench", "portal_race_bench"):
            databases.drop(name)
    return 1 if any(figure.ok is False for figure in figures) else 0


def _cockpit(databases: Any, today: datetime.date, options: argparse.Namespace) -> list[Any]:
    from projects.scale.plan import Size
    from tools.bench_cockpit import measure_cockpit
    from tools.bench_databases import NAME

    few = Size(projects=600, milestones_per_project=5, enterprises=30, overdue=300)
    databases.prepare("portal_few_bench", few, today=today, keep=options.keep)
    figures = measure_cockpit(
        databases, large=NAME, small="portal_few_bench", today=today, repeat=options.requests
    )
    if not options.keep:
        databases.drop("portal_few_bench")
    return figures


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--projects", type=int, default=200_000)
    parser.add_argument("--milestones-per-project", type=int, default=5)
    parser.add_argument("--enterprises", type=int, default=5_000)
    parser.add_argument("--overdue", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3, help="rounds of the patrol, each in a fresh copy")
    parser.add_argument("--requests", type=int, default=30, help="requests for each page")
    parser.add_argument(
        "--only",
        nargs="*",
        choices=(
            *("patrol", "lights", "memory", "pages", "review", "cockpit", "search"),
            *("ledger", "hostile", "export", "race"),
        ),
        help="not all",
    )
    parser.add_argument("--keep", action="store_true", help="keep the seeded databases for the next run")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
