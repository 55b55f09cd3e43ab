"""What was measured, beside what was promised, as a table."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import django
import psycopg2
from django.db import connection


@dataclass(frozen=True)
class Figure:
    """One line of the report.

    Attributes:
        what: in words.
        value: as it is printed, with its unit.
        bare: what it is compared with, measured in the same run; "" for none.
        ratio: value ÷ bare, None where there is nothing to divide.
        bar: what was promised; "" for what is only told.
        ok: whether the bar is held; None without one.
    """

    what: str
    value: str
    bare: str = ""
    ratio: float | None = None
    bar: str = ""
    ok: bool | None = None


def median_of(measure: Callable[[], float], times: int) -> float:
    return statistics.median(measure() for _ in range(times))


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def table(figures: list[Figure]) -> str:
    """The report in Markdown, as docs/performance.md keeps it."""
    lines = ["| what | measured | compared with | ratio | bar | |", "| --- | --- | --- | --- | --- | --- |"]
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}×"
        verdict = {True: "ok", False: "**missed**", None: ""}[figure.ok]
        cells = (figure.what, figure.value, figure.bare, ratio, figure.bar, verdict)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine() -> str:
    """What it was measured on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('shared_buffers')")
        postgres, buffers = cursor.fetchone()
    return (
        f"{_from_file('/proc/cpuinfo', 'model name') or platform.processor()}, {os.cpu_count()} cores, "
        f"{_memory()} memory, {platform.system()} {platform.release()}; Python {platform.python_version()}, "
        f"Django {django.get_version()}, psycopg2 {psycopg2.__version__.split()[0]}, PostgreSQL {postgres} "
        f"(embedded, durable, shared_buffers {buffers})"
    )


def _memory() -> str:
    found = _from_file("/proc/meminfo", "MemTotal")
    return f"{int(found.split()[0]) / 1024 / 1024:.0f} GiB" if found else "unknown"


def _from_file(path: str, key: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")
