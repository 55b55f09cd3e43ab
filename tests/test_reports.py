"""Progress reports: a draft, one review, rounds that stay. What was reported counts until it is returned."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from enterprises.models import Membership
from projects.models import Milestone, ProgressReport, Project
from projects.services import reports
from projects.services.refusals import Refused
from projects.services.reviews import decide, decide_many
from tests import factories
from tests.factories import moment

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def world(today: datetime.date) -> dict[str, Any]:
    root = factories.sasac()
    group = factories.enterprise(parent=root)
    project = factories.project(group, factories.programme(root), status="not_started")
    return {
        "milestone": factories.milestone(project, today + DAY, state="not_started"),
        "officer": factories.user("officer", group),
        "staff": factories.user("staff", root),
        "colleague": factories.user("staff", root),
        "leader": factories.user("leader", root),
        "outsider": factories.user("officer", factories.enterprise("别的集团", parent=root)),
        "root": root,
        "group": group,
    }


def review(report: ProgressReport, action: str, by: Any, on: datetime.date, comment: str = "") -> Any:
    return decide(kind=ProgressReport, pk=report.pk, action=action, actor=by, at=moment(on), comment=comment)


def test_the_way_from_a_report_to_acceptance_with_a_return_in_between(
    world: dict, today: datetime.date
) -> None:
    first = factories.report(world["milestone"], world["officer"], today, percent=40)
    milestone = Milestone.objects.get()
    assert (milestone.state, milestone.percent) == ("in_progress", 40)
    assert Project.objects.get().status == "in_progress"
    with pytest.raises(Refused):
        review(first, "return", world["staff"], today, comment="  ")
    review(first, "return", world["staff"], today, comment="缺照片")
    milestone.refresh_from_db()
    assert (milestone.state, milestone.percent, milestone.comment) == ("returned", 0, "缺照片")
    second = factories.report(
        milestone, world["officer"], today + DAY * 3, claimed_on=today + DAY * 3, done="补充照片"
    )
    assert (second.round, second.percent) == (2, 100)
    milestone.refresh_from_db()
    assert milestone.comment == "", "answered; the round keeps what was said"
    done = review(second, "accept", world["staff"], today + DAY * 4).milestone
    assert (done.state, done.accepted_on, done.days_late) == ("accepted", today + DAY * 4, 2)
    first.refresh_from_db()
    assert (first.state, first.done, first.comment) == ("returned", "已完成管沟开挖 200 米", "缺照片")


def test_the_next_report_opens_with_the_last_ones_text(world: dict, today: datetime.date) -> None:
    sent = factories.report(
        world["milestone"], world["officer"], today, problems="管材未到", next_step="回填"
    )
    review(sent, "accept", world["staff"], today)
    draft = reports.open_draft(milestone_id=sent.milestone_id, actor=world["officer"], as_of=today)
    assert (draft.done, draft.problems, draft.next_step, draft.percent) == (
        sent.done,
        "管材未到",
        "回填",
        50,
    )
    again = reports.open_draft(milestone_id=sent.milestone_id, actor=world["officer"], as_of=today)
    assert again.pk == draft.pk, "one draft, however often the form is opened"


def test_withdrawing_gives_back_what_the_milestone_stood_at(world: dict, today: datetime.date) -> None:
    Milestone.objects.update(percent=35, state="in_progress")
    claim = factories.report(world["milestone"], world["officer"], today, claimed_on=today)
    assert Milestone.objects.get().state == "submitted"
    reports.withdraw(report_id=claim.pk, actor=world["officer"], at=moment(today))
    milestone = Milestone.objects.get()
    assert (milestone.state, milestone.percent, milestone.claimed_on) == ("in_progress", 35, None)
    claim.refresh_from_db()
    assert (claim.state, claim.done) == ("draft", "已完成管沟开挖 200 米")
    claim = reports.submit(report_id=claim.pk, actor=world["officer"], at=moment(today))
    review(claim, "accept", world["staff"], today)
    with pytest.raises(Refused, match=str(world["staff"])):
        reports.withdraw(report_id=claim.pk, actor=world["officer"], at=moment(today))


@pytest.mark.parametrize(
    ("texts", "word"),
    [
        ({"done": "  "}, "已完成的工作"),
        ({"percent": 100}, "100%"),
        ({"claimed_on": "future"}, "不能晚于今天"),
        ({"claimed_on": "before"}, "专项行动"),
    ],
)
def test_what_is_missing_or_wrong_is_refused_and_the_draft_stays(
    world: dict, today: datetime.date, texts: dict, word: str
) -> None:
    days = {"future": today + DAY, "before": datetime.date(2025, 12, 31)}
    texts = {k: days.get(v, v) if isinstance(v, str) else v for k, v in texts.items()}
    with pytest.raises(Refused, match=word):
        factories.report(world["milestone"], world["officer"], today, **texts)
    assert ProgressReport.objects.get().state == "draft"
    assert Milestone.objects.get().percent == 0


def test_the_database_holds_no_percentage_above_100(world: dict, today: datetime.date) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.report(world["milestone"], world["officer"], today, percent=101)


def test_no_change_is_one_step_and_counted_apart(world: dict, today: datetime.date) -> None:
    with pytest.raises(Refused):
        reports.report_no_change(milestone_id=world["milestone"].pk, actor=world["officer"], at=moment(today))
    sent = factories.report(world["milestone"], world["officer"], today, percent=40)
    with pytest.raises(Refused):
        reports.report_no_change(milestone_id=sent.milestone_id, actor=world["officer"], at=moment(today))
    review(sent, "accept", world["staff"], today)
    same = reports.report_no_change(
        milestone_id=sent.milestone_id, actor=world["officer"], at=moment(today + DAY)
    )
    assert (same.state, same.no_change, same.percent, same.done) == ("submitted", True, 40, sent.done)


def test_what_was_returned_cannot_come_back_as_no_change(world: dict, today: datetime.date) -> None:
    sent = factories.report(world["milestone"], world["officer"], today, percent=95)
    review(sent, "return", world["staff"], today, comment="照片与进度不符")
    with pytest.raises(Refused, match="退回"):
        reports.report_no_change(milestone_id=sent.milestone_id, actor=world["officer"], at=moment(today))
    assert Milestone.objects.get().percent == 0


def test_who_wrote_a_report_does_not_review_it_though_a_colleague_handed_it_in(
    world: dict, today: datetime.date
) -> None:
    Membership.objects.create(user=world["officer"], role="staff", unit=world["root"])
    world["officer"].__dict__.pop("grants", None)
    colleague = factories.user("officer", world["group"])
    draft = reports.open_draft(milestone_id=world["milestone"].pk, actor=world["officer"], as_of=today)
    reports.save_draft(report_id=draft.pk, actor=world["officer"], texts={"done": "开挖", "percent": 20})
    sent = reports.submit(report_id=draft.pk, actor=colleague, at=moment(today))
    with pytest.raises(Refused, match="本人"):
        review(sent, "accept", world["officer"], today)


def test_marks_without_width_are_no_text_and_no_reason(world: dict, today: datetime.date) -> None:
    with pytest.raises(Refused):
        factories.report(world["milestone"], world["officer"], today, done="\u200b\u2060")
    draft = ProgressReport.objects.get()
    reports.save_draft(report_id=draft.pk, actor=world["officer"], texts={"done": "通\u202e水\x0b"})
    sent = reports.submit(report_id=draft.pk, actor=world["officer"], at=moment(today))
    assert sent.done == "通水"
    with pytest.raises(Refused):
        review(sent, "return", world["staff"], today, comment="\u200b")
    with pytest.raises(Refused, match="500"):
        review(sent, "return", world["staff"], today, comment="长" * 501)


def test_the_books_of_an_archived_programme_are_closed_for_withdrawals_too(
    world: dict, today: datetime.date
) -> None:
    sent = factories.report(world["milestone"], world["officer"], today, claimed_on=today)
    type(sent.milestone.project.programme).objects.update(archived_on=today)
    with pytest.raises(Refused, match="归档"):
        reports.withdraw(report_id=sent.pk, actor=world["officer"], at=moment(today))
    assert Milestone.objects.get().state == "submitted"


def test_nobody_reviews_their_own_even_with_both_roles(world: dict, today: datetime.date) -> None:
    Membership.objects.create(user=world["officer"], role="staff", unit=world["root"])
    world["officer"].__dict__.pop("grants", None)
    sent = factories.report(world["milestone"], world["officer"], today)
    with pytest.raises(Refused, match="本人"):
        review(sent, "accept", world["officer"], today)
    assert review(sent, "accept", world["staff"], today).state == "accepted"


@pytest.mark.parametrize("who", ["officer", "leader", "outsider"])
def test_only_reviewers_of_the_unit_decide(world: dict, today: datetime.date, who: str) -> None:
    sent = factories.report(world["milestone"], world["officer"], today)
    with pytest.raises(Refused):
        review(sent, "accept", world[who], today)
    assert ProgressReport.objects.get().state == "submitted"


@pytest.mark.parametrize("who", ["staff", "leader", "outsider"])
def test_only_officers_of_the_unit_report(world: dict, today: datetime.date, who: str) -> None:
    with pytest.raises(Refused):
        factories.report(world["milestone"], world[who], today)
    assert not ProgressReport.objects.exists()


def test_whoever_comes_second_is_told_who_was_faster_and_when(world: dict, today: datetime.date) -> None:
    sent = factories.report(world["milestone"], world["officer"], today)
    review(sent, "accept", world["staff"], today)
    with pytest.raises(Refused, match=world["staff"].name) as told:
        review(sent, "return", world["colleague"], today, comment="缺照片")
    assert "12:00" in str(told.value)
    assert ProgressReport.objects.get().state == "accepted"


def test_many_are_decided_at_once_each_with_its_own_outcome(world: dict, today: datetime.date) -> None:
    project = world["milestone"].project
    sent = [
        factories.report(factories.milestone(project, today, state="in_progress"), world["officer"], today)
        for _n in range(4)
    ]
    review(sent[1], "accept", world["colleague"], today)
    outcomes = decide_many(
        kind=ProgressReport,
        pks=[report.pk for report in reversed(sent)] + [99_999_999],
        action="accept",
        actor=world["staff"],
        at=moment(today),
    )
    assert [bool(o.refused) for o in outcomes] == [False, True, False, False]
    assert world["colleague"].name in outcomes[1].refused
    assert not ProgressReport.objects.waiting().exists()


def test_how_long_a_reviewer_took_is_kept_in_working_days(world: dict) -> None:
    """2026-09-20 is a Sunday that is worked, 25 to 27 September are the Mid-autumn holiday."""
    friday, next_monday = datetime.date(2026, 9, 18), datetime.date(2026, 9, 28)
    Milestone.objects.update(due_on=datetime.date(2026, 12, 1))
    sent = factories.report(world["milestone"], world["officer"], friday)
    review(sent, "accept", world["staff"], next_monday)
    sent.refresh_from_db()
    assert sent.waited_days == 1 + 4 + 1


def test_a_decided_round_is_changed_by_no_road(world: dict, today: datetime.date) -> None:
    sent = factories.report(world["milestone"], world["officer"], today)
    ProgressReport.objects.update(needs="还未审核，可以")
    review(sent, "accept", world["staff"], today)
    with pytest.raises(Exception, match="Cannot update"), transaction.atomic():
        ProgressReport.objects.filter(pk=sent.pk).update(done="改写历史")


def test_a_draft_is_thrown_away_and_what_was_handed_in_is_not(world: dict, today: datetime.date) -> None:
    draft = reports.open_draft(milestone_id=world["milestone"].pk, actor=world["officer"], as_of=today)
    with pytest.raises(Refused):
        reports.discard(report_id=draft.pk, actor=world["staff"])
    reports.discard(report_id=draft.pk, actor=world["officer"])
    with pytest.raises(Refused):
        reports.submit(report_id=draft.pk, actor=world["officer"], at=moment(today))
    sent = factories.report(world["milestone"], world["officer"], today)
    with pytest.raises(Refused):
        reports.discard(report_id=sent.pk, actor=world["officer"])


def test_claims_that_came_with_a_ledger_get_a_report_to_review(world: dict, today: datetime.date) -> None:
    Milestone.objects.update(state="submitted", claimed_on=today, percent=100, closed_since=today)
    assert reports.adopt_claims() == 1
    assert reports.adopt_claims() == 0
    claim = ProgressReport.objects.get()
    assert (claim.state, claim.claimed_on, claim.submitted_on) == ("submitted", today, today)
    assert review(claim, "accept", world["staff"], today).milestone.state == "accepted"
