"""Taking a confirmed ledger back, as long as nothing later touched its rows."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pghistory
from django.db import connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.scoping import units_for
from journal.tracking import event_model_of
from journal.versions import author_of
from projects.importing import writing
from projects.importing.confirming import CHUNK, WATCHED, changed_links, locked_ledger, take_turns
from projects.models import (
    CloseOut,
    Evidence,
    ExtensionRequest,
    LedgerImport,
    LedgerRow,
    ProgressReport,
    Project,
    Reminder,
)
from projects.services.lights import refresh_lights
from projects.services.refusals import Refused


@transaction.atomic
def undo(*, ledger_id: int, actor: User, as_of: datetime.date, at: datetime.datetime) -> LedgerImport:
    """Remove what a ledger made and put back what it changed, all or nothing.

    Raises:
        Refused: not theirs, not confirmed, taken back already, or somebody worked on its rows since; the
            message names who and when.
    """
    ledger = locked_ledger(ledger_id, actor)
    if ledger.state == LedgerImport.State.UNDONE:
        raise Refused(_("This ledger was taken back already."))
    if ledger.state != LedgerImport.State.CONFIRMED:
        raise Refused(_("Only a ledger that was taken in can be taken back."))
    if not units_for(actor, "projects.add_project"):
        raise Refused(_("You may not take in projects any more. Nothing was written."))
    if not LedgerRow.objects.filter(ledger=ledger).exists():
        raise Refused(
            _("The rows of this ledger were let go after some time. It cannot be taken back any more.")
        )
    take_turns(ledger.programme_id)
    rows = LedgerRow.objects.filter(ledger=ledger, project__isnull=False)
    created, changed = rows.filter(result="created"), rows.filter(result="changed")
    ids = sorted(rows.filter(result__in=("created", "changed")).values_list("project_id", flat=True))
    list(Project.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    _refuse_if_touched(ledger)
    with pghistory.context(
        by=actor.get_full_name() or actor.username,
        user=actor.pk,
        unit=actor.unit_names[:200],
        why=_("Ledger “%(file)s” taken back") % {"file": ledger.file_name},
        source="import",
        click=uuid.uuid4().hex,
        ledger=ledger.pk,
    ):
        _put_back(changed)
        _remove(created)
        kept = list(changed.values_list("project_id", flat=True))
        refresh_lights(as_of=as_of, project_ids=kept, programme_id=ledger.programme_id)
    ledger.state, ledger.undone_at = LedgerImport.State.UNDONE, at
    ledger.save(update_fields=["state", "undone_at"])
    return ledger


def _put_back(rows: Any) -> None:
    every = set(rows.values_list("project_id", flat=True))
    if not every:
        return
    writing.stage()
    writing.stage_changes(
        (row.project_id, {key: old for key, (old, _new) in row.data["differences"].items()})
        for row in rows.iterator(CHUNK)
    )
    writing.update_projects()
    if writing.stage_links(changed_links(rows, every, old=True)):
        writing.put_links()


def _remove(rows: Any) -> None:
    ids = sorted(rows.values_list("project_id", flat=True))
    for first in range(0, len(ids), CHUNK):
        try:
            Project.objects.filter(pk__in=ids[first : first + CHUNK]).delete()
        except ProtectedError as found:
            kind = str(next(iter(found.protected_objects))._meta.verbose_name)
            raise Refused(
                _("The ledger cannot be taken back: there are records on its projects (%(kind)s).")
                % {"kind": kind}
            ) from None


def _refuse_if_touched(ledger: LedgerImport) -> None:
    """Compare with the journal: any later entry on a project, its milestones or its links stands in the way."""
    event = _later_event(ledger)
    if event is not None:
        by, when = author_of(event)
        raise Refused(
            _("The ledger cannot be taken back: %(by)s worked on “%(name)s” on %(when)s.")
            % {
                "by": by,
                "name": getattr(event, "name", "") or _("one of its projects"),
                "when": date_format(timezone.localtime(when), "Y-m-d H:i"),
            }
        )
    projects = LedgerRow.objects.filter(ledger=ledger, result="created").values("project_id")
    for model, path in (
        (ProgressReport, "milestone__project__in"),
        (ExtensionRequest, "milestone__project__in"),
        (CloseOut, "project__in"),
        (Reminder, "project__in"),
        (Evidence, "report__milestone__project__in"),
    ):
        found: Any = model
        if found.objects.filter(**{path: projects}).exists():
            raise Refused(
                _("The ledger cannot be taken back: there are records on its projects (%(kind)s).")
                % {"kind": found._meta.verbose_name}
            )


def _later_event(ledger: LedgerImport) -> Any | None:
    """The newest entry about a row of the ledger that the ledger did not write itself.

    By number, not by time: a transaction that began before the confirmation may end after it.
    """
    for label, model in WATCHED.items():
        events: Any = event_model_of(model)
        column = "pgh_obj_id" if model is Project else "project_id"
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT e.pgh_id FROM projects_ledgerrow r JOIN {events._meta.db_table} e ON e.{column} = r.project_id"
                " WHERE r.ledger_id = %s AND r.result IN ('created', 'changed') AND e.pgh_id > %s"
                " ORDER BY e.pgh_id DESC LIMIT 1",
                [ledger.pk, ledger.newest_events.get(label, 0)],
            )
            found = cursor.fetchone()
        if found:
            return events._base_manager.get(pk=found[0])
    return None
