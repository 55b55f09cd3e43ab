"""manage.py create_member --username --role --unit CODE [--name] [--password]"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprises.models import Enterprise
from enterprises.roles import Role
from enterprises.services.members import create_member
from journal.context import acting


class Command(BaseCommand):
    help = "Give an account (opened if it is new) a role at a unit; repeating it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", required=True)
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--unit", required=True, metavar="CODE")
        parser.add_argument("--name", default="")
        parser.add_argument("--password", help="of a new account; without it nobody can log in yet")

    def handle(
        self, *args: Any, username: str, role: str, unit: str, name: str, password: str | None, **options: Any
    ) -> None:
        enterprise = Enterprise.objects.filter(code=unit).first()
        if enterprise is None:
            raise CommandError(f"单位 {unit} 不存在。/ There is no unit {unit}.")
        try:
            with acting(by="create_member", source="command"):
                membership, made = create_member(
                    username=username, role=role, unit=enterprise, name=name, password=password
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(
            f"{'已建立' if made else '已存在'} / {'created' if made else 'exists'}: {membership}"
        )
