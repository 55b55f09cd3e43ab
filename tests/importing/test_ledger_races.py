"""Two ledgers, two workers and two clicks at the same instant: what the receipt says is in the database.

Real threads on connections of their own, real transactions. LEDGER_RACES=50 runs as many rounds of each.
"""

from __future__ import annotations

import datetime
import threading
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.utils import timezone

from journal.tracking import event_model_of
from projects.importing import confirming, intake, writing
from projects.importing.deciding import decide
from projects.importing.intake import read_anew
from projects.importing.undoing import undo
from projects.importing.working import work_on
from projects.models import LedgerImport, LedgerRow, Project
from projects.services.refusals import Refused
from tests import factories
from tests.importing.ledgers import HEADINGS, ON, World, handed_in, ledger, world
from tests.importing.receipts import (
    ROUNDS,
    ROWS,
    SUPPORTED,
    after,
    asked,
    attempt,
    holding,
    row,
    save_of,
    there_already,
    true_receipts,
    written,
)
from tests.racing import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def here() -> World:
    return world()


def overlapping(here: World, first: int, *, size: int = ROWS, coded: bool = False) -> list[LedgerImport]:
    """Two ledgers of two people with half of their projects in common, in opposite order."""
    other = factories.user("staff", here.root)
    one = [row(n) for n in range(first, first + size)]
    two = [row(n) for n in range(first + size // 2, first + size + size // 2)][::-1]
    headings = ["项目编号", *HEADINGS] if coded else HEADINGS
    rows = [[[f"Z{r[0]}", *r] if coded else r for r in some] for some in (one, two)]
    made = [
        handed_in(ledger(*rows[0], headings=headings), here.staff, here.programme),
        handed_in(ledger(*rows[1], headings=headings), other, here.programme),
    ]
    assert [each.counts["new"] for each in made] == [size, size]
    return made


def test_of_two_ledgers_with_the_same_projects_each_project_is_made_once(here: World) -> None:
    for number in range(ROUNDS):
        made = overlapping(here, number * 1000)
        for each in made:
            asked(each)
        before = Project.objects.count()
        together(*(partial(written, each) for each in made))
        true_receipts(*made)
        created = sum(each.receipt["created"] for each in made)
        assert created == Project.objects.count() - before == ROWS + ROWS // 2
        assert sum(each.receipt["conflict"] for each in made) == ROWS // 2


def test_two_ledgers_that_change_the_same_projects_change_each_once(here: World) -> None:
    for number in range(ROUNDS):
        numbers = range(number * 1000, number * 1000 + ROWS)
        first = handed_in(ledger(*(row(n) for n in numbers)), here.staff, here.programme)
        asked(first)
        written(first)
        other = factories.user("staff", here.root)
        made = [
            handed_in(ledger(*(row(n, note="甲") for n in numbers)), here.staff, here.programme),
            handed_in(ledger(*(row(n, note="乙") for n in reversed(numbers))), other, here.programme),
        ]
        for each in made:
            asked(each)
        together(*(partial(written, each) for each in made))
        true_receipts(first, *made)
        assert sorted(each.receipt["changed"] for each in made) == [0, ROWS]
        winner = next(each for each in made if each.receipt["changed"])
        notes = set(
            Project.objects.filter(name__in=[row(n)[1] for n in numbers]).values_list("note", flat=True)
        )
        assert notes == {"甲" if winner == made[0] else "乙"}


def test_control_without_taking_turns_two_ledgers_wait_for_each_other_in_a_circle(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirming, "take_turns", lambda programme_id: None)
    gate, insert = threading.Barrier(2), writing.insert_projects

    def at_once(*arguments: Any) -> list[int]:
        gate.wait(30)
        return insert(*arguments)

    monkeypatch.setattr(writing, "insert_projects", at_once)
    for number in range(10):
        # With codes of their own: those that the portal draws are drawn in one order, and so queue by themselves.
        made = overlapping(here, number * 1000, size=600, coded=True)
        for each in made:
            asked(each)
        gate.reset()
        try:
            together(*(partial(written, each) for each in made))
        except OperationalError as fault:
            assert "deadlock" in str(fault)
            return
        except threading.BrokenBarrierError:
            continue  # one of them goes back for new codes while the other has ended
    raise AssertionError("they never met")


def test_control_without_on_conflict_the_ledger_that_comes_second_fails_as_a_whole(here: World) -> None:
    first, second = overlapping(here, 0)
    asked(first)
    written(first)
    asked(second)

    def bluntly(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        return execute(sql.replace("ON CONFLICT DO NOTHING", ""), params, many, context)

    with connection.execute_wrapper(bluntly), pytest.raises(IntegrityError):
        written(second)
    assert Project.objects.count() == ROWS


def test_the_same_ledger_in_the_hands_of_two_workers_is_written_once(here: World) -> None:
    for number in range(ROUNDS):
        made = handed_in(
            ledger(*(row(n) for n in range(number * 100, number * 100 + ROWS))), here.staff, here.programme
        )
        asked(made)
        together(*[partial(work_on, ledger_id=made.pk, as_of=ON, now=timezone.now)] * 3)
        true_receipts(made)
        assert made.receipt["created"] == ROWS
        assert event_model_of(Project)._base_manager.filter(pgh_context__ledger=made.pk).count() == ROWS


def test_a_second_worker_does_not_wait_for_the_first(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = handed_in(ledger(row(1)), here.staff, here.programme)
    asked(made)
    close, answers = confirming._close, []

    def slowly(*args: Any) -> None:
        monkeypatch.setattr(confirming, "_close", close)
        answers.extend(together(lambda: written(made)))
        close(*args)

    monkeypatch.setattr(confirming, "_close", slowly)
    assert written(made) is not None
    assert answers == [None]
    true_receipts(made)


def test_of_two_clicks_on_confirm_one_is_refused(here: World) -> None:
    for number in range(ROUNDS):
        made = handed_in(ledger(row(number)), here.staff, here.programme)
        answers = together(*[partial(attempt, partial(asked, made))] * 2)
        assert sorted(isinstance(answer, Refused) for answer in answers) == [False, True]
        written(made)
        true_receipts(made)


def test_a_ledger_is_taken_back_as_a_whole_or_the_colleague_is_named(here: World) -> None:
    colleague = factories.user("staff", here.root, name="王某某")
    for number in range(ROUNDS):
        numbers = range(number * 100, number * 100 + 10)
        asked(made := handed_in(ledger(*(row(n) for n in numbers)), here.staff, here.programme))
        written(made)
        names = [row(n)[1] for n in numbers]
        save = save_of(Project.objects.get(name=names[3]), colleague, note="同事")
        _answer, back = together(
            save,
            lambda: attempt(lambda: undo(ledger_id=made.pk, actor=here.staff, as_of=ON, at=timezone.now())),
        )
        made.refresh_from_db()
        left = Project.objects.filter(name__in=names).count()
        if isinstance(back, Refused):
            assert (made.state, left) == (LedgerImport.State.CONFIRMED, 10)
            assert "王某某" in str(back)
        else:
            assert (made.state, left) == (LedgerImport.State.UNDONE, 0)


def test_a_colleague_at_work_is_waited_for_and_named(here: World) -> None:
    project, held = there_already(here), threading.Event()
    made = LedgerImport.objects.get()
    change = lambda: Project.objects.filter(pk=project.pk).update(note="同事")  # noqa: E731
    _done, back = together(
        holding(project, change, held),
        after(
            held,
            lambda: attempt(lambda: undo(ledger_id=made.pk, actor=here.staff, as_of=ON, at=timezone.now())),
        ),
    )
    assert isinstance(back, Refused)
    assert row(1)[1] in str(back)
    assert Project.objects.get().note == "同事"


@pytest.mark.parametrize("kind", ["supporting_enterprises", "party_branches"])
def test_a_link_that_a_colleague_added_stands_in_the_way_of_taking_back(here: World, kind: str) -> None:
    project = there_already(here)
    other = here.metro if kind == "supporting_enterprises" else factories.branch(here.metro)
    getattr(project, kind).add(other)
    with pytest.raises(Refused):
        undo(ledger_id=LedgerImport.objects.get().pk, actor=here.staff, as_of=ON, at=timezone.now())
    assert Project.objects.exists()


def test_the_links_that_the_ledger_made_itself_do_not_stand_in_its_way(here: World) -> None:
    asked(made := handed_in(ledger([*row(1), "轨道公司"], headings=SUPPORTED), here.staff, here.programme))
    written(made)
    assert Project.objects.get().supporting_enterprises.count() == 1
    undo(ledger_id=made.pk, actor=here.staff, as_of=ON, at=timezone.now())
    assert not Project.objects.exists()


def test_taking_back_and_confirming_the_next_ledger_at_once_never_wait_in_a_circle(here: World) -> None:
    for number in range(ROUNDS):
        numbers = range(number * 1000, number * 1000 + ROWS)
        asked(first := handed_in(ledger(*(row(n) for n in numbers)), here.staff, here.programme))
        written(first)
        rows = [row(n) if n % 2 else row(n, note="新") for n in reversed(numbers)]
        asked(second := handed_in(ledger(*rows), here.staff, here.programme))
        back, _done = together(
            lambda: attempt(lambda: undo(ledger_id=first.pk, actor=here.staff, as_of=ON, at=timezone.now())),
            lambda: written(second),
        )
        true_receipts(second)
        left = Project.objects.filter(name__in=[row(n)[1] for n in numbers]).count()
        if isinstance(back, Refused):
            assert (left, second.receipt["changed"]) == (ROWS, ROWS // 2)
        else:
            assert (left, second.receipt["changed"]) == (0, 0)


def test_a_ledger_whose_rows_were_let_go_is_neither_confirmed_nor_taken_back(here: World) -> None:
    there_already(here)
    waits = handed_in(ledger(row(2)), here.staff, here.programme)
    done = LedgerImport.objects.exclude(pk=waits.pk).get()
    assert intake.sweep(now=timezone.now() + intake.KEPT + datetime.timedelta(days=1)) == 2
    with pytest.raises(Refused):
        asked(waits)
    with pytest.raises(Refused):
        undo(ledger_id=done.pk, actor=here.staff, as_of=ON, at=timezone.now())
    done.refresh_from_db()
    assert done.state == LedgerImport.State.CONFIRMED
    assert Project.objects.count() == 1


def test_what_is_decided_while_it_is_confirmed_is_written_or_refused(here: World) -> None:
    for number in range(ROUNDS):
        first = number * 10
        made = handed_in(ledger(row(first), row(first + 1, due="国庆前")), here.staff, here.programme)
        open_row = LedgerRow.objects.get(ledger=made, outcome="needs_review")

        def decision(pk: int = open_row.pk, made: LedgerImport = made) -> Any:
            return attempt(
                lambda: decide(
                    ledger_id=made.pk,
                    row_id=pk,
                    actor=here.staff,
                    decisions={"deadline": "2021-09-30"},
                    everywhere=False,
                    as_of=ON,
                )
            )

        def confirmation(made: LedgerImport = made) -> Any:
            asked(made)
            return written(made)

        decided, done = together(decision, confirmation)
        if done is None:  # the refused decision held the ledger for that moment: the next bell writes it
            written(made)
        true_receipts(made)
        open_row.refresh_from_db()
        wanted = "left_out" if isinstance(decided, Refused) else "created"
        assert open_row.result == wanted


def test_confirming_and_reading_anew_at_once_one_of_them_is_refused(here: World) -> None:
    for number in range(ROUNDS):
        made = handed_in(ledger(row(number)), here.staff, here.programme)
        answers = together(
            partial(attempt, partial(asked, made)),
            partial(attempt, partial(read_anew, ledger_id=made.pk, actor=here.staff, choices={})),
        )
        assert sorted(isinstance(answer, Refused) for answer in answers) == [False, True]
