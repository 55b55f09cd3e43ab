"""Kills of the web process while people submit, accept and upload."""

from __future__ import annotations

import datetime
import http.client
import os
import random
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from enterprises.models import User
from portal.servers import commands
from portal.servers.processes import die_with_parent
from projects.evidence import storage
from projects.models import Evidence
from projects.services.evidence import sweep, sweep_incoming
from tools.chaos_browser import Browser
from tools.chaos_clients import BulkReviewer, Client, Officer, Photos, Reviewer
from tools.chaos_invariants import INVARIANTS, evidence_has_its_files
from tools.chaos_ledger import PROMISES, Kind, Ledger, Sent
from tools.chaos_world import World

#: Replaces the portal by one that commits in the middle of handing in: what the checks must notice.
BROKEN_PORTAL = "tools.chaos_control"


@dataclass
class Findings:
    rounds: int = 0
    #: Name of the check → what it said, each sentence once: what is broken stays so in every later round.
    violations: dict[str, set[str]] = field(default_factory=dict)
    orphans: tuple[int, int] = (0, 0)
    incoming: tuple[int, int] = (0, 0)
    evidence: int = 0
    files: int = 0
    seconds: float = 0.0

    def add(self, name: str, found: list[str]) -> None:
        self.violations.setdefault(name, set()).update(found)


class Web:
    """The portal's own web command on a free port, in a process group that can be killed whole."""

    def __init__(self, log: Path, *, broken: bool) -> None:
        self.log, self.broken, self.port = log, broken, _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises: RuntimeError: it does not answer within a minute."""
        environ = {
            **os.environ,
            "PORT": str(self.port),
            "WEB_WORKERS": "2",
            "WEB_THREADS": "4",
            # So that every file that was sent can be compared with its fingerprint.
            "EVIDENCE_KEEP_ORIGINALS": "1",
        }
        argv = commands.web(environ)
        if self.broken:
            argv = [BROKEN_PORTAL if part == "portal.wsgi" else part for part in argv]
        parent = os.getpid()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv,
                env=environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(signal.SIGTERM, parent),
            )
        until = time.monotonic() + 60
        while not self._answers():
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError(f"the web process does not answer; see {self.log}")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL for the whole group, master and workers at the same moment."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            asked.request("GET", "/login/")  # /healthz wants the worker too
            return asked.getresponse().status == 200
        except OSError:
            return False
        finally:
            asked.close()


def kill_web(
    world: World, today: datetime.date, *, rounds: int, hits: int, broken: bool, log: Path
) -> tuple[Ledger, Findings]:
    """Kill it `rounds` times, and on until each kind of request was struck `hits` times (at most 4× as often)."""
    _clean()  # what the last run left: its database is gone
    ledger, findings = Ledger(), Findings()
    web = Web(log, broken=broken)
    people = _people(world, ledger, web.port, today)
    started = time.perf_counter()
    try:
        while findings.rounds < rounds or (
            findings.rounds < 4 * rounds and min(ledger.hits()[kind] for kind in Kind) < hits
        ):
            web.start()
            before = len(ledger.sent)
            _round(web, people, ledger)
            findings.rounds += 1
            ledger.look_at_rest()
            _check(ledger.sent[before:], findings, today)
            done = ", ".join(f"{kind} {ledger.hits()[kind]}" for kind in Kind)
            print(f"\r{findings.rounds} kills; struck: {done}", end="", flush=True)
            if broken and any(findings.violations.values()):
                break
    finally:
        web.kill()
        print()
    _check(ledger.sent, findings, today)
    _sweep(findings, today)
    findings.seconds = time.perf_counter() - started
    return ledger, findings


def _people(world: World, ledger: Ledger, port: int, today: datetime.date) -> list[Client]:
    photos = Photos()
    users = User.objects.in_bulk()

    def browser(pk: int) -> Browser:
        return Browser(users[pk], port)

    people: list[Client] = [
        Officer(browser(pk), ledger, today, own, photos) for pk, own in world.officers.items()
    ]
    people += [Reviewer(browser(pk), ledger, today) for pk in world.reviewers]
    return [*people, BulkReviewer(browser(world.bulk_reviewer), ledger, today)]


def _round(web: Web, people: list[Client], ledger: Ledger) -> None:
    """Everybody works; at a random moment everything is gone."""
    over = threading.Event()
    threads = [threading.Thread(target=person.work, args=(over,)) for person in people]
    for thread in threads:
        thread.start()
    try:
        time.sleep(random.uniform(0.2, 2.0))
        if random.random() < 0.7:
            # In the life of one of the requests that were struck least so far.
            aim = min(Kind, key=lambda kind: (ledger.hits()[kind], random.random()))
            if ledger.wait_for(aim, seconds=10):
                time.sleep(ledger.moment_within(aim))
    finally:
        web.kill()
        over.set()
        for thread in threads:
            thread.join()
    _wait_for_rest()


def _wait_for_rest() -> None:
    """Until the database has noticed that its clients died: a commit that had arrived is still carried out.

    Raises:
        RuntimeError: somebody is still connected after half a minute.
    """
    until = time.monotonic() + 30
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if cursor.fetchone()[0] == 0:
                return
            time.sleep(0.02)
    raise RuntimeError("connections of the killed process stay")


def _check(sent: list[Sent], findings: Findings, today: datetime.date) -> None:
    for invariant in INVARIANTS:
        findings.add(invariant.__name__, invariant(today))
    for promise in PROMISES:
        findings.add(promise.__name__, promise(sent))


def _sweep(findings: Findings, today: datetime.date) -> None:
    """The cleaner, told that it is late enough: what nobody owns goes, what somebody owns stays."""
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    before = len(_unowned()), len(list(folder.iterdir()))
    _clean()
    findings.orphans = before[0], len(_unowned())
    findings.incoming = before[1], len(list(folder.iterdir()))
    findings.add("no_file_without_an_owner", sorted(_unowned()))
    findings.add("no_upload_left_behind", [path.name for path in folder.iterdir()])
    findings.add(evidence_has_its_files.__name__, evidence_has_its_files(today))
    findings.evidence, findings.files = Evidence.objects.count(), len(list(storage.listing()))


def _clean() -> None:
    later, nothing = timezone.now() + datetime.timedelta(days=1), datetime.timedelta()
    sweep(now=later, older_than=nothing)
    sweep_incoming(folder=Path(settings.FILE_UPLOAD_TEMP_DIR), now=later, older_than=nothing)


def _unowned() -> set[str]:
    owned: set[str] = set()
    for names in Evidence.objects.values_list("preview", "thumbnail", "original"):
        owned.update(names)
    return {name for name, _modified in storage.listing()} - owned


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
