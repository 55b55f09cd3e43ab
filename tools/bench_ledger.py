"""Ledgers at scale: preview, confirmation and memory against a bare read of the same file in the same run."""

from __future__ import annotations

import datetime
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import xlsxwriter

from tools.bench_databases import Databases
from tools.bench_report import Figure

ROWS = 200_000
PREVIEW_BAR, MEMORY_BAR, CONFIRM_BAR = 4.0, 600, 5_000
_HEADINGS = (
    *("序号", "项目名称", "责任单位", "实施地点", "主要举措", "受益人数"),
    *("开工时间", "完成时限", "完成进度", "状态", "具体负责人", "备注"),
)
_DUE = ("{}年7月底前", "三季度", "{}.11", "12月底", "长期坚持", "{}年10月31日", "11月中旬")


def measure_ledgers(
    databases: Databases, *, small: str, today: datetime.date, rows: int = ROWS
) -> list[Figure]:
    """A ledger of `rows` new projects, read, previewed and confirmed in processes of their own."""
    with tempfile.TemporaryDirectory() as folder, databases.copy_of(small) as name:
        units, environ = _prepare(today), databases.environ_of(name)
        path = Path(folder) / "ledger.xlsx"
        write_ledger(path, units, rows, today.year)
        bare = min((_run(environ, "bare", path) for _n in range(3)), key=lambda one: one["seconds"])
        shown = min((_run(environ, "preview", path) for _n in range(2)), key=lambda one: one["seconds"])
        kept = _run(environ, "import", path)
    ratio = shown["seconds"] / bare["seconds"]
    speed = rows / kept["confirm"]
    return [
        Figure(
            f"preview of an xlsx of {rows:,} rows",
            f"{shown['seconds']:.2f} s",
            f"{bare['seconds']:.2f} s bare read (calamine)",
            ratio,
            f"≤ {PREVIEW_BAR:g}×",
            ratio <= PREVIEW_BAR,
        ),
        Figure(
            "the same, peak memory",
            f"{shown['peak']} MB",
            "",
            None,
            f"< {MEMORY_BAR} MB",
            shown["peak"] < MEMORY_BAR,
        ),
        Figure(
            "the same in a worker, rows kept for the page",
            f"{kept['read']:.2f} s",
            f"{kept['peak']} MB at its peak",
        ),
        Figure(
            f"confirming {rows:,} new projects with journal, milestones and lights",
            f"{kept['confirm']:.1f} s",
            f"{speed:,.0f} rows/s",
            None,
            f"≥ {CONFIRM_BAR:,} rows/s",
            speed >= CONFIRM_BAR,
        ),
    ]


def _prepare(today: datetime.date) -> list[str]:
    from enterprises.models import Enterprise
    from projects.models import Programme

    root = Enterprise.objects.get(parent=None)
    Programme.objects.create(
        code="ledger-bench",
        name="ledger bench",
        year=today.year,
        owner=root,
        starts_on=datetime.date(today.year, 1, 1),
        ends_on=datetime.date(today.year, 12, 31),
        patrolled_until=datetime.date(today.year + 1, 4, 2),
    )
    return list(Enterprise.objects.exclude(parent=None).values_list("name", flat=True))


def write_ledger(path: Path, units: list[str], rows: int, year: int) -> None:
    """A ledger as offices make them: dates in words and as dates, percentages, repeated units, unique names."""
    chance = random.Random(7)
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = book.add_worksheet("台账")
    percent, day = book.add_format({"num_format": "0%"}), book.add_format({"num_format": "yyyy-mm-dd"})
    first = datetime.datetime(year, 1, 1)
    for at, heading in enumerate(_HEADINGS):
        sheet.write_string(0, at, heading)
    for n in range(1, rows + 1):
        sheet.write_number(n, 0, n)
        sheet.write_string(n, 1, f"{chance.choice('东西南北中')}城街道第{n}号社区供水管网改造工程")
        sheet.write_string(n, 2, units[n % len(units)])
        sheet.write_string(n, 3, f"东城街道{n % 500}号社区")
        sheet.write_string(n, 4, f"更换旧管网{n}米，与供水干管连通，抄表到户")
        sheet.write_number(n, 5, n % 3000)
        sheet.write_datetime(n, 6, first + datetime.timedelta(days=n % 180), day)
        if n % 3:
            sheet.write_string(n, 7, _DUE[n % len(_DUE)].format(year))
        else:
            sheet.write_datetime(n, 7, first + datetime.timedelta(days=200 + n % 150), day)
        sheet.write_number(n, 8, 0.01 + (n % 98) / 100, percent)
        sheet.write_string(n, 9, ("推进中", "有序推进", "正在推进")[n % 3])
        sheet.write_string(n, 10, f"张某{n % 200}")
        sheet.write_string(n, 11, "" if n % 5 else "按期推进")
    book.close()


def _run(environ: dict[str, str], deed: str, path: Path) -> dict[str, float]:
    """One deed in a fresh process: its memory is its own, and nothing is warm."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench_ledger", deed, str(path)],
        env=environ,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _bare(path: Path) -> dict[str, float]:
    import python_calamine

    rows = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    return {"rows": len(rows)}


def _preview(path: Path) -> dict[str, float]:
    from projects.importing.preview import Preview
    from projects.importing.registers import Registers

    actor, programme, today = _who()
    preview = Preview(path, path.name, Registers(actor, programme, today), as_of=today)
    return {"rows": sum(len(chunk) for chunk in preview.chunks())}


def _import(path: Path) -> dict[str, float]:
    import time

    from django.utils import timezone

    from projects.importing.confirming import ask_to_confirm, confirm
    from projects.importing.intake import hand_in, read

    actor, programme, today = _who()
    with path.open("rb") as file:
        ledger = hand_in(
            programme=programme,
            actor=actor,
            name=path.name,
            chunks=iter(lambda: file.read(1024 * 1024), b""),
            as_of=today,
            at=timezone.now(),
        )
    began = time.perf_counter()
    read(ledger_id=ledger.pk, now=timezone.now)
    read_in = time.perf_counter() - began
    began = time.perf_counter()
    ask_to_confirm(ledger_id=ledger.pk, actor=actor, reading_number=1, at=timezone.now())
    done = confirm(ledger_id=ledger.pk, as_of=today)
    assert done is not None
    return {"read": read_in, "confirm": time.perf_counter() - began, "rows": done.receipt["created"]}


def _who() -> tuple[Any, Any, datetime.date]:
    from django.utils import timezone

    from enterprises.models import User
    from projects.models import Programme
    from projects.scale.seed import STAFF

    return User.objects.get(username=STAFF), Programme.objects.get(code="ledger-bench"), timezone.localdate()


def main(deed: str, path: str) -> None:
    import resource
    import time

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    began = time.perf_counter()
    found = {"bare": _bare, "preview": _preview, "import": _import}[deed](Path(path))
    found["seconds"] = time.perf_counter() - began
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
