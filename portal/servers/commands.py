"""The exact commands of the portal's processes, in one place.

`make run` starts these, docker-compose.yml starts these (by `python -m portal.servers exec NAME`),
and a test compares the two. So what production runs is what everyone runs every day.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

from portal.servers.console import Problem
from portal.servers.layout import Layout

MIGRATE = ("migrate", "--noinput")
COLLECT_STATIC = ("collectstatic", "--noinput", "--verbosity", "0")
LOAD_DEMO = ("load_demo",)


def web(environ: Mapping[str, str]) -> list[str]:
    """gunicorn, the only process that listens on PORT."""
    host = environ.get("BIND_HOST") or "127.0.0.1"
    argv = [
        *(sys.executable, "-m", "gunicorn", "portal.wsgi"),
        "--no-control-socket",
        *("--bind", f"{host}:{port(environ)}"),
        *("--workers", str(number(environ, "WEB_WORKERS", 2))),
        *("--threads", str(number(environ, "WEB_THREADS", 4))),
        # One import for all workers: a faster start and shared memory. Nothing in the portal
        # connects while it is imported, so no connection is shared by the fork.
        "--preload",
        *("--timeout", "60"),
        *("--graceful-timeout", "8"),
        # A worker that leaks is replaced before it hurts; the jitter keeps them from going at once.
        *("--max-requests", "20000"),
        *("--max-requests-jitter", "2000"),
        *("--access-logfile", "-"),
    ]
    if os.path.isdir("/dev/shm"):
        # The heartbeat file of a worker must not wait for a slow disk.
        argv += ["--worker-tmp-dir", "/dev/shm"]
    return argv


def worker(environ: Mapping[str, str]) -> list[str]:
    """Celery's worker: two processes for tasks, so that a mail server which takes its time does not keep the
    patrol waiting; each is replaced when it has grown past 200 MB."""
    return [
        *(sys.executable, "-m", "celery", "-A", "portal", "worker"),
        *("--concurrency", str(number(environ, "WORKER_CONCURRENCY", 2))),
        *("--max-memory-per-child", "200000"),  # kilobytes
        "--without-gossip",
        "--without-mingle",
        *("--loglevel", "INFO"),
    ]


def beat(environ: Mapping[str, str]) -> list[str]:
    """Celery's clock. One is enough; a second would need a schedule file of its own, and sends all twice."""
    return [
        *(sys.executable, "-m", "celery", "-A", "portal", "beat"),
        *("--schedule", str(beat_schedule(environ))),
        *("--pidfile", ""),  # the lock of the data folder already keeps it alone
        *("--loglevel", "INFO"),
    ]


def migrate(_environ: Mapping[str, str]) -> list[str]:
    """Bring the database to the code's version."""
    return [sys.executable, "manage.py", *MIGRATE]


BY_NAME: dict[str, Callable[[Mapping[str, str]], list[str]]] = {
    "web": web,
    "worker": worker,
    "beat": beat,
    "migrate": migrate,
}


def port(environ: Mapping[str, str]) -> int:
    """PORT, default 8000.

    Raises:
        Problem: it is no port number.
    """
    return number(environ, "PORT", 8000, at_most=65535)


def number(environ: Mapping[str, str], name: str, default: int, *, at_most: int = 256) -> int:
    """A whole number from the environment, 1 to `at_most`.

    Raises:
        Problem: it is none.
    """
    value = environ.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= at_most):
        raise Problem(
            f"环境变量 {name} 应为 1 到 {at_most} 之间的整数，现在是“{value}”。",
            f"{name} must be a whole number from 1 to {at_most}, not {value!r}.",
        )
    return int(value)


def beat_schedule(environ: Mapping[str, str]) -> str:
    """The file in which beat remembers when it last sent what."""
    return str(Layout.from_environ(environ).data_dir / "beat-schedule")


def steps(management_commands: list[str]) -> list[str]:
    """Several management commands in one interpreter."""
    return [sys.executable, "-m", "portal.servers.steps", *management_commands]
