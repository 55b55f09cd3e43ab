"""Fills a benchmark database.

No trigger is switched off: the database itself computes paths and first promises and writes the
journal, as it would for any other writer, so what is measured later is the portal's own truth.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction

from enterprises.models import Enterprise
from enterprises.roles import Role
from enterprises.services.members import create_member
from journal.context import acting
from projects.copying import CHUNK, copy_rows
from projects.models import Category, Milestone, Project
from projects.scale import marking, names
from projects.scale.plan import MILESTONE_COLUMNS, PROJECT_COLUMNS, Planner, Row, Size
from projects.scale.tree import ROOT_CODE, Unit, mid_size_group, units
from projects.services.programmes import create_programme
from projects.services.reports import adopt_claims

STAFF, OFFICER = "bench_staff", "bench_officer"
UNIT_COLUMNS = ("id", "parent_id", "kind", "code", "name", "short_name", "sort_key")
#: A plan reaches from the oldest milestone to the last one ahead with room to spare.
HALF_SPAN = datetime.timedelta(days=250)


class AlreadySeeded(Exception):
    """There are units or projects, and nobody said to replace them."""


@dataclass(frozen=True)
class Seeded:
    enterprises: int
    projects: int
    milestones: int
    overdue: int
    seconds: float


def seed(
    size: Size,
    *,
    today: datetime.date,
    replace: bool = False,
    say: Callable[[str], None] = lambda _text: None,
) -> Seeded:
    """Fill the database, or leave it as it was.

    Args:
        size: what to make.
        today: the day on which exactly `size.overdue` milestones are overdue, none of them flagged.
        replace: empty the portal's tables first.
        say: told what is going on.

    Raises:
        ValueError: the size makes no sense.
        marking.NotForBenchmarks: the database is not marked.
        AlreadySeeded: it holds units or projects, and `replace` is False.
    """
    if min(size.projects, size.milestones_per_project) < 1 or size.enterprises < 3:
        raise ValueError(
            "至少需要 1 个项目、每个项目 1 个节点、3 家单位。/ "
            "At least 1 project, 1 milestone per project and 3 enterprises are needed."
        )
    if not 0 <= size.overdue <= size.milestones:
        raise ValueError(
            f"逾期节点数须在 0 与 {size.milestones} 之间。/ --overdue lies between 0 and {size.milestones}."
        )
    marking.require_mark()
    if not replace and (Project.objects.exists() or Enterprise.objects.exists()):
        raise AlreadySeeded(
            "数据库中已有数据，未作改动；加 --replace 将清空后重新生成。\n"
            "The database holds data already; nothing was changed. With --replace it is emptied and filled anew."
        )
    started = time.perf_counter()
    with transaction.atomic(), acting(by="seed_scale", source="command"):
        _empty()
        result = _fill(size, today, say)
    say("VACUUM ANALYZE …")
    _vacuum()
    return Seeded(*result, size.overdue, round(time.perf_counter() - started, 1))


def _empty() -> None:
    """Empty the portal's tables, the journal's among them.

    Also for an empty database: PostgreSQL writes no log for rows that are copied into a table which
    the same transaction has truncated.
    """
    tables = [
        model._meta.db_table
        for app in ("enterprises", "projects", "notices")
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    quoted = ", ".join(connection.ops.quote_name(table) for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {quoted} RESTART IDENTITY CASCADE")


def _fill(size: Size, today: datetime.date, say: Callable[[str], None]) -> tuple[int, int, int]:
    tree = units(size.enterprises)
    say(f"{len(tree)} 家单位 / enterprises …")
    copy_rows(Enterprise, UNIT_COLUMNS, map(_unit_row, tree))
    _analyze(Enterprise)
    _reset_sequences(Enterprise)
    root = Enterprise.objects.get(code=ROOT_CODE)
    programme, _made = create_programme(
        code="bench",
        name="民生实事（基准测试数据）",
        year=today.year,
        starts_on=today - HALF_SPAN,
        ends_on=today + HALF_SPAN,
        owner=root,
        is_demo=True,
    )
    categories = {
        name: Category.objects.create(programme=programme, name=name, order=order).pk
        for order, name in enumerate(names.WORKS, start=1)
    }
    group = Enterprise.objects.get(code=mid_size_group(tree).code)
    # Without a password nobody can log in to them; a benchmark opens their sessions itself.
    create_member(username=STAFF, role=Role.STAFF, unit=root, name="基准测试国资委工作人员", is_demo=True)
    create_member(username=OFFICER, role=Role.OFFICER, unit=group, name="基准测试党务干部", is_demo=True)
    projects = milestones = 0
    planner = Planner(size, tree, today, programme.pk, categories)
    for some_projects, some_milestones in _batches(planner.rows()):
        projects += copy_rows(Project, PROJECT_COLUMNS, some_projects)
        if not milestones:
            _analyze(Project)
        milestones += copy_rows(Milestone, MILESTONE_COLUMNS, some_milestones)
        say(f"{projects} 个项目 / projects, {milestones} 个节点 / milestones …")
    _reset_sequences(Project, Milestone)
    say(f"{adopt_claims()} 件上报 / reports …")
    return len(tree), projects, milestones


def _unit_row(unit: Unit) -> Row:
    return (unit.id, unit.parent_id, unit.kind, unit.code, unit.name, unit.short_name, unit.sort_key)


def _batches(rows: Iterator[tuple[Row, list[Row]]]) -> Iterator[tuple[list[Row], list[Row]]]:
    """Projects with their milestones, as many at a time as one COPY takes."""
    projects: list[Row] = []
    milestones: list[Row] = []
    for project, own in rows:
        projects.append(project)
        milestones.extend(own)
        if len(milestones) >= CHUNK or len(projects) >= CHUNK:
            yield projects, milestones
            projects, milestones = [], []
    if projects:
        yield projects, milestones


def _analyze(model: type[models.Model]) -> None:
    """Tell the planner that the table is not empty any more.

    The check of a foreign key is planned once in a session. Planned over an empty table it reads the
    whole table for every row that follows: hours instead of a minute.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


def _reset_sequences(*filled: type) -> None:
    """The ids were chosen here; whoever inserts next must not get one of them."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(filled)):
            cursor.execute(statement)


def _vacuum() -> None:
    """Statistics and the visibility map: without them the planner guesses, and so would a benchmark."""
    if connection.in_atomic_block:
        with connection.cursor() as cursor:  # a test's transaction: VACUUM is not possible here
            cursor.execute("ANALYZE")
        return
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
