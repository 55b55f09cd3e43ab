"""manage.py import_ledger FILE --programme CODE --as USERNAME [--on DATE]: preview, then confirm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from projects.importing.confirming import ask_to_confirm, confirm
from projects.importing.intake import LARGEST, hand_in, read
from projects.management.commands.preview_ledger import ledger_arguments, who_and_where
from projects.models import LedgerImport
from projects.services.refusals import Refused
from projects.services.words import take_up_words


class Command(BaseCommand):
    help = "Take in the rows of a ledger that are certain; the others stay in the preview of the account."

    def add_arguments(self, parser: CommandParser) -> None:
        ledger_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        actor, programme, on = who_and_where(options)
        file: Path = options["file"]
        try:
            with file.open("rb") as opened:
                ledger = hand_in(
                    programme=programme,
                    actor=actor,
                    name=file.name,
                    chunks=iter(lambda: opened.read(LARGEST // 50), b""),
                    as_of=on,
                    at=timezone.now(),
                )
            read(ledger_id=ledger.pk, now=timezone.now)
            ledger.refresh_from_db()
            if ledger.state != LedgerImport.State.READY:
                error = ledger.file_facts.get("error") or {"code": "FAULT", "message": ledger.fault}
                raise CommandError(f"{error['code']}: {error['message']}")
            ask_to_confirm(
                ledger_id=ledger.pk, actor=actor, reading_number=ledger.reading_number, at=timezone.now()
            )
            done = confirm(ledger_id=ledger.pk, as_of=on)
            take_up_words()
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        if done is None:
            raise CommandError("后台正在处理这份台账。/ A worker has this ledger in hand.")
        self.stdout.write(json.dumps({"ledger": done.pk, **done.receipt}, ensure_ascii=False))
