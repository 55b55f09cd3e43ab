"""Where things are: found by DATA_DIR alone, understood by every library that is told."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import environ
import pytest
from redis import Redis

from portal.servers.layout import (
    POSTGRES_SOCKET,
    PROJECT_ROOT,
    Layout,
    broker_url,
    with_socket_host,
)

AWKWARD = "/data/民生 Data%41&x=1?y#z"


def test_without_data_dir_the_data_is_in_the_project() -> None:
    assert Layout.from_environ({}).data_dir == PROJECT_ROOT / ".data"


def test_a_relative_data_dir_counts_from_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert Layout.from_environ({"DATA_DIR": "x/y"}).data_dir == PROJECT_ROOT / "x/y"


def test_two_ways_to_write_a_folder_lead_to_the_same_sockets() -> None:
    assert Layout(Path("/data/a/../b")) == Layout(Path("/data/b/"))


@pytest.mark.parametrize("folder", ["/data/plain", AWKWARD, "/data/a,b", "/data/" + "长" * 60])
def test_socket_paths_fit_the_kernel_and_libpq(folder: str) -> None:
    sockets = Layout(Path(folder)).sockets_dir
    assert len(os.fsencode(sockets / POSTGRES_SOCKET)) <= 103
    assert "," not in str(sockets)


def test_the_short_socket_folder_does_not_depend_on_tmpdir(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout(Path("/data/" + "x" * 120))
    before = layout.sockets_dir
    monkeypatch.setenv("TMPDIR", "/var/tmp")
    assert layout.sockets_dir == before
    assert before != Layout(Path("/data/" + "x" * 121)).sockets_dir


@pytest.mark.parametrize("folder", ["/data/plain", AWKWARD])
def test_django_environ_reads_the_database_url(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout(Path(folder))
    monkeypatch.setenv("DATABASE_URL", layout.database_url)
    settings = with_socket_host(environ.FileAwareEnv().db_url("DATABASE_URL"))
    assert settings["HOST"] == str(layout.sockets_dir)
    assert {**layout.database_settings(), **settings} == {
        **layout.database_settings(),
        "PASSWORD": "",
        "PORT": "",
        "OPTIONS": {},
    }


def test_a_database_url_with_a_real_host_is_left_alone() -> None:
    settings = environ.Env.db_url_config("postgresql://a:b@db:5432/c")
    assert with_socket_host(settings) == settings


@pytest.mark.parametrize("folder", ["/data/plain", AWKWARD])
def test_redis_py_reads_the_redis_url(folder: str) -> None:
    layout = Layout(Path(folder))
    pool = Redis.from_url(layout.redis_url).connection_pool
    assert pool.connection_kwargs["path"] == str(layout.valkey_socket)


def test_an_ordinary_redis_url_is_the_broker_url() -> None:
    assert broker_url("redis://valkey:6379/3") == "redis://valkey:6379/3"


def test_the_database_number_of_a_socket_reaches_kombu() -> None:
    assert broker_url("unix:///run/v.sock?db=4") == "redis+socket:///run/v.sock?virtual_host=4"


def test_importing_the_layout_touches_no_file_and_needs_no_package(tmp_path: Path) -> None:
    script = (
        "import sys; before = set(sys.modules)\n"
        "from portal.servers.layout import Layout\n"
        "layout = Layout.from_environ()\n"
        "layout.database_url, layout.redis_url, layout.database_settings()\n"
        "assert not {'django', 'celery', 'environ'} & set(sys.modules)\n"
    )
    subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={"DATA_DIR": str(tmp_path / "none"), "PYTHONPATH": str(PROJECT_ROOT)},
        check=True,
    )
    assert list(tmp_path.iterdir()) == []


def test_the_secret_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "d")
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: layout.secret_key(), range(8)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 50
    assert stat.S_IMODE((tmp_path / "d" / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["secret-key"]


def test_a_given_demo_password_wins_and_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", "given")
    assert Layout(tmp_path).demo_password() == "given"
    assert list(tmp_path.iterdir()) == []


def test_the_demo_password_is_easy_to_type_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    password = Layout(tmp_path).demo_password()
    assert re.fullmatch(r"[A-Z][2-9][a-z2-9]{2}-[a-z2-9]{4}-[a-z2-9]{4}", password)
    assert Layout(tmp_path).demo_password() == password
