"""Visits and instructions: recorded once, answered with a note, overdue by an inclusive date, told to whom it concerns."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from journal.tracking import event_model_of
from notices.kinds import kind_of
from notices.models import Notice
from projects import deadlines
from projects.models import ActionItem, SiteVisit
from projects.services.instruction_notices import tell_overdue_items
from projects.services.refusals import Refused
from projects.services.visits import NewItem, answer, reopen
from tests import factories
from tests.visits.world import DAY, World, built, instructed, visited

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return built()


def test_a_visit_is_kept_with_what_is_to_follow(world: World) -> None:
    items = [
        NewItem(text="办结占道手续", due_on=world.today + DAY * 7, responsible_text="建设管理部"),
        NewItem(text="清理堆料", due_on=world.today, responsible_id=world.officer.pk),
    ]
    visit = visited(world, items=items, kind="meeting", companions="改革处")
    assert (visit.project, visit.leader, visit.recorded_by) == (world.project, world.leader, world.leader)
    given = {item.text: item for item in visit.items.all()}
    assert given["办结占道手续"].responsible_text == "建设管理部"
    assert given["清理堆料"].responsible == world.officer
    assert not given["清理堆料"].is_instruction and instructed(world).is_instruction


def test_both_stand_in_the_journal(world: World) -> None:
    visit, item = visited(world), instructed(world)
    for row in (visit, item):
        events: Any = event_model_of(type(row))
        assert events._base_manager.filter(pgh_obj_id=row.pk, pgh_label="insert").exists()


@pytest.mark.parametrize("days", [1, -400])
def test_a_visit_tomorrow_or_years_ago_is_a_mistyped_date(world: World, days: int) -> None:
    with pytest.raises(Refused):
        visited(world, on=world.today + DAY * days)
    assert not SiteVisit.objects.exists()


@pytest.mark.parametrize("text", ["", "  \n", "\u200b"])
def test_a_visit_without_findings_and_an_instruction_without_words_are_refused(
    world: World, text: str
) -> None:
    with pytest.raises(Refused):
        visited(world, findings=text)
    with pytest.raises(Refused):
        instructed(world, text=text)


def test_an_item_needs_a_date_from_today_on_and_one_bad_item_keeps_the_whole_visit_back(
    world: World,
) -> None:
    for due_on in (None, world.today - DAY):
        with pytest.raises(Refused):
            visited(world, items=[NewItem(text="甲", due_on=world.today), NewItem(text="乙", due_on=due_on)])
    assert not SiteVisit.objects.exists() and not ActionItem.objects.exists()


def test_officers_record_neither_and_leaders_only_on_projects_they_see(world: World) -> None:
    stranger = factories.user("leader", factories.sasac("别市国资委"))
    for actor in (world.officer, stranger):
        with pytest.raises(Refused):
            visited(world, actor=actor)
        with pytest.raises(Refused):
            instructed(world, actor=actor)
    assert visited(world, actor=world.staff).recorded_by == world.staff  # for the leader, who has no time


def test_a_leader_of_another_place_cannot_be_named(world: World) -> None:
    stranger = factories.user("leader", factories.sasac("别市国资委"))
    with pytest.raises(Refused):
        visited(world, leader_id=stranger.pk)
    other_group = factories.enterprise("燃气集团", parent=world.sasac)
    other = factories.user("officer", other_group)
    item = NewItem(text="甲", due_on=world.today, responsible_id=other.pk)
    with pytest.raises(Refused):
        instructed(world, item=item)


def test_nothing_is_added_to_an_archived_programme(world: World) -> None:
    item = instructed(world)
    world.programme.archived_on = world.today
    world.programme.save()
    with pytest.raises(Refused):
        visited(world)
    with pytest.raises(Refused):
        answer(item_id=item.pk, actor=world.officer, at=world.at, done_on=world.today, note="已办")


def test_what_is_sent_twice_from_one_page_is_one_visit_and_changed_words_are_not_lost(world: World) -> None:
    page = uuid.uuid4()
    first = visited(world, sent_from=page)
    assert visited(world, sent_from=page) == first
    with pytest.raises(Refused):
        visited(world, sent_from=page, findings="别的情况")
    one = instructed(world, sent_from=page)
    assert instructed(world, sent_from=page) == one
    assert (SiteVisit.objects.count(), ActionItem.objects.count()) == (1, 1)


# -- overdue --------------------------------------------------------------------------------------------


def test_the_date_of_an_item_is_inclusive_and_the_twins_agree(world: World) -> None:
    for days in (-1, 0, 1):
        item = instructed(world, text=f"期限 {days}")
        ActionItem.objects.filter(pk=item.pk).update(
            given_on=world.today - DAY * 9, due_on=world.today + DAY * days
        )
    done = instructed(world, text="已办")
    ActionItem.objects.filter(pk=done.pk).update(
        given_on=world.today - DAY * 9,
        due_on=world.today - DAY * 2,
        done_on=world.today,
        done_by=world.officer,
        done_note="已办",
    )
    overdue = ActionItem.objects.overdue(world.today)
    assert [item.text for item in overdue] == ["期限 -1"]
    assert {item.pk for item in ActionItem.objects.all() if deadlines.is_item_overdue(item, world.today)} == {
        item.pk for item in overdue
    }
    assert ActionItem.objects.get(pk=done.pk).days_late == 2


def test_the_database_refuses_an_answer_without_a_note_and_a_date_before_it_was_given(world: World) -> None:
    item = instructed(world)
    for wrong in ({"done_on": world.today, "done_by": world.officer}, {"due_on": world.today - DAY}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ActionItem.objects.filter(pk=item.pk).update(**wrong)


# -- answers ----------------------------------------------------------------------------------------------


def answered(world: World, item: ActionItem, **values: object) -> ActionItem:
    facts = {"actor": world.officer, "at": world.at, "done_on": world.today, "note": "已办结", **values}
    return answer(item_id=item.pk, **facts)  # type: ignore[arg-type]


def test_the_officer_answers_once_with_a_note_and_a_day(world: World) -> None:
    item = instructed(world)
    for wrong in ({"note": " "}, {"done_on": world.today + DAY}, {"done_on": world.today - DAY}):
        with pytest.raises(Refused):
            answered(world, item, **wrong)
    done = answered(world, item)
    assert (done.done_on, done.done_by, done.done_note) == (world.today, world.officer, "已办结")
    with pytest.raises(Refused):
        answered(world, item, note="再说一遍")


def test_only_officers_of_the_project_answer(world: World) -> None:
    item = instructed(world)
    sibling = factories.user("officer", factories.enterprise("燃气集团", parent=world.sasac))
    for actor in (world.leader, world.staff, sibling):
        with pytest.raises(Refused):
            answered(world, item, actor=actor)


def test_an_answer_that_does_not_hold_is_opened_again_with_what_is_missing(world: World) -> None:
    item = answered(world, instructed(world))
    with pytest.raises(Refused):
        reopen(item_id=item.pk, actor=world.officer, at=world.at, reason="重开")
    with pytest.raises(Refused):
        reopen(item_id=item.pk, actor=world.leader, at=world.at, reason=" ")
    again = reopen(item_id=item.pk, actor=world.leader, at=world.at, reason="现场仍有堆料")
    assert again.done_on is None
    told = Notice.objects.filter(recipient=world.officer, settled_at=None).get()
    assert "现场仍有堆料" in kind_of(told.kind).title(told.data)


# -- telling ----------------------------------------------------------------------------------------------


def test_who_has_to_act_is_told_at_once_and_the_leader_of_the_answer(world: World) -> None:
    item = instructed(world)
    told = Notice.objects.get()
    assert (told.recipient, told.urgent, told.kind) == (world.officer, True, "instruction")
    assert item.text in kind_of(told.kind).title(told.data)
    assert kind_of(told.kind).url(told).endswith(f"/projects/project/{world.project.pk}/#item-{item.pk}")
    assert kind_of(told.kind).still_true([told]) == {told.pk}
    answered(world, item)
    told.refresh_from_db()
    assert told.settled_at is not None and not kind_of(told.kind).still_true([told])
    answers = Notice.objects.filter(kind="answer")
    assert {notice.recipient for notice in answers} == {world.leader, world.staff}
    assert "已办结" in kind_of("answer").title(answers[0].data)


def test_a_named_account_is_told_besides_the_coordinator_and_a_vacant_post_passes_on(world: World) -> None:
    second = factories.user("officer", world.group)
    instructed(world, item=NewItem(text="甲", due_on=world.today, responsible_id=second.pk))
    assert {notice.recipient for notice in Notice.objects.all()} == {world.officer, second}
    Notice.objects.all().delete()
    world.project.coordinator = None
    world.project.save()
    instructed(world, text="乙")
    assert {notice.recipient for notice in Notice.objects.all()} == {world.officer, second}  # its officers


def test_the_patrol_tells_once_of_each_date_that_passed(world: World) -> None:
    item = instructed(world, due_on=world.today)
    Notice.objects.all().delete()
    later = world.today + DAY
    assert tell_overdue_items(as_of=world.today, at=world.at) == 0, "the day itself is in time"
    assert tell_overdue_items(as_of=later, at=world.at) == 2
    assert tell_overdue_items(as_of=later + DAY, at=world.at) == 0
    assert {notice.recipient for notice in Notice.objects.all()} == {world.officer, world.leader}
    ActionItem.objects.filter(pk=item.pk).update(due_on=later)
    assert tell_overdue_items(as_of=later + DAY, at=world.at) == 2, "a new date that passed as well"


def test_of_an_archived_programme_nobody_is_told(world: World) -> None:
    instructed(world, due_on=world.today)
    Notice.objects.all().delete()
    world.programme.archived_on = world.today
    world.programme.save()
    assert tell_overdue_items(as_of=world.today + DAY, at=world.at) == 0
