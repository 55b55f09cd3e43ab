"""Confirming a ledger: everything that was accepted is written in one transaction, or nothing is.

What the person was shown is what is written. A project that somebody changed, or took in, between the preview and
the confirmation is left as it is and named; it is never overwritten, and the receipt counts what is in the database.
"""

from __future__ import annotations

import datetime
import itertools
import uuid
from collections.abc import Iterator
from typing import Any

import pghistory
from django.db import connection, transaction
from django.db.models import Count, Max
from django.utils.translation import gettext as _

from enterprises.models import Enterprise, User
from enterprises.scoping import outermost, units_for
from enterprises.sort_key import pinyin_key
from journal.tracking import event_model_of
from projects.importing import writing
from projects.importing.fields import MANY
from projects.importing.findings import Outcome
from projects.importing.meanwhile import first_of_each, untouched
from projects.models import LedgerImport, LedgerRow, Milestone, Project
from projects.models.project import ProjectPartyBranch, SupportingEnterprise
from projects.services.lights import refresh_lights
from projects.services.projects import COMPLETION
from projects.services.refusals import Refused
from projects.states import MilestoneState, ProjectStatus

#: Rows in hand at a time.
CHUNK = 5_000
#: From so many rows on the statistics of the tables are taken anew within the transaction.
MANY_ROWS = 1_000
#: Codes drawn for rows whose code was taken by somebody else in the same moment.
_TRIES = 3

#: Tables whose later entries in the journal mean that somebody worked on what a ledger wrote.
WATCHED: dict[str, type[Any]] = {
    "project": Project,
    "milestone": Milestone,
    "supporting_enterprises": SupportingEnterprise,
    "party_branches": ProjectPartyBranch,
}

_STATUS = {
    "not_started": ProjectStatus.NOT_STARTED,
    "in_progress": ProjectStatus.IN_PROGRESS,
    "ongoing": ProjectStatus.IN_PROGRESS,
    # Done is what the ledger says; that it is done is decided by a review, and a suspension needs its reason.
    "done": ProjectStatus.IN_PROGRESS,
    "suspended": ProjectStatus.IN_PROGRESS,
}


def ask_to_confirm(
    *, ledger_id: int, actor: User, reading_number: int, at: datetime.datetime
) -> LedgerImport:
    """A person says yes to what the preview shows. The writing is done by `confirm`, in a worker or at once.

    Args:
        reading_number: which preview was looked at; another one is not what was agreed to.

    Raises:
        Refused: not theirs, confirmed already, or shown anew meanwhile.
    """
    with transaction.atomic():
        ledger = locked_ledger(ledger_id, actor)
        if ledger.state in (LedgerImport.State.CONFIRMING, LedgerImport.State.CONFIRMED):
            raise Refused(_("This ledger was confirmed already. Nothing was written twice."))
        if ledger.state != LedgerImport.State.READY:
            raise Refused(
                _("This ledger cannot be confirmed now: %(state)s.") % {"state": ledger.get_state_display()}
            )
        if ledger.reading_number != reading_number:
            raise Refused(
                _("The ledger was read anew since you opened this page. Look at the new preview first.")
            )
        if ledger.rows_read and not LedgerRow.objects.filter(ledger=ledger).exists():
            raise Refused(_("The rows of this ledger were let go after some time. Hand it in again."))
        ledger.state, ledger.confirmed_at, ledger.fault = LedgerImport.State.CONFIRMING, at, ""
        ledger.save(update_fields=["state", "confirmed_at", "fault"])
    return ledger


@transaction.atomic
def confirm(*, ledger_id: int, as_of: datetime.date) -> LedgerImport | None:
    """Write a ledger whose confirmation was asked for. Safe to call twice, and by several workers at once.

    Returns:
        The import with its receipt; None when another worker has it in hand or there is nothing to do.

    Raises:
        Refused: the person may not take in projects any more.
    """
    ledger = (
        LedgerImport.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("programme", "uploaded_by")
        .filter(pk=ledger_id, state=LedgerImport.State.CONFIRMING)
        .first()
    )
    if ledger is None:
        return None
    take_turns(ledger.programme_id)
    ledger.programme.refresh_from_db()
    actor = ledger.uploaded_by
    _may_still(ledger, actor)
    ledger.click = uuid.uuid4().hex
    with pghistory.context(
        by=actor.get_full_name() or actor.username,
        user=actor.pk,
        unit=actor.unit_names[:200],
        why=_("Ledger “%(file)s”") % {"file": ledger.file_name},
        source="import",
        click=ledger.click,
        ledger=ledger.pk,
    ):
        touched = _change(ledger, actor) + _create(ledger, actor)
        if len(touched) > MANY_ROWS:
            # The planner still believes the tables as they were before; it would judge each light by a walk
            # through all of them (measured: minutes instead of seconds).
            writing.analyse()
        refresh_lights(as_of=as_of, project_ids=touched, programme_id=ledger.programme_id)
    _close(ledger, as_of)
    return ledger


