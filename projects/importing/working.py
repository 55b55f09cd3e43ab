"""What a worker does for ledgers: read what waits for it, write what was confirmed."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from projects.importing.confirming import confirm
from projects.importing.intake import MOST_ATTEMPTS, forgive, passes, read
from projects.importing.meanwhile import call_gone
from projects.models import LedgerImport
from projects.services.refusals import Refused
from projects.services.words import take_up_words

logger = logging.getLogger(__name__)


def work_on(*, ledger_id: int, as_of: datetime.date, now: Callable[[], datetime.datetime]) -> None:
    """Bring one ledger forward. Safe to repeat: whatever is done, or in other hands, is left alone."""
    state = LedgerImport.objects.values_list("state", flat=True).get(pk=ledger_id)
    if state == LedgerImport.State.READING:
        read(ledger_id=ledger_id, now=now)
    elif state == LedgerImport.State.CONFIRMING:
        _write(ledger_id, as_of)
        take_up_words()


def _write(ledger_id: int, as_of: datetime.date) -> None:
    if not _begins(ledger_id):
        return
    try:
        try:
            confirm(ledger_id=ledger_id, as_of=as_of)
        except IntegrityError:
            # Somebody's form took a name in the same moment: once it is there, its row is a conflict. Or what
            # a row names was removed since the preview: that row is one, and the others are taken in.
            with transaction.atomic():
                call_gone(ledger_id)
                confirm(ledger_id=ledger_id, as_of=as_of)
    except Refused as refusal:
        _give_back(ledger_id, str(refusal))
    except Exception as fault:
        if passes(fault):
            # Nobody's fault, everything was rolled back, and the next worker begins again by itself.
            logger.warning("Ledger %s was interrupted; it is taken in anew", ledger_id, exc_info=True)
            forgive(ledger_id)
            return
        logger.exception("Ledger %s could not be taken in", ledger_id)
        _give_back(
            ledger_id,
            str(
                _(
                    "The portal could not take in this ledger. Nothing was written; the fault was recorded. Try again."
                )
            ),
        )


def _begins(ledger_id: int) -> bool:
    """Count an attempt, outside of the transaction that is lost with its worker. False when it is not to be made."""
    with transaction.atomic():
        rows = LedgerImport.objects.select_for_update(of=("self",), skip_locked=True)
        ledger = rows.filter(pk=ledger_id, state=LedgerImport.State.CONFIRMING).first()
        if ledger is None:
            return False  # another worker has it in hand
        if ledger.attempts < MOST_ATTEMPTS:
            ledger.attempts += 1
            ledger.save(update_fields=["attempts"])
            return True
    logger.error("Ledger %s was given up: %s attempts to take it in broke off", ledger_id, MOST_ATTEMPTS)
    _give_back(
        ledger_id,
        str(
            _(
                "The portal began to take in this ledger %(n)s times, and each time the work broke off before its "
                "end. Nothing was written. Split the ledger into several files and hand these in; if that does not "
                "help, tell the system administrator."
            )
            % {"n": MOST_ATTEMPTS}
        ),
    )
    return False


def _give_back(ledger_id: int, fault: str) -> None:
    """To the person, who may confirm once more: everything of the failed attempt was rolled back."""
    asked = LedgerImport.objects.filter(pk=ledger_id, state=LedgerImport.State.CONFIRMING)
    asked.update(state=LedgerImport.State.READY, fault=fault, attempts=0)


def waiting() -> list[int]:
    """Ledgers that a worker should look at, the oldest first."""
    states = (LedgerImport.State.READING, LedgerImport.State.CONFIRMING)
    return list(LedgerImport.objects.filter(state__in=states).order_by("pk").values_list("pk", flat=True))
