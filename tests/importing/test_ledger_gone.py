"""What a row names may be removed between preview and confirmation: that row is a conflict, the others are taken in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from projects.importing import working
from projects.importing.findings import words
from projects.importing.reading import Reading
from projects.importing.working import work_on
from projects.models import Category, LedgerImport, LedgerRow, Project
from tests import factories
from tests.importing.ledgers import HEADINGS, ON, World, handed_in, ledger, world
from tests.importing.receipts import asked, row, there_already, true_receipts

pytestmark = pytest.mark.django_db(transaction=True)
FULL = [*HEADINGS, "项目类别", "配合单位", "责任党组织"]


@pytest.fixture
def here() -> World:
    return world()


def taken_in(made: LedgerImport) -> list[LedgerRow]:
    asked(made)
    work_on(ledger_id=made.pk, as_of=ON, now=timezone.now)
    made.refresh_from_db()
    return list(LedgerRow.objects.filter(ledger=made).order_by("position"))


def gone(one: LedgerRow) -> list[str]:
    return [words(found) for found in Reading.from_data(one).findings if found.code == "GONE_MEANWHILE"]


def a_category(here: World) -> tuple[list[str], Callable[[], Any]]:
    made = Category.objects.create(programme=here.programme, name="用水")
    return ["用水", "", ""], made.delete


def a_supporting_unit(here: World) -> tuple[list[str], Callable[[], Any]]:
    made = factories.enterprise("燃气公司", parent=here.root)
    return ["", "燃气公司", ""], made.delete


def a_party_organisation(here: World) -> tuple[list[str], Callable[[], Any]]:
    made = factories.branch(here.water, name="第一党支部")
    return ["", "", made.name], made.delete


@pytest.mark.parametrize("named", [a_category, a_supporting_unit, a_party_organisation])
@pytest.mark.parametrize("is_new", [True, False])
def test_a_row_that_names_what_was_removed_is_a_conflict_and_the_others_are_taken_in(
    here: World, named: Callable[[World], tuple[list[str], Callable[[], Any]]], is_new: bool
) -> None:
    if not is_new:
        there_already(here, 1)
    cells, remove = named(here)
    made = handed_in(
        ledger([*row(1), *cells], [*row(2), "", "", ""], headings=FULL), here.staff, here.programme
    )
    remove()
    first, second = taken_in(made)
    true_receipts(made)
    assert (first.result, second.result) == ("conflict", "created")
    assert len(gone(first)) == 1 and not gone(second)
    assert Project.objects.filter(name=row(1)[1]).exists() is not is_new


def test_control_without_the_look_at_what_is_gone_the_ledger_fails_as_a_whole(
    here: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cells, remove = a_category(here)
    made = handed_in(
        ledger([*row(1), *cells], [*row(2), "", "", ""], headings=FULL), here.staff, here.programme
    )
    remove()
    monkeypatch.setattr(working, "call_gone", lambda ledger_id: 0)
    taken_in(made)
    assert (made.state, bool(made.fault)) == (LedgerImport.State.READY, True)
    assert not Project.objects.exists()
    caplog.clear()


def test_a_row_whose_enterprise_was_removed_is_a_conflict_and_keeps_no_other_out(here: World) -> None:
    unit = factories.enterprise("燃气公司", parent=here.root)
    made = handed_in(ledger(row(1, unit="燃气公司"), row(2)), here.staff, here.programme)
    unit.delete()
    first, second = taken_in(made)
    true_receipts(made)
    assert (first.project_id, first.result, second.result) == (None, "conflict", "created")
