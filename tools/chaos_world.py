"""The small world in which processes are killed, in a database and a folder of its own."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg2

GROUPS = 4
PROJECTS_PER_GROUP = 6
MILESTONES_PER_PROJECT = 16
DATABASE = "portal_chaos"


@dataclass(frozen=True)
class World:
    """Ids: the officer of each group with the milestones of the group, and the reviewers."""

    officers: dict[int, list[int]]
    reviewers: list[int]
    bulk_reviewer: int


def fresh_database(url: str) -> str:
    """Make the database anew and bring it up to the code. Before Django is set up.

    Returns:
        Its address, on the server of `url`.
    """
    parts = urlsplit(url)
    own = urlunsplit(parts._replace(path=f"/{DATABASE}"))
    server = psycopg2.connect(url)
    try:
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{DATABASE}"')
    finally:
        server.close()
    environ = {**os.environ, "DATABASE_URL": own}
    for command in (("migrate", "-v0"), ("collectstatic", "--noinput", "-v0")):
        subprocess.run([sys.executable, "manage.py", *command], env=environ, check=True)
    return own


def build(today: datetime.date) -> World:
    """A commission with groups, each with an officer and approved projects; every milestone lies ahead."""
    from enterprises.models import Enterprise, User
    from enterprises.services.members import create_member
    from projects.services import programmes, projects

    day = datetime.timedelta(days=1)
    root = Enterprise.objects.create(code="chaos", name="市国资委", kind="sasac")
    programme, _made = programmes.create_programme(
        code="chaos",
        name="民生实事",
        year=today.year,
        starts_on=today - 100 * day,
        ends_on=today + 900 * day,
        owner=root,
    )
    for name in ("reviewer1", "reviewer2", "reviewer3"):
        create_member(username=name, name=name, role="staff", unit=root)
    staff = {user.username: user for user in User.objects.all()}
    officers: dict[int, list[int]] = {}
    for number in range(GROUPS):
        group = Enterprise.objects.create(
            code=f"chaos{number}", name=f"集团{number}", kind="group", parent=root
        )
        member, _made = create_member(
            username=f"officer{number}", name=f"o{number}", role="officer", unit=group
        )
        own = officers[member.user_id] = []
        for n in range(PROJECTS_PER_GROUP):
            project, _made = projects.take_in(
                programme=programme,
                code=f"C{number}-{n}",
                name=f"管网改造{number}-{n}",
                enterprise=group,
                milestones=[
                    {"name": f"节点{m}", "starts_on": today - 10 * day, "due_on": today + (5 + 3 * m) * day}
                    for m in range(MILESTONES_PER_PROJECT)
                ],
            )
            projects.approve(project_id=project.pk, actor=staff["reviewer1"], as_of=today)
            own += project.milestones.values_list("pk", flat=True)
    return World(officers, [staff["reviewer1"].pk, staff["reviewer2"].pk], staff["reviewer3"].pk)
