"""What happened in a chaos run of worker and beat, and what must follow from it."""

from __future__ import annotations

import datetime
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db.models import Count, F

from projects.models import Milestone, OverdueEpisode, PatrolRun, SetAside
from tools.chaos_invariants import lights_are_current

#: Seconds in which a save has to be answered while the database is up.
SLOW = 5.0


@dataclass(frozen=True)
class Save:
    """One form that was sent; times in seconds of time.monotonic(). Status 0: no answer."""

    what: str
    began: float
    ended: float
    status: int


@dataclass
class Ledger:
    """Shared by the threads of a run.

    Attributes:
        breached: milestone and the due date it was made overdue for, each to be recorded once.
        cured: those of them that were cured afterwards: their episodes have to be closed.
        saves: what people sent meanwhile.
        outages: (from, until) without PostgreSQL, in which a save may fail.
        survivors: pool children that were seen to live on without their worker.
        ended: processes that ended without having been killed.
    """

    today: datetime.date
    breached: set[tuple[int, datetime.date]] = field(default_factory=set)
    cured: set[tuple[int, datetime.date]] = field(default_factory=set)
    saves: list[Save] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)
    survivors: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def unrecorded(self) -> int:
        """How many breaches have no episode yet, and how many cured ones an open one."""
        episodes = {(e.milestone_id, e.due_on): e for e in OverdueEpisode.objects.all()}
        with self.lock:
            missing = self.breached - set(episodes)
            open_still = {pair for pair in self.cured if pair in episodes and not episodes[pair].cause}
        return len(missing) + len(open_still)


def each_breach_is_recorded_once(ledger: Ledger) -> list[str]:
    """A violation: an enterprise is chased twice for one delay, or a delay is never told to anybody."""
    counted = Counter(OverdueEpisode.objects.values_list("milestone_id", "due_on"))
    return [
        f"milestone {pk}, due on {due_on}: {counted[pk, due_on]} episodes"
        for pk, due_on in sorted(ledger.breached)
        if counted[pk, due_on] != 1
    ]


def nothing_else_is_recorded(ledger: Ledger) -> list[str]:
    """A violation: an enterprise is accused of a delay that never was."""
    found = OverdueEpisode.objects.values_list("milestone_id", "due_on")
    return [f"milestone {pk}, due on {due_on}" for pk, due_on in found if (pk, due_on) not in ledger.breached]


def episodes_bear_the_true_dates(ledger: Ledger) -> list[str]:
    """A violation: days of downtime would be taken off a delay, or added to it."""
    day = datetime.timedelta(days=1)
    found = OverdueEpisode.objects.exclude(opened_on=F("due_on") + day)
    return [f"milestone {e.milestone_id}, due on {e.due_on}, is overdue from {e.opened_on}" for e in found]


def cured_ones_are_closed(ledger: Ledger) -> list[str]:
    """A violation: somebody is chased for what was mended."""
    found = OverdueEpisode.objects.open().values_list("milestone_id", "due_on")
    return [f"milestone {pk}, due on {due_on}" for pk, due_on in found if (pk, due_on) in ledger.cured]


def flags_agree_with_episodes(ledger: Ledger) -> list[str]:
    """A violation: a flag without an episode hides a delay from every patrol to come, an episode without a
    flag is never closed."""
    flags = dict(Milestone.objects.filter(flagged_due_on__isnull=False).values_list("pk", "flagged_due_on"))
    open_ones = dict(OverdueEpisode.objects.open().values_list("milestone_id", "due_on"))
    return [
        f"milestone {pk} is flagged for {flags.get(pk)}, its episode is for {open_ones.get(pk)}"
        for pk in sorted(set(flags) | set(open_ones))
        if flags.get(pk) != open_ones.get(pk)
    ]


def runs_agree_with_episodes(ledger: Ledger) -> list[str]:
    """A violation: the patrol's page says that it opened what it did not. A run that was killed has no end
    and no numbers; what it had opened stays its own."""
    runs = PatrolRun.objects.filter(finished_at__isnull=False).annotate(
        really_opened=Count("opened_episodes", distinct=True),
        really_closed=Count("closed_episodes", distinct=True),
    )
    return [
        f"run {run.pk} says {run.opened} opened and {run.closed} closed, it were"
        f" {run.really_opened} and {run.really_closed}"
        for run in runs
        if (run.opened, run.closed) != (run.really_opened, run.really_closed)
    ]


def nothing_is_set_aside(ledger: Ledger) -> list[str]:
    """A violation: a server that went away was taken for a fault of the row, which no patrol looks at again
    until somebody says so."""
    return [f"milestone {row.milestone_id}: {row.error}" for row in SetAside.objects.all()]


def the_lights_are_current(ledger: Ledger) -> list[str]:
    """A violation: lists and the leader's page show a colour that the milestones do not bear out."""
    return lights_are_current(ledger.today)


def no_save_needs_the_broker(ledger: Ledger) -> list[str]:
    """A violation: an officer cannot hand in, or waits, because something behind the scenes is away."""
    found = []
    for save in ledger.saves:
        if any(save.began < until and save.ended > since for since, until in ledger.outages):
            continue
        if save.status not in (200, 302):
            found.append(f"{save.what} was answered with {save.status}")
        elif save.ended - save.began > SLOW:
            found.append(f"{save.what} took {save.ended - save.began:.1f} s")
    return found


def no_child_outlives_its_worker(ledger: Ledger) -> list[str]:
    """A violation: every crash of a worker leaves processes that hold memory and connections for ever."""
    return ledger.survivors


def nobody_ends_by_themselves(ledger: Ledger) -> list[str]:
    """A violation: a worker or a beat gives up because something else is away, and only a supervisor helps."""
    return ledger.ended


WORKER_INVARIANTS: tuple[Callable[[Ledger], list[str]], ...] = (
    each_breach_is_recorded_once,
    nothing_else_is_recorded,
    episodes_bear_the_true_dates,
    cured_ones_are_closed,
    flags_agree_with_episodes,
    runs_agree_with_episodes,
    nothing_is_set_aside,
    the_lights_are_current,
    no_save_needs_the_broker,
    no_child_outlives_its_worker,
    nobody_ends_by_themselves,
)
