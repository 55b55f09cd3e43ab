"""Working through a queue in batches, so that one bad row never stops the rest.

Each batch is a transaction of its own. One that fails is halved until the row at fault stands alone; that
row is set aside with its error, and the others go on.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import InterfaceError, OperationalError, ProgrammingError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from projects.models import SetAside

logger = logging.getLogger(__name__)

#: Handles the rows it is given (locked or not, as it likes) inside a transaction; returns how many it took.
Step = Callable[[QuerySet[Any]], int]


def held_back() -> Q:
    """Milestones set aside, until someone lets the patrol try them again."""
    return Q(pk__in=_set_aside())


def held_back_through(milestone: str) -> Q:
    """The same for rows that lead to a milestone by the foreign key `milestone`."""
    return Q((f"{milestone}_id__in", _set_aside()))


def _set_aside() -> QuerySet[SetAside, Any]:
    return SetAside.objects.filter(resolved_at__isnull=True).values("milestone_id")


def drain(
    step: Step, rows: QuerySet[Any], *, as_of: datetime.date, batch: int, milestone: str = "pk"
) -> tuple[int, int]:
    """Run `step` over `rows` until none is left.

    Args:
        step: what is done with a batch; afterwards its rows must no longer match `rows`.
        rows: the queue, in the order in which it is worked off.
        as_of: the day that is kept with a row set aside.
        batch: rows per transaction.
        milestone: name of the column of a row that is its milestone.

    Returns:
        Number of rows done and of rows set aside.

    Raises:
        Exception: the database server is away, or behind. Nothing was lost, the next round goes on.
    """
    done = aside = 0
    while True:
        try:
            with transaction.atomic():
                taken = step(rows[:batch])
        except EmptyResultSet:
            return done, aside  # no programme is in force
        except Exception as error:
            if is_no_rows_fault(error):
                raise
            logger.warning("A batch of %s failed (%s); going through it row by row", batch, error)
            more, bad = _row_by_row(step, rows, as_of, batch, milestone)
            done, aside = done + more, aside + bad
            if more + bad == 0:
                return done, aside
            continue
        done += taken
        if taken < batch:
            return done, aside


def _row_by_row(
    step: Step, rows: QuerySet[Any], as_of: datetime.date, batch: int, milestone: str
) -> tuple[int, int]:
    """Halve a failed batch until the rows at fault stand alone, and set those aside."""
    done = aside = 0
    found = rows.order_by("pk").values_list("pk", milestone)[:batch]
    pending = [list(found)]
    while pending:
        some = pending.pop()
        if not some:
            continue
        try:
            with transaction.atomic():
                done += step(rows.filter(pk__in=[pk for pk, _milestone in some]))
        except Exception as error:
            if is_no_rows_fault(error):
                raise
            if len(some) > 1:
                middle = len(some) // 2
                pending += [some[:middle], some[middle:]]
                continue
            set_aside(milestone_id=some[0][1], as_of=as_of, error=error)
            aside += 1
    return done, aside


def set_aside(*, milestone_id: int, as_of: datetime.date, error: Exception) -> None:
    """Leave a milestone out until someone retries it; one open row for each."""
    SetAside.objects.get_or_create(
        milestone_id=milestone_id,
        resolved_at=None,
        defaults={"as_of": as_of, "at": timezone.now(), "error": f"{type(error).__name__}: {error}"[:2000]},
    )


def is_no_rows_fault(fault: Exception) -> bool:
    """Whether a failure says nothing of the rows at hand: setting them aside would set aside every row there is.

    The server is away, or a statement does not fit the tables: a worker of the new version before its migrations.
    """
    code = getattr(fault.__cause__, "pgcode", None) or ""
    # 42: no such column, table, right. What else is called a programming error may come from a row.
    return server_is_away(fault) or (isinstance(fault, ProgrammingError) and code.startswith("42"))


def server_is_away(fault: Exception) -> bool:
    """Whether a failure was that of the connection, and not of a row.

    Judged by the fault as well: when a session was terminated, the connection looks open until it is used once
    more, and every row that follows would be called bad.
    """
    code = getattr(fault.__cause__, "pgcode", None)
    # 08: connection; 57P0: the server was shut down, the session ended. Without a code: it was not there.
    was_away = isinstance(fault, OperationalError) and (code is None or code.startswith(("08", "57P0")))
    is_closed = connection.connection is None or bool(connection.connection.closed)
    return was_away or is_closed or isinstance(fault, InterfaceError)
