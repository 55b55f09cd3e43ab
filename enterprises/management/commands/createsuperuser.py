"""manage.py createsuperuser: there is none, and this says so instead of failing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "The portal has no superusers; see create_member."

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(
            "门户没有超级用户：任何人的权限都来自任职。请用 manage.py create_member 建立账号。\n"
            "The portal has no superusers: rights come from memberships. Use manage.py create_member."
        )
