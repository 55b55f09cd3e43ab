"""The running portal with its real worker and beat: it patrols by itself, and parts may go away."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import signal
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from portal.servers.processes import wait_until
from tests.servers.test_run import UP, Run, port, started

__all__ = ["port", "started"]
pytestmark = pytest.mark.processes


class Person:
    """A browser's memory without the browser."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def get(self, path: str) -> tuple[int, str]:
        return self._ask(self.base + path)

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        _status, page = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, page[:500]
        data = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token[1]}).encode()
        return self._ask(self.base + path, data)

    def _ask(self, url: str, data: bytes | None = None) -> tuple[int, str]:
        try:
            with self.opener.open(urllib.request.Request(url, data), timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def health(person: Person) -> dict[str, Any]:
    return json.loads(person.get("/healthz")[1])


def test_the_worker_flags_by_itself_and_saving_goes_on_while_the_broker_is_away(
    data_dir: Path, bare_environ: dict[str, str], port: int, started: list[Run]
) -> None:
    run = Run(data_dir, {**bare_environ, "DEMO_PASSWORD": "Walk-me-2026"}, port, demo="1")
    started.append(run)
    assert run.said(UP), run.output.read_text()
    person = Person(port)

    # Nobody asked for it: worker and beat patrol, and /healthz turns green.
    assert wait_until(lambda: person.get("/healthz")[0] == 200, 60), health(person)
    parts = health(person)["parts"]
    assert set(parts) == {"database", "broker", "worker", "beat", "last_patrol"}
    with psycopg2.connect(run.layout.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM projects_overdueepisode WHERE closed_on IS NULL")
        overdue = cursor.fetchone()[0]
        cursor.execute(
            "SELECT m.id FROM projects_milestone m JOIN projects_project p ON p.id = m.project_id"
            " JOIN enterprises_enterprise e ON e.id = p.enterprise_id"
            " WHERE m.state = 'in_progress' AND e.code = 'DEMO-103' AND NOT EXISTS (SELECT FROM"
            " projects_progressreport r WHERE r.milestone_id = m.id AND r.state = 'submitted') LIMIT 1"
        )
        (milestone,) = cursor.fetchone()
    connection.close()
    assert overdue > 10

    assert person.post("/login/", username="officer", password="Walk-me-2026")[0] == 200

    # The broker stands still: /healthz says so, and an officer's report is saved all the same.
    broker = run.pids()["valkey"]
    os.kill(broker, signal.SIGSTOP)
    try:
        answer = health(person)
        assert answer["parts"]["broker"]["state"] == "down"
        form = f"/projects/milestone/{milestone}/report/"
        status, page = person.get(form)
        assert status == 200
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
        data = urllib.parse.urlencode({**hidden, "percent": "77", "done": "x", "_submit": "1"}).encode()
        status, page = person._ask(person.base + form, data)
        assert (status, "77%" in page) == (200, True)
    finally:
        os.kill(broker, signal.SIGCONT)

    # The database is killed while a page is open: a sentence, no stack trace, and it comes back.
    os.kill(run.pids()["postgres"], signal.SIGKILL)
    status, page = person.get("/")
    if status != 200:  # it may be back already
        assert (status, "数据库" in page, "Traceback" in page) == (503, True, False)
    assert wait_until(lambda: person.get("/")[0] == 200, 60)
    assert wait_until(lambda: person.get("/healthz")[0] == 200, 90), health(person)
