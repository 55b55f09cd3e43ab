"""The words of projects that came by the thousand: taken up after the transaction that brought them.

Cutting a project's words and writing their index entries takes longer than writing the project. A ledger of 200,000
projects would hold its transaction open twice as long for something that nobody waits for in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from projects.models.search import WORDS_LATER

#: Projects per transaction: an index that many write to is held by none of them for long.
CHUNK = 2_000


@contextmanager
def words_later() -> Iterator[None]:
    """Projects that are inserted inside are found by search once `take_up_words` has seen them.

    To be used inside a transaction: if that is rolled back, nothing is due.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL {WORDS_LATER} = 'on'")
        yield
        cursor.execute(f"SET LOCAL {WORDS_LATER} = 'off'")


def take_up_words() -> int:
    """Let search find the projects whose words are due. Safe to repeat, and for several workers at once.

    Returns:
        The number of projects taken up. What others have in hand is left to them.
    """
    taken = 0
    while ids := _take_up(CHUNK):
        taken += ids
    return taken


@transaction.atomic
def _take_up(most: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM projects_wordsdue WHERE project_id IN ("
            " SELECT project_id FROM projects_wordsdue ORDER BY project_id LIMIT %s FOR UPDATE SKIP LOCKED)"
            " RETURNING project_id",
            [most],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
        if ids:
            cursor.execute("SELECT projects_refresh_words(%s)", [ids])
        return len(ids)
