"""Climbing the ladder: each rung once per episode, to whoever holds the post, stopped by action."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from enterprises.models import Membership, User
from notices.kinds import kind_of
from notices.models import Notice, Robot
from projects.ladder import Recipient, Rung
from projects.models import Escalation, LadderRung, Milestone, OverdueEpisode, PatrolRun, SetAside
from projects.services import climbing, rounds
from projects.services.climbing import climb
from projects.services.ladders import fault_in
from projects.services.patrol import patrol
from projects.services.rounds import go_round
from tests import factories
from tests.racing import together

DAY = datetime.timedelta(days=1)
#: A Wednesday, with no holiday within three weeks after it: the Dragon Boat festival is 19 June 2026.
DUE = datetime.date(2026, 7, 8)


@pytest.fixture
def world(db: None) -> dict[str, Any]:
    sasac = factories.sasac()
    group = factories.enterprise(parent=sasac)
    programme = factories.programme(sasac)
    people = {
        "coordinator": factories.user("officer", group, name="具体甲"),
        "direct_lead": factories.user("leader", group, name="直接乙"),
        "accountable_lead": factories.user("leader", group, name="责任丙"),
        "liaison_leader": factories.user("leader", sasac, name="挂点丁"),
    }
    reviewer = factories.user("staff", sasac, name="委员戊")
    project = factories.project(group, programme, **people)
    return {
        **people,
        "sasac": sasac,
        "group": group,
        "programme": programme,
        "project": project,
        "reviewer": reviewer,
        "milestone": factories.milestone(project, DUE),
    }


def walk(day: datetime.date, hour: int = 1) -> climbing.Climbed:
    """What the worker does on a day: episodes, then the ladder."""
    patrol(as_of=day)
    return climb(as_of=day, at=factories.moment(day, hour))


def told() -> list[tuple[str, int]]:
    """(who, rung) in the order of the rungs."""
    rows = Notice.objects.order_by("data__days", "pk").values_list("recipient__name", "data__days")
    return [(name, days) for name, days in rows]


def test_each_rung_is_told_once_on_its_working_day_to_the_one_it_names(world: dict[str, Any]) -> None:
    for n in range(-12, 25):
        walk(DUE + DAY * n)
        walk(DUE + DAY * n, hour=9)
    assert told() == [
        ("具体甲", -7), ("具体甲", -1), ("直接乙", 1), ("责任丙", 3), ("委员戊", 7), ("挂点丁", 15),
    ]  # fmt: skip
    on = dict(Escalation.objects.values_list("days", "on"))
    assert on == {
        -7: datetime.date(2026, 6, 29),
        -1: datetime.date(2026, 7, 7),
        1: datetime.date(2026, 7, 9),
        3: datetime.date(2026, 7, 13),
        7: datetime.date(2026, 7, 17),
        15: datetime.date(2026, 7, 29),
    }
    assert list(Escalation.objects.order_by("days").values_list("order", flat=True)) == [
        "", "", "", "", "yellow", "red",
    ]  # fmt: skip


def test_days_off_are_caught_up_with_the_true_days(world: dict[str, Any]) -> None:
    walk(DUE)
    walk(DUE + DAY * 9)  # Friday 17 July: +1, +3 and +7 have passed meanwhile
    assert [days for _who, days in told() if days > 0] == [1, 3, 7]
    on = Escalation.objects.filter(days__gt=0).order_by("days").values_list("on", flat=True)
    assert list(on) == [datetime.date(2026, 7, 9), datetime.date(2026, 7, 13), datetime.date(2026, 7, 17)]


def test_only_the_nearest_rung_before_the_date_is_told_when_several_passed_unseen(
    world: dict[str, Any],
) -> None:
    walk(DUE - DAY)
    assert told() == [("具体甲", -1)]


def test_an_action_stops_the_climb_and_settles_what_was_told(world: dict[str, Any]) -> None:
    go_round(at=factories.moment(DUE + DAY, 1))
    (notice,) = Notice.objects.filter(kind="overdue")
    factories.report(world["milestone"], world["coordinator"], DUE + DAY, claimed_on=DUE + DAY)
    go_round(at=factories.moment(DUE + DAY * 9, 1))
    assert [days for _who, days in told() if days > 1] == []
    notice.refresh_from_db()
    assert notice.settled_at is not None


def test_what_comes_back_from_review_climbs_anew_and_not_all_rungs_at_once(world: dict[str, Any]) -> None:
    walk(DUE + DAY)
    Milestone.objects.update(state="submitted", claimed_on=DUE + DAY, closed_since=DUE + DAY)
    walk(DUE + DAY * 2)
    back = DUE + DAY * 30
    Milestone.objects.update(state="returned", claimed_on=None, open_since=back)
    Notice.objects.all().delete()
    walk(back)
    assert OverdueEpisode.objects.count() == 2
    # `back` is a Friday: its own working day is the first of the new episode.
    assert told() == [("直接乙", 1)]


def test_a_vacant_post_passes_to_the_next_and_says_so(world: dict[str, Any]) -> None:
    project = world["project"]
    project.direct_lead, project.direct_lead_text = None, "李某某 139"
    project.save()
    walk(DUE + DAY)
    assert ("责任丙", 1) in told()
    escalation = Escalation.objects.get(days=1)
    assert (escalation.recipient, escalation.told_instead, escalation.told) == (
        "direct_lead", "accountable", 1,
    )  # fmt: skip
    notice = Notice.objects.get(data__days=1)
    assert "李某某" not in str(notice.data)
    assert notice.data["instead"] == "accountable"
    assert kind_of(notice.kind).title(notice.data)


def test_an_account_whose_membership_has_ended_leaves_its_post_vacant(world: dict[str, Any]) -> None:
    Membership.objects.filter(user=world["direct_lead"]).update(valid_until=DUE)
    walk(DUE + DAY)
    assert ("责任丙", 1) in told()
    assert ("直接乙", 1) not in told()


def test_where_nobody_is_named_the_officers_hear_and_then_the_reviewers(world: dict[str, Any]) -> None:
    bare = factories.project(world["group"], world["programme"])
    factories.milestone(bare, DUE)
    walk(DUE + DAY)
    assert ("具体甲", 1) in told()  # the enterprise's officer
    User.objects.filter(pk=world["coordinator"].pk).update(is_active=False)
    walk(DUE + DAY * 5)
    step = Escalation.objects.get(milestone__project=bare, days=3)
    assert step.told_instead == "reviewer"


def test_a_rung_that_nobody_can_be_told_of_is_written_down_as_such(world: dict[str, Any]) -> None:
    User.objects.update(is_active=False)
    result = walk(DUE + DAY)
    assert (result.rungs, result.told) == (1, 0)
    assert Escalation.objects.get(days=1).told_instead == "nobody"


def test_who_acts_for_a_colleague_is_told_too_and_learns_for_whom(world: dict[str, Any]) -> None:
    deputy = factories.user("leader", world["group"], name="代理己", acting_for=world["direct_lead"])
    away = factories.user("leader", world["group"], name="过期庚")
    Membership.objects.filter(user=away).update(acting_for=world["direct_lead"], valid_until=DUE)
    walk(DUE + DAY)
    hearers = {who for who, days in told() if days == 1}
    assert hearers == {"直接乙", "代理己"}
    assert Notice.objects.get(recipient=deputy).data["acting_for"] == "直接乙"


def test_one_person_in_two_posts_hears_once(world: dict[str, Any]) -> None:
    LadderRung.objects.create(programme=world["programme"], days=1, recipient=Recipient.DIRECT_LEAD)
    LadderRung.objects.create(programme=world["programme"], days=1, recipient=Recipient.ACCOUNTABLE_LEAD)
    world["project"].accountable_lead = world["direct_lead"]
    world["project"].save()
    result = walk(DUE + DAY)
    assert (result.rungs, result.told) == (2, 1)


def test_the_programmes_own_ladder_replaces_the_default_and_can_be_off(world: dict[str, Any]) -> None:
    LadderRung.objects.create(programme=world["programme"], days=2, recipient=Recipient.REVIEWER)
    for n in range(-9, 20):
        walk(DUE + DAY * n)
    assert told() == [("委员戊", 2)]
    world["programme"].ladder_on = False
    world["programme"].save()
    factories.milestone(world["project"], DUE)
    walk(DUE + DAY * 20)
    assert told() == [("委员戊", 2)]


def test_an_urgent_rung_waits_for_the_end_of_quiet_hours(world: dict[str, Any]) -> None:
    LadderRung.objects.create(
        programme=world["programme"], days=1, recipient=Recipient.DIRECT_LEAD, urgent=True
    )
    walk(DUE + DAY, hour=1)
    notice = Notice.objects.get()
    assert notice.urgent
    assert notice.leaves_at == factories.moment(DUE + DAY, 8)


def test_a_milestone_that_cannot_be_told_of_is_set_aside_and_the_rest_goes_on(
    world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = factories.milestone(world["project"], DUE)
    real = climbing.Climb.steps_of

    def steps_of(self: climbing.Climb, episode: OverdueEpisode) -> list[climbing.Step]:
        if episode.milestone_id == poison.pk:
            raise ValueError("poison")
        return real(self, episode)

    monkeypatch.setattr(climbing.Climb, "steps_of", steps_of)
    result = walk(DUE + DAY)
    assert (result.rungs, result.set_aside) == (1, 1)
    assert "poison" in SetAside.objects.get().error
    assert walk(DUE + DAY).rungs == 0
    run = PatrolRun.objects.filter(escalated=1).get()
    assert run.set_aside == 1


def test_groups_of_the_enterprise_hear_of_every_overdue_rung_and_the_sasacs_only_of_what_reaches_it(
    world: dict[str, Any],
) -> None:
    own = Robot.objects.create(enterprise=world["group"], name="集团群", kind="wecom", address="x")
    top = Robot.objects.create(enterprise=world["sasac"], name="委机关群", kind="feishu", address="x")
    other = factories.enterprise("别家", parent=world["sasac"])
    Robot.objects.create(enterprise=other, name="别家群", kind="wecom", address="x")
    for n in range(-12, 25):
        walk(DUE + DAY * n)
    by_robot: dict[int | None, list[int]] = {}
    for robot_id, days in Notice.objects.filter(robot__isnull=False).values_list("robot_id", "data__days"):
        by_robot.setdefault(robot_id, []).append(days)
    assert {pk: sorted(days) for pk, days in by_robot.items()} == {own.pk: [1, 3, 7, 15], top.pk: [7, 15]}


def test_five_workers_at_once_tell_each_rung_once(transactional_db: None) -> None:
    sasac = factories.sasac()
    group = factories.enterprise(parent=sasac)
    lead = factories.user("leader", group)
    project = factories.project(group, factories.programme(sasac), direct_lead=lead, coordinator=lead)
    for _n in range(60):
        factories.milestone(project, DUE)
        factories.milestone(project, DUE + DAY * 2)
    patrol(as_of=DUE + DAY)

    def work() -> None:
        climb(as_of=DUE + DAY, at=factories.moment(DUE + DAY), batch=7)

    together(*[work] * 5)
    climb(as_of=DUE + DAY, at=factories.moment(DUE + DAY))  # what was locked by another in the last round
    assert Escalation.objects.filter(days=1).count() == 60
    assert Escalation.objects.filter(days=-1).count() == 60
    assert Notice.objects.count() == 120


def test_rungs_are_told_of_hundreds_with_as_many_questions_as_of_one(
    world: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    for _n in range(300):
        factories.milestone(world["project"], DUE)
    patrol(as_of=DUE + DAY)
    with django_assert_max_num_queries(40):
        result = climb(as_of=DUE + DAY, at=factories.moment(DUE + DAY))
    assert result.rungs == 301


def test_a_rung_needs_a_day() -> None:
    assert fault_in([Rung(0, Recipient.COORDINATOR)])
    assert fault_in([])
    assert fault_in([Rung(1, Recipient.COORDINATOR), Rung(1, Recipient.COORDINATOR, urgent=True)])
    assert not fault_in([Rung(1, Recipient.COORDINATOR), Rung(1, Recipient.REVIEWER)])


def test_lights_that_fail_keep_nobody_from_being_told(
    world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_arguments: Any) -> int:
        raise ValueError("poison")

    monkeypatch.setattr(rounds, "follow_patrol", fail)
    with pytest.raises(ValueError, match="poison"):
        rounds.go_round(at=factories.moment(DUE + DAY, 1))
    assert ("直接乙", 1) in told()
