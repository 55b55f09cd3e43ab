"""Confirming a ledger: everything that was accepted is written in one transaction, or nothing is.

What the person was shown is what is written. A project that somebody changed, or took in, between the preview and
the confirmation is left as it is and named; it is never overwritten, and the receipt counts what is in the database.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from typing import Any

import pghistory
from django.db import connection, transaction
from django.db.models import Count, Max
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.scoping import units_for
from journal.tracking import event_model_of
from projects.importing import writing
from projects.importing.creating import create
from projects.importing.fields import MANY
from projects.importing.findings import Outcome
from projects.importing.meanwhile import first_of_each, untouched
from projects.models import LedgerImport, LedgerRow, Milestone, Project
from projects.models.project import ProjectPartyBranch, SupportingEnterprise
from projects.services.lights import refresh_lights
from projects.services.refusals import Refused
from projects.services.words import words_later

#: Rows in hand at a time.
CHUNK = 5_000
#: From so many rows on the statistics of the tables are taken anew within the transaction.
MANY_ROWS = 1_000

#: Tables whose later entries in the journal mean that somebody worked on what a ledger wrote.
WATCHED: dict[str, type[Any]] = {
    "project": Project,
    "milestone": Milestone,
    "supporting_enterprises": SupportingEnterprise,
    "party_branches": ProjectPartyBranch,
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
        with words_later():
            made = create(ledger, _accepted(ledger), actor, as_of)
        _stay_inside(actor, made, "add")
        touched = _change(ledger, actor) + made
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


def _changes(rows: Any, kept: set[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    for row in rows.iterator(CHUNK):
        if row.project_id in kept:
            yield (
                row.project_id,
                {key: new for key, (_old, new) in row.data["differences"].items()},
            )


def changed_links(rows: Any, kept: set[int], *, old: bool = False) -> Iterator[tuple[int, str, list[int]]]:
    """(project, field, ids) of the many-to-many fields that differ: the new ids, or the old ones."""
    for row in rows.iterator(CHUNK):
        if row.project_id in kept:
            for field in MANY:
                if field.key in row.data["differences"]:
                    yield row.project_id, field.key, row.data["differences"][field.key][0 if old else 1]


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
