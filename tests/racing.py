"""Doing several things at the same instant, in threads with database connections of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def together(*posts: Callable[[], Any]) -> list[Any]:
    """Call all of them in threads of their own at the same instant.

    Returns:
        Their answers; what one of them raised is raised here.
    """
    barrier, answers = threading.Barrier(len(posts)), [None] * len(posts)
    faults: list[BaseException] = []

    def run(index: int, post: Callable[[], Any]) -> None:
        try:
            barrier.wait(30)
            answers[index] = post()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(posts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if faults:
        raise faults[0]
    return answers


def until_somebody_waits() -> None:
    """Return once another session waits for a lock: whoever calls this holds what it waits for."""
    with connection.cursor() as cursor:
        for _n in range(3000):
            # Not pg_stat_activity: within a transaction it answers as it did the first time.
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("nobody waited")
