"""One round of the patrol: episodes, lights, tallies, words of the search, the ladder, action items, and what is no longer so, in this order."""

from __future__ import annotations

import datetime
import logging
from functools import partial

from django.utils import timezone

from projects.services.climbing import climb
from projects.services.instruction_notices import tell_overdue_items
from projects.services.lights import follow_patrol
from projects.services.patrol import PatrolResult, end_runs, patrol, runs_to_follow
from projects.services.settling import settle_notices
from projects.services.tallying import keep_tallies
from projects.services.words import take_up_words

logger = logging.getLogger(__name__)

#: What began on the evening before has come to its end by then, the import of a large ledger too.
_OVERLAP = datetime.timedelta(minutes=10)


def go_round(*, at: datetime.datetime, by_clock: bool = True) -> PatrolResult:
    """Walk everything once. Safe to repeat, to run late and to run in several workers at once.

    A step that fails does not keep the next from its work: who must be told of an overdue date does not
    wait for a light that cannot be judged. What a round left undone, because it failed or its worker was killed,
    the next one does.

    Args:
        at: the moment; its day in Asia/Shanghai is the day that is walked for.
        by_clock: False when a person asked for it.

    Raises:
        Exception: what the first failing step after the patrol raised, once the others are done.
    """
    as_of = timezone.localdate(at)
    result = patrol(as_of=as_of, by_clock=by_clock, goes_on=True)
    run_ids = runs_to_follow(run_id=result.run_id)
    faults: list[Exception] = []
    for step in (
        partial(follow_patrol, run_ids=run_ids, as_of=as_of, all_again=_has_just_begun(at)),
        partial(keep_tallies, as_of=as_of),
        take_up_words,
        partial(climb, as_of=as_of, at=at, run_id=result.run_id),
        partial(tell_overdue_items, as_of=as_of, at=at),
        partial(settle_notices, as_of=as_of, at=at, run_ids=run_ids),
    ):
        try:
            step()
        except Exception as fault:
            logger.exception("A step of the round failed; the others go on")
            faults.append(fault)
    if faults:
        raise faults[0]  # and the run stays without an end: the next round takes over from it
    end_runs(run_ids=run_ids, run_id=result.run_id, at=timezone.now())
    return result


def _has_just_begun(at: datetime.datetime) -> bool:
    """Whether a request of yesterday may still be judging for yesterday: what it wrote is judged again."""
    return timezone.localdate(at - _OVERLAP) != timezone.localdate(at)
