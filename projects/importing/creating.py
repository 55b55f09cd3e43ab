"""New projects of a ledger, written part by part.

While the database writes one part, the next one is put into the text that COPY reads, light and all: 200,000 rows keep two
processors busy, and no project is written twice. What a project's light is, is still decided by
`projects.services.lights` when all are written; it finds it right and has nothing to write.
"""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import TextField
from django.db.models.functions import Cast

from enterprises.models import Enterprise, User
from enterprises.scoping import outermost, units_for
from enterprises.sort_key import pinyin_key
from projects.importing import writing
from projects.importing.fields import MANY
from projects.lights import judge, kept
from projects.models import LedgerImport, LedgerRow, Programme, Project
from projects.planned_progress import stretch, whole
from projects.services.light_facts import facts_of, planned_step
from projects.services.projects import COMPLETION
from projects.states import MilestoneState, ProjectStatus

#: Rows of a part: in memory three times, as read, as text, and as the database holds it.
PART = 10_000
#: Codes drawn for rows whose code was taken by somebody else in the same moment.
_TRIES = 3

_STATUS = {
    "not_started": ProjectStatus.NOT_STARTED,
    "in_progress": ProjectStatus.IN_PROGRESS,
    "ongoing": ProjectStatus.IN_PROGRESS,
    # Done is what the ledger says; that it is done is decided by a review, and a suspension needs its reason.
    "done": ProjectStatus.IN_PROGRESS,
    "suspended": ProjectStatus.IN_PROGRESS,
}


def create(ledger: LedgerImport, accepted: Any, actor: User, as_of: datetime.date) -> list[int]:
    """Write the accepted rows that are new, with their milestones and links; rows that cannot be are conflicts.

    Args:
        accepted: the accepted rows of the ledger.
        as_of: the day of the lights.

    Returns:
        The ids of the new projects.
    """
    rows = accepted.filter(change=LedgerRow.Change.NEW, enterprise__isnull=False)
    paths = outermost(units_for(actor, "projects.add_project"))
    inside = Enterprise.objects.visible_to(actor).values_list("pk", "code", "path")
    units = {pk: code for pk, code, path in inside if any(path.startswith(p) for p in paths)}
    rows = rows.filter(enterprise_id__in=units)
    made: list[int] = []
    for _n in range(_TRIES):  # a code that somebody drew in the same moment is worth another try
        left = rows.filter(result="")
        if not left.exists():
            break
        now = [pk for part in _parts(ledger.programme, left, units, as_of) for pk in _write(ledger, part)]
        made += now
        _call_conflicts(ledger)
        if not now:
            break
    accepted.filter(change=LedgerRow.Change.NEW, result="").update(result="conflict")
    return made


# -- in hand: asks no database -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    positions: list[int]
    ids: list[int]
    projects: str
    steps: str
    links: list[tuple[int, str, list[int]]]


@dataclass(slots=True)
class _NewProject:
    """What `facts_of` asks of a project."""

    programme: Programme
    status: str
    due_on: datetime.date | None
    is_standing: bool
    last_red_on: datetime.date | None = None


@dataclass(slots=True)
class _NewStep:
    """What `facts_of` asks of a milestone."""

    state: str
    starts_on: datetime.date | None
    due_on: datetime.date | None
    percent: int
    weight: int = 100
    is_suspended: bool = False
    awaits_extension: bool = False


#: position, enterprise, name and data (as text) of a row: what the writing needs of it.
_New = tuple[int, int, str, str]


class _Codes:
    """Codes of new projects: the unit's own code and a number, as the form gives them."""

    def __init__(self, programme_id: int, units: dict[int, str]) -> None:
        self.units = units
        self.taken = set(Project.objects.filter(programme=programme_id).values_list("code", flat=True))
        self.numbers: dict[str, Iterator[int]] = {}

    def of(self, unit: int, stated: str | None) -> str:
        code = stated or self._next(f"{self.units[unit]}-"[:34])
        self.taken.add(code)
        return code

    def _next(self, stem: str) -> str:
        count = self.numbers.setdefault(stem, itertools.count(1))
        return next(code for n in count if (code := f"{stem}{n:02}") not in self.taken)


def _understood(
    rows: list[_New], ids: list[int], *, programme: Programme, codes: _Codes, as_of: datetime.date | None
) -> _Part:
    """Rows as they are written.

    Args:
        as_of: the day of the lights; None where the programme is not in force, and nothing has a light.
    """
    projects: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    links: list[tuple[int, str, list[int]]] = []
    for pk, (_position, enterprise_id, name, text) in zip(ids, rows, strict=True):
        data = json.loads(text)
        values, status, plan = data["values"], _status(data), _plan(data)
        new = {
            **values,
            "id": pk,
            "programme_id": programme.pk,
            "enterprise_id": enterprise_id,
            "code": codes.of(enterprise_id, values.get("code")),
            "status": status,
            "start_text": data["start"]["raw"][:80],
            "due_text": data["deadline"]["raw"][:80],
            "sort_key": pinyin_key(name, 300),
        }
        if as_of is not None:
            due_on, is_standing = _day(values.get("due_on")), bool(values.get("is_standing"))
            new |= _light(_NewProject(programme, status, due_on, is_standing), plan, as_of)
        projects.append(new)
        steps += ({"project_id": pk, **step} for step in plan)
        links += ((pk, field.key, held) for field in MANY if (held := values.get(field.key)))
    return _Part(
        positions=[row[0] for row in rows],
        ids=ids,
        projects=writing.projects_text(projects),
        steps=writing.steps_text(steps),
        links=links,
    )


