"""What goes on while worker and beat are killed: dates pass, delays are mended, officers save."""

from __future__ import annotations

import datetime
import http.client
import itertools
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, connection, transaction

from enterprises.models import User
from projects.models import Milestone, ProgressReport
from projects.services.lights import refresh_lights
from tools.chaos_browser import BROKEN, Answer, Browser, Form
from tools.chaos_worker_ledger import Ledger, Save
from tools.chaos_world import World

DAY = datetime.timedelta(days=1)
T = TypeVar("T")


def patiently(ask: Callable[[], T], seconds: float = 90) -> T:
    """Ask the database, and again while it is away. What is asked must bear being asked twice."""
    until = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (DatabaseError, InterfaceError):
            connection.close()
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


class Time:
    """Makes milestones overdue, as a midnight does, and mends some of those that were recorded."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self.ledger = ledger
        self.random = random.Random(7)
        own = [pk for milestones in world.officers.values() for pk in milestones]
        kept = set(saved_ones(world))
        self.free = [pk for pk in own if pk not in kept]
        self.random.shuffle(self.free)
        self.overdue: dict[int, datetime.date] = {}

    def breach(self, count: int) -> None:
        """Make `count` milestones overdue for a date that each was never due on before."""
        for _number in range(min(count, len(self.free))):
            pk = self.free.pop()
            day = self._unused_day(pk)
            self._set_due(pk, day)
            self.overdue[pk] = day
            with self.ledger.lock:
                self.ledger.breached.add((pk, day))

    def mend(self, count: int) -> None:
        """Of what is recorded move one half to a day ahead, and the other to another day in the past."""
        recorded = set(
            patiently(
                lambda: list(
                    Milestone.objects.filter(flagged_due_on__isnull=False).values_list("pk", flat=True)
                )
            )
        )
        known = [pk for pk in self.overdue if pk in recorded]
        for pk in self.random.sample(known, min(count, len(known))):
            before = self.overdue.pop(pk)
            if self.random.random() < 0.5:
                day = self.ledger.today + self.random.randrange(5, 60) * DAY
                self._set_due(pk, day)
                self.free.insert(0, pk)
            else:
                day = self._unused_day(pk)
                self._set_due(pk, day)
                self.overdue[pk] = day
            with self.ledger.lock:
                self.ledger.cured.add((pk, before))
                if day < self.ledger.today:
                    self.ledger.breached.add((pk, day))

    def _unused_day(self, pk: int) -> datetime.date:
        while True:
            day = self.ledger.today - self.random.randrange(1, 80) * DAY
            if (pk, day) not in self.ledger.breached:
                return day

    def _set_due(self, pk: int, day: datetime.date) -> None:
        def change() -> None:
            with transaction.atomic():
                row = Milestone.objects.select_for_update(no_key=True).get(pk=pk)
                Milestone.objects.filter(pk=pk).update(due_on=day, starts_on=day - 9 * DAY)
                # As every service does; the patrol looks after time that passes.
                refresh_lights(as_of=self.ledger.today, project_ids=[row.project_id])

        patiently(change)


def saved_ones(world: World) -> list[int]:
    """Milestones kept apart for people: the first project of each group."""
    return [pk for milestones in world.officers.values() for pk in milestones[:16]]


class Saver:
    """An officer who saves and hands in, and a reviewer who decides, over HTTP."""

    def __init__(self, world: World, ledger: Ledger, port: int, number: int) -> None:
        officer = list(world.officers)[number]
        self.own = world.officers[officer][:16]
        users = User.objects.in_bulk()
        self.officer, self.reviewer = Browser(users[officer], port), Browser(users[world.reviewers[0]], port)
        self.ledger = ledger
        self._numbers = itertools.count(1)
        self.random = random.Random(number)

    def work(self, until: threading.Event) -> None:
        try:
            while not until.wait(self.random.uniform(0.3, 1.2)):
                patiently(self._one)
        finally:
            connection.close()

    def _one(self) -> None:
        milestone = self.random.choice(self.own)
        waiting = ProgressReport.objects.waiting().filter(milestone=milestone).first()
        if waiting is not None:
            action = self.random.choice(("accept", "return"))
            address = f"/projects/progressreport/{waiting.pk}/step/{action}/"
            comment = f"意见 {next(self._numbers)}"  # so that no two decisions are told in the same words
            self._timed(action, lambda: self.reviewer.post(address, [("comment", comment)]))
            return
        address = f"/projects/milestone/{milestone}/report/"
        page = self._timed("opening a form", lambda: self.officer.get(address))
        button = self.random.choice(("_save", "_submit"))
        if page is None or f'name="{button}"' not in page.text:
            return
        form = Form(page.text, having=button)
        values = {"done": f"进度 {next(self._numbers)}", "percent": str(self.random.randrange(1, 99))}
        fields = form.filled(**{button: "1"}, **values)
        self._timed(
            "saving" if button == "_save" else "handing in", lambda: self.officer.post(address, fields)
        )

    def _timed(self, what: str, ask: Callable[[], Answer]) -> Answer | None:
        began = time.monotonic()
        try:
            answer = ask()
        except (*BROKEN, OSError):
            answer = None
        status = answer.status if answer is not None else 0
        with self.ledger.lock:
            self.ledger.saves.append(Save(what, began, time.monotonic(), status))
        return answer if status == 200 else None


@dataclass
class HealthLog:
    """What /healthz said, each second: when, status, and the parts that were not well."""

    port: int
    said: list[tuple[float, int, frozenset[str]]] = field(default_factory=list)
    slowest: float = 0.0

    def watch(self, until: threading.Event) -> None:
        while not until.wait(1):
            began = time.monotonic()
            asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                asked.request("GET", "/healthz")
                answer = asked.getresponse()
                parts = json.loads(answer.read())["parts"]
                ill = frozenset(name for name, part in parts.items() if part["state"] != "ok")
                self.said.append((began, answer.status, ill))
                self.slowest = max(self.slowest, time.monotonic() - began)
            except (OSError, http.client.HTTPException, ValueError):
                self.said.append((began, 0, frozenset({"web"})))
            finally:
                asked.close()

    def first(self, since: float, *, ill: str = "", well: bool = False) -> float | None:
        """Seconds from `since` until the part was ill, or all was well; None if that never came."""
        for moment, status, parts in self.said:
            if moment >= since and ((ill and ill in parts) or (well and status == 200)):
                return moment - since
        return None
