"""manage.py create_programme --code --name --year [--start --end] [--owner CODE]"""

from __future__ import annotations

import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprises.models import Enterprise
from journal.context import acting
from projects.services.programmes import create_programme


class Command(BaseCommand):
    help = "Make a programme; one with this code that is there already stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--code", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("--year", required=True, type=int)
        parser.add_argument(
            "--start", type=datetime.date.fromisoformat, help="default: 1 January of the year"
        )
        parser.add_argument(
            "--end", type=datetime.date.fromisoformat, help="default: 31 December of the year"
        )
        parser.add_argument(
            "--owner", metavar="CODE", help="the SASAC that issues it; default: the whole portal"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        owner = None
        if options["owner"]:
            owner = Enterprise.objects.filter(code=options["owner"]).first()
            if owner is None:
                raise CommandError(f"单位 {options['owner']} 不存在。/ There is no unit {options['owner']}.")
        try:
            with acting(by="create_programme", source="command"):
                programme, made = create_programme(
                    code=options["code"],
                    name=options["name"],
                    year=options["year"],
                    starts_on=options["start"],
                    ends_on=options["end"],
                    owner=owner,
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(
            f"{'已建立' if made else '已存在'} / {'created' if made else 'exists'}: {programme.code} {programme}"
        )
