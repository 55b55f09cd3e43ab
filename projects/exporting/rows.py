"""The rows of an exported ledger: read as values by a cursor of the server, some thousand at a time."""

from __future__ import annotations

import datetime
import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Min

from enterprises.models import User
from journal.versions import versions_of
from projects.exporting.columns import AUDIENCES, LIGHTS, PHASES, STATES, STATUSES
from projects.exporting.names import Names
from projects.models import Milestone, Project
from projects.services.planned_sql import planned_percent

CHUNK = 2_000
STANDING = "长期"
#: Read for each project, in this order; the unpacking in `_cells` follows it.
_PATHS = (
    *(
        "pk",
        "code",
        "name",
        "enterprise_id",
        "category__name",
        "content_class",
        "audience",
        "place",
        "measures",
    ),
    *("beneficiaries_text", "beneficiaries_number", "beneficiaries_unit", "investment_text"),
    *("starts_on", "due_on", "is_standing", "actual_percent", "planned", "light", "light_on"),
    *("status_text", "status", "phase", "accountable_lead_text", "direct_lead_text", "coordinator_text"),
    *("liaison_leader_id", "is_key", "note", "programme__name", "programme__archived_on"),
)


def ledger_rows(
    projects: Any, names: Names, *, reader: User, as_of: datetime.date, keys: Sequence[str]
) -> Iterator[list[Any]]:
    """The cells of each project, in the order of the queryset.

    Args:
        projects: projects that the reader may see, filtered and ordered.
        as_of: the day by which "overdue" is judged.
        keys: of `columns.LEDGER`, in the order in which they are wanted.
    """
    order = [_ORDER[key] for key in keys]
    values = projects.annotate(planned=planned_percent()).values_list(*_PATHS).iterator(CHUNK)
    serial = itertools.count(1)
    asks = set(keys)
    while chunk := list(itertools.islice(values, CHUNK)):
        ids = [row[0] for row in chunk]
        beside = _Beside(ids, reader, as_of, asks)
        for row in chunk:
            cells = _cells(row, next(serial), beside, names)
            yield [cells[at] for at in order]


class _Beside:
    """What stands in other tables about the projects of one chunk, asked for as far as a column wants it."""

    def __init__(self, ids: list[int], reader: User, as_of: datetime.date, asks: set[str]) -> None:
        rows = Project.objects.filter(pk__in=ids)
        self.versions = versions_of(rows) if "version" in asks else {}
        self.supporting = (
            _linked("supporting_enterprises", "enterprise_id", ids) if "supporting" in asks else {}
        )
        self.branches = _linked("party_branches", "partybranch_id", ids) if "party_branches" in asks else {}
        self.overdue: dict[int, int] = {}
        if "overdue" in asks:
            late = Milestone.objects.visible_to(reader).overdue(as_of).filter(project_id__in=ids)
            first = late.order_by().values_list("project_id").annotate(first=Min("due_on"))
            self.overdue = {pk: (as_of - due_on).days for pk, due_on in first}


def _linked(field: str, column: str, ids: list[int]) -> dict[int, list[int]]:
    through: Any = getattr(Project, field).through
    found: dict[int, list[int]] = defaultdict(list)
    pairs = through._base_manager.filter(project_id__in=ids).values_list("project_id", column)
    for pk, other in pairs.order_by("project_id", column):
        found[pk].append(other)
    return found


_KEYS = (
    *("serial", "code", "version", "name", "enterprise", "supporting", "party_branches", "category"),
    *("content_class", "audience", "place", "measures", "beneficiaries", "investment", "start", "deadline"),
    *("progress", "progress_note", "status", "phase", "accountable_lead", "direct_lead", "coordinator"),
    *("liaison_leader", "is_key", "note", "light", "planned", "overdue", "programme"),
)
_ORDER = {key: at for at, key in enumerate(_KEYS)}


def _cells(row: tuple[Any, ...], serial: int, beside: _Beside, names: Names) -> tuple[Any, ...]:
    (
        pk, code, name, enterprise, category, content_class, audience, place, measures,
        amount_text, amount, amount_unit, investment,
        starts_on, due_on, is_standing, actual, planned, light, light_on,
        status_text, status, phase, accountable, direct, coordinator,
        leader, is_key, note, programme, archived_on,
    ) = row  # fmt: skip
    return (
        serial, code, beside.versions.get(pk), name, names.unit(enterprise),
        names.units(beside.supporting.get(pk, ())), names.branches(beside.branches.get(pk, ())), category,
        content_class, AUDIENCES.get(audience, ""), place, measures,
        amount_text or (_amount(amount, amount_unit) if amount is not None else ""), investment,
        starts_on, STANDING if is_standing else due_on,
        # Never judged: nothing was ever reported, which is not the same as 0 %.
        actual if light_on is not None else None,
        status_text, STATUSES.get(status, ""), PHASES.get(phase, ""), accountable, direct, coordinator,
        names.leader(leader), "是" if is_key else "否", note,
        "已归档" if archived_on else LIGHTS.get(light, "未评灯"), planned, beside.overdue.get(pk), programme,
    )  # fmt: skip


def _amount(number: Decimal, unit: str) -> str:
    return f"{number.normalize():f}{unit}"


_STEP_PATHS = (
    *("project__code", "project__name", "project__enterprise_id", "order", "name", "weight"),
    *("starts_on", "due_on", "percent", "state", "is_suspended"),
)


def step_rows(projects: Any, names: Names, *, reader: User) -> Iterator[list[Any]]:
    """The milestones of the projects of a filter, project by project."""
    steps = Milestone.objects.visible_to(reader).filter(project__in=projects.order_by().values("pk"))
    ordered = steps.order_by("project_id", "order", "id")
    for (
        code,
        name,
        unit,
        order,
        step,
        weight,
        starts_on,
        due_on,
        percent,
        state,
        is_suspended,
    ) in ordered.values_list(*_STEP_PATHS).iterator(CHUNK):
        word = "暂缓" if is_suspended else STATES.get(state, "")
        yield [code, name, names.unit(unit), order, step, weight, starts_on, due_on, percent, word]
