"""A file that is handed in: kept, read in the background row by row, and ready for a person to look at."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import logging
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.scoping import units_for
from projects.copying import copy_rows
from projects.importing.preview import Preview
from projects.importing.reading import Reading
from projects.importing.registers import Registers
from projects.models import LedgerImport, LedgerPart, LedgerRow, Programme
from projects.services.batches import server_is_away
from projects.services.refusals import Refused

logger = logging.getLogger(__name__)

#: 200,000 rows of an ordinary ledger have 15 MB.
LARGEST = 50 * 1024 * 1024
#: A reading that gave no sign for so long died with its worker.
GIVEN_UP = datetime.timedelta(seconds=60)
#: A ledger that was begun so often and never ended ends the process that works on it. It is given up, or it would
#: take one worker after the other for ever, and with it everything that waits behind it.
MOST_ATTEMPTS = 3
#: Rows and parts of ledgers are kept so long after the last step; the receipt stays.
KEPT = datetime.timedelta(days=90)

_COLUMNS = (
    "ledger_id",
    "position",
    "sheet",
    "row",
    "outcome",
    "change",
    "name",
    "enterprise_id",
    "project_id",
    "version",
    "data",
)


def hand_in(
    *,
    programme: Programme,
    actor: User,
    name: str,
    chunks: Iterable[bytes],
    as_of: datetime.date,
    at: datetime.datetime,
) -> LedgerImport:
    """Keep a file that somebody handed in. Nothing of it is read yet.

    Args:
        programme: one that the caller has found through the wall.
        chunks: the bytes of the file, in pieces.
        as_of: the day by which names are resolved.

    Raises:
        Refused: too large, or not for this person or programme.
    """
    if not units_for(actor, "projects.add_project"):
        raise Refused(_("Your role does not include this step."))
    if programme.archived_on:
        raise Refused(_("The programme is archived. Nothing can be taken in any more."))
    digest, size = hashlib.sha256(), 0
    with transaction.atomic():
        ledger = LedgerImport.objects.create(
            programme=programme, uploaded_by=actor, uploaded_at=at, as_of=as_of, file_name=shown_name(name)
        )
        for order, content in enumerate(_pieces(chunks)):
            size += len(content)
            if size > LARGEST:
                raise Refused(
                    _("The file is larger than %(size)s MB. Split it, or delete pictures from it.")
                    % {"size": LARGEST // 1024 // 1024}
                )
            digest.update(content)
            LedgerPart.objects.create(ledger=ledger, order=order, content=content)
        ledger.file_size, ledger.digest = size, digest.hexdigest()
        ledger.save(update_fields=["file_size", "digest"])
    return ledger


def shown_name(name: str) -> str:
    """The name of a file without the folders that some browsers send along."""
    plain = name.replace("\x00", "").replace("\\", "/").rsplit("/", 1)[-1].strip()
    return plain[-255:] or "ledger"


def _pieces(chunks: Iterable[bytes]) -> Iterable[bytes]:
    held = b""
    for chunk in chunks:
        held += chunk
        while len(held) >= LedgerPart.SIZE:
            yield held[: LedgerPart.SIZE]
            held = held[LedgerPart.SIZE :]
    if held:
        yield held


def read_anew(*, ledger_id: int, actor: User, choices: dict[str, Any]) -> LedgerImport:
    """Have a ledger read once more, with sheets and columns as a person chose them.

    Raises:
        Refused: it is being read or was confirmed already.
    """
    with transaction.atomic():
        rows = LedgerImport.objects.permitted(actor, "change").select_for_update(of=("self",))
        ledger = rows.filter(pk=ledger_id).first()
        if ledger is None or ledger.state not in (LedgerImport.State.READY, LedgerImport.State.REFUSED):
            raise Refused(_("This ledger cannot be read anew now. Nothing was changed."))
        ledger.choices, ledger.state = choices, LedgerImport.State.READING
        ledger.reading_number += 1
        ledger.taken_at, ledger.attempts, ledger.rows_read, ledger.fault = None, 0, 0, ""
        ledger.save(
            update_fields=[
                *("choices", "state", "reading_number"),
                *("taken_at", "attempts", "rows_read", "fault"),
            ]
        )
    return ledger


def read(*, ledger_id: int, now: Callable[[], datetime.datetime]) -> bool:
    """Read a ledger that waits for it; rows are written as they are read, so that progress is seen.

    Safe to call twice and by several workers: the first takes it, another one only when the first gave no
    sign of life for a minute, and whoever was replaced stops by itself. After `MOST_ATTEMPTS` that ended so the
    person is told instead.

    Args:
        now: the clock; the beat of the work is told by it.

    Returns:
        Whether this call read it to its end.
    """
    moment = now()
    waiting = LedgerImport.objects.filter(pk=ledger_id, state=LedgerImport.State.READING)
    free = waiting.filter(taken_at=None) | waiting.filter(taken_at__lt=moment - GIVEN_UP)
    if free.filter(attempts__gte=MOST_ATTEMPTS).update(
        state=LedgerImport.State.REFUSED, attempts=0, fault=_broken_off_while_read()
    ):
        logger.error("Ledger %s was given up: %s attempts to read it broke off", ledger_id, MOST_ATTEMPTS)
        return False
    if not free.update(taken_at=moment, attempts=F("attempts") + 1):
        return False
    ledger = LedgerImport.objects.select_related("programme", "uploaded_by").get(pk=ledger_id)
    turn = _Turn(ledger, moment, now)
    try:
        return _read(ledger, turn)
    except _Replaced:
        return False
    except Exception as fault:
        if passes(fault):
            # Nobody's fault and nothing for a person to do: a worker takes it over within a minute.
            logger.warning("The server went away while ledger %s was read", ledger_id, exc_info=True)
            forgive(ledger_id)
            return False
        # Not the file's fault as far as we know: the person is told, and may try again.
        logger.exception("Ledger %s could not be read", ledger_id)
        return turn.end(
            state=LedgerImport.State.REFUSED,
            fault=str(_("The portal could not read this file. The fault was recorded; nothing was saved.")),
        )


def passes(fault: Exception) -> bool:
    """Whether it was the server that went away, or two transactions that met: begun again it may succeed."""
    code = getattr(fault.__cause__, "pgcode", None) or ""
    return server_is_away(fault) or code.startswith("40")  # deadlock, serialization


def forgive(ledger_id: int) -> None:
    """Take back an attempt that the server broke off: it says nothing about the ledger."""
    # Where the server is still away the attempt counts; three such in a row cost the person a click.
    with contextlib.suppress(DatabaseError):
        connection.close_if_unusable_or_obsolete()
        LedgerImport.objects.filter(pk=ledger_id, attempts__gt=0).update(attempts=F("attempts") - 1)


def _broken_off_while_read() -> str:
    return str(
        _(
            "The portal began to read this file %(n)s times, and each time the work broke off before its end; most "
            "often the file is too large for the memory of the server. Nothing was written. Copy the table alone "
            "into a new workbook, or split it into several files, and hand these in."
        )
        % {"n": MOST_ATTEMPTS}
    )


class _Replaced(Exception):
    """Somebody else reads this ledger now, or the person had it read anew."""


class _Turn:
    """The right to read a ledger, held by giving a sign with every chunk."""

    def __init__(
        self, ledger: LedgerImport, taken_at: datetime.datetime, now: Callable[[], datetime.datetime]
    ) -> None:
        self.ledger, self.taken_at, self.now = ledger, taken_at, now

    def _mine(self) -> Any:
        return LedgerImport.objects.filter(
            pk=self.ledger.pk,
            state=LedgerImport.State.READING,
            taken_at=self.taken_at,
            reading_number=self.ledger.reading_number,
        )

    def sign(self, **facts: Any) -> None:
        """Begin a transaction with this: it holds the ledger until its end, so nobody takes over within it.

        Raises:
            _Replaced: the turn is over; nothing may be written, or it would be among another's rows.
        """
        moment = self.now()
        if not self._mine().update(taken_at=moment, **facts):
            raise _Replaced
        self.taken_at = moment

    def end(self, **facts: Any) -> bool:
        """The last step of the turn. Returns whether it was still ours."""
        return bool(self._mine().update(attempts=0, **facts))


def _read(ledger: LedgerImport, turn: _Turn) -> bool:
    with transaction.atomic():
        turn.sign()
        LedgerRow.objects.filter(ledger=ledger).delete()
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
        path = Path(folder) / "ledger"
        digest = hashlib.sha256()
        with path.open("wb") as file:
            for content in ledger.parts.order_by("order").values_list("content", flat=True).iterator(4):
                digest.update(bytes(content))
                file.write(content)
        if digest.hexdigest() != ledger.digest:
            return turn.end(
                state=LedgerImport.State.REFUSED,
                fault=str(_("The file is not the one that was handed in. Hand it in again.")),
            )
        registers = Registers(ledger.uploaded_by, ledger.programme, ledger.as_of)
        preview = Preview(path, ledger.file_name, registers, as_of=ledger.as_of, choices=ledger.choices)
        position = 0
        for chunk in preview.chunks():
            with transaction.atomic():
                read_now = position + len(chunk)
                turn.sign(rows_read=read_now, rows_expected=max(read_now, preview.expected))
                copy_rows(LedgerRow, _COLUMNS, _lines(ledger, chunk, position))
                position = read_now
    facts = preview.file_facts()
    state = LedgerImport.State.REFUSED if facts["error"] else LedgerImport.State.READY
    return turn.end(
        state=state, file_facts=facts, counts=preview.counts(), rows_read=position, rows_expected=position
    )


def _lines(ledger: LedgerImport, chunk: list[Reading], position: int) -> Iterable[list[Any]]:
    for number, one in enumerate(chunk, start=position + 1):
        yield [
            *(ledger.pk, number, one.sheet[:80], one.row, one.outcome, one.change, one.name[:400]),
            *(one.enterprise_id, one.project_id, one.version, one.as_data()),
        ]


def sweep(*, now: datetime.datetime) -> int:
    """Let go of rows and files of ledgers that nobody touched for long. Returns how many ledgers."""
    old = LedgerImport.objects.filter(uploaded_at__lt=now - KEPT)
    found = list(old.filter(parts__isnull=False).distinct().values_list("pk", flat=True))
    LedgerPart.objects.filter(ledger__in=found).delete()
    LedgerRow.objects.filter(ledger__in=found).delete()
    return len(found)