def _status(data: dict[str, Any]) -> str:
    if data["status"]:
        return _STATUS[data["status"]].value
    # Blank: the ledger does not say. Progress is a sign that work has begun.
    return ProjectStatus.IN_PROGRESS.value if data["progress"] else ""


def _plan(data: dict[str, Any]) -> list[dict[str, Any]]:
    values, percent = data["values"], round(data["progress"] or 0)
    plan = values.get("steps") or []
    if not plan and values.get("due_on"):
        plan = [{"name": COMPLETION, "starts_on": values.get("starts_on"), "due_on": values["due_on"]}]
        begun = percent > 0 or data["status"] in ("in_progress", "done")
    else:
        # Which of several steps the percentage belongs to is not said: they begin at nothing.
        percent, begun = 0, False
    state = (MilestoneState.IN_PROGRESS if begun else MilestoneState.NOT_STARTED).value
    return [{**step, "order": n, "percent": percent, "state": state} for n, step in enumerate(plan, start=1)]


def _light(project: _NewProject, plan: list[dict[str, Any]], as_of: datetime.date) -> dict[str, Any]:
    steps = [
        _NewStep(step["state"], _day(step["starts_on"]), _day(step["due_on"]), step["percent"])
        for step in plan
    ]
    facts = facts_of(project, steps, as_of)
    light, reason = judge(facts, project.programme.light_policy)
    line = stretch([planned_step(step) for step in steps], as_of)
    return {
        "light": light.value,
        "light_reason": kept(reason),
        "light_on": as_of,
        "last_red_on": as_of if light == light.RED else None,
        "actual_percent": whole(facts.actual),
        "planned_from": line and line.from_on,
        "planned_start": line and line.percent,
        "planned_daily": line and line.daily,
        "planned_until": line and line.until_on,
    }


def _day(text: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None


# -- with the database ---------------------------------------------------------------------------------------


def _parts(programme: Programme, rows: Any, units: dict[int, str], as_of: datetime.date) -> Iterator[_Part]:
    """The rows once, a part at a time; the next one is being understood while its forerunner is written."""
    understood = partial(
        _understood,
        programme=programme,
        codes=_Codes(programme.pk, units),
        as_of=as_of if programme.in_force(as_of) else None,
    )
    waiting: Future[_Part] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="ledger") as beside:
        for chunk in _chunks(rows):
            following = beside.submit(understood, chunk, writing.draw_ids(len(chunk)))
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()


def _chunks(rows: Any) -> Iterable[list[_New]]:
    # As text: what it says is read in the other thread.
    said = rows.annotate(said=Cast("data", TextField()))
    found = said.values_list("position", "enterprise_id", "name", "said").iterator(PART)
    while chunk := list(itertools.islice(found, PART)):
        yield chunk


def _write(ledger: LedgerImport, part: _Part) -> list[int]:
    made = writing.insert_projects(part.projects, part.ids)
    if not made:
        return []
    whole = len(made) == len(part.ids)
    writing.insert_steps(part.steps, None if whole else made)
    if part.links:
        writing.stage()
        writing.stage_links(part.links)
        writing.put_links()
    written = set(made)
    _remember(ledger, [pair for pair in zip(part.positions, part.ids, strict=True) if pair[1] in written])
    return made


def _remember(ledger: LedgerImport, pairs: list[tuple[int, int]]) -> None:
    positions, ids = zip(*pairs, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE projects_ledgerrow r SET project_id = made.id, result = 'created'"
            " FROM unnest(%s::int[], %s::bigint[]) AS made (position, id)"
            # The range says to the planner that a part is not the whole ledger: it read all rows for each.
            " WHERE r.ledger_id = %s AND r.position = made.position AND r.position BETWEEN %s AND %s",
            [list(positions), list(ids), ledger.pk, positions[0], positions[-1]],
        )


def _call_conflicts(ledger: LedgerImport) -> None:
    """Rows whose project somebody took in meanwhile; only a code that was taken is worth another try."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE projects_ledgerrow r SET result = 'conflict' FROM projects_project p"
            " WHERE r.ledger_id = %s AND r.result = '' AND r.outcome = 'accepted' AND r.change = 'new'"
            " AND p.programme_id = %s AND p.enterprise_id = r.enterprise_id AND p.name = r.name",
            [ledger.pk, ledger.programme_id],
        )
