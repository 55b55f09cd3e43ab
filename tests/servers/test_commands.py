"""Settings of the run that are wrong are answered in words."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from portal.servers import commands
from portal.servers.console import Problem
from portal.servers.embedded import needed
from portal.servers.supervisor import own_address, refuse_taken_port


@pytest.mark.parametrize("value", ["abc", "0", "65536", "-1", "80 ", "８０００", "1.5"])
def test_a_port_that_is_none_is_refused_in_both_languages(value: str) -> None:
    with pytest.raises(Problem, match=r"(?s)应为 1 到 65535.*must be a whole number"):
        commands.port({"PORT": value})


def test_the_port_is_8000_unless_told() -> None:
    assert commands.port({}) == commands.port({"PORT": ""}) == 8000


def test_a_taken_port_is_named_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIND_HOST", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Problem, match=f"(?s)端口 {port} 已被占用.*Port {port} is taken"):
            refuse_taken_port(port)
    refuse_taken_port(port)


def test_web_listens_only_where_it_is_told() -> None:
    assert "127.0.0.1:8000" in commands.web({})
    assert "0.0.0.0:81" in commands.web({"BIND_HOST": "0.0.0.0", "PORT": "81"})
    assert own_address({"BIND_HOST": "0.0.0.0"}) == own_address({}) == "127.0.0.1"


@pytest.mark.parametrize("name", sorted(commands.BY_NAME))
def test_every_command_runs_on_our_own_python(name: str) -> None:
    assert commands.BY_NAME[name](os.environ)[0] == sys.executable


@pytest.mark.parametrize("form", ["DATABASE_URL", "DATABASE_URL_FILE"])
def test_a_server_that_is_named_is_not_started(form: str) -> None:
    assert needed({}) == ["DATABASE_URL", "REDIS_URL"]
    assert needed({form: "x"}) == ["REDIS_URL"]