def take_turns(programme_id: int) -> None:
    """Wait until no other ledger of the programme is being confirmed or taken back, to the end of the transaction.

    Two ledgers with the same projects must see each other, and would else lock their rows in different orders.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('projects.ledger'), %s)", [programme_id])


def locked_ledger(ledger_id: int, actor: User) -> LedgerImport:
    rows = LedgerImport.objects.visible_to(actor).select_for_update(of=("self",))
    ledger = rows.filter(pk=ledger_id).first()
    if ledger is None:
        raise Refused(_("There is no such ledger."))
    return ledger


def _may_still(ledger: LedgerImport, actor: User) -> None:
    if not actor.is_active or not units_for(actor, "projects.add_project"):
        raise Refused(_("You may not take in projects any more. Nothing was written."))
    if ledger.programme.archived_on:
        raise Refused(_("The programme is archived. Nothing was written."))


# -- projects that are there already -----------------------------------------------------------------------


def _change(ledger: LedgerImport, actor: User) -> list[int]:
    every = _accepted(ledger).filter(change=LedgerRow.Change.CHANGED, result="")
    rows = first_of_each(every.filter(project__isnull=False))
    kept = untouched(ledger, rows, actor)
    writing.stage()
    writing.stage_changes(_changes(rows, kept))
    writing.update_projects()
    if writing.stage_links(changed_links(rows, kept)):
        writing.put_links()
    rows.filter(project_id__in=kept).update(result="changed")
    every.update(result="conflict")  # the rest, and rows whose project is gone
    _stay_inside(actor, sorted(kept), "change")
    return sorted(kept)


def _changes(rows: Any, kept: set[int]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    for row in rows.iterator(CHUNK):
        if row.project_id in kept:
            yield (
                row.position,
                row.project_id,
                {key: new for key, (_old, new) in row.data["differences"].items()},
            )


def changed_links(rows: Any, kept: set[int], *, old: bool = False) -> Iterator[tuple[int, str, list[int]]]:
    """(position, field, ids) of the many-to-many fields that differ: the new ids, or the old ones."""
    for row in rows.iterator(CHUNK):
        if row.project_id in kept:
            for field in MANY:
                if field.key in row.data["differences"]:
                    yield row.position, field.key, row.data["differences"][field.key][0 if old else 1]


# -- new projects --------------------------------------------------------------------------------------------


def _create(ledger: LedgerImport, actor: User) -> list[int]:
    rows = _accepted(ledger).filter(change=LedgerRow.Change.NEW, enterprise__isnull=False)
    paths = outermost(units_for(actor, "projects.add_project"))
    inside = Enterprise.objects.visible_to(actor).values_list("pk", "code", "path")
    units = {pk: code for pk, code, path in inside if any(path.startswith(p) for p in paths)}
    rows = rows.filter(enterprise_id__in=units)
    if not rows.exists():
        return []
    made: list[int] = []
    for _n in range(_TRIES):  # a code that somebody drew in the same moment is worth another try
        writing.stage()
        linked = 0
        codes = _Codes(ledger.programme_id, units)
        for chunk in _chunks(rows.filter(result="")):
            writing.stage_projects(_new_projects(chunk, ledger.programme_id, codes))
            writing.stage_steps(_steps(chunk))
            linked += writing.stage_links(_new_links(chunk))
        inserted = writing.insert_projects()
        writing.insert_steps()
        if linked:
            writing.put_links()
        made += _remember(ledger)
        _call_conflicts(ledger)
        if inserted == 0 or not rows.filter(result="").exists():
            break
    rows.filter(result="").update(result="conflict")
    _stay_inside(actor, made, "add")
    return made


#: position, enterprise, name and data of a row: what the writing needs of it.
New = tuple[int, int, str, dict[str, Any]]


def _chunks(rows: Any) -> Iterator[list[New]]:
    """The rows once, some thousand at a time: reading 200,000 of them back is not done thrice."""
    found = rows.values_list("position", "enterprise_id", "name", "data").iterator(CHUNK)
    while chunk := list(itertools.islice(found, CHUNK)):
        yield chunk


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


def _new_projects(rows: list[New], programme_id: int, codes: _Codes) -> Iterator[tuple[int, dict[str, Any]]]:
    for position, enterprise_id, name, data in rows:
        values = data["values"]
        yield (
            position,
            {
                **values,
                "programme_id": programme_id,
                "enterprise_id": enterprise_id,
                "code": codes.of(enterprise_id, values.get("code")),
                "status": _status(data),
                "start_text": data["start"]["raw"][:80],
                "due_text": data["deadline"]["raw"][:80],
                "sort_key": pinyin_key(name, 300),
            },
        )


def _status(data: dict[str, Any]) -> str:
    if data["status"]:
        return _STATUS[data["status"]].value
    # Blank: the ledger does not say. Progress is a sign that work has begun.
    return ProjectStatus.IN_PROGRESS.value if data["progress"] else ""


def _steps(rows: list[New]) -> Iterator[tuple[int, dict[str, Any]]]:
    for position, _unit, _name, data in rows:
        values, percent = data["values"], round(data["progress"] or 0)
        plan = values.get("steps") or []
        if not plan and values.get("due_on"):
            plan = [{"name": COMPLETION, "starts_on": values.get("starts_on"), "due_on": values["due_on"]}]
            begun = percent > 0 or data["status"] in ("in_progress", "done")
        else:
            # Which of several steps the percentage belongs to is not said: they begin at nothing.
            percent, begun = 0, False
        state = MilestoneState.IN_PROGRESS if begun else MilestoneState.NOT_STARTED
        for order, step in enumerate(plan, start=1):
            yield position, {**step, "order": order, "percent": percent, "state": state.value}


def _new_links(rows: list[New]) -> Iterator[tuple[int, str, list[int]]]:
    for position, _unit, _name, data in rows:
        for field in MANY:
            if others := data["values"].get(field.key):
                yield position, field.key, others


def _remember(ledger: LedgerImport) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE projects_ledgerrow r SET project_id = p.id, result = 'created'"
            " FROM staged_project s JOIN projects_project p ON p.id = s.id"
            " WHERE r.ledger_id = %s AND r.position = s.position RETURNING p.id",
            [ledger.pk],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _call_conflicts(ledger: LedgerImport) -> None:
    """Rows whose project somebody took in meanwhile; only a code that was taken is worth another try."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE projects_ledgerrow r SET result = 'conflict' FROM projects_project p"
            " WHERE r.ledger_id = %s AND r.result = '' AND r.outcome = 'accepted' AND r.change = 'new'"
            " AND p.programme_id = %s AND p.enterprise_id = r.enterprise_id AND p.name = r.name",
            [ledger.pk, ledger.programme_id],
        )


