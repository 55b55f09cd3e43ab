"""The embedded servers themselves: what they offer, and that they come back from anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal.servers.accounts import servers_account
from portal.servers.layout import PROJECT_ROOT, Layout
from portal.servers.processes import identity, wait_until

pytestmark = pytest.mark.processes

WITH = [sys.executable, "-m", "portal.servers", "with"]

ASK_BOTH = """
import os
import psycopg2, redis
from kombu import Connection
from portal.servers.layout import broker_url
connection = psycopg2.connect(os.environ["DATABASE_URL"])
cursor = connection.cursor()
def ask(sql):
    cursor.execute(sql)
    return cursor.fetchone()
assert ask("select current_user, current_database()") == ("portal", "portal")
role = ask("select rolsuper, rolcreatedb from pg_roles where rolname = current_user")
assert role == (False, True)
assert ask("show listen_addresses") == ("",)
assert ask("select version()")[0].startswith("PostgreSQL 18")
cursor.execute("create extension if not exists btree_gist; create extension if not exists pg_trgm")
assert len(ask("select show_trgm('民生实事')")[0]) == 5, "trigrams of Chinese letters"
assert ask("select lower('ＡÉ'), '二' < '三'")[0] == "ａé"
cursor.execute("create table if not exists kept (n int); insert into kept values (1)")
connection.commit()
broker = redis.Redis.from_url(os.environ["REDIS_URL"])
assert broker.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
Connection(broker_url(os.environ["REDIS_URL"])).ensure_connection(max_retries=1)
print("kept", ask("select count(*) from kept")[0], broker.incr("kept"))
"""


def run_with(data_dir: Path, script: str, environ: dict[str, str], *options: str) -> str:
    done = subprocess.run(
        [*WITH, "--data-dir", str(data_dir), *options, "--", sys.executable, "-c", script],
        env=environ,
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_both_servers_keep_what_they_are_given(data_dir: Path, bare_environ: dict[str, str]) -> None:
    assert "kept 1 1" in run_with(data_dir, ASK_BOTH, bare_environ)
    assert "kept 2 2" in run_with(data_dir, ASK_BOTH, bare_environ)


@pytest.mark.parametrize("name", ["数据 目录 A%41B?x=1&y#z", "x" * 150])
def test_any_folder_name_will_do(data_dir: Path, name: str, bare_environ: dict[str, str]) -> None:
    assert "kept 1 1" in run_with(data_dir / name, ASK_BOTH, bare_environ, "--careless")


def test_the_status_of_the_command_is_passed_on(data_dir: Path, bare_environ: dict[str, str]) -> None:
    named = {**bare_environ, "DATABASE_URL": "postgresql:///x", "REDIS_URL": "redis://x"}
    command = [*WITH, "--data-dir", str(data_dir), "--"]
    assert subprocess.run([*command, "sh", "-c", "exit 7"], env=named, check=False).returncode == 7
    assert subprocess.run([*command, "sh", "-c", "kill $$"], env=named, check=False).returncode == 143
    missing = subprocess.run([*command, "/no/such"], env=named, capture_output=True, text=True, check=False)
    assert missing.returncode == 1
    assert "无法运行 /no/such" in missing.stderr
    assert "Traceback" not in missing.stderr
    assert not (data_dir / "postgres-18").exists(), "servers that are named are not started"


def test_everything_recovers_from_kill_9_at_the_worst_moment(
    data_dir: Path, bare_environ: dict[str, str]
) -> None:
    """The supervisor and the postmaster die by kill -9, and a stranger gets the postmaster's id."""
    assert "kept 1 1" in run_with(data_dir, ASK_BOTH, bare_environ)
    postmaster_file = Layout(data_dir).postgres_data / "postmaster.pid"
    process = subprocess.Popen(
        [*WITH, "--data-dir", str(data_dir), "--", "sleep", "60"],
        env=bare_environ,
        cwd=PROJECT_ROOT,
    )
    assert wait_until(lambda: postmaster_file.exists() and "ready" in postmaster_file.read_text(), 30)
    postmaster = int(postmaster_file.read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert wait_until(lambda: identity(postmaster) is None, 10)

    stranger = subprocess.Popen(["sleep", "60"], user=servers_account().dropped_uid)
    try:
        text = postmaster_file.read_text()
        postmaster_file.write_text(text.replace(str(postmaster), str(stranger.pid), 1))
        assert "kept 2" in run_with(data_dir, ASK_BOTH, bare_environ)
        assert stranger.poll() is None, "a process that is not ours was ended"
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_command_and_the_servers(
    data_dir: Path, bare_environ: dict[str, str], number: int
) -> None:
    process = subprocess.Popen(
        [*WITH, "--data-dir", str(data_dir), "--careless", "--", "sleep", "60"],
        env=bare_environ,
        cwd=PROJECT_ROOT,
        stdin=subprocess.DEVNULL,
    )
    socket = Layout(data_dir).valkey_socket
    assert wait_until(socket.exists, 30)
    time.sleep(0.5)
    process.send_signal(number)
    assert process.wait(30) == 128 + number
    assert not (Layout(data_dir).postgres_data / "postmaster.pid").exists()
