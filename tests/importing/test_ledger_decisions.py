"""What a person decides in the preview reaches every row it was meant for, and is not asked again."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects.importing import deciding
from projects.importing.deciding import decide
from projects.importing.faults import STATE_CELLS, faults_workbook
from projects.importing.status import read_status
from projects.models import LedgerImport, LedgerRow
from tests import factories
from tests.importing.ledgers import HEADINGS, ON, World, handed_in, ledger, world
from tests.importing.receipts import row

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> World:
    return world()


def rows_of(made: LedgerImport) -> list[LedgerRow]:
    return list(LedgerRow.objects.filter(ledger=made).order_by("position"))


def decided(made: LedgerImport, position: int, *, everywhere: bool = False, **decisions: str) -> int:
    one = LedgerRow.objects.get(ledger=made, position=position)
    return decide(
        ledger_id=made.pk, row_id=one.pk, actor=made.uploaded_by, decisions=decisions, everywhere=everywhere, as_of=ON
    )  # fmt: skip


def codes_of(one: LedgerRow) -> set[str]:
    return {code for code, _field, _params in one.data.get("findings", ())}


# -- every row -----------------------------------------------------------------------------------------


def test_a_decision_for_every_row_reaches_all_of_them(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "CHUNK", 4)
    rows = [row(n, due="国庆前") for n in range(11)] + [row(90, due="春节前"), row(91)]
    made = handed_in(ledger(*rows), here.staff, here.programme)
    # Asked in a row amid the others: those before it are meant as well.
    assert decided(made, 6, everywhere=True, deadline="2021-09-30") == 11
    after = rows_of(made)
    assert [one.outcome for one in after] == ["accepted"] * 11 + ["needs_review", "accepted"]
    assert {one.data["values"]["due_on"] for one in after[:11]} == {"2021-09-30"}
    assert [one.decided for one in after[10:]] == [{"deadline": "2021-09-30"}, {}, {}]
    made.refresh_from_db()
    assert (made.counts["accepted"], made.counts["needs_review"], made.counts["new"]) == (12, 1, 12)


def test_more_rows_than_were_decided_at_once_before_are_all_decided(here: World) -> None:
    made = handed_in(ledger(*(row(n, due="国庆前") for n in range(5_200))), here.staff, here.programme)
    assert decided(made, 1, everywhere=True, deadline="2021-09-30") == 5_200
    assert not LedgerRow.objects.filter(ledger=made).exclude(outcome="accepted").exists()


def test_deciding_for_many_rows_asks_no_more_often_than_for_few(here: World) -> None:
    asked = []
    for n in (3, 300):
        made = handed_in(ledger(*(row(k, due="国庆前") for k in range(n))), here.staff, here.programme)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert decided(made, 1, everywhere=True, deadline="2021-09-30") == n
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_of_two_rows_that_become_one_project_by_a_decision_the_later_one_is_asked_about(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one chunk, over two chunks, and against a row that was certain from the beginning."""
    for chunk in (1, 50):
        monkeypatch.setattr(deciding, "CHUNK", chunk)
        same = [row(1), [2, *row(1, unit="水务公司甲")[1:]], [3, *row(1, unit="水务公司甲")[1:]]]
        made = handed_in(ledger(*same), here.staff, here.programme)
        assert decided(made, 2, everywhere=True, enterprise="SW") == 2
        after = rows_of(made)
        assert [one.outcome for one in after] == ["accepted", "needs_review", "needs_review"]
        assert all("DUPLICATE_IN_FILE" in codes_of(one) for one in after[1:])
        (told,) = [f for f in after[1].data["findings"] if f[0] == "DUPLICATE_IN_FILE"]
        assert told[2]["row"] == after[0].row


def test_a_row_that_is_decided_late_is_no_second_one_beside_a_later_row_that_is_certain(here: World) -> None:
    made = handed_in(ledger(row(1, unit="水务公司甲"), [2, *row(1)[1:]]), here.staff, here.programme)
    assert [one.outcome for one in rows_of(made)] == ["needs_review", "accepted"]
    decided(made, 1, enterprise="SW")
    first, second = rows_of(made)
    assert (first.outcome, second.outcome) == ("needs_review", "accepted")
    assert "DUPLICATE_IN_FILE" in codes_of(first)


def test_control_a_row_alone_is_taken_after_its_decision(here: World) -> None:
    made = handed_in(ledger(row(1, unit="水务公司甲"), row(2)), here.staff, here.programme)
    decided(made, 1, enterprise="SW")
    assert [one.outcome for one in rows_of(made)] == ["accepted", "accepted"]


# -- one project, two rows --------------------------------------------------------------------------------


def coded(code: str, name: str, unit: str = "水务集团") -> list[Any]:
    return [code, 1, name, unit, "", "7月底前", "", "", ""]


