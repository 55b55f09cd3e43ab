"""Workers that are replaced, servers that go away: a ledger is read once, written once, and nobody is asked."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from projects.importing import confirming, intake
from projects.importing.intake import hand_in, read, read_anew
from projects.importing.working import work_on
from projects.models import LedgerImport, LedgerRow, Project
from projects.services.refusals import Refused
from tests.importing.ledgers import ON, World, handed_in, ledger, world
from tests.importing.receipts import (
    ROWS,
    asked,
    attempt,
    row,
    true_receipts,
)
from tests.racing import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def here() -> World:
    return world()


def minutes_later(minutes: int) -> Callable[[], datetime.datetime]:
    return lambda: timezone.now() + datetime.timedelta(minutes=minutes)


def waits_to_be_read(here: World, rows: int = ROWS) -> LedgerImport:
    return hand_in(
        programme=here.programme,
        actor=here.staff,
        name="台账.xlsx",
        chunks=[ledger(*(row(n) for n in range(rows)))],
        as_of=ON,
        at=timezone.now(),
    )


def read_once(made: LedgerImport) -> None:
    made.refresh_from_db()
    assert (made.state, made.rows_read, made.fault) == (LedgerImport.State.READY, ROWS, "")
    positions = list(LedgerRow.objects.filter(ledger=made).values_list("position", flat=True))
    assert positions == list(range(1, ROWS + 1))
    assert made.counts["new"] == ROWS


def test_a_ledger_is_read_by_one_of_several_workers(here: World) -> None:
    made = waits_to_be_read(here)
    answers = together(*(lambda: read(ledger_id=made.pk, now=timezone.now) for _n in range(3)))
    assert sorted(answers) == [False, False, True]
    read_once(made)


def test_a_worker_that_wakes_up_after_it_was_replaced_takes_nothing_away(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first took the ledger and stood still before it began."""
    made, turn = waits_to_be_read(here), intake._Turn
    answers: list[Any] = []

    def standing_still(*args: Any) -> Any:
        monkeypatch.setattr(intake, "_Turn", turn)
        answers.extend(together(lambda: read(ledger_id=made.pk, now=minutes_later(2))))
        return turn(*args)

    monkeypatch.setattr(intake, "_Turn", standing_still)
    assert read(ledger_id=made.pk, now=timezone.now) is False
    assert answers == [True]
    read_once(made)