# -- the end -------------------------------------------------------------------------------------------------


def _accepted(ledger: LedgerImport) -> Any:
    return LedgerRow.objects.filter(ledger=ledger, outcome=Outcome.ACCEPTED).order_by("position")


def newest_event(model: type[Any]) -> int:
    events: Any = event_model_of(model)
    return events._base_manager.aggregate(newest=Max("pgh_id"))["newest"] or 0


def _stay_inside(actor: User, ids: list[int], action: str) -> None:
    """Count once more through the wall what was written; what left it takes the whole transaction with it."""
    for first in range(0, len(ids), CHUNK):
        chunk = ids[first : first + CHUNK]
        if Project.objects.permitted(actor, action).filter(pk__in=chunk).count() != len(chunk):
            raise Refused(_("A row would leave the units you answer for. Nothing was written."))


def _close(ledger: LedgerImport, as_of: datetime.date) -> None:
    rows = LedgerRow.objects.filter(ledger=ledger)
    rows.filter(result="", outcome=Outcome.ACCEPTED, change=LedgerRow.Change.UNCHANGED).update(
        result="unchanged"
    )
    rows.filter(result="").update(result="left_out")
    counted = dict(rows.values_list("result").annotate(n=Count("pk")).order_by())
    ledger.receipt = {
        key: counted.get(key, 0) for key in ("created", "changed", "unchanged", "conflict", "left_out")
    }
    ledger.receipt["milestones"] = Milestone.objects.filter(
        project__in=rows.filter(result="created").values("project_id")
    ).count()
    ledger.newest_events = {label: newest_event(model) for label, model in WATCHED.items()}
    ledger.state, ledger.confirmed_on = LedgerImport.State.CONFIRMED, as_of
    ledger.save(update_fields=["receipt", "state", "confirmed_on", "click", "newest_events"])
