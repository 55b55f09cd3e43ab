"""What colleagues do between the preview of a ledger and its confirmation, or at the same instant, stands."""

from __future__ import annotations

import datetime
import threading
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from journal.tracking import event_model_of
from projects.importing import confirming, meanwhile
from projects.importing.working import work_on
from projects.models import LedgerImport, LedgerRow, Milestone, Project
from projects.services.projects import approve
from tests import factories
from tests.forms import form_of
from tests.importing.ledgers import HEADINGS, ON, World, handed_in, ledger, world
from tests.importing.receipts import (
    ROUNDS,
    SUPPORTED,
    after,
    asked,
    holding,
    row,
    save_of,
    there_already,
    true_receipts,
    written,
)
from tests.racing import together, until_somebody_waits
from tests.test_pages import client_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def here() -> World:
    return world()


def test_of_a_form_and_a_ledger_at_once_one_is_told(here: World) -> None:
    colleague = factories.user("staff", here.root)
    for number in range(ROUNDS):
        project = there_already(here, number)
        made = handed_in(ledger(row(number, note="台账")), here.staff, here.programme)
        save = save_of(project, colleague, note="同事")
        asked(made)
        answer, _done = together(save, partial(written, made))
        true_receipts(made)
        project.refresh_from_db()
        if answer.status_code == 302:
            assert (project.note, made.receipt["conflict"]) == ("同事", 1)
        else:
            assert (answer.status_code, project.note, made.receipt["changed"]) == (409, "台账", 1)


def test_a_colleague_who_saves_while_the_ledger_waits_for_the_row_is_not_overwritten(here: World) -> None:
    project, held = there_already(here), threading.Event()
    made = handed_in(ledger(row(1, note="台账")), here.staff, here.programme)
    asked(made)
    change = lambda: Project.objects.filter(pk=project.pk).update(note="同事")  # noqa: E731
    together(holding(project, change, held), after(held, lambda: written(made)))
    true_receipts(made)
    project.refresh_from_db()
    assert (project.note, made.receipt["conflict"]) == ("同事", 1)