CODED = ["项目编号", *HEADINGS]


@pytest.mark.parametrize("by_code_first", [True, False])
def test_a_project_that_stands_in_a_file_by_its_code_and_by_its_name_is_asked_about(
    here: World, by_code_first: bool
) -> None:
    factories.project(here.water, here.programme, name="管网改造", code="SW-01")
    rows = [coded("SW-01", "管网改造二期"), coded("", "管网改造")]
    made = handed_in(
        ledger(*(rows if by_code_first else rows[::-1]), headings=CODED), here.staff, here.programme
    )
    first, second = rows_of(made)
    assert first.project_id == second.project_id is not None
    assert ("DUPLICATE_IN_FILE" in codes_of(first), "DUPLICATE_IN_FILE" in codes_of(second)) == (False, True)
    assert second.outcome == "needs_review"


def test_a_new_project_with_a_code_and_without_one_is_asked_about(here: World) -> None:
    made = handed_in(
        ledger(coded("X-1", "管网改造"), coded("", "管网改造"), headings=CODED), here.staff, here.programme
    )
    assert [("DUPLICATE_IN_FILE" in codes_of(one)) for one in rows_of(made)] == [False, True]


def test_control_namesakes_of_two_units_found_by_their_codes_are_two_projects(here: World) -> None:
    factories.project(here.water, here.programme, name="管网改造", code="SW-01")
    factories.project(here.metro, here.programme, name="管网改造", code="GD-01")
    made = handed_in(
        ledger(coded("SW-01", "管网改造"), coded("GD-01", "管网改造", "轨道公司"), headings=CODED),
        here.staff,
        here.programme,
    )
    assert not any("DUPLICATE_IN_FILE" in codes_of(one) for one in rows_of(made))


# -- the workbook of what is left ----------------------------------------------------------------------


def workbook_of(made: LedgerImport) -> list[dict[str, Any]]:
    made.refresh_from_db()
    answer = faults_workbook(made)
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[arg-type]
    head, *rows = book.worksheets[0].iter_rows(values_only=True)
    return [dict(zip(map(str, head), one, strict=True)) for one in rows]


def test_a_row_that_was_decided_is_no_fault_any_more(here: World) -> None:
    made = handed_in(ledger(row(1, due="国庆前"), row(2, due="国庆前")), here.staff, here.programme)
    assert len(workbook_of(made)) == 2
    decided(made, 1, deadline="2021-09-30")
    (left,) = workbook_of(made)
    assert left["项目名称"] == row(2)[1]


def test_what_was_decided_of_a_row_that_is_still_open_stands_in_its_cell_and_is_not_asked_again(
    here: World,
) -> None:
    open_rows = [[*row(n, due="国庆前", unit="水务公司甲")] for n in range(1, 4)]
    open_rows[1][6] = "阿尔法"
    made = handed_in(ledger(*open_rows), here.staff, here.programme)
    decided(made, 1, deadline="2021-09-30")
    decided(made, 2, enterprise="SW", status="in_progress")
    decided(made, 3, deadline="standing")
    first, second, third = workbook_of(made)
    assert (first["完成时限"], first["责任单位"]) == ("2021-09-30", "水务公司甲")
    assert (second["责任单位"], second["状态"], second["完成时限"]) == (here.water.name, "推进中", "国庆前")
    assert third["完成时限"] == "长期"
    again = handed_in(
        ledger(*[list(one.values()) for one in (first, second, third)], headings=list(first)),
        here.staff,
        here.programme,
    )
    asked = [{code for code in codes_of(one) if code != "UNKNOWN_COLUMN"} for one in rows_of(again)]
    assert "AMBIGUOUS_DEADLINE" not in asked[0] | asked[2]
    assert "AMBIGUOUS_DEADLINE" in asked[1]
    assert not {"UNKNOWN_ENTERPRISE", "NEAR_MISS_ENTERPRISE", "UNKNOWN_STATUS"} & asked[1]
    assert rows_of(again)[0].data["values"]["due_on"] == "2021-09-30"


def test_an_enterprise_that_was_decided_where_the_sheet_has_no_column_for_it_gets_one(here: World) -> None:
    made = handed_in(
        ledger(["管网改造", "国庆前"], ["路灯", "国庆前"], headings=["项目名称", "完成时限"]),
        here.staff,
        here.programme,
    )
    decided(made, 1, everywhere=True, enterprise="SW")
    assert [one["责任单位"] for one in workbook_of(made)] == [here.water.name] * 2


@pytest.mark.parametrize(("state", "words"), STATE_CELLS.items())
def test_a_state_in_the_workbook_is_read_as_that_state(state: str, words: str) -> None:
    assert (read_status(words).status, read_status(words).findings) == (state, ())
