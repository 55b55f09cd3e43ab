"""What a worker does for ledgers: read what waits for it, write what was confirmed."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable

from django.db import IntegrityError
from django.utils.translation import gettext as _

from projects.importing.confirming import confirm
from projects.importing.intake import passes, read
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
    try:
        try:
            confirm(ledger_id=ledger_id, as_of=as_of)
        except IntegrityError:
            # Somebody's form took a name in the same moment: once it is there, its row is a conflict.
            confirm(ledger_id=ledger_id, as_of=as_of)
    except Refused as refusal:
        _give_back(ledger_id, str(refusal))
    except Exception as fault:
        if passes(fault):
            # Nobody's fault, everything was rolled back, and the next worker begins again by itself.
            logger.warning("Ledger %s was interrupted; it is taken in anew", ledger_id, exc_info=True)
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


def _give_back(ledger_id: int, fault: str) -> None:
    """To the person, who may confirm once more: everything of the failed attempt was rolled back."""
    asked = LedgerImport.objects.filter(pk=ledger_id, state=LedgerImport.State.CONFIRMING)
    asked.update(state=LedgerImport.State.READY, fault=fault)


def waiting() -> list[int]:
    """Ledgers that a worker should look at, the oldest first."""
    states = (LedgerImport.State.READING, LedgerImport.State.CONFIRMING)
    return list(LedgerImport.objects.filter(state__in=states).order_by("pk").values_list("pk", flat=True))
