"""The task that beat starts every ten seconds."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.conf import settings as live
from django.db import connection
from django.utils import timezone

from notices import tasks
from notices.models import Message
from notices.services.outbox import BATCH
from notices.services.telling import tell
from notices.services.turns import turn
from notices.tasks import deliver
from tests import factories
from tests.notices.world import reader, told
from tools.mail_sink import MailSink

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("truths")]


def test_what_is_urgent_is_delivered_by_one_run(settings: Any) -> None:
    person = reader(factories.enterprise(parent=factories.sasac()))
    tell([told(person, 1, urgent=True)], at=timezone.now())
    with MailSink() as sink:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        deliver()
        deliver()
    assert [copy.to for copy in sink.received] == [person.email]
    assert Message.objects.get().state == "sent"


def test_without_a_mail_server_a_run_is_idle(settings: Any) -> None:
    settings.EMAIL_HOST = ""
    tell([told(reader(factories.enterprise(parent=factories.sasac())), 1, urgent=True)], at=timezone.now())
    deliver()
    assert not Message.objects.exists()


def test_beat_starts_it_and_lets_no_runs_pile_up() -> None:
    entry = live.CELERY_BEAT_SCHEDULE["deliver-notices"]
    assert entry["task"] == deliver.name
    assert entry["options"]["expires"] < entry["schedule"] <= 10


class SlowPostman:
    """Takes its time over the first letter, until it is told to go on."""

    def __init__(self, _account: Any) -> None:
        SlowPostman.made.append(self)

    made: list[SlowPostman] = []
    carrying, go_on = threading.Event(), threading.Event()
    carriers: list[str] = []

    def send(self, _letter: Any, _to: str) -> None:
        self.carriers.append(threading.current_thread().name)
        self.carrying.set()
        assert self.go_on.wait(30)

    def close(self) -> None: ...


@pytest.mark.django_db(transaction=True)
def test_a_slow_mail_server_holds_one_process_of_a_worker(settings: Any, monkeypatch: Any) -> None:
    """The other one is for the patrol. More waits than one run takes at once, so a second one had work to do."""
    settings.EMAIL_HOST = "127.0.0.1"
    monkeypatch.setattr(tasks, "Postman", SlowPostman)
    unit = factories.enterprise(parent=factories.sasac())
    tell([told(reader(unit), n, urgent=True) for n in range(1, BATCH + 3)], at=timezone.now())

    def run() -> None:
        try:
            deliver()
        finally:
            connection.close()

    first = threading.Thread(target=run, name="first")
    second = threading.Thread(target=run, name="second")
    first.start()
    assert SlowPostman.carrying.wait(30)
    second.start()
    second.join(10)
    held = second.is_alive()
    SlowPostman.go_on.set()
    first.join(30)
    second.join(30)
    assert not held
    assert set(SlowPostman.carriers) == {"first"}
    assert Message.objects.filter(state="sent").count() == BATCH + 2


@pytest.mark.django_db(transaction=True)
def test_the_turn_of_a_process_that_died_is_free_again() -> None:
    taken, die = threading.Event(), threading.Event()

    def dies() -> None:
        with turn("x"):
            taken.set()
            die.wait(30)
            connection.close()  # as the server sees a killed process

    thread = threading.Thread(target=dies)
    thread.start()
    assert taken.wait(30)
    with turn("x") as mine:
        assert not mine
    with turn("y") as other:
        assert other
    die.set()
    thread.join(30)
    with turn("x") as mine:
        assert mine
