"""A ledger that ends every process that works on it is given up, and the person is told; a restart costs nothing."""

from __future__ import annotations

import datetime
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from projects.importing import confirming, intake
from projects.importing.intake import MOST_ATTEMPTS, hand_in, read_anew
from projects.importing.working import waiting, work_on
from projects.models import LedgerImport, LedgerRow, Project
from tests.importing.ledgers import ON, World, handed_in, ledger, world
from tests.importing.receipts import asked, row, true_receipts

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 5


@pytest.fixture
def here() -> World:
    return world()


def killed_at(step: str, monkeypatch: pytest.MonkeyPatch, work: Callable[[], Any]) -> None:
    """Do `work` in a process of its own, which is killed for good (as by the kernel, out of memory) at a step."""

    def killed(*_args: Any, **_named: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    pid = os.fork()
    if pid == 0:
        # The parent's session stays the parent's: were it closed here, it would be closed for both.
        kept, connection.connection = connection.connection, None
        try:
            monkeypatch.setattr(
                *{"read": (intake, "copy_rows"), "write": (confirming, "_close")}[step], killed
            )
            work()
        finally:
            os._exit(kept is None)  # not reached where the step is
    _pid, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "the step was not reached"


def waits(here: World) -> LedgerImport:
    content = ledger(*(row(n) for n in range(ROWS)))
    return hand_in(
        programme=here.programme, actor=here.staff, name="台账.xlsx", chunks=[content], as_of=ON, at=timezone.now()
    )  # fmt: skip


def later(minutes: int) -> Callable[[], datetime.datetime]:
    return lambda: timezone.now() + datetime.timedelta(minutes=2 * minutes)


def read_at(made: LedgerImport, turn: int) -> LedgerImport:
    work_on(ledger_id=made.pk, as_of=ON, now=later(turn))
    made.refresh_from_db()
    return made


def test_a_file_that_kills_every_reader_is_given_up_and_the_person_is_told(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = waits(here)
    for turn in range(MOST_ATTEMPTS):
        killed_at("read", monkeypatch, lambda turn=turn: read_at(made, turn))
        made.refresh_from_db()
        assert (made.state, made.attempts) == (LedgerImport.State.READING, turn + 1)
    assert waiting() == [made.pk]
    read_at(made, MOST_ATTEMPTS)
    assert made.state == LedgerImport.State.REFUSED
    assert str(MOST_ATTEMPTS) in made.fault
    assert waiting() == [], "nobody takes it up any more"
    assert not LedgerRow.objects.filter(ledger=made, result="created").exists()
    assert not Project.objects.exists()
    again = read_anew(ledger_id=made.pk, actor=here.staff, choices={})
    assert (again.attempts, again.fault) == (0, "")
    assert read_at(made, 0).state == LedgerImport.State.READY


def test_a_reader_that_was_killed_twice_is_no_fault_of_the_file(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = waits(here)
    for turn in range(MOST_ATTEMPTS - 1):
        killed_at("read", monkeypatch, lambda turn=turn: read_at(made, turn))
    read_at(made, MOST_ATTEMPTS - 1)
    assert (made.state, made.fault, made.attempts) == (LedgerImport.State.READY, "", 0)
    assert made.rows_read == LedgerRow.objects.filter(ledger=made).count() == ROWS


def test_nobody_gives_up_a_ledger_that_is_being_read(here: World) -> None:
    """The third attempt is under way: whoever rings meanwhile leaves it alone."""
    made = waits(here)
    LedgerImport.objects.filter(pk=made.pk).update(attempts=MOST_ATTEMPTS, taken_at=timezone.now())
    read_at(made, 0)
    assert (made.state, made.fault) == (LedgerImport.State.READING, "")


def test_a_ledger_that_kills_every_writer_goes_back_to_the_person(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = handed_in(ledger(row(1)), here.staff, here.programme)
    asked(made)
    for turn in range(MOST_ATTEMPTS):
        killed_at("write", monkeypatch, lambda: work_on(ledger_id=made.pk, as_of=ON, now=timezone.now))
        made.refresh_from_db()
        assert (made.state, made.attempts) == (LedgerImport.State.CONFIRMING, turn + 1)
    work_on(ledger_id=made.pk, as_of=ON, now=timezone.now)
    made.refresh_from_db()
    assert (made.state, made.attempts) == (LedgerImport.State.READY, 0)
    assert str(MOST_ATTEMPTS) in made.fault
    assert not Project.objects.exists()
    asked(made)  # the person may say yes once more
    work_on(ledger_id=made.pk, as_of=ON, now=timezone.now)
    true_receipts(made)


def test_a_writer_that_was_killed_twice_is_no_fault_of_the_ledger(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = handed_in(ledger(row(1)), here.staff, here.programme)
    asked(made)
    for _turn in range(MOST_ATTEMPTS - 1):
        killed_at("write", monkeypatch, lambda: work_on(ledger_id=made.pk, as_of=ON, now=timezone.now))
    work_on(ledger_id=made.pk, as_of=ON, now=timezone.now)
    true_receipts(made)
    assert made.receipt["created"] == 1
