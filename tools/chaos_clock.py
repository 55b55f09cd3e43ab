"""Midnight in Shanghai on machines of other zones, and days on which nothing ran.

Worker and beat run under a clock that libfaketime moves (Debian: `apt install faketime`); the portal knows
nothing of it. The database keeps the true time: the portal takes no day from it.
"""

from __future__ import annotations

import datetime
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db.models import F

from notices.models import Message, Notice
from notices.ways import Way
from portal.servers import commands
from portal.servers.processes import wait_until
from projects.models import Milestone, OverdueEpisode, PatrolRun
from tools.chaos_servers import Member
from tools.chaos_worker_mail import Mail, give_posts
from tools.chaos_world import World
from tools.mail_sink import Received

ZONES = ("UTC", "Asia/Shanghai", "America/New_York")
SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = datetime.timedelta(days=1)
#: The evening of the first zone; each further zone has the evening after.
FIRST = datetime.date(2026, 11, 24)
#: Seconds of the evening in which patrols have to come and record nothing.
EVENING = 60
#: Within this many seconds after midnight, or after a start, everything has to be recorded.
LIMIT = 300.0
#: Replaces `portal` in their commands: see there.
MOVED_APP = "tools.chaos_clock_app"


@dataclass
class Midnight:
    """What was seen around one midnight. Seconds are those of the clock that was moved."""

    zone: str
    patrols_before: int = 0
    recorded_before: int = 0
    all_recorded_after: float | None = None


@dataclass
class Findings:
    midnights: list[Midnight] = field(default_factory=list)
    caught_up_after: float | None = None
    #: Mails that each person got on the first morning after the missed days.
    mails: dict[str, int] = field(default_factory=dict)
    violations: dict[str, set[str]] = field(default_factory=dict)

    def add(self, name: str, found: list[str]) -> None:
        self.violations.setdefault(name, set()).update(found)


def faketime_is_here() -> bool:
    return shutil.which("faketime") is not None


def watch_clocks(world: World, folder: Path) -> Findings:
    """One midnight in each zone, then three days without worker and beat.

    Args:
        world: built for the day `FIRST`.
        folder: for the logs.
    """
    findings, mail = Findings(), Mail(faults=0)
    give_posts()
    free = [pk for own in world.officers.values() for pk in own]
    for number, zone in enumerate(ZONES):
        _midnight(zone, FIRST + number * DAY, free, folder, mail, findings)
        print(findings.midnights[-1], flush=True)
    _missed_days(FIRST + len(ZONES) * DAY, free, folder, mail, findings)
    mail.sink.close()
    return findings


def _midnight(
    zone: str, day: datetime.date, free: list[int], folder: Path, mail: Mail, findings: Findings
) -> None:
    """Worker and beat of a machine in `zone` live through the end of `day` in Shanghai."""
    yesterday, due, tomorrow = ([free.pop() for _ in range(n)] for n in (3, 10, 5))
    for ids, on in ((yesterday, day - DAY), (due, day), (tomorrow, day + DAY)):
        Milestone.objects.filter(pk__in=ids).update(due_on=on)
    midnight = _moment(day + DAY)
    seen = Midnight(zone)
    findings.midnights.append(seen)
    with _running(zone, midnight - EVENING, folder, mail) as offset:
        while True:
            now = time.time() + offset
            recorded = OverdueEpisode.objects.filter(milestone__in=due).count()
            if now < midnight:
                seen.recorded_before = max(seen.recorded_before, recorded)
            elif recorded == len(due) or now > midnight + LIMIT:
                break
            time.sleep(0.1)
        if recorded == len(due):
            seen.all_recorded_after = now - midnight
        before = PatrolRun.objects.filter(as_of=day, finished_at__isnull=False)
        seen.patrols_before = sum(before.values_list("repeats", flat=True))
    early = [f"{zone}: {seen.recorded_before} were"] if seen.recorded_before else []
    early += [
        f"{zone}: milestone {e.milestone_id} by a patrol of {e.opened_by.started_at}"
        for e in OverdueEpisode.objects.filter(milestone__in=due).select_related("opened_by")
        if e.opened_by.started_at.timestamp() < midnight
    ]
    findings.add("nothing_is_recorded_before_midnight", early)
    late = seen.all_recorded_after is None
    findings.add("everything_is_recorded_within_five_minutes", [zone] if late else [])
    findings.add("there_were_patrols_before_midnight", [] if seen.patrols_before else [zone])
    foreign = OverdueEpisode.objects.filter(milestone__in=tomorrow).count()
    findings.add("what_is_due_tomorrow_is_left_alone", [f"{zone}: {foreign}"] if foreign else [])
    _dates(findings)


