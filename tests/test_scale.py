"""The generator of national-scale data, and what must not grow with the number of rows."""

from __future__ import annotations

import datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enterprises.models import Enterprise, User
from enterprises.sort_key import pinyin_key
from projects.evidence.pictures import bands
from projects.models import (
    Evidence,
    ExtensionRequest,
    Milestone,
    OverdueEpisode,
    Programme,
    ProgressReport,
    Project,
)
from projects.scale.names import step_names
from projects.scale.plan import Size, overdue_steps
from projects.scale.seed import OFFICER, STAFF, AlreadySeeded, seed
from projects.scale.tree import mid_size_group, units
from projects.services.lights import refresh_lights
from projects.services.patrol import patrol
from projects.services.reports import adopt_claims
from tools.bench_pages import Page, pages

pytestmark = pytest.mark.django_db

SMALL = Size(projects=60, milestones_per_project=5, enterprises=20, overdue=17)


@pytest.fixture
def marked() -> None:
    """The mark is a comment on the database; it goes with the test's transaction."""
    call_command("seed_scale", mark_this_database=True, verbosity=0)


@pytest.fixture
def now() -> datetime.date:
    """The portal's own day: pages read the clock."""
    return timezone.localdate()


def test_a_database_without_the_mark_is_refused_and_told_how_to_mark_it() -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("seed_scale", projects=60)
    text = str(refusal.value)
    assert text.index("未标记") < text.index("not marked")
    assert "_bench" in text
    assert "--mark-this-database" in text
    assert not Enterprise.objects.exists()


def test_a_database_with_projects_cannot_be_marked(marked: None, now: datetime.date) -> None:
    seed(SMALL, today=now)
    with connection.cursor() as cursor:
        cursor.execute(f'COMMENT ON DATABASE "{connection.settings_dict["NAME"]}" IS NULL')
    with pytest.raises(CommandError, match=r"已有项目[\s\S]*holds projects"):
        call_command("seed_scale", mark_this_database=True)


def test_a_seeded_database_is_left_alone_unless_it_shall_be_replaced(
    marked: None, now: datetime.date
) -> None:
    seed(SMALL, today=now)
    with pytest.raises(AlreadySeeded, match="--replace"):
        seed(SMALL, today=now)
    connection.check_constraints()  # what waits for the commit would stand in the way of emptying
    seed(Size(projects=7, milestones_per_project=2, enterprises=5), today=now, replace=True)
    assert (Project.objects.count(), Milestone.objects.count(), Enterprise.objects.count()) == (7, 14, 5)
    assert User.objects.count() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        Size(projects=0, milestones_per_project=5, enterprises=20),
        Size(projects=1, milestones_per_project=5, enterprises=2),
        Size(projects=1, milestones_per_project=5, enterprises=20, overdue=6),
    ],
)
def test_a_size_that_cannot_be_is_refused(marked: None, now: datetime.date, wrong: Size) -> None:
    with pytest.raises(ValueError, match=r"需要|须在"):
        seed(wrong, today=now)


def test_every_row_is_there_and_every_constraint_holds(marked: None, now: datetime.date) -> None:
    call_command("seed_scale", projects=60, milestones_per_project=5, enterprises=20, overdue=17, verbosity=0)
    connection.check_constraints()
    assert Enterprise.objects.count() == 20
    assert Project.objects.count() == 60
    per_project = Project.objects.annotate(n=Count("milestones")).values_list("n", flat=True)
    assert set(per_project) == {5}
    assert Programme.objects.in_force(now).count() == 1
    assert Milestone.objects.overdue(now).count() == 17
    assert not Milestone.objects.filter(flagged_due_on__isnull=False).exists()
    for model in (Enterprise, Project):
        for name, key in model.objects.values_list("name", "sort_key"):
            assert key == pinyin_key(name)


