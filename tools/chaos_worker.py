"""Kills of worker, beat, broker and database while dates pass and people save."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from portal.celery import app
from portal.servers import commands
from portal.servers.processes import identity, wait_until
from tools.chaos_servers import Member, Servers, children_of
from tools.chaos_web import Web
from tools.chaos_worker_ledger import WORKER_INVARIANTS, Ledger
from tools.chaos_worker_mail import MAIL_INVARIANTS, Mail, give_posts, summary, tell_at_once
from tools.chaos_worker_people import HealthLog, Saver, Time, patiently
from tools.chaos_world import World

WORKERS, BEATS, SAVERS = 4, 2, 2
#: Seconds within which everything of a round has to be recorded, once everything is up again.
LIMIT = 60.0
#: Replaces `portal` in the workers' command: what the checks must notice.
BROKEN_APP = "tools.chaos_worker_control"


@dataclass
class Findings:
    """What came of the rounds. Times in seconds."""

    rounds: int = 0
    seconds: float = 0.0
    strikes: Counter[str] = field(default_factory=Counter)
    #: Kinds of strike in a round → how long it took until everything was recorded.
    recoveries: list[tuple[str, float]] = field(default_factory=list)
    #: Part that was away → until /healthz said so, and until all was well again.
    reddened: dict[str, list[float | None]] = field(default_factory=dict)
    greened: list[tuple[str, float | None]] = field(default_factory=list)
    violations: dict[str, set[str]] = field(default_factory=dict)
    mail: str = ""

    def add(self, name: str, found: list[str]) -> None:
        self.violations.setdefault(name, set()).update(found)


class Arena:
    """Everything that runs, and the ways to strike it. Each strike leaves everything up again."""

    def __init__(self, servers: Servers, ledger: Ledger, folder: Path, mail: Mail, *, broken: bool) -> None:
        self.servers, self.ledger = servers, ledger
        environ = {**os.environ, **mail.environ, "DIGEST_AT": "00:00", "WORKER_CONCURRENCY": "2"}
        worker = [BROKEN_APP if broken and part == "portal" else part for part in commands.worker(environ)]
        self.workers = [
            Member(f"worker{n}", [*worker, "-n", f"worker{n}@chaos"], folder / f"worker{n}.log", environ)
            for n in range(WORKERS)
        ]
        self.beats = [
            Member(
                f"beat{n}",
                [*commands.beat(environ), "--schedule", str(folder / f"beat{n}-schedule")],
                folder / f"beat{n}.log",
                environ,
            )
            for n in range(BEATS)
        ]
        self.killed: set[str] = set()

    @property
    def members(self) -> list[Member]:
        return [*self.workers, *self.beats]

    def start(self) -> None:
        for member in self.members:
            member.start()
        if not wait_until(lambda: all(len(children_of(worker.pid)) >= 2 for worker in self.workers), 120):
            raise RuntimeError("the workers do not start; see their logs")

    def stop(self) -> None:
        for member in self.members:
            if member.running:
                member.process.terminate()  # type: ignore[union-attr]
        for member in self.members:
            member.stop()

    def _kill(self, members: list[Member], pause: float) -> None:
        forked = {pid: identity(pid) for member in members for pid in children_of(member.pid)}
        for member in members:
            self.killed.add(member.name)
            member.kill()
        time.sleep(pause)
        if not wait_until(lambda: not any(identity(pid) == born for pid, born in forked.items()), 5):
            self.ledger.survivors.append(f"children of {members[0].name}")
        for member in members:
            member.start()
            self.killed.discard(member.name)

    def look_who_ended(self) -> None:
        """Note whoever ended unasked, and start it again, as its supervisor would."""
        for member in self.members:
            if member.name not in self.killed and not member.running:
                self.ledger.ended.append(f"{member.name} ended with status {member.process.returncode}")  # type: ignore[union-attr]
                member.start()

    # -- strikes ----------------------------------------------------------------------------------

    def a_worker(self) -> None:
        self._kill([random.choice(self.workers)], random.uniform(0.2, 4))

    def a_pool_child(self) -> None:
        children = [pid for worker in self.workers for pid in children_of(worker.pid)]
        for pid in random.sample(children, min(2, len(children))):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def a_beat(self) -> None:
        self._kill([random.choice(self.beats)], random.uniform(0.2, 4))

    def every_worker(self) -> None:
        self._kill(self.workers, 35)

    def every_beat(self) -> None:
        self._kill(self.beats, 35)

    def the_broker(self) -> None:
        self._broker_away(random.uniform(0, 1))

    def the_broker_for_long(self) -> None:
        self._broker_away(60)

    def _broker_away(self, pause: float) -> None:
        self.servers.kill("valkey")
        time.sleep(pause)
        self.servers.revive("valkey")

    def a_broker_that_hangs(self) -> None:
        os.kill(self.servers.pid("valkey"), signal.SIGSTOP)
        try:
            time.sleep(20)
        finally:
            os.kill(self.servers.pid("valkey"), signal.SIGCONT)

    def all_keys(self) -> None:
        redis.Redis.from_url(settings.REDIS_URL).flushall()

    def the_database(self) -> None:
        self.servers.restart_database(signal.SIGQUIT)

    def the_database_hard(self) -> None:
        self.servers.restart_database(signal.SIGKILL)


#: Strike → its name in the tables.
STRIKES: dict[str, str] = {
    "a_worker": "a worker",
    "a_pool_child": "two pool children",
    "a_beat": "a beat",
    "the_broker": "Valkey, back at once",
    "the_broker_for_long": "Valkey, away for 60 s",
    "a_broker_that_hangs": "Valkey hangs for 20 s",
    "all_keys": "FLUSHALL",
    "the_database": "PostgreSQL, immediate restart",
    "the_database_hard": "PostgreSQL, kill -9",
    "every_worker": "all workers, away for 35 s",
    "every_beat": "both beats, away for 35 s",
}
#: After these /healthz has to turn red, naming the part.
REDDENS = {
    "every_worker": "worker",
    "every_beat": "beat",
    "the_broker_for_long": "broker",
    "a_broker_that_hangs": "broker",
}


def kill_workers(
    servers: Servers, world: World, ledger: Ledger, *, rounds: int, broken: bool, folder: Path
) -> tuple[Findings, HealthLog]:
    """Strike once or twice in each of `rounds`, wait until all is recorded, and look for what broke."""
    findings, began = Findings(), time.monotonic()
    give_posts()
    tell_at_once(ledger.today)
    mail = Mail()
    arena = Arena(servers, ledger, folder, mail, broken=broken)
    passing, web = Time(world, ledger), Web(folder / "web.log", broken=False)
    health = HealthLog(web.port)
    ledger.outages = servers.without_database
    if broken:
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX episode_one_open_per_milestone")
    over = threading.Event()
    web.start()
    people = [Saver(world, ledger, web.port, n) for n in range(SAVERS)]
    threads = [
        threading.Thread(target=work, args=(over,)) for work in (health.watch, *(p.work for p in people))
    ]
    for thread in threads:
        thread.start()
    try:
        arena.start()
        if not wait_until(lambda: bool(health.said) and health.said[-1][1] == 200, LIMIT):
            raise RuntimeError("/healthz does not turn green before anything was struck")
        told: set[str] = set()
        for kinds in _plan(rounds):
            _round(arena, passing, health, findings, kinds)
            names = " + ".join(STRIKES[kind] for kind in kinds)
            took = findings.recoveries[-1][1]
            print(f"{findings.rounds:3}  {names}: recorded after {took:.1f} s", flush=True)
            for name, found in findings.violations.items():
                for sentence in sorted(found - told):
                    print(f"     VIOLATED {name}: {sentence}", flush=True)
                told |= found
            if broken and any(findings.violations.values()):
                break
        over.set()
        if not broken and not mail.settle():
            findings.add("the_mail_comes_to_rest", ["messages still wait"])
    finally:
        over.set()
        for thread in threads:
            thread.join()
        arena.stop()
        web.kill()
        mail.sink.close()
    for invariant in WORKER_INVARIANTS:
        findings.add(invariant.__name__, invariant(ledger))
    for check in MAIL_INVARIANTS:
        findings.add(check.__name__, check(mail.sink.received))
    findings.mail = summary(mail.sink.received)
    findings.seconds = time.monotonic() - began
    return findings, health


def _plan(rounds: int) -> Iterator[list[str]]:
    """Every kind in turn, in an order that differs each time; in half of the rounds another one beside it."""
    quick = [
        "a_worker",
        "a_pool_child",
        "a_beat",
        "the_broker",
        "all_keys",
        "the_database",
        "the_database_hard",
    ]
    kinds: list[str] = []
    for _number in range(rounds):
        if not kinds:
            kinds = random.sample(list(STRIKES), len(STRIKES))
            # Never left out where a cycle is not completed: twice in twenty rounds.
            kinds.append(kinds.pop(kinds.index("the_broker_for_long")))
        first = kinds.pop()
        second = random.choice([kind for kind in quick if kind != first])
        yield [first, second] if random.random() < 0.5 else [first]


def _round(arena: Arena, passing: Time, health: HealthLog, findings: Findings, kinds: list[str]) -> None:
    struck = time.monotonic()
    with _time_passes(passing):
        passing.mend(4)
        for kind in kinds:
            time.sleep(random.uniform(0.5, 4))
            passing.breach(3)
            _send_many()
            time.sleep(random.uniform(0, 0.4))
            getattr(arena, kind)()
            findings.strikes[kind] += 1
    passing.breach(2)
    up = time.monotonic()
    arrived = wait_until(lambda: patiently(arena.ledger.unrecorded) == 0, LIMIT)
    took = time.monotonic() - up
    findings.recoveries.append((" + ".join(STRIKES[kind] for kind in kinds), took))
    if not arrived:
        findings.add("everything_is_recorded_within_a_minute", [f"round {findings.rounds + 1}, {kinds}"])
    green = wait_until(
        lambda: bool(health.said) and health.said[-1][0] > up and health.said[-1][1] == 200, LIMIT
    )
    findings.greened.append((kinds[0], health.first(up, well=True)))
    if not green:
        findings.add("health_turns_green_again", [f"round {findings.rounds + 1}, {kinds}: {health.said[-1]}"])
    for kind in kinds:
        if part := REDDENS.get(kind):
            red = health.first(struck, ill=part)
            findings.reddened.setdefault(kind, []).append(red)
            if red is None:
                findings.add("health_turns_red", [f"round {findings.rounds + 1}: {part} was away unseen"])
    arena.look_who_ended()
    findings.rounds += 1
    _look(arena.ledger, findings)


@contextmanager
def _time_passes(passing: Time) -> Iterator[None]:
    """Dates pass all the time, whatever is being struck."""
    over = threading.Event()

    def pass_on() -> None:
        while not over.wait(random.uniform(2, 6)):
            passing.breach(1)
        connection.close()

    thread = threading.Thread(target=pass_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _send_many() -> None:
    """What two beats send, and then some: the strike shall meet patrols at work, several at once."""
    with suppress(OperationalError):
        for _number in range(WORKERS):
            app.send_task("projects.patrol", expires=30, retry=False)


def _look(ledger: Ledger, findings: Findings) -> None:
    """All checks, each on one snapshot. A patrol may be at work: what one finds has to last to count."""
    for check in WORKER_INVARIANTS:
        found: list[str] = []

        def holds(check: Callable[[Ledger], list[str]] = check, found: list[str] = found) -> bool:
            found[:] = patiently(lambda: _on_a_snapshot(check, ledger))
            return not found

        wait_until(holds, 5)
        findings.add(check.__name__, found)


def _on_a_snapshot(check: Callable[[Ledger], list[str]], ledger: Ledger) -> list[str]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return check(ledger)
