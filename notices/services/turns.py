"""Turns: what only one may do at a time, and nobody waits for.

A lock of the database session, not of a transaction: it is held while something outside is asked, which takes
seconds. The server lets go of it when the process dies or its connection breaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection


@contextmanager
def turn(name: str) -> Iterator[bool]:
    """Whether it is our turn at `name`; if so, until the block ends.

    Args:
        name: of what is done, for the whole portal. A session that has the turn already gets it again.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            _let_go(name)


def _let_go(name: str) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
    except DatabaseError:
        connection.close()  # a session that stays open would keep the turn for as long as it is reused