def test_the_database_has_made_paths_first_promises_and_the_journal(marked: None, now: datetime.date) -> None:
    seed(SMALL, today=now)
    for unit in Enterprise.objects.select_related("parent"):
        assert unit.path == f"{unit.parent.path if unit.parent else ''}{unit.pk}."
    assert {unit.depth for unit in Enterprise.objects.all()} == {0, 1, 2, 3}
    dated = Milestone.objects.filter(due_on__isnull=False)
    assert not dated.filter(baseline_due_on__isnull=True).exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), min(pgh_context->>'by') FROM projects_milestoneevent WHERE pgh_label = 'insert'"
        )
        assert cursor.fetchone() == (300, "seed_scale")


def test_the_next_row_gets_a_fresh_number(marked: None, now: datetime.date) -> None:
    seed(SMALL, today=now)
    project = Project.objects.get(code="P0000001")
    made = Milestone.objects.create(project=project, name="补充节点")
    assert made.pk == 301


def test_the_patrol_opens_exactly_what_was_asked_for(marked: None, now: datetime.date) -> None:
    seed(SMALL, today=now)
    assert patrol(as_of=now).opened == 17
    assert OverdueEpisode.objects.count() == 17
    assert patrol(as_of=now).opened == 0


def test_the_accounts_hold_their_roles_and_nobody_can_log_in_to_them(
    marked: None, now: datetime.date
) -> None:
    seed(SMALL, today=now)
    staff, officer = User.objects.get(username=STAFF), User.objects.get(username=OFFICER)
    assert Project.objects.visible_to(staff).count() == 60
    assert 0 < Project.objects.visible_to(officer).count() < 60
    assert not staff.has_usable_password()
    assert not officer.has_usable_password()


def test_the_same_arguments_make_the_same_rows(marked: None, now: datetime.date) -> None:
    def rows() -> list[tuple]:
        return list(Milestone.objects.order_by("pk").values_list("project__name", "due_on", "state"))

    seed(SMALL, today=now)
    first = rows()
    connection.check_constraints()
    seed(SMALL, today=now, replace=True)
    assert rows() == first


@pytest.mark.parametrize(("projects", "each", "overdue"), [(60, 5, 17), (7, 1, 7), (1, 12, 5), (100, 3, 0)])
def test_overdue_milestones_are_spread_and_counted_exactly(projects: int, each: int, overdue: int) -> None:
    steps = list(overdue_steps(Size(projects, each, 3, overdue)))
    assert len(steps) == projects
    assert sum(len(chosen) for chosen in steps) == overdue
    assert all(0 <= step < each for chosen in steps for step in chosen)


@pytest.mark.parametrize("count", [3, 20, 101, 5_000])
def test_a_tree_has_as_many_units_as_asked_for_and_no_name_twice_below_one_parent(count: int) -> None:
    tree = units(count)
    assert len(tree) == count
    assert len({(unit.parent_id, unit.name) for unit in tree}) == count
    assert len({unit.code for unit in tree}) == count
    assert mid_size_group(tree).kind == "group"


@pytest.mark.parametrize("count", [1, 2, 5, 12, 30])
def test_the_steps_of_a_plan_have_different_names(count: int) -> None:
    assert len(set(step_names(count))) == count


#: Queries of a page by staff and by an officer, however many rows there are. More is a regression; when
#: it is fewer, write the new number down.
QUERIES = {
    "overdue list": (12, 12),
    "project list": (12, 12),
    "home": (15, 15),
    "review desk": (24, None),
    "project page": (38, 39),
    "report page": (14, None),
}


@pytest.mark.parametrize("page", pages(), ids=lambda page: f"{page.what} as {page.account}")
@pytest.mark.parametrize("projects", [3, 300])
def test_a_page_asks_the_same_number_of_queries_for_3_and_for_300_rows(
    marked: None, now: datetime.date, projects: int, page: Page
) -> None:
    seed(Size(projects, 1, 3 if projects == 3 else 20, overdue=projects), today=now)
    patrol(as_of=now)
    refresh_lights(as_of=now)
    assert_queries(page)


