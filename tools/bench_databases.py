"""The databases of a benchmark: one seeded template for each size, and copies that are used up."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from django.db import connection

from projects.scale.plan import Size

#: The template at full size. It may stay for the next run: see `Databases.prepare`.
NAME = "portal_bench"
COPY = "portal_copy_bench"


class Databases:
    """Databases on the server of DATABASE_URL.

    Args:
        url: of any database there that its role may log in to.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def prepare(self, name: str, size: Size, *, today: datetime.date, keep: bool) -> None:
        """Make `name` a freshly seeded database; one of the same size and day is used again if `keep`."""
        wanted = f"{today} {size}"
        if keep and self._said_of(name) == wanted:
            return
        self.drop(name)
        self._server(f'CREATE DATABASE "{name}"')
        self._manage(name, "migrate", "--verbosity", "0")
        self._manage(
            name,
            "seed_scale",
            *("--projects", str(size.projects)),
            *("--milestones-per-project", str(size.milestones_per_project)),
            *("--enterprises", str(size.enterprises)),
            *("--overdue", str(size.overdue)),
        )
        self._server(f'COMMENT ON DATABASE "{name}" IS %s', wanted)

    @contextmanager
    def copy_of(self, name: str, copy: str = COPY) -> Iterator[str]:
        """A copy of `name`, connected to; dropped afterwards."""
        self.leave()
        self.drop(copy)
        self._server(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
        try:
            self.enter(copy)
            _warm_up()
            yield copy
        finally:
            self.leave()
            self.drop(copy)

    def enter(self, name: str) -> None:
        """Let Django in this process work on `name`."""
        self.leave()
        connection.settings_dict["NAME"] = name

    def leave(self) -> None:
        connection.close()

    def drop(self, name: str) -> None:
        for tries_left in range(60, -1, -1):
            try:
                self._server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
                return
            except psycopg2.errors.InsufficientPrivilege:
                # A vacuum of the server's own works there, and our role may not end it; it ends by itself.
                if not tries_left:
                    raise
                time.sleep(1)

    def url_of(self, name: str) -> str:
        parts = urlsplit(self.url)
        # Without "//" urlunsplit would take the empty host away, and with it the role's name.
        return urlunsplit(parts._replace(path=f"/{name}"))

    def environ_of(self, name: str) -> dict[str, str]:
        """The environment of a process of its own that works on `name`."""
        return {**os.environ, "DATABASE_URL": self.url_of(name)}

    def _manage(self, name: str, *arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments], env=self.environ_of(name), check=True)

    def _said_of(self, name: str) -> str | None:
        rows = self._server(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", name
        )
        return rows[0][0] if rows else None

    def _server(self, statement: str, *params: str) -> list[tuple[str, ...]]:
        # No `with`: it would open a transaction, in which no database can be made.
        server = psycopg2.connect(self.url)
        try:
            server.autocommit = True
            with server.cursor() as cursor:
                cursor.execute(statement, params or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            server.close()


def _warm_up() -> None:
    """Read the copy once, so that no measure pays for the first look at its pages."""
    with connection.cursor() as cursor:
        for table in ("projects_milestone", "projects_project", "enterprises_enterprise"):
            cursor.execute(f"SELECT count(t.*) FROM {table} t")