def test_control_without_the_comparison_of_versions_the_colleague_is_overwritten(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = there_already(here)
    made = handed_in(ledger(row(1, note="台账")), here.staff, here.programme)
    Project.objects.filter(pk=project.pk).update(note="同事")
    shown = dict(LedgerRow.objects.filter(ledger=made).values_list("project_id", "version"))
    monkeypatch.setattr(meanwhile, "versions_of", lambda rows: shown)
    asked(made)
    written(made)
    project.refresh_from_db()
    assert project.note == "台账"


def test_supporting_enterprises_that_a_colleague_chose_meanwhile_stand(here: World) -> None:
    project = there_already(here)
    made = handed_in(ledger([*row(1), "轨道公司"], headings=SUPPORTED), here.staff, here.programme)
    assert "supporting_enterprises" in LedgerRow.objects.get(ledger=made).data["differences"]
    project.supporting_enterprises.set([here.root])
    asked(made)
    written(made)
    true_receipts(made)
    assert list(project.supporting_enterprises.all()) == [here.root]
    assert made.receipt["conflict"] == 1


def test_a_milestone_that_a_colleague_dated_otherwise_meanwhile_keeps_its_date(here: World) -> None:
    project, day = there_already(here), datetime.date(2021, 10, 15)
    made = handed_in(ledger(row(1, due="8月底前")), here.staff, here.programme)
    Milestone.objects.filter(project=project).update(due_on=day)
    asked(made)
    written(made)
    true_receipts(made)
    assert Milestone.objects.get().due_on == day


def test_a_name_that_a_colleague_gave_away_meanwhile_is_a_conflict_of_that_row_alone(here: World) -> None:
    headings = ["编号", *HEADINGS]
    first, second = there_already(here, 1), there_already(here, 2)
    renamed = [*row(1)[:1], "改名后的项目", *row(1)[2:]]
    made = handed_in(
        ledger([first.code, *renamed], [second.code, *row(2, note="台账")], headings=headings),
        here.staff,
        here.programme,
    )
    assert made.counts["changed"] == 2
    factories.project(here.water, here.programme, name="改名后的项目")
    asked(made)
    written(made)
    true_receipts(made)
    assert (made.receipt["changed"], made.receipt["conflict"]) == (1, 1)
    first.refresh_from_db()
    assert first.name == row(1)[1]


def test_a_project_that_two_rows_speak_of_is_changed_by_the_first(here: World) -> None:
    """One calls it by its code, the other by its name."""
    project = there_already(here)
    rows = [[project.code, *row(1, note="甲")], ["", *row(1, note="乙")]]
    made = handed_in(ledger(*rows, headings=["项目编号", *HEADINGS]), here.staff, here.programme)
    asked(made)
    written(made)
    true_receipts(made)
    project.refresh_from_db()
    assert (project.note, made.receipt["changed"]) == ("甲", 1)


def test_a_project_that_is_removed_while_the_ledger_waits_for_it_is_a_conflict(here: World) -> None:
    project, held = there_already(here), threading.Event()
    made = handed_in(ledger(row(1, note="台账"), row(2)), here.staff, here.programme)
    asked(made)
    together(holding(project, project.delete, held), after(held, lambda: written(made)))
    true_receipts(made)
    assert (made.receipt["created"], made.receipt["conflict"]) == (1, 1)


def test_a_ledger_never_moves_a_date_that_was_approved(here: World) -> None:
    for number in range(ROUNDS):
        project = there_already(here, number)
        made = handed_in(ledger(row(number, due="8月底前")), here.staff, here.programme)
        asked(made)
        together(partial(approve, project_id=project.pk, actor=here.staff, as_of=ON), partial(written, made))
        true_receipts(made)
        told = list(
            event_model_of(Project)
            ._base_manager.filter(pgh_obj_id=project.pk)
            .order_by("pgh_id")
            .values_list("approved_on", "due_on")
        )
        promised = next(due for approved, due in told if approved)
        assert {due for approved, due in told if approved} == {promised}
        due = datetime.date(2021, 8 if made.receipt["changed"] else 7, 31)
        assert promised == due == project.milestones.get().due_on


def test_an_approval_under_way_is_waited_for_and_stands(here: World) -> None:
    project, held = there_already(here), threading.Event()
    made = handed_in(ledger(row(1, due="8月底前")), here.staff, here.programme)
    asked(made)
    change = lambda: approve(project_id=project.pk, actor=here.staff, as_of=ON)  # noqa: E731
    together(holding(project, change, held), after(held, lambda: written(made)))
    true_receipts(made)
    project.refresh_from_db()
    assert (made.receipt["conflict"], project.due_on) == (1, datetime.date(2021, 7, 31))


def test_codes_that_a_form_and_a_ledger_draw_at_once_are_different(here: World) -> None:
    client = client_of(here.officer)
    url = "/projects/project/add/"
    blank = form_of(client.get(url)) | {"milestones-TOTAL_FORMS": 0}
    for number in range(ROUNDS):
        made = handed_in(
            ledger(*(row(n) for n in range(number * 100, number * 100 + 5))), here.staff, here.programme
        )
        asked(made)
        facts = {"programme": here.programme.pk, "enterprise": here.water.pk, "name": f"同时登记{number}"}
        answer, _done = together(partial(client.post, url, blank | facts), partial(written, made))
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        true_receipts(made)
        assert made.receipt["created"] == 5
    codes = Project.objects.values_list("code", flat=True)
    assert len(set(codes)) == len(codes) == ROUNDS * 6


def test_a_form_that_waits_for_the_ledger_draws_another_code(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form has drawn its code when the ledger, which drew the same, is about to commit."""
    client = client_of(here.officer)
    url = "/projects/project/add/"
    facts = {"programme": here.programme.pk, "enterprise": here.water.pk, "name": "同时登记"}
    data = form_of(client.get(url)) | {"milestones-TOTAL_FORMS": 0} | facts
    made = handed_in(ledger(row(1)), here.staff, here.programme)
    asked(made)
    close, held = confirming._close, threading.Event()

    def slowly(*args: Any) -> None:
        held.set()
        until_somebody_waits()
        close(*args)

    monkeypatch.setattr(confirming, "_close", slowly)
    _done, answer = together(lambda: written(made), after(held, lambda: client.post(url, data)))
    assert answer.status_code == 302
    assert sorted(Project.objects.values_list("code", flat=True)) == ["SW-01", "SW-02"]


def test_a_form_with_the_name_that_a_ledger_takes_in_is_told(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(here.officer)
    url = "/projects/project/add/"
    facts = {"programme": here.programme.pk, "enterprise": here.water.pk, "name": row(1)[1]}
    data = form_of(client.get(url)) | {"milestones-TOTAL_FORMS": 0} | facts
    made = handed_in(ledger(row(1)), here.staff, here.programme)
    asked(made)
    close, held = confirming._close, threading.Event()

    def slowly(*args: Any) -> None:
        held.set()
        until_somebody_waits()
        close(*args)

    monkeypatch.setattr(confirming, "_close", slowly)
    _done, answer = together(lambda: written(made), after(held, lambda: client.post(url, data)))
    assert answer.status_code == 200, "the form once more, with what is wrong"
    true_receipts(made)
    assert Project.objects.count() == 1


def test_who_lost_the_role_after_the_preview_writes_nothing(here: World) -> None:
    made = handed_in(ledger(row(1)), here.officer, here.programme)
    asked(made)
    here.officer.memberships.update(valid_until=timezone.localdate() - datetime.timedelta(days=1))
    work_on(ledger_id=made.pk, as_of=ON, now=timezone.now)
    made.refresh_from_db()
    assert made.state == LedgerImport.State.READY
    assert made.fault
    assert not Project.objects.exists()


def test_who_loses_the_role_while_the_ledger_waits_its_turn_writes_nothing(here: World) -> None:
    made = handed_in(ledger(row(1)), here.officer, here.programme)
    asked(made)
    held = threading.Event()

    def turn_of_another() -> None:
        with transaction.atomic():
            confirming.take_turns(here.programme.pk)
            held.set()
            until_somebody_waits()
            here.officer.memberships.update(valid_until=timezone.localdate() - datetime.timedelta(days=1))

    together(
        turn_of_another,
        after(held, lambda: work_on(ledger_id=made.pk, as_of=ON, now=timezone.now)),
    )
    made.refresh_from_db()
    assert made.state == LedgerImport.State.READY
    assert not Project.objects.exists()


def test_who_works_for_another_unit_now_leaves_the_rows_of_the_former(here: World) -> None:
    project = there_already(here, 2)
    made = handed_in(ledger(row(1), row(2, note="台账")), here.officer, here.programme)
    assert (made.counts["new"], made.counts["changed"]) == (1, 1)
    here.officer.memberships.update(unit=here.metro)
    asked(made)
    written(made)
    true_receipts(made)
    project.refresh_from_db()
    assert (made.receipt["created"], made.receipt["changed"], project.note) == (0, 0, "")
