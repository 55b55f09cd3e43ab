"""Health checks of the containers, without loading Django where that can be avoided."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from portal.servers import commands

#: beat writes its file at least every three minutes.
BEAT_IS_LATE_SECONDS = 600


def web() -> bool:
    """GET /healthz answers 200, asked as the proxy in front would ask."""
    hosts = [host.strip() for host in os.environ.get("ALLOWED_HOSTS", "").split(",") if host.strip()]
    host = hosts[0].lstrip("*.") if hosts else "localhost"
    connection = http.client.HTTPConnection("127.0.0.1", commands.port(os.environ), timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": host, "X-Forwarded-Proto": "https"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def worker() -> bool:
    """This machine's worker answers over the broker."""
    name = f"celery@{os.uname().nodename}"
    asked = subprocess.run(
        [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "portal",
            "inspect",
            "ping",
            "-d",
            name,
            "-t",
            "10",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return asked.returncode == 0


def beat() -> bool:
    """beat has written its schedule lately. The file's name depends on Python's dbm."""
    schedule = Path(commands.beat_schedule(os.environ))
    written = [path.stat().st_mtime for path in schedule.parent.glob(f"{schedule.name}*")]
    return bool(written) and time.time() - max(written) < BEAT_IS_LATE_SECONDS


CHECKS: dict[str, Callable[[], bool]] = {"web": web, "worker": worker, "beat": beat}
