"""Reminding by hand: whoever answers is told at once, once a day for one thing, and each click is counted."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from notices.models import Notice
from projects.models import Milestone, Reminder
from projects.services.refusals import Refused
from projects.services.reminders import LONGEST_NOTE, MOST_AT_ONCE, remind
from tests import factories
from tests.racing import together
from tests.test_pages import client_of

DAY = datetime.timedelta(days=1)


@pytest.fixture
def world(db: None) -> dict[str, Any]:
    return _world()


def _world() -> dict[str, Any]:
    today = timezone.localdate()
    sasac = factories.sasac()
    group, other = (factories.enterprise(name, parent=sasac) for name in ("水务集团", "公交集团"))
    programme = factories.programme(sasac, today.year)
    people = {
        "coordinator": factories.user("officer", group, name="具体甲"),
        "direct_lead": factories.user("leader", group, name="直接乙"),
    }
    project = factories.project(group, programme, **people)
    return {
        **people,
        "today": today,
        "sasac": sasac,
        "group": group,
        "programme": programme,
        "project": project,
        "milestone": factories.milestone(project, today - DAY * 3),
        "staff": factories.user("staff", sasac, name="委员戊"),
        "leader": factories.user("leader", sasac, name="领导己"),
        "other": factories.project(other, programme),
    }


def at(world: dict[str, Any], hour: int = 10) -> datetime.datetime:
    return factories.moment(world["today"], hour)


def test_coordinator_and_direct_lead_are_told_at_once_with_the_note(world: dict[str, Any]) -> None:
    (outcome,) = remind(
        milestone_ids=[world["milestone"].pk], actor=world["staff"], at=at(world), note=" 请本周报送 "
    )
    assert (outcome.refused, outcome.people) == ("", 2)
    notices = Notice.objects.order_by("pk")
    assert {n.recipient for n in notices} == {world["coordinator"], world["direct_lead"]}
    assert all(n.urgent and n.data["note"] == "请本周报送" and n.data["by"] == "委员戊" for n in notices)
    reminder = Reminder.objects.get()
    assert (reminder.enterprise, reminder.told) == (world["group"], 2)


def test_a_reminder_at_night_leaves_in_the_morning(world: dict[str, Any]) -> None:
    remind(milestone_ids=[world["milestone"].pk], actor=world["staff"], at=at(world, 22))
    assert {n.leaves_at for n in Notice.objects.all()} == {factories.moment(world["today"] + DAY, 8)}


def test_a_second_reminder_of_the_day_is_refused_and_says_who_was_first(world: dict[str, Any]) -> None:
    colleague = factories.user("staff", world["sasac"], name="委员庚")
    ids = [world["milestone"].pk]
    remind(milestone_ids=ids, actor=world["staff"], at=at(world))
    (outcome,) = remind(milestone_ids=ids, actor=colleague, at=at(world, 11))
    assert "委员戊" in outcome.refused and "10:00" in outcome.refused
    assert Notice.objects.count() == 2
    (outcome,) = remind(milestone_ids=ids, actor=colleague, at=at(world) + DAY)
    assert not outcome.refused


def test_what_owes_nothing_is_left_out_and_the_others_are_reminded(world: dict[str, Any]) -> None:
    done = factories.milestone(world["project"], world["today"], state="accepted", claimed_on=world["today"], accepted_on=world["today"])  # fmt: skip
    waiting = factories.milestone(world["project"], world["today"], awaits_extension=True)
    outcomes = remind(
        milestone_ids=[world["milestone"].pk, done.pk, waiting.pk], actor=world["staff"], at=at(world)
    )
    assert [bool(outcome.refused) for outcome in outcomes] == [False, True, True]


def test_where_both_posts_are_vacant_the_officers_are_told_instead(world: dict[str, Any]) -> None:
    project = world["project"]
    project.coordinator = project.direct_lead = None
    project.save()
    (outcome,) = remind(project_ids=[project.pk], actor=world["staff"], at=at(world))
    assert (outcome.people, outcome.instead) == (1, "officers")
    factories.user("staff", world["sasac"])
    (outcome,) = remind(project_ids=[world["other"].pk], actor=world["staff"], at=at(world))
    assert outcome.instead == "reviewer"


def test_only_staff_remind_and_nothing_too_long_or_too_much_is_cut_in_silence(world: dict[str, Any]) -> None:
    for who in ("coordinator", "direct_lead", "leader"):
        (outcome,) = remind(milestone_ids=[world["milestone"].pk], actor=world[who], at=at(world))
        assert outcome.refused
    with pytest.raises(Refused):
        remind(
            milestone_ids=[world["milestone"].pk],
            actor=world["staff"],
            at=at(world),
            note="长" * (LONGEST_NOTE + 1),
        )
    with pytest.raises(Refused):
        remind(milestone_ids=range(MOST_AT_ONCE + 1), actor=world["staff"], at=at(world))
    assert not Notice.objects.exists()


def test_ticked_rows_of_each_list_lead_to_the_note_and_then_to_what_became_of_each(
    world: dict[str, Any],
) -> None:
    from projects.services.patrol import patrol

    patrol(as_of=world["today"])
    client = client_of(world["staff"])
    episode = world["milestone"].episodes.get()
    for model, row in (
        ("project", world["project"]),
        ("milestone", world["milestone"]),
        ("overdueepisode", episode),
    ):
        page = client.post(
            reverse(f"admin:projects_{model}_changelist"),
            {"action": "remind", "_selected_action": [row.pk], "index": 0},
        )
        assert page.status_code == 200
        assert [s.pk for s in page.context["ready"]] in ([world["project"].pk], [world["milestone"].pk])
    assert not Notice.objects.exists()
    second = factories.milestone(world["project"], world["today"])
    page = client.post(
        reverse("admin:projects_milestone_remind"),
        {"id": [world["milestone"].pk, second.pk, 10**17], "note": "好"},
    )
    assert page.context["done"] == 2
    assert page.context["missing"] == 1
    again = client.post(reverse("admin:projects_milestone_remind"), {"id": [second.pk]})
    assert again.context["done"] == 0


def test_others_neither_see_the_action_nor_reach_its_page(world: dict[str, Any]) -> None:
    for who in ("coordinator", "leader"):
        client = client_of(world[who])
        page = client.get(reverse("admin:projects_milestone_changelist"))
        assert 'name="action"' not in page.content.decode()
        answer = client.post(reverse("admin:projects_milestone_remind"), {"id": [world["milestone"].pk]})
        assert answer.status_code == 302
    assert not Reminder.objects.exists()


def test_reminders_are_counted_per_enterprise_by_the_lists_own_filter(world: dict[str, Any]) -> None:
    more = factories.milestone(world["project"], world["today"])
    factories.user("staff", world["sasac"])
    remind(milestone_ids=[world["milestone"].pk, more.pk], project_ids=[world["other"].pk], actor=world["staff"], at=at(world))  # fmt: skip
    page = client_of(world["staff"]).get(reverse("admin:projects_reminder_changelist"))
    assert [(row["enterprise__name"], row["n"]) for row in page.context["per_enterprise"]] == [
        ("水务集团", 2), ("公交集团", 1),
    ]  # fmt: skip
    followed = client_of(world["staff"]).get(page.context["per_enterprise"][0]["url"])
    assert followed.context["cl"].result_count == 2
    officer = client_of(world["coordinator"]).get(reverse("admin:projects_reminder_changelist"))
    assert [row["enterprise__name"] for row in officer.context["per_enterprise"]] == ["水务集团"]


@pytest.mark.parametrize("ids", [["x"], ["²"], ["9" * 40], [""], ["-1"]])
def test_odd_ids_are_no_error(world: dict[str, Any], ids: list[str]) -> None:
    client = client_of(world["staff"])
    assert client.post(reverse("admin:projects_project_remind"), {"id": ids}).status_code == 200
    assert client.get(reverse("admin:projects_project_remind"), {"id": ids}).status_code == 200


def test_two_who_remind_at_the_same_instant_send_one_reminder(transactional_db: None) -> None:
    world = _world()
    colleague = factories.user("staff", world["sasac"])

    def click(actor: Any) -> Any:
        return lambda: remind(milestone_ids=[world["milestone"].pk], actor=actor, at=at(world))

    (first,), (second,) = together(click(world["staff"]), click(colleague))
    assert bool(first.refused) != bool(second.refused)
    assert Notice.objects.count() == 2
    assert Milestone.objects.get(pk=world["milestone"].pk).reminders.count() == 1


def test_whoever_reminds_is_not_told_of_it_where_the_line_ends_at_the_reviewers(
    world: dict[str, Any],
) -> None:
    colleague = factories.user("staff", world["sasac"], name="委员庚")
    (outcome,) = remind(project_ids=[world["other"].pk], actor=world["staff"], at=at(world))
    assert (outcome.refused, outcome.people, outcome.instead) == ("", 1, "reviewer")
    assert [notice.recipient for notice in Notice.objects.all()] == [colleague]
    assert Reminder.objects.get().told == 1


def test_where_nobody_but_whoever_reminds_is_left_nobody_is_reminded(world: dict[str, Any]) -> None:
    (outcome,) = remind(project_ids=[world["other"].pk], actor=world["staff"], at=at(world))
    assert outcome.refused
    assert not Notice.objects.exists() and not Reminder.objects.exists()


def test_control_a_reviewer_who_did_not_remind_is_told(world: dict[str, Any]) -> None:
    colleague = factories.user("staff", world["sasac"], name="委员庚")
    remind(project_ids=[world["other"].pk], actor=colleague, at=at(world))
    assert [notice.recipient for notice in Notice.objects.all()] == [world["staff"]]