def _missed_days(day: datetime.date, free: list[int], folder: Path, mail: Mail, findings: Findings) -> None:
    """Nothing runs for three days from `day`, a Friday; each of them has its deadlines. Then a Monday begins."""
    missed = [free.pop() for _ in range(12)]
    for number in range(3):
        Milestone.objects.filter(pk__in=missed[number::3]).update(due_on=day + number * DAY)
    start = _moment(day + 3 * DAY) + 9 * 3600
    # The nights before had working days and digests of their own; this is about what Monday brings.
    before = len(mail.sink.received)
    with _running("UTC", start, folder, mail):
        began = time.monotonic()

        def recorded() -> bool:
            return OverdueEpisode.objects.filter(milestone__in=missed).count() == len(missed)

        if wait_until(recorded, LIMIT):
            findings.caught_up_after = time.monotonic() - began
        monday = datetime.datetime.fromtimestamp(start, datetime.UTC)
        told = wait_until(partial(_all_told, monday), LIMIT)
    _one_digest_each(mail.sink.received[before:], findings, monday, told=told)
    findings.add(
        "missed_days_are_caught_up", [] if findings.caught_up_after is not None else ["they are not"]
    )
    _dates(findings)


def _all_told(since: datetime.datetime) -> bool:
    """Digests were made since a moment, nothing waits for one, and every one has left."""
    waiting = Notice.objects.filter(way=Way.DIGEST, message=None, settled_at=None, recipient__isnull=False)
    left = Message.objects.exclude(state__in=("sent", "dropped"))
    return (
        Message.objects.filter(created_at__gte=since).exists() and not waiting.exists() and not left.exists()
    )


def _one_digest_each(
    received: Sequence[Received], findings: Findings, since: datetime.datetime, *, told: bool
) -> None:
    # A copy of a message that was taken without an answer is no second message: it has the same Message-ID.
    findings.mails = dict(Counter(to for to, _id in {(mail.to, mail.message_id) for mail in received}))
    findings.add("everything_that_was_missed_is_told", [] if told else ["messages or notices wait"])
    storm = [f"{to} got {number} mails" for to, number in findings.mails.items() if number != 1]
    due = set(
        Notice.objects.filter(settled_at=None, way=Way.DIGEST, message__created_at__gte=since).values_list(
            "recipient__email", flat=True
        )
    )
    findings.add("everybody_gets_one_digest", storm + [f"{to} got none" for to in due - set(findings.mails)])


def _dates(findings: Findings) -> None:
    wrong = OverdueEpisode.objects.exclude(opened_on=F("due_on") + DAY)
    findings.add(
        "episodes_bear_the_true_dates",
        [f"milestone {e.milestone_id}, due on {e.due_on}, is overdue from {e.opened_on}" for e in wrong],
    )
    counts = [
        f"milestone {pk}"
        for pk in OverdueEpisode.objects.values_list("milestone_id", flat=True)
        if OverdueEpisode.objects.filter(milestone_id=pk, due_on=F("milestone__due_on")).count() != 1
    ]
    findings.add("each_is_recorded_once", counts)


def _moment(day: datetime.date) -> float:
    """The beginning of a day in Shanghai, as seconds since the epoch."""
    return datetime.datetime.combine(day, datetime.time(), tzinfo=SHANGHAI).timestamp()


@contextmanager
def _running(zone: str, start: float, folder: Path, mail: Mail) -> Iterator[float]:
    """The portal's worker and beat on a machine in `zone` whose clock shows `start` now.

    Yields:
        What to add to our clock to read theirs.
    """
    offset = start - time.time()
    environ = {**os.environ, **mail.environ, "TZ": zone}
    moved = ["faketime", "--exclude-monotonic", "-f", f"{offset:+.0f}s"]
    members = []
    for name in ("worker", "beat"):
        argv = [MOVED_APP if part == "portal" else part for part in commands.BY_NAME[name](environ)]
        members.append(Member(name, [*moved, *argv], folder / f"{name}.log", environ))
    try:
        for member in members:
            member.start()
        yield round(offset)
    finally:
        for member in members:
            member.stop()