def test_a_worker_that_was_replaced_in_the_middle_stops_by_itself(
    here: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It stood still between two chunks; the other one has read everything meanwhile."""
    made, preview = waits_to_be_read(here), intake.Preview
    answers: list[Any] = []

    class InTwo(preview):  # type: ignore[valid-type, misc]
        def chunks(self) -> Any:
            for chunk in super().chunks():
                yield chunk[:7]
                if not answers:
                    monkeypatch.setattr(intake, "Preview", preview)
                    answers.extend(together(lambda: read(ledger_id=made.pk, now=minutes_later(2))))
                yield chunk[7:]

    monkeypatch.setattr(intake, "Preview", InTwo)
    assert read(ledger_id=made.pk, now=timezone.now) is False
    assert answers == [True]
    read_once(made)
    assert not caplog.records, "it stops; nothing is at fault"


def test_a_worker_that_was_replaced_at_the_very_end_says_that_it_was(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, preview = waits_to_be_read(here), intake.Preview
    answers: list[Any] = []

    class Late(preview):  # type: ignore[valid-type, misc]
        def file_facts(self) -> Any:
            if not answers:
                answers.append(None)
                answers.extend(together(lambda: read(ledger_id=made.pk, now=minutes_later(2))))
            return super().file_facts()

    monkeypatch.setattr(intake, "Preview", Late)
    assert read(ledger_id=made.pk, now=timezone.now) is False
    assert answers == [None, True]
    read_once(made)


def test_a_worker_that_is_writing_a_chunk_is_not_replaced(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sign is given with the chunk: whoever thought it dead waits for it, and leaves it alone."""
    made, copy = waits_to_be_read(here), intake.copy_rows
    threads: list[threading.Thread] = []
    answers: list[Any] = []

    def another() -> None:
        answers.extend(together(lambda: read(ledger_id=made.pk, now=timezone.now)))

    def slowly(*args: Any) -> int:
        monkeypatch.setattr(intake, "copy_rows", copy)
        written = copy(*args)
        threads.append(threading.Thread(target=another))
        threads[0].start()
        return written

    monkeypatch.setattr(intake, "copy_rows", slowly)
    # Its sign is old from the beginning: the portal's clock stood still while it read.
    LedgerImport.objects.filter(pk=made.pk).update(taken_at=None)
    assert read(ledger_id=made.pk, now=timezone.now) is True
    threads[0].join(60)
    assert answers == [False]
    read_once(made)


def test_control_without_the_sign_the_rows_of_two_workers_get_in_each_others_way(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, preview = waits_to_be_read(here), intake.Preview
    answers: list[Any] = []
    monkeypatch.setattr(intake._Turn, "sign", lambda self, **facts: None)

    class InTwo(preview):  # type: ignore[valid-type, misc]
        def chunks(self) -> Any:
            for chunk in super().chunks():
                yield chunk[:7]
                if not answers:
                    monkeypatch.setattr(intake, "Preview", preview)
                    answers.extend(together(lambda: read(ledger_id=made.pk, now=minutes_later(2))))
                yield chunk[7:]

    monkeypatch.setattr(intake, "Preview", InTwo)
    faults: list[Any] = []
    monkeypatch.setattr(intake.logger, "exception", lambda *args: faults.append(args))
    read(ledger_id=made.pk, now=timezone.now)
    assert faults, "the unique positions are the last line"


def test_a_ledger_that_is_being_read_is_not_read_anew(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made, registers = waits_to_be_read(here), intake.Registers
    answers: list[Any] = []

    def meanwhile(*args: Any) -> Any:
        again = lambda: read_anew(ledger_id=made.pk, actor=here.staff, choices={})  # noqa: E731
        answers.extend(together(lambda: attempt(again)))
        return registers(*args)

    monkeypatch.setattr(intake, "Registers", meanwhile)
    assert read(ledger_id=made.pk, now=timezone.now)
    assert isinstance(answers[0], Refused)
    read_once(made)
    assert made.reading_number == 1


def end_session(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


def own_session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_server_that_goes_away_while_a_ledger_is_written_needs_no_person(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = handed_in(ledger(row(1)), here.staff, here.programme)
    asked(made)
    close = confirming._close

    def cut_off(*args: Any) -> None:
        monkeypatch.setattr(confirming, "_close", close)
        together(partial(end_session, own_session()))
        close(*args)

    monkeypatch.setattr(confirming, "_close", cut_off)
    together(lambda: work_on(ledger_id=made.pk, as_of=ON, now=timezone.now))
    made.refresh_from_db()
    assert (made.state, made.fault) == (LedgerImport.State.CONFIRMING, "")
    assert not Project.objects.exists()
    work_on(ledger_id=made.pk, as_of=ON, now=timezone.now)
    true_receipts(made)
    assert made.receipt["created"] == 1


def test_a_server_that_goes_away_while_a_ledger_is_read_needs_no_person(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, copy = waits_to_be_read(here), intake.copy_rows

    def cut_off(*args: Any) -> int:
        monkeypatch.setattr(intake, "copy_rows", copy)
        together(partial(end_session, own_session()))
        return copy(*args)

    monkeypatch.setattr(intake, "copy_rows", cut_off)
    together(lambda: work_on(ledger_id=made.pk, as_of=ON, now=timezone.now))
    made.refresh_from_db()
    assert (made.state, made.fault) == (LedgerImport.State.READING, "")
    work_on(ledger_id=made.pk, as_of=ON, now=minutes_later(2))
    read_once(made)


def test_a_fault_that_is_not_the_servers_goes_back_to_the_person(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = handed_in(ledger(row(1)), here.staff, here.programme)
    asked(made)

    def broken(*args: Any) -> None:
        raise LookupError("made by the test")

    monkeypatch.setattr(confirming, "_close", broken)
    work_on(ledger_id=made.pk, as_of=ON, now=timezone.now)
    made.refresh_from_db()
    assert made.state == LedgerImport.State.READY
    assert made.fault
    assert not Project.objects.exists()
