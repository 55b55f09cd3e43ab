"""Taking out the whole list of projects: the ledger beside bare XlsxWriter writing the same cells, and its memory."""

from __future__ import annotations

import datetime
import itertools
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.db import connections

from enterprises.models import User
from projects.exporting.columns import LEDGER
from projects.exporting.ledger import write_ledger
from projects.exporting.names import Names
from projects.exporting.rows import ledger_rows, step_rows
from projects.models import Programme, Project
from projects.scale.seed import STAFF
from tools.bench_databases import NAME, Databases
from tools.bench_report import Figure

MEMORY_BAR = 400


def measure_export(databases: Databases, *, today: datetime.date, repeat: int) -> list[Figure]:
    """The ledger of all projects as xlsx and csv, over the large database."""
    rounds = min(repeat, 3)
    with databases.copy_of(NAME):
        projects = Project.objects.count()
        bare, _memory = _taken(_bare, today, 1)
        xlsx, memory = _taken(_xlsx, today, rounds)
        csv, csv_memory = _taken(_csv, today, rounds)
    return [
        Figure(
            f"ledger of {projects:,} projects as xlsx, with milestones",
            f"{xlsx:.1f} s",
            f"{bare:.1f} s, XlsxWriter writing the same cells",
            xlsx / bare,
            "≤ 1×",
            xlsx <= bare,
        ),
        Figure("peak memory of it", f"{memory} MB", bar=f"< {MEMORY_BAR} MB", ok=memory < MEMORY_BAR),
        Figure(f"ledger of {projects:,} projects as csv", f"{csv:.1f} s ({csv_memory} MB)"),
    ]


def _taken(work: Callable[[datetime.date], float], today: datetime.date, rounds: int) -> tuple[float, int]:
    """(median seconds, MB at the peak) of a piece of work, each round in a process of its own."""
    times, peak = [], 0
    for _round in range(rounds):
        # A child takes the connected-to database along, but must not share the connection.
        connections.close_all()
        with multiprocessing.get_context("fork").Pool(1) as pool:
            seconds, memory = pool.apply(_measured, (work, today))
        times.append(seconds)
        peak = max(peak, memory)
    return statistics.median(times), peak


def _measured(work: Callable[[datetime.date], float], today: datetime.date) -> tuple[float, int]:
    seconds = work(today)
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _all(today: datetime.date) -> tuple[User, Any]:
    reader = User.objects.get(username=STAFF)
    return reader, Project.objects.visible_to(reader).order_by("-id")


def _xlsx(today: datetime.date) -> float:
    return _ledger("xlsx", today)


def _csv(today: datetime.date) -> float:
    return _ledger("csv", today)


def _ledger(form: str, today: datetime.date) -> float:
    reader, projects = _all(today)
    started = time.perf_counter()
    with tempfile.TemporaryFile() as file:
        write_ledger(file, form, projects, LEDGER, reader=reader, as_of=today)
    return time.perf_counter() - started


def _bare(today: datetime.date) -> float:
    """Only the writing is timed: the cells are at hand a chunk at a time."""
    reader, projects = _all(today)
    names = Names(reader, Programme.objects.all()[0], today)
    keys = [column.key for column in LEDGER]
    seconds, number, chunk = 0.0, 0, []
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        book = xlsxwriter.Workbook(file.name, {"constant_memory": True, "strings_to_formulas": False})
        page, steps = book.add_worksheet(), book.add_worksheet()
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        for row in ledger_rows(projects, names, reader=reader, as_of=today, keys=keys):
            chunk.append(row)
            if len(chunk) == 2_000:
                seconds, number = _written(page, date, chunk, seconds, number)
                chunk = []
        seconds, number = _written(page, date, chunk, seconds, number)
        rows = step_rows(projects, names, reader=reader)
        number = 0
        while chunk := list(itertools.islice(rows, 2_000)):
            seconds, number = _written(steps, date, chunk, seconds, number)
        started = time.perf_counter()
        book.close()
    return seconds + time.perf_counter() - started


def _written(page: Any, date: Any, rows: list[Any], seconds: float, number: int) -> tuple[float, int]:
    started = time.perf_counter()
    for row in rows:
        for at, value in enumerate(row):
            if value is None or value == "":
                continue
            if isinstance(value, str):
                page.write_string(number, at, value)
            elif isinstance(value, datetime.date):
                page.write_datetime(number, at, datetime.datetime.combine(value, datetime.time()), date)
            else:
                page.write_number(number, at, float(value) if isinstance(value, Decimal) else value)
        number += 1
    return seconds + time.perf_counter() - started, number
