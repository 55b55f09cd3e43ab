"""docker-compose.yml runs the very commands of `make run`, and is complete.

No container engine is at hand where the tests run, so the file is checked for what would go wrong
first: a command of its own, a missing health check, a secret that nobody declares.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from portal.servers import commands, health, postgres
from portal.servers.layout import PROJECT_ROOT

FILE = PROJECT_ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker", "beat")


def test_the_services_are_the_known_ones() -> None:
    assert set(SERVICES) == {"postgres", "valkey", *OURS}


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_the_commands_of_make_run(name: str) -> None:
    assert SERVICES[name]["command"] == ["python", "-m", "portal.servers", "exec", name]
    assert name in commands.BY_NAME


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_image_is_pinned(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")
    assert tag
    assert tag != "latest"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_lasting_service_has_a_health_check_and_comes_back(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)
    assert SERVICES[name]["restart"] == "unless-stopped"
    if name in OURS:
        assert check["test"][1:] == ["python", "-m", "portal.servers", "check", name]
        assert name in health.CHECKS


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_nothing_starts_before_the_database_is_migrated(name: str) -> None:
    conditions = {key: value["condition"] for key, value in SERVICES[name]["depends_on"].items()}
    assert conditions == {
        "migrate": "service_completed_successfully",
        "postgres": "service_healthy",
        "valkey": "service_healthy",
    }


def test_the_migration_runs_once_and_waits_for_the_database() -> None:
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_write_only_their_data_and_have_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["volumes"] == ["uploads:/data"]
    assert service["environment"]["PRODUCTION"] == "1"
    assert service["environment"]["DATA_DIR"] == "/data"


def test_whatever_is_mounted_is_declared() -> None:
    for service in SERVICES.values():
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        assert {entry["source"] for entry in service.get("configs", [])} <= set(COMPOSE["configs"])
        assert {entry.split(":")[0] for entry in service["volumes"]} <= set(COMPOSE["volumes"])


def test_no_secret_is_in_the_environment() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if "SECRET" in name or "PASSWORD" in name or name.startswith("DATABASE_URL"):
                assert name.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_secrets_are_files_that_git_and_the_image_ignore() -> None:
    for secret in COMPOSE["secrets"].values():
        assert Path(secret["file"]).parts[0] == "secrets"
    for ignoring in (".gitignore", ".dockerignore"):
        lines = (PROJECT_ROOT / ignoring).read_text().split()
        assert {"secrets", "secrets/"} & set(lines)


def test_only_the_web_is_reachable_and_only_from_this_machine() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_the_database_is_made_like_the_embedded_one() -> None:
    given = set(SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split())
    assert given == {
        option
        for option in postgres.INITDB_OPTIONS
        if option.startswith(("--encoding", "--locale", "--builtin", "--lc"))
    }
    script = COMPOSE["configs"]["create_role"]["content"]
    assert "CREATE ROLE portal LOGIN PASSWORD" in script
    assert "SUPERUSER" not in script
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_the_queue_is_kept_on_disk_and_never_forgets() -> None:
    command = SERVICES["valkey"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"


def test_the_image_runs_as_nobody_in_particular() -> None:
    lines = (PROJECT_ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    users = [line for line in lines if line.startswith("USER ")]
    assert users == ["USER 10001:10001"]
    assert any("--require-hashes" in line for line in lines)
    assert any(line.startswith("HEALTHCHECK") for line in lines)


def test_compose_itself_accepts_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    known = docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
    if not known or known.returncode != 0:
        pytest.skip("no docker compose here")
    subprocess.run(
        [str(docker), "compose", "--file", str(FILE), "config", "--quiet"],
        env={"ALLOWED_HOSTS": "portal.example.cn", "HOME": str(tmp_path)},
        check=True,
    )