@pytest.mark.parametrize("rows", [3, 300])
def test_the_review_desk_asks_the_same_number_of_queries_for_3_and_for_300_items(
    marked: None, now: datetime.date, rows: int
) -> None:
    seed(Size(rows, 1, 3 if rows == 3 else 20), today=now)
    everything_waits(now)
    assert ProgressReport.objects.waiting().count() == rows
    assert_queries(Page("review desk", "/review/", STAFF))


@pytest.mark.parametrize("account", [STAFF, OFFICER])
@pytest.mark.parametrize("rows", [3, 60])
def test_a_project_asks_the_same_number_of_queries_with_3_and_with_60_milestones_that_were_reported(
    marked: None, now: datetime.date, rows: int, account: str
) -> None:
    seed(Size(5, rows, 3), today=now)
    everything_waits(now)
    reader = User.objects.get(username=account)
    project = Project.objects.visible_to(reader).latest("pk")
    photographed(ProgressReport.objects.filter(milestone__project=project), 1)
    one_entry_of_each_table(project)
    assert_queries(Page("project page", f"/projects/project/{project.pk}/", account))


@pytest.mark.parametrize("photos", [3, 30])
def test_a_report_asks_the_same_number_of_queries_with_3_and_with_30_photos_that_look_like_others(
    marked: None, now: datetime.date, photos: int
) -> None:
    seed(Size(3, 1, 3), today=now)
    everything_waits(now)
    report = ProgressReport.objects.latest("pk")
    photographed(ProgressReport.objects.all(), photos)
    assert_queries(Page("report page", f"/projects/progressreport/{report.pk}/", STAFF))


def everything_waits(now: datetime.date) -> None:
    """Claims on all milestones, as a ledger brings them. Before and after them a few requests, so that every
    page, however it is cut, shows both kinds."""
    Milestone.objects.update(state="submitted", percent=100, claimed_on=now, closed_since=now)
    adopt_claims()
    midnight = timezone.make_aware(datetime.datetime.combine(now, datetime.time.min))
    ExtensionRequest.objects.bulk_create(
        ExtensionRequest(
            milestone=row,
            from_on=now,
            to_on=now + datetime.timedelta(days=1),
            state="submitted",
            submitted_on=now,
            submitted_at=midnight + datetime.timedelta(seconds=after),
        )
        for row, after in zip(Milestone.objects.order_by("-pk")[:3], (1, 1, -1), strict=True)
    )


def one_entry_of_each_table(project: Project) -> None:
    """The page shows the last 40 entries and asks for each table among them: always the same tables."""
    with connection.cursor() as cursor:
        for model in (Project, Milestone, ProgressReport, ExtensionRequest):
            cursor.execute(f"TRUNCATE {model._meta.db_table}event")
    milestone = project.milestones.latest("pk")
    Project.objects.filter(pk=project.pk).update(note="x")
    Milestone.objects.filter(pk=milestone.pk).update(comment="x")
    reports = ProgressReport.objects.filter(milestone__project=project)
    reports.filter(pk=reports.latest("pk").pk).update(done="x")
    ExtensionRequest.objects.filter(milestone=milestone, state="submitted").update(reason="x")


def photographed(reports: QuerySet[ProgressReport], each: int) -> None:
    """Photos that all look the same, so that every one has look-alikes."""
    by = User.objects.get(username=OFFICER)
    Evidence.objects.bulk_create(
        Evidence(
            project=report.milestone.project,
            report=report,
            kind="photo",
            name=f"{n}.jpg",
            content_type="image/jpeg",
            size=1,
            sha256=f"{n:064}",
            phash=1,
            phash_bands=bands(1),
            preview="p",
            thumbnail="t",
            uploaded_by=by,
        )
        for report in reports.select_related("milestone__project")
        for n in range(each)
    )


def assert_queries(page: Page) -> None:
    client = Client(SERVER_NAME="localhost")
    client.force_login(
        User.objects.get(username=page.account), backend="enterprises.authentication.AccountBackend"
    )
    client.get(page.url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(page.url)
    assert response.status_code == 200
    expected = QUERIES[page.what][page.account != STAFF]
    assert len(captured) == expected, "\n".join(q["sql"][:200] for q in captured)
