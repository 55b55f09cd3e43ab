"""A ledger on its whole way: handed in, looked at, confirmed, taken back."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from projects.importing.confirming import ask_to_confirm
from projects.importing.undoing import undo
from projects.models import LedgerImport, LedgerRow, Milestone, Project
from projects.services.refusals import Refused
from tests import factories
from tests.importing.ledgers import ON, World, codes, confirmed, handed_in, ledger, previewed, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> World:
    return world()


PIPES = [1, "牛山上山门管网改造工程", "水务集团", "4月23日", "7月底前", "60%", "推进中", "抄表到户"]
EXIT = [2, "地铁新出入口", "轨道公司", "2021.03", "2021年12月", "", "", ""]


def test_a_ledger_is_taken_in_as_it_was_understood(here: World) -> None:
    made = handed_in(ledger(PIPES, EXIT), here.staff, here.programme)
    assert made.state == LedgerImport.State.READY
    assert not Project.objects.exists()
    assert made.counts["new"] == 2
    done = confirmed(made)
    assert done.receipt["created"] == 2
    pipes = Project.objects.get(name=PIPES[1])
    assert (pipes.enterprise, pipes.starts_on, pipes.due_on) == (
        here.water,
        datetime.date(2021, 4, 23),
        datetime.date(2021, 7, 31),
    )
    assert (pipes.due_text, pipes.note, pipes.status) == ("7月底前", "抄表到户", "in_progress")
    step = pipes.milestones.get()
    assert (step.due_on, step.percent, step.state) == (pipes.due_on, 60, "in_progress")
    assert pipes.light
    assert pipes.code == "SW-01"
    assert pipes.sort_key.startswith("niu")


def test_the_journal_names_the_person_and_the_ledger(here: World) -> None:
    from journal.tracking import event_model_of

    confirmed(handed_in(ledger(PIPES), here.staff, here.programme))
    event = event_model_of(Project)._base_manager.get()
    assert event.pgh_context["by"] == "张某某"
    assert event.pgh_context["source"] == "import"


def test_what_is_not_certain_is_not_written(here: World) -> None:
    rows = [
        PIPES,
        [2, "国庆前完成的项目", "水务集团", "", "国庆前", "", "", ""],
        [3, "", "水务集团", "", "7月", "", "", ""],
    ]
    made = handed_in(ledger(*rows), here.staff, here.programme)
    assert [made.counts[key] for key in ("accepted", "needs_review", "rejected")] == [1, 1, 1]
    assert confirmed(made).receipt == {
        "created": 1, "changed": 0, "unchanged": 0, "conflict": 0, "left_out": 2, "milestones": 1,
    }  # fmt: skip


def test_the_same_ledger_twice_changes_nothing(here: World) -> None:
    confirmed(handed_in(ledger(PIPES, EXIT), here.staff, here.programme))
    again = handed_in(ledger(PIPES, EXIT), here.staff, here.programme)
    assert again.counts["unchanged"] == 2, list(
        LedgerRow.objects.filter(ledger=again).values("change", "data")
    )
    assert confirmed(again).receipt["unchanged"] == 2
    assert Project.objects.count() == 2


def test_a_changed_cell_is_a_change_of_that_field_alone(here: World) -> None:
    confirmed(handed_in(ledger(PIPES), here.staff, here.programme))
    made = handed_in(ledger([*PIPES[:4], "8月底前", *PIPES[5:]]), here.staff, here.programme)
    row = LedgerRow.objects.get(ledger=made)
    assert row.change == "changed"
    assert row.data["differences"] == {"due_on": ["2021-07-31", "2021-08-31"]}
    confirmed(made)
    project = Project.objects.get()
    assert project.due_on == datetime.date(2021, 8, 31)
    assert project.milestones.get().due_on == project.due_on


def test_the_date_of_an_approved_project_is_not_moved_by_a_ledger(here: World) -> None:
    confirmed(handed_in(ledger(PIPES), here.staff, here.programme))
    Project.objects.update(approved_on=ON)
    made = handed_in(ledger([*PIPES[:4], "8月底前", *PIPES[5:7], "新备注"]), here.staff, here.programme)
    row = LedgerRow.objects.get(ledger=made)
    assert list(row.data["differences"]) == ["note"]
    assert "FIXED_BY_APPROVAL" in {code for code, _f, _p in row.data["findings"]}
    confirmed(made)
    assert Project.objects.get().due_on == datetime.date(2021, 7, 31)
    assert Project.objects.get().note == "新备注"


def test_what_somebody_changed_after_the_preview_is_left_to_them(here: World) -> None:
    confirmed(handed_in(ledger(PIPES), here.staff, here.programme))
    made = handed_in(ledger([*PIPES[:7], "甲"]), here.staff, here.programme)
    project = Project.objects.get()
    project.note = "乙"
    project.save()
    assert confirmed(made).receipt["conflict"] == 1
    assert Project.objects.get().note == "乙"


def test_a_project_that_somebody_took_in_after_the_preview_is_not_doubled(here: World) -> None:
    made = handed_in(ledger(PIPES, EXIT), here.staff, here.programme)
    factories.project(here.water, here.programme, name=PIPES[1])
    receipt = confirmed(made).receipt
    assert (receipt["created"], receipt["conflict"]) == (1, 1)
    assert Project.objects.count() == 2


def test_confirming_twice_is_refused_and_writes_once(here: World) -> None:
    made = handed_in(ledger(PIPES), here.staff, here.programme)
    confirmed(made)
    with pytest.raises(Refused):
        ask_to_confirm(ledger_id=made.pk, actor=here.staff, reading_number=1, at=timezone.now())
    assert Project.objects.count() == 1


def test_nobody_confirms_the_ledger_of_another_person(here: World) -> None:
    made = handed_in(ledger(PIPES), here.staff, here.programme)
    other = factories.user("staff", here.root)
    with pytest.raises(Refused):
        ask_to_confirm(ledger_id=made.pk, actor=other, reading_number=1, at=timezone.now())


def test_a_preview_that_was_read_anew_is_not_confirmed_from_the_old_page(here: World) -> None:
    made = handed_in(ledger(PIPES), here.staff, here.programme)
    with pytest.raises(Refused):
        ask_to_confirm(
            ledger_id=made.pk, actor=here.staff, reading_number=made.reading_number + 1, at=timezone.now()
        )


def test_an_import_is_taken_back_as_a_whole(here: World) -> None:
    confirmed(handed_in(ledger(PIPES), here.staff, here.programme))
    made = confirmed(handed_in(ledger([*PIPES[:7], "甲"], EXIT), here.staff, here.programme))
    undo(ledger_id=made.pk, actor=here.staff, as_of=ON, at=timezone.now())
    project = Project.objects.get()
    assert (project.name, project.note) == (PIPES[1], "抄表到户")
    assert Milestone.objects.count() == 1


def test_an_import_stands_once_somebody_worked_on_it(here: World) -> None:
    made = confirmed(handed_in(ledger(PIPES), here.staff, here.programme))
    milestone = Milestone.objects.get()
    milestone.percent = 70
    milestone.save()
    with pytest.raises(Refused):
        undo(ledger_id=made.pk, actor=here.staff, as_of=ON, at=timezone.now())
    assert Project.objects.count() == 1


def test_an_officer_is_told_the_same_of_foreign_and_of_invented_units(here: World, tmp_path) -> None:
    rows = [PIPES, EXIT, [3, "不存在的项目", "甲乙丙丁股份", "", "7月", "", "", ""]]
    _preview, read = previewed(ledger(*rows), here.officer, here.programme, folder=tmp_path)
    assert [one.outcome for one in read] == ["accepted", "rejected", "rejected"]
    foreign, invented = read[1], read[2]
    assert codes(foreign) >= {"UNKNOWN_ENTERPRISE"}
    assert codes(foreign) - codes(invented) <= {"YEAR_INFERRED", "NUMERIC_MONTH"}
    assert foreign.enterprise["candidates"] == invented.enterprise["candidates"] == []
    assert [m.replace("轨道公司", "") for m in foreign.messages if "轨道公司" in m] == [
        m.replace("甲乙丙丁股份", "") for m in invented.messages if "甲乙丙丁" in m
    ]


def test_the_same_project_twice_in_a_file_is_asked_about(here: World, tmp_path) -> None:
    _preview, read = previewed(ledger(PIPES, [2, *PIPES[1:]]), here.staff, here.programme, folder=tmp_path)
    assert "DUPLICATE_IN_FILE" in codes(read[1])
    assert read[1].outcome == "needs_review"
