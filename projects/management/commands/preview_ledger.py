"""manage.py preview_ledger FILE --programme CODE --as USERNAME [--on DATE] --json"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from enterprises.models import User
from projects.importing.preview import Preview
from projects.importing.printed import as_json
from projects.importing.registers import Registers
from projects.models import Programme


def ledger_arguments(parser: CommandParser) -> None:
    """What the commands about ledgers ask for."""
    parser.add_argument("file", type=Path)
    parser.add_argument("--programme", required=True, metavar="CODE")
    parser.add_argument("--as", required=True, metavar="USERNAME", dest="username")
    parser.add_argument("--on", type=datetime.date.fromisoformat, help="read for this day; default: today")


def who_and_where(options: dict[str, Any]) -> tuple[User, Programme, datetime.date]:
    """The account, the programme as the account sees it, and the day.

    Raises:
        CommandError: there is no such account, programme or file.
    """
    actor = User.objects.filter(username=options["username"], is_active=True).first()
    if actor is None:
        raise CommandError(
            f"账号 {options['username']} 不存在或已停用。/ There is no active account {options['username']}."
        )
    programme = Programme.objects.visible_to(actor).filter(code=options["programme"]).first()
    if programme is None:
        raise CommandError(
            f"专项行动 {options['programme']} 不存在。/ There is no programme {options['programme']}."
        )
    if not options["file"].is_file():
        raise CommandError(f"文件 {options['file']} 不存在。/ There is no file {options['file']}.")
    return actor, programme, options["on"] or timezone.localdate()


class Command(BaseCommand):
    help = "Print what the portal understands of a ledger. Nothing is saved."

    def add_arguments(self, parser: CommandParser) -> None:
        ledger_arguments(parser)
        parser.add_argument("--json", action="store_true", help="the whole preview as data")

    def handle(self, *args: Any, **options: Any) -> None:
        actor, programme, on = who_and_where(options)
        file: Path = options["file"]
        preview = Preview(file, file.name, Registers(actor, programme, on), as_of=on)
        if options["json"]:
            for piece in as_json(preview):
                self.stdout.write(piece, ending="")
        else:
            for chunk in preview.chunks():
                for one in chunk:
                    place = f"{one.sheet} {one.row}"
                    self.stdout.write(
                        f"{place}\t{one.outcome}\t{one.change}\t{one.name}\t{'；'.join(one.messages)}"
                    )
            self.stdout.write(str(preview.counts()))
        error = preview.file_facts()["error"]
        if error:
            if not options["json"]:
                self.stderr.write(f"{error['code']}: {error['message']}")
            raise SystemExit(1)
