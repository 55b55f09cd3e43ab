"""One embedded PostgreSQL: on a private unix socket, durable, and found again after any crash."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from portal.servers.accounts import Account, private_folder
from portal.servers.binaries import postgres_bin
from portal.servers.console import Problem, failed, say
from portal.servers.layout import DATABASE_NAME, DATABASE_USER, POSTGRES_SOCKET, Layout
from portal.servers.processes import Child, Children, run_once, wait_until

INITDB_OPTIONS = (
    "--encoding=UTF8",
    # Without these pg_trgm sees no Chinese letters: the build has no ICU.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--lc-collate=C",
    "--lc-ctype=C.UTF-8",
    "--username=postgres",
    # The socket is in a folder that only its owner may enter, and there is no other way in.
    "--auth-local=trust",
    "--auth-host=reject",
    "--no-instructions",
)

#: The portal's own role is no superuser, as in production. It may create databases: tests do.
FIRST_STATEMENTS = (
    f"CREATE ROLE {DATABASE_USER} LOGIN CREATEDB;\nCREATE DATABASE {DATABASE_NAME} OWNER {DATABASE_USER};\n"
)

#: Otherwise single-user mode reports an error, goes on, and ends with status 0.
STRICT = ("-c", "exit_on_error=on")

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "wal_level": "minimal",  # nobody replicates from here
    "max_wal_senders": "0",
    "jit": "off",  # costs more than it gains on pages of 100 rows
    "log_checkpoints": "off",
}
#: For tests, whose data is worth nothing after them.
CARELESS_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class Postgres:
    """The embedded PostgreSQL of one data folder.

    Args:
        layout: the data folder.
        account: who it runs as.
        durable: False only for tests: a crash of the machine may ruin the data.
    """

    name = "postgres"
    title = "PostgreSQL"
    #: A start replays the WAL of a crash first, which may take its time on a slow disk.
    start_seconds = 120.0

    def __init__(self, layout: Layout, account: Account, *, durable: bool = True) -> None:
        self.layout = layout
        self.account = account
        self.durable = durable
        self.log = layout.logs / "postgres.log"
        self.data = layout.postgres_data
        # initdb lets LC_ALL win over its own options only for messages; C keeps logs in English.
        self.environ = {"LC_ALL": "C", "PATH": os.defpath, "TZ": "Asia/Shanghai"}

    def prepare(self) -> None:
        """Make the folders, the cluster at the first start, and clear what a crash left."""
        self.bin = postgres_bin(self.layout, self.account)
        private_folder(self.layout.sockets_dir, self.account)
        if not self.data.is_dir():
            self._create()
        elif self.data.stat().st_uid != self.account.uid:
            raise Problem(
                f"{self.data} 属于另一个帐户。请用那个帐户运行，或用 DATA_DIR 指定另一个目录。",
                f"{self.data} was made under another account. Run as that one, or choose another DATA_DIR.",
            )
        self._clear_stale_claim()

    def launch(self, children: Children) -> Child:
        """Start the process without waiting for it."""
        settings = SETTINGS | ({} if self.durable else CARELESS_SETTINGS)
        # A list in quotes: the path may hold spaces.
        settings["unix_socket_directories"] = f'"{self.layout.sockets_dir}"'
        options = [part for pair in settings.items() for part in ("-c", "=".join(pair))]
        return children.start(
            self.name,
            [self.bin / "postgres", "-D", self.data, *options],
            log=self.log,
            environ=self.environ,
            cwd=self.data,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes everything, leaves
            account=self.account,
        )

    def is_ready(self, child: Child) -> bool:
        """Whether it accepts connections: the postmaster writes that into its file, for pg_ctl."""
        lines = self._pid_file_lines()
        return len(lines) >= 8 and lines[0] == str(child.process.pid) and lines[7] == "ready"

    def _pid_file_lines(self) -> list[str]:
        try:
            text = (self.data / "postmaster.pid").read_text(errors="replace")
        except OSError:
            return []
        return [line.strip() for line in text.splitlines()]

    def _create(self) -> None:
        """Make the cluster under another name first: half a cluster must not be taken for one."""
        say("正在创建数据库（仅首次）…", "Creating the database (first start only) …")
        draft = self.layout.servers_dir / ".postgres-18.new"
        shutil.rmtree(draft, ignore_errors=True)
        private_folder(draft, self.account)
        steps: tuple[tuple[list[str | Path], str], ...] = (
            ([self.bin / "initdb", "-D", draft, *INITDB_OPTIONS], ""),
            (
                [self.bin / "postgres", "--single", "-D", draft, *STRICT, "postgres"],
                FIRST_STATEMENTS,
            ),
        )
        for argv, text in steps:
            status = run_once(
                argv,
                log=self.log,
                account=self.account,
                environ=self.environ,
                cwd=draft,
                text=text,
            )
            if status != 0:
                shutil.rmtree(draft, ignore_errors=True)  # what filled the disk may be this
                raise failed("创建数据库失败。", "The database could not be created.", self.log)
        draft.rename(self.data)

    def _clear_stale_claim(self) -> None:
        """Remove postmaster.pid when the process it names is no longer our postmaster.

        PostgreSQL does this by itself while that process id is free. When another process of the
        same user has got the id meanwhile, it takes that one for its predecessor and refuses to
        start for ever. We hold the lock of the data folder, so nobody is starting beside us; what
        may still live are orphans of a killed supervisor, and those stand in the data folder.
        """
        lines = self._pid_file_lines()
        if not lines:
            return
        pid = int(lines[0]) if lines[0].isdigit() else 0
        for number, seconds in (
            (signal.SIGINT, 20.0),
            (signal.SIGQUIT, 5.0),
            (signal.SIGKILL, 5.0),
        ):
            if pid in self._orphans():
                os.kill(pid, number)
            # Sessions follow their postmaster within moments. While one lives, the file must stay:
            # it is what keeps two generations from writing the same data.
            if wait_until(lambda: not self._orphans(), seconds):
                break
        if self._orphans():
            return  # PostgreSQL's own judgement, then
        for name in (self.data / "postmaster.pid", self._socket_claim()):
            name.unlink(missing_ok=True)

    def _socket_claim(self) -> Path:
        return self.layout.sockets_dir / f"{POSTGRES_SOCKET}.lock"

    def _orphans(self) -> set[int]:
        """The living processes of this cluster, its postmaster and sessions."""
        if sys.platform != "linux":
            shown = subprocess.run(
                ["ps", "-axo", "pid=,command="],
                capture_output=True,
                text=True,
                check=False,
            )
            lines = (line.split(None, 1) for line in shown.stdout.splitlines())
            return {int(pid) for pid, command in lines if f"-D {self.data} " in command}
        found = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    # Each of them works in the data folder.
                    if "postgres" in os.readlink(entry / "exe") and (entry / "cwd").samefile(self.data):
                        found.add(int(entry.name))
                except OSError:
                    continue  # gone meanwhile, or not ours to look at
        return found
