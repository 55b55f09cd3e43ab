"""Extension requests: the clock stands still while one waits, and only an approval moves a date."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from projects.deadlines import is_overdue
from projects.models import ExtensionRequest, Milestone, OverdueEpisode, Project
from projects.services import extensions
from projects.services.extensions import Extended, granted
from projects.services.lights import refresh_lights
from projects.services.patrol import patrol
from projects.services.refusals import Refused
from projects.services.reviews import decide
from tests import factories
from tests.factories import moment

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def world(today: datetime.date) -> dict[str, Any]:
    root = factories.sasac()
    group = factories.enterprise(parent=root)
    project = factories.project(
        group,
        factories.programme(root),
        approved_on=today - DAY * 90,
        starts_on=today - DAY * 60,
        due_on=today + DAY * 40,
    )
    return {
        "project": project,
        "milestone": factories.milestone(project, today, percent=60, starts_on=today - DAY * 10),
        "next": factories.milestone(project, today + DAY * 20, state="not_started"),
        "last": factories.milestone(project, today + DAY * 40, state="not_started"),
        "officer": factories.user("officer", group),
        "staff": factories.user("staff", root),
        "leader": factories.user("leader", root),
        "outsider": factories.user("officer", factories.enterprise("别的集团", parent=root)),
    }


def ask(world: dict, on: datetime.date, to_on: datetime.date, **values: Any) -> ExtensionRequest:
    return factories.extension(world["milestone"], world["officer"], on, to_on, **values)


def rule(world: dict, request: ExtensionRequest, action: str, on: datetime.date) -> ExtensionRequest:
    return decide(  # type: ignore[return-value]
        kind=ExtensionRequest,
        pk=request.pk,
        action=action,
        actor=world["staff"],
        at=moment(on),
        comment="见批复",
    )


def test_filed_in_time_it_stops_the_clock_until_it_is_decided(world: dict, today: datetime.date) -> None:
    request = ask(world, today, today + DAY * 15)
    assert not request.is_late
    milestone = Milestone.objects.get(pk=world["milestone"].pk)
    assert milestone.awaits_extension
    assert not is_overdue(milestone, today + DAY * 5)
    assert patrol(as_of=today + DAY * 5).opened == 0
    refresh_lights(as_of=today + DAY * 5)
    project = Project.objects.get()
    assert (project.light, project.light_reason["rule"]) == ("yellow", "extension")
    rule(world, request, "reject", today + DAY * 5)
    assert patrol(as_of=today + DAY * 5).opened == 1
    assert OverdueEpisode.objects.get().opened_on == today + DAY, "overdue again as from the original date"


def test_filed_after_the_date_it_is_marked_and_freezes_nothing(world: dict, today: datetime.date) -> None:
    request = ask(world, today + DAY, today + DAY * 15)
    assert request.is_late
    assert patrol(as_of=today + DAY).opened == 1


def test_an_approval_moves_the_date_and_never_the_promise(world: dict, today: datetime.date) -> None:
    request = ask(world, today, today + DAY * 15)
    rule(world, request, "approve", today + DAY * 2)
    milestone = Milestone.objects.get(pk=world["milestone"].pk)
    assert (milestone.due_on, milestone.baseline_due_on) == (today + DAY * 15, today)
    assert not milestone.awaits_extension
    assert patrol(as_of=today + DAY * 15).opened == 0
    assert Project.objects.get().due_on == today + DAY * 40, "still within the project's own date"
    second = ask(world, today + DAY * 14, today + DAY * 45)
    rule(world, second, "approve", today + DAY * 14)
    assert granted([milestone.pk]) == {milestone.pk: Extended(2, 45)}
    project = Project.objects.get()
    assert (project.due_on, project.baseline_due_on) == (today + DAY * 45, today + DAY * 40)
    milestone.refresh_from_db()
    assert milestone.baseline_due_on == today


def test_later_milestones_move_along_exactly_as_listed(world: dict, today: datetime.date) -> None:
    shifts = {world["next"].pk: today + DAY * 35, world["last"].pk: today + DAY * 55}
    request = ask(world, today, today + DAY * 15, shifts=shifts)
    assert [(s.from_on, s.to_on) for s in request.shifts.all()] == [  # type: ignore[attr-defined]
        (today + DAY * 20, today + DAY * 35),
        (today + DAY * 40, today + DAY * 55),
    ]
    assert (request.project_from_on, request.project_to_on) == (today + DAY * 40, today + DAY * 55)
    rule(world, request, "approve", today)
    assert list(Milestone.objects.order_by("due_on").values_list("due_on", flat=True)) == [
        today + DAY * 15,
        today + DAY * 35,
        today + DAY * 55,
    ]
    assert Project.objects.get().due_on == today + DAY * 55
    assert granted([world["last"].pk]) == {world["last"].pk: Extended(1, 15)}


def test_an_approval_moves_all_that_it_lists_or_nothing(world: dict, today: datetime.date) -> None:
    request = ask(world, today, today + DAY * 15, shifts={world["next"].pk: today + DAY * 35})
    Milestone.objects.filter(pk=world["next"].pk).update(due_on=today + DAY * 22)
    with pytest.raises(Refused, match=world["next"].name):
        rule(world, request, "approve", today)
    assert Milestone.objects.get(pk=world["milestone"].pk).due_on == today
    assert ExtensionRequest.objects.get().state == "submitted"
    assert rule(world, request, "return", today).state == "returned"


@pytest.mark.parametrize("foreign", [True, False])
def test_only_later_open_milestones_of_the_project_move_along(
    world: dict, today: datetime.date, foreign: bool
) -> None:
    other = factories.project(world["project"].enterprise, world["project"].programme)
    moved = (
        factories.milestone(other, today + DAY * 5)
        if foreign
        else factories.milestone(world["project"], today - DAY * 5)
    )
    with pytest.raises(Refused):
        ask(world, today, today + DAY * 9, shifts={moved.pk: today + DAY * 30})
    assert Milestone.objects.get(pk=moved.pk).due_on == moved.due_on


@pytest.mark.parametrize(
    "texts",
    [
        {"to_on": None},
        {"reason": "  "},
        {"reason_class": ""},
        {"to_on": datetime.date(2026, 6, 10)},
        {"to_on": datetime.date(2027, 1, 1)},
    ],
)
def test_what_is_missing_or_beyond_the_programme_is_refused(
    world: dict, today: datetime.date, texts: dict
) -> None:
    with pytest.raises(Refused):
        ask(world, today, texts.pop("to_on", today + DAY * 9), **texts)
    assert ExtensionRequest.objects.get().state == "draft"
    assert not Milestone.objects.get(pk=world["milestone"].pk).awaits_extension


def test_before_approval_there_is_nothing_to_ask_for(world: dict, today: datetime.date) -> None:
    other = factories.project(world["project"].enterprise, world["project"].programme)
    free = factories.milestone(other, today)
    with pytest.raises(Refused):
        extensions.open_draft(milestone_id=free.pk, actor=world["officer"], as_of=today)


def test_one_request_waits_at_a_time_and_withdrawing_starts_the_clock(
    world: dict, today: datetime.date
) -> None:
    request = ask(world, today, today + DAY * 15)
    with pytest.raises(Refused):
        extensions.open_draft(milestone_id=world["milestone"].pk, actor=world["officer"], as_of=today)
    extensions.withdraw(request_id=request.pk, actor=world["officer"], at=moment(today))
    assert not Milestone.objects.get(pk=world["milestone"].pk).awaits_extension
    assert patrol(as_of=today + DAY).opened == 1
    again = extensions.submit(request_id=request.pk, actor=world["officer"], at=moment(today + DAY))
    assert again.is_late, "the day on which it was filed in the end is what counts"


def test_a_returned_request_opens_the_next_round_with_its_text(world: dict, today: datetime.date) -> None:
    first = ask(world, today, today + DAY * 15)
    rule(world, first, "return", today)
    draft = extensions.open_draft(milestone_id=world["milestone"].pk, actor=world["officer"], as_of=today)
    assert (draft.round, draft.to_on, draft.reason) == (2, today + DAY * 15, first.reason)


@pytest.mark.parametrize("who", ["officer", "leader", "outsider"])
def test_only_a_competent_reviewer_decides(world: dict, today: datetime.date, who: str) -> None:
    request = ask(world, today, today + DAY * 15)
    with pytest.raises(Refused):
        decide(kind=ExtensionRequest, pk=request.pk, action="approve", actor=world[who], at=moment(today))
    assert Milestone.objects.get(pk=world["milestone"].pk).due_on == today


def test_claiming_while_a_request_waits_leaves_both_to_be_decided(world: dict, today: datetime.date) -> None:
    request = ask(world, today, today + DAY * 15)
    factories.report(world["milestone"], world["officer"], today + DAY, claimed_on=today + DAY)
    rule(world, request, "approve", today + DAY * 2)
    milestone = Milestone.objects.get(pk=world["milestone"].pk)
    assert (milestone.state, milestone.due_on, milestone.days_late) == ("submitted", today + DAY * 15, 0)
