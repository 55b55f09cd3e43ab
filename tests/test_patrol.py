"""The patrol: each overdue event once, dated at the true day, closed with the cause."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection

from projects.models import Milestone, OverdueEpisode, PatrolRun, ProgressReport, SetAside
from projects.services.patrol import last_run, patrol, retry_set_aside
from projects.services.reviews import decide
from tests import factories

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def world(today: datetime.date) -> dict:
    root = factories.sasac()
    group = factories.enterprise(parent=root)
    programme = factories.programme(root)
    project = factories.project(group, programme)
    return {
        "programme": programme,
        "project": project,
        "officer": factories.user("officer", group),
        "staff": factories.user("staff", root),
    }


def test_nothing_opens_on_the_due_day_and_one_episode_opens_the_day_after(
    world: dict, today: datetime.date
) -> None:
    milestone = factories.milestone(world["project"], today)
    assert patrol(as_of=today).opened == 0
    assert patrol(as_of=today + DAY).opened == 1
    episode = OverdueEpisode.objects.get()
    assert (episode.milestone, episode.due_on, episode.opened_on) == (milestone, today, today + DAY)


def test_a_second_run_does_nothing_and_idle_runs_share_one_row(world: dict, today: datetime.date) -> None:
    factories.milestone(world["project"], today - DAY)
    assert patrol(as_of=today).opened == 1
    for _round in range(3):
        assert (patrol(as_of=today).opened, OverdueEpisode.objects.count()) == (0, 1)
    assert PatrolRun.objects.count() == 2
    assert PatrolRun.objects.order_by("-pk")[0].repeats == 3
    assert last_run() == PatrolRun.objects.order_by("-pk")[0]


def test_days_off_are_caught_up_with_the_true_dates(world: dict, today: datetime.date) -> None:
    for days in (1, 3, 40):
        factories.milestone(world["project"], today - DAY * days)
    assert patrol(as_of=today).opened == 3
    assert sorted(OverdueEpisode.objects.values_list("opened_on", flat=True)) == [
        today - DAY * 39,
        today - DAY * 2,
        today,
    ]


def test_a_claim_closes_the_episode_and_a_return_opens_a_new_one_from_that_day(
    world: dict, today: datetime.date
) -> None:
    milestone = factories.milestone(world["project"], today - DAY * 10)
    patrol(as_of=today - DAY * 6)
    claim = factories.report(milestone, world["officer"], today - DAY * 4, claimed_on=today - DAY * 4)
    # The patrol was away for two days; the episode ends on the day of the claim all the same.
    assert patrol(as_of=today - DAY * 2).closed == 1
    closed = OverdueEpisode.objects.get()
    assert (closed.cause, closed.closed_on, closed.days_late) == ("submitted", today - DAY * 4, 6)
    decide(
        kind=ProgressReport,
        pk=claim.pk,
        action="return",
        actor=world["staff"],
        at=factories.moment(today - DAY),
        comment="缺照片",
    )
    assert patrol(as_of=today).opened == 1
    again = OverdueEpisode.objects.open().get()
    assert (again.due_on, again.opened_on) == (today - DAY * 10, today - DAY)


def test_a_later_due_date_closes_as_rescheduled_and_a_new_breach_opens_again(
    world: dict, today: datetime.date
) -> None:
    milestone = factories.milestone(world["project"], today - DAY)
    patrol(as_of=today)
    Milestone.objects.filter(pk=milestone.pk).update(due_on=today + DAY * 2)
    assert patrol(as_of=today).closed == 1
    assert OverdueEpisode.objects.get().cause == "rescheduled"
    assert patrol(as_of=today + DAY * 2).opened == 0
    assert patrol(as_of=today + DAY * 3).opened == 1


def test_a_due_date_moved_to_another_past_day_ends_one_episode_and_begins_another(
    world: dict, today: datetime.date
) -> None:
    milestone = factories.milestone(world["project"], today - DAY * 9)
    patrol(as_of=today)
    Milestone.objects.filter(pk=milestone.pk).update(due_on=today - DAY * 3)
    result = patrol(as_of=today)
    assert (result.closed, result.opened) == (1, 1)
    assert OverdueEpisode.objects.open().get().opened_on == today - DAY * 2


@pytest.mark.parametrize(
    ("values", "cause"), [({"is_suspended": True}, "suspended"), ({"state": "cancelled"}, "cancelled")]
)
def test_suspension_and_cancellation_close_with_their_cause(
    world: dict, today: datetime.date, values: dict, cause: str
) -> None:
    milestone = factories.milestone(world["project"], today - DAY)
    patrol(as_of=today)
    Milestone.objects.filter(pk=milestone.pk).update(**values)
    assert patrol(as_of=today).closed == 1
    assert OverdueEpisode.objects.get().cause == cause


def test_milestones_without_a_date_never_become_overdue(world: dict, today: datetime.date) -> None:
    factories.milestone(world["project"], None)
    assert patrol(as_of=today + DAY * 1000).opened == 0


def test_only_programmes_in_force_on_the_day_are_patrolled(world: dict, today: datetime.date) -> None:
    root = world["programme"].owner
    archived = factories.programme(root, 2021, archived_on=datetime.date(2022, 1, 1))
    forgotten = factories.programme(root, 2022)
    for programme, day in ((archived, datetime.date(2021, 7, 31)), (forgotten, datetime.date(2022, 12, 31))):
        factories.milestone(factories.project(root, programme), day)
    assert patrol(as_of=today).opened == 0
    assert patrol(as_of=datetime.date(2021, 7, 31)).opened == 0
    assert patrol(as_of=datetime.date(2021, 8, 1)).opened == 1
    # What is due on the last day of a programme is found after its end.
    assert patrol(as_of=datetime.date(2023, 1, 1)).opened == 1


def test_a_past_day_asked_about_cures_nothing_of_later_days(world: dict, today: datetime.date) -> None:
    milestone = factories.milestone(world["project"], today - DAY)
    patrol(as_of=today)
    Milestone.objects.filter(pk=milestone.pk).update(state="cancelled")
    assert patrol(as_of=today - DAY * 30, by_clock=False).closed == 0
    assert patrol(as_of=today).closed == 1


def test_an_empty_portal_is_patrolled_without_a_fault(today: datetime.date) -> None:
    result = patrol(as_of=today)
    assert (result.opened, result.closed, result.set_aside) == (0, 0, 0)


def test_one_bad_row_is_set_aside_and_the_rest_goes_on(world: dict, today: datetime.date) -> None:
    good = [factories.milestone(world["project"], today - DAY * n) for n in range(1, 8)]
    poison = factories.milestone(world["project"], today - DAY * 4, name="毒")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.milestone_id = {poison.pk} THEN RAISE EXCEPTION 'poisoned'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER poison BEFORE INSERT ON projects_overdueepisode
                FOR EACH ROW EXECUTE FUNCTION poison();
            """
        )
    result = patrol(as_of=today, batch=4)
    assert (result.opened, result.set_aside) == (len(good), 1)
    aside = SetAside.objects.get()
    assert aside.milestone == poison
    assert "poisoned" in aside.error
    assert patrol(as_of=today).set_aside == 0, "it is not tried again until someone says so"
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER poison ON projects_overdueepisode")
    retry_set_aside(set_aside=aside)
    assert patrol(as_of=today).opened == 1


def test_small_batches_find_the_same_as_one_large(world: dict, today: datetime.date) -> None:
    for n in range(1, 24):
        factories.milestone(world["project"], today - DAY * n)
    assert patrol(as_of=today, batch=5).opened == 23
    Milestone.objects.update(state="cancelled")
    assert patrol(as_of=today, batch=5).closed == 23


def test_the_work_queue_is_read_from_its_partial_index(world: dict, today: datetime.date) -> None:
    from projects.services.patrol import _to_close, _to_open

    # Statistics of this test's own rows: with those that another test left behind the planner may do otherwise.
    Milestone.objects.bulk_create(
        Milestone(project=world["project"], name=f"已完成{n}", state="cancelled", due_on=today - DAY)
        for n in range(500)
    )
    factories.milestone(world["project"], today - DAY)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE projects_milestone, projects_project, projects_overdueepisode")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        for rows, index in ((_to_open(today), "milestone_to_flag"), (_to_close(today), "milestone_to_close")):
            sql, params = rows.values("pk").query.sql_with_params()
            cursor.execute(f"EXPLAIN {sql}", params)
            assert index in "\n".join(line for (line,) in cursor.fetchall())
