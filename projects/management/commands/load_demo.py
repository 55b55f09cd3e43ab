"""manage.py load_demo: the registers, the published projects and the demonstration, once."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

import enterprises
from enterprises.models import Enterprise, User
from enterprises.services.members import create_member
from enterprises.services.register import (
    PARTY_BRANCH_COLUMNS,
    import_enterprises,
    import_party_branches,
    read_csv,
)
from journal.context import acting
from projects.demo.demonstration import ROOT, give_posts, load_demonstration
from projects.demo.history import load_history
from projects.demo.published import load_published
from projects.demo.submissions import load_submissions
from projects.demo.visits import load_visits
from projects.services.lights import refresh_lights

DATA = Path(enterprises.__file__).resolve().parent / "data"

#: Account, role, units, name. People are invented.
LOGINS = (
    ("sasac", "staff", (ROOT, "DG-GZW"), "国资委工作人员（演示）"),
    ("sasac2", "staff", (ROOT, "DG-GZW"), "国资委复核人员（演示）"),
    ("officer", "officer", ("DEMO-103",), "融通党务干部（演示）"),
    ("officer2", "officer", ("DEMO-070",), "合肥城改党务干部（演示）"),
    ("leader", "leader", (ROOT, "DG-GZW"), "国资委领导（演示）"),
    ("sysadmin", "system", (ROOT, "DG-GZW"), "系统管理员（演示）"),
    ("secadmin", "security", (ROOT, "DG-GZW"), "安全管理员（演示）"),
    ("auditor", "audit", (ROOT, "DG-GZW"), "审计管理员（演示）"),
)


class Command(BaseCommand):
    help = "Load the registers of Dongguan, the six published projects of 2021 and a demonstration, once."

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(is_demo=True).exists():
            self.stdout.write("演示数据已在库中。/ The demonstration is loaded already.")
            return
        with acting(by="load_demo", source="command"), transaction.atomic():
            self._load(timezone.localdate())
        self.stdout.write("演示数据已载入。/ The demonstration is loaded.")

    def _load(self, today: datetime.date) -> None:
        for name, is_demo in (("dongguan", False), ("demo", True)):
            for result in (
                import_enterprises(read_csv(DATA / f"{name}_enterprises.csv"), is_demo=is_demo),
                import_party_branches(read_csv(DATA / f"{name}_party_branches.csv", PARTY_BRANCH_COLUMNS)),
            ):
                if result.errors:
                    raise CommandError("\n".join(result.errors))
        load_published()
        programme = load_demonstration(today=today)
        password = settings.LAYOUT.demo_password()
        for username, role, units, name in LOGINS:
            for code in units:
                create_member(
                    username=username,
                    role=role,
                    unit=Enterprise.objects.get(code=code),
                    name=name,
                    password=password,
                    is_demo=True,
                )
        give_posts(programme=programme)
        staff, chief = (User.objects.get(username=name) for name in ("sasac", "sasac2"))
        load_submissions(programme=programme, today=today, staff=staff, chief=chief)
        load_visits(programme=programme, today=today)
        load_history(programme=programme, today=today)
        refresh_lights(as_of=today)
