"""Kills of the worker and of PostgreSQL while ledgers are read and taken in, and two imports at once."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import xlsxwriter
from django.db import connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from enterprises.models import User
from portal.celery import app
from portal.servers import commands
from portal.servers.layout import PROJECT_ROOT
from portal.servers.processes import wait_until
from projects.importing.confirming import ask_to_confirm
from projects.importing.intake import GIVEN_UP, hand_in
from projects.models import LedgerImport, Programme
from tools.chaos_imports_invariants import IMPORT_INVARIANTS, printed_receipts_are_true
from tools.chaos_invariants import lights_are_current
from tools.chaos_servers import Member, Servers, children_of
from tools.chaos_worker_people import patiently
from tools.chaos_world import World

#: Rows of a ledger that is struck, and how many of them change projects of the one before.
ROWS, CHANGING = 3_000, 500
#: Rows of each of two overlapping ledgers that are imported at once.
PAIR_ROWS = 800
#: Every so many rounds it is the database that is struck.
DATABASE_EVERY = 5
#: Seconds within which the next worker must have begun and ended, the wait for a silent one left out.
LIMIT = 90.0
#: Replaces `portal` in the worker's command: what the checks must notice.
BROKEN_APP = "tools.chaos_imports_control"

HEADINGS = ["项目编号", "项目名称", "责任单位", "完成时限", "完成进度", "备注"]
State = LedgerImport.State


@dataclass
class Findings:
    """What came of the rounds. Times in seconds.

    Attributes:
        strikes: (what was struck, what the ledger was at) → how often, and how often in the middle of it.
        recoveries: at what it was struck → from everything being up again until it was done.
        printed: what the commands of each pair printed, as JSON.
    """

    rounds: int = 0
    seconds: float = 0.0
    strikes: Counter[tuple[str, str]] = field(default_factory=Counter)
    in_the_middle: Counter[tuple[str, str]] = field(default_factory=Counter)
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    rows: int = 0
    pairs: int = 0
    pair_receipts: Counter[str] = field(default_factory=Counter)
    pair_seconds: float = 0.0
    violations: dict[str, set[str]] = field(default_factory=dict)

    def add(self, name: str, found: list[str]) -> None:
        self.violations.setdefault(name, set()).update(found)


class Desk:
    """The person who hands ledgers in, looks at them and says yes."""

    def __init__(self, world: World) -> None:
        self.person = User.objects.get(pk=world.reviewers[0])
        self.programme = Programme.objects.get(code="chaos")
        self.made: list[int] = []

    def hand_in(self) -> int:
        number = len(self.made)
        rows = [self._row(number, n, "") for n in range(ROWS - CHANGING)]
        rows += [self._row(number - 1, n, f"台账 {number}") for n in range(CHANGING if number else 0)]
        content, today = workbook(rows), timezone.localdate()
        made = patiently(
            lambda: hand_in(
                programme=self.programme,
                actor=self.person,
                name=f"台账{number}.xlsx",
                chunks=[content],
                as_of=today,
                at=timezone.now(),
            )
        )
        self.made.append(made.pk)
        return made.pk

    @staticmethod
    def _row(ledger: int, n: int, note: str) -> list[object]:
        code, name = f"L{ledger}-{n}", f"台账{ledger:03}工程{n:05}"
        return [code, name, f"集团{n % 4}", f"{timezone.localdate().year + 1}-06-30", "20%", note]

    def confirm(self, pk: int) -> None:
        patiently(lambda: self._confirm(pk))

    def _confirm(self, pk: int) -> None:
        made = LedgerImport.objects.get(pk=pk)
        if made.state == State.READY:  # else a broken connection hid that it was done
            ask_to_confirm(
                ledger_id=pk, actor=self.person, reading_number=made.reading_number, at=timezone.now()
            )


def workbook(rows: list[list[object]]) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    page = book.add_worksheet("台账")
    for number, row in enumerate([HEADINGS, *rows]):
        page.write_row(number, 0, row)
    book.close()
    return file.getvalue()


def state_of(pk: int) -> str:
    return patiently(lambda: LedgerImport.objects.values_list("state", flat=True).get(pk=pk))


def ring() -> None:
    """What the page does when a ledger is handed in; beat rings every ten seconds anyway."""
    try:
        app.send_task("projects.ledgers", expires=9, retry=False)
    except OperationalError:
        return


class Arena:
    """One worker of two processes and one beat, as the portal starts them."""

    def __init__(self, servers: Servers, folder: Path, *, broken: bool) -> None:
        self.servers = servers
        environ = {**os.environ, "WORKER_CONCURRENCY": "2"}
        worker = [BROKEN_APP if broken and part == "portal" else part for part in commands.worker(environ)]
        beat = [*commands.beat(environ), "--schedule", str(folder / "beat-schedule")]
        self.worker = Member("worker", worker, folder / "worker.log", environ)
        self.beat = Member("beat", beat, folder / "beat.log", environ)

    def start(self) -> None:
        self._start_worker()
        self.beat.start()

    def _start_worker(self) -> None:
        self.worker.start()
        if not wait_until(lambda: len(children_of(self.worker.pid)) >= 2, 120):
            raise RuntimeError("the worker does not start; see its log")

    def stop(self) -> None:
        for member in (self.worker, self.beat):
            member.stop()

    def strike_worker(self) -> None:
        """SIGKILL for the worker and the processes that it forked, all at once."""
        os.killpg(self.worker.pid, signal.SIGKILL)
        assert self.worker.process is not None
        self.worker.process.wait()

    def strike_children(self) -> None:
        for pid in children_of(self.worker.pid):
            os.kill(pid, signal.SIGKILL)

    def strike_database(self) -> None:
        self.servers.restart_database(signal.SIGQUIT)
        connection.close()

    def mend(self) -> None:
        if not self.worker.running:
            self._start_worker()


STRIKES: dict[str, Callable[[Arena], None]] = {
    "the worker with its children": Arena.strike_worker,
    "the children of the worker": Arena.strike_children,
    "PostgreSQL, immediate restart": Arena.strike_database,
}


def kill_imports(
    servers: Servers, world: World, *, rounds: int, pairs: int, broken: bool, folder: Path
) -> Findings:
    """Strike `rounds` times in the middle of reading or confirming; then import `pairs` of files at once."""
    findings, began = Findings(), time.monotonic()
    desk, arena = Desk(world), Arena(servers, folder, broken=broken)
    try:
        arena.start()
        took = _stock(desk, confirmations=rounds - rounds // 2, broken=broken)
        stock = list(desk.made[1:])
        for number in range(rounds):
            at = State.READING if number % 2 else State.CONFIRMING
            name = _kind(number)
            pk = desk.hand_in() if at == State.READING else stock.pop(0)
            if at == State.CONFIRMING:
                desk.confirm(pk)
            ring()
            _strike(arena, findings, pk, at, name, took[at])
            _look(desk, findings)
            if broken and any(findings.violations.values()):
                return findings
            if at == State.CONFIRMING:
                _wait_for(findings, pk, State.CONFIRMED, at)
            print(
                f"{number + 1:3}  {name}, {at.value}: {findings.recoveries.get(at.value, ['-'])[-1]}",
                flush=True,
            )
        _finish(desk, findings)
        findings.rounds, findings.rows = rounds, len(desk.made) * ROWS
        findings.seconds = time.monotonic() - began
    finally:
        arena.stop()
    if not broken:
        began = time.monotonic()
        for number in range(pairs):
            _import_at_once(world, findings, number, folder)
        findings.pair_seconds = time.monotonic() - began
        findings.add(lights_are_current.__name__, lights_are_current(timezone.localdate()))
    return findings


def _kind(number: int) -> str:
    if number % DATABASE_EVERY == DATABASE_EVERY - 1:
        return "PostgreSQL, immediate restart"
    return "the children of the worker" if number % 3 == 2 else "the worker with its children"


def _stock(desk: Desk, *, confirmations: int, broken: bool) -> dict[str, float]:
    """Ledgers that wait for their confirmation, and how long each of both takes when nothing is struck."""
    first = desk.hand_in()
    ring()
    took = {State.READING.value: _time(first, State.READING, State.READY)}
    if broken:  # no ledger comes to its end there, and the fault takes its time
        took[State.CONFIRMING.value] = 3.0
    else:
        desk.confirm(first)
        ring()
        took[State.CONFIRMING.value] = _time(first, State.CONFIRMING, State.CONFIRMED)
    for _number in range(confirmations):
        pk = desk.hand_in()
        ring()
        _time(pk, State.READING, State.READY)
    return took


def _time(pk: int, at: str, to: str) -> float:
    """Seconds from the moment at which a worker has it until it is done."""
    began = time.monotonic()
    if at == State.READING:
        wait_until(lambda: _taken(pk), LIMIT)
        began = time.monotonic()
    if not wait_until(lambda: state_of(pk) == to, LIMIT):
        raise RuntimeError(f"ledger {pk} is {state_of(pk)} though nothing was struck")
    return time.monotonic() - began


def _taken(pk: int) -> bool:
    found = patiently(lambda: LedgerImport.objects.values_list("taken_at", "state").get(pk=pk))
    return found[0] is not None or found[1] != State.READING


def _strike(arena: Arena, findings: Findings, pk: int, at: str, name: str, took: float) -> None:
    if at == State.READING:
        wait_until(lambda: _taken(pk), LIMIT)
    time.sleep(random.uniform(0.05, 0.9) * took)
    STRIKES[name](arena)
    findings.strikes[name, at] += 1
    findings.in_the_middle[name, at] += state_of(pk) == at
    arena.mend()


def _wait_for(findings: Findings, pk: int, state: str, at: str, seconds: float = LIMIT) -> None:
    up = time.monotonic()
    if wait_until(lambda: state_of(pk) == state, seconds):
        findings.recoveries.setdefault(at, []).append(round(time.monotonic() - up, 1))
    else:
        findings.add("the_next_worker_needs_no_person", [f"ledger {pk} is {state_of(pk)} instead of {state}"])


def _finish(desk: Desk, findings: Findings) -> None:
    """Whatever was struck while it was read is read by the next worker; then everything is confirmed."""
    findings.add("the_next_worker_needs_no_person", [])
    for pk in desk.made:
        if state_of(pk) == State.READING:
            _wait_for(findings, pk, State.READY, State.READING.value, LIMIT + GIVEN_UP.total_seconds())
    for pk in desk.made:
        desk.confirm(pk)
    ring()
    for pk in desk.made:
        if not wait_until(lambda pk=pk: state_of(pk) == State.CONFIRMED, LIMIT):  # type: ignore[misc]
            findings.add("the_next_worker_needs_no_person", [f"ledger {pk} is {state_of(pk)} in the end"])
    _look(desk, findings)


def _look(desk: Desk, findings: Findings) -> None:
    """All checks on one snapshot: what they say holds at any moment, whatever is under way."""

    def on_a_snapshot() -> dict[str, list[str]]:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            made = list(LedgerImport.objects.filter(pk__in=desk.made))
            return {check.__name__: check(made) for check in IMPORT_INVARIANTS}

    for name, found in patiently(on_a_snapshot).items():
        findings.add(name, found)


# -- two at once ---------------------------------------------------------------------------------------------


def _import_at_once(world: World, findings: Findings, number: int, folder: Path) -> None:
    """`manage.py import_ledger` twice at the same time, on files that share half of their projects."""
    people = [User.objects.get(pk=pk).username for pk in world.reviewers]
    running = []
    for which, person in enumerate(people):
        first = which * PAIR_ROWS // 2
        numbers = list(range(first, first + PAIR_ROWS))
        rows = [Desk._row(500 + number, n, "") for n in (numbers[::-1] if which else numbers)]
        path = folder / f"pair{which}.xlsx"
        path.write_bytes(workbook(rows))
        argv = [
            sys.executable,
            "manage.py",
            "import_ledger",
            str(path),
            "--programme",
            "chaos",
            "--as",
            person,
        ]
        running.append(
            subprocess.Popen(argv, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        )
    told = [process.communicate(timeout=120) for process in running]
    findings.add(
        "nobody_fails",
        [
            err.decode()[-300:]
            for process, (_out, err) in zip(running, told, strict=True)
            if process.returncode
        ],
    )
    printed = [json.loads(out) for out, _err in told if out]
    findings.add(
        printed_receipts_are_true.__name__,
        printed_receipts_are_true(printed, f"台账{500 + number:03}工程", PAIR_ROWS + PAIR_ROWS // 2),
    )
    for one in printed:
        findings.pair_receipts.update(
            {key: one[key] for key in ("created", "changed", "unchanged", "conflict")}
        )
    findings.pairs += 1


def median_and_worst(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} / {max(times):.1f}" if times else ""
