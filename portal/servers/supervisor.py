"""`make run`: the whole portal on one machine, until someone says stop."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from portal.servers import commands
from portal.servers.accounts import claimed
from portal.servers.console import Problem, failed, say, storage_problem
from portal.servers.embedded import EmbeddedServers, needed
from portal.servers.layout import PROJECT_ROOT, Layout
from portal.servers.processes import Child, Children
from portal.servers.signals import StopRequested, StopSignals

WEB_START_SECONDS = 60.0
#: gunicorn finishes its requests and Celery its task; what takes longer is done again by another
#: worker, because a task is only struck from the queue when it is finished.
STOP_SECONDS = 12.0
LONGEST_BACKOFF_SECONDS = 30.0
#: A process that ran this long was well; its next failure counts as a first one.
WELL_AFTER_SECONDS = 60.0

LOGINS = ("sasac", "sasac2", "officer", "officer2", "leader", "sysadmin", "secadmin", "auditor")


def run_portal(layout: Layout) -> int:
    """Start everything, keep it running, stop it on a signal. The exit status.

    Raises:
        Problem: it cannot start, for a reason the person at the keyboard can mend.
    """
    port = commands.port(os.environ)
    stop = StopSignals()
    stop.install()
    with claimed(layout, servers=bool(needed())):
        children = Children(layout.children_file)
        orphans = children.end_orphans()
        if orphans:
            names = ", ".join(orphans)
            say(f"已清理上次异常退出遗留的进程：{names}", f"Ended what a crash left: {names}")
        refuse_taken_port(port)
        portal = Portal(layout, children, stop, port)
        try:
            portal.start()
            portal.watch()
        except StopRequested:
            pass
        except OSError as error:
            raise storage_problem(error, layout.data_dir) from None
        finally:
            portal.stop()
    return 0


def refuse_taken_port(port: int) -> None:
    """Raise Problem when PORT cannot be listened on, before anything is started."""
    with socket.socket(socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn will
        try:
            probe.bind((os.environ.get("BIND_HOST") or "127.0.0.1", port))
            probe.listen(1)
        except PermissionError:
            raise Problem(
                f"没有权限使用端口 {port}。请换一个，例如：make run PORT=8001",
                f"No permission to use port {port}. Choose another: make run PORT=8001",
            ) from None
        except OSError:
            raise Problem(
                f"端口 {port} 已被占用。请停止占用它的程序，或换一个端口，例如：make run PORT={_other(port)}",
                f"Port {port} is taken. Stop what uses it, or choose another: make run PORT={_other(port)}",
            ) from None


class Portal:
    """The processes of one running portal."""

    def __init__(self, layout: Layout, children: Children, stop: StopSignals, port: int) -> None:
        self.layout = layout
        self.children = children
        self.stop_signals = stop
        self.port = port
        self.servers = EmbeddedServers(layout, children, os.environ, stop)
        # The children log in Chinese whatever the terminal's locale is, and at once.
        self.environ = {
            **os.environ,
            **self.servers.exported,
            "PYTHONUTF8": "1",
            "PYTHONUNBUFFERED": "1",
        }
        self.applications: dict[str, Child] = {}
        self.failures: dict[str, int] = {}
        self.started_at: dict[str, float] = {}
        self.due: dict[str, float] = {}

    def start(self) -> None:
        """Servers, then the database's state, then web, worker and beat; then the address."""
        began = time.monotonic()
        self.servers.start()
        self._prepare_database_and_static()
        self._launch("web")
        self._wait_for_web()
        # Not at once with web: on two cores three loads of Django slow each other down, and the
        # page is what someone is waiting for.
        self._launch("worker")
        self._launch("beat")
        self._greet(time.monotonic() - began)

    def watch(self) -> None:
        """Start again whatever ends, until a stop is asked for."""
        while True:
            self.stop_signals.pause(0.3)
            now = time.monotonic()
            for child in [*self.servers.running.values(), *self.applications.values()]:
                if not child.running and child.name not in self.due:
                    self._note_end(child, now)
            for name, moment in list(self.due.items()):
                if now >= moment:
                    del self.due[name]
                    self._start_again(name)

    def stop(self) -> None:
        """First what uses the servers, then the servers."""
        if not self.children.running:
            return
        say("\n正在停止…", "Stopping …")
        self.children.stop(list(self.applications.values()), grace=STOP_SECONDS)
        self.servers.stop()
        say("已停止。", "Stopped.")

    def _launch(self, name: str) -> None:
        self.applications[name] = self.children.start(
            name,
            commands.BY_NAME[name](self.environ),
            log=self._log(name),
            environ=self.environ,
            cwd=PROJECT_ROOT,
        )
        self.started_at[name] = time.monotonic()

    def _note_end(self, child: Child, now: float) -> None:
        if now - self.started_at.get(child.name, now) > WELL_AFTER_SECONDS:
            self.failures[child.name] = 0
        failures = self.failures.get(child.name, 0)
        self.failures[child.name] = failures + 1
        delay = min(2.0**failures, LONGEST_BACKOFF_SECONDS)
        self.due[child.name] = now + delay
        status = child.process.returncode
        say(
            f"{child.name} 意外退出（状态 {status}），{delay:.0f} 秒后重新启动",
            f"{child.name} ended by itself (status {status}), starting it again in {delay:.0f} s: "
            f"{self._log(child.name)}",
        )

    def _start_again(self, name: str) -> None:
        self.started_at[name] = time.monotonic()
        try:
            if name in self.servers.running:
                self.servers.restart(self.servers.running[name])
            else:
                self.children.forget([self.applications[name]])
                self._launch(name)
        except (OSError, Problem) as error:
            # A full disk may be cleared while we wait: keep trying, at the slowest pace.
            problem = storage_problem(error, self.layout.data_dir) if isinstance(error, OSError) else error
            say(str(problem))
            self.due[name] = time.monotonic() + LONGEST_BACKOFF_SECONDS

    def _prepare_database_and_static(self) -> None:
        """migrate, collectstatic and load_demo in one interpreter; quick when all is done."""
        steps = [" ".join(commands.MIGRATE)]
        stamp = self.layout.data_dir / "static.stamp"
        fingerprint = static_fingerprint(PROJECT_ROOT)
        if _text(stamp) != fingerprint or not self.layout.static_root.is_dir():
            steps.append(" ".join(commands.COLLECT_STATIC))
        if self.environ.get("DEMO") != "0":
            steps.append(" ".join(commands.LOAD_DEMO))
        prepare = self.children.start(
            "prepare",
            commands.steps(steps),
            log=self._log("prepare"),
            environ=self.environ,
            cwd=PROJECT_ROOT,
        )
        told = time.monotonic() + 4
        while prepare.running:
            self.stop_signals.pause(0.05)
            if time.monotonic() > told:
                told = float("inf")
                say("正在准备数据，请稍候…", "Preparing the data, please wait …")
        self.children.forget([prepare])
        if prepare.process.returncode != 0:
            raise failed("准备数据失败。", "The data could not be prepared.", self._log("prepare"))
        stamp.write_text(fingerprint)

    def _wait_for_web(self) -> None:
        web = self.applications["web"]
        end = time.monotonic() + WEB_START_SECONDS
        while web.running and time.monotonic() < end:
            if answers_http(own_address(self.environ), self.port):
                return
            self.stop_signals.pause(0.05)
        raise failed("网站未能启动。", "The web process did not start.", self._log("web"))

    def _greet(self, seconds: float) -> None:
        say()
        say(
            f"  民生项目督办门户已启动（{seconds:.1f} 秒）",
            f"The portal is up ({seconds:.1f} s)",
        )
        say(f"  地址 / Address    http://{own_address(self.environ)}:{self.port}/")
        if self.environ.get("DEMO") != "0":
            say(f"  登录 / Logins     {', '.join(LOGINS)}")
            say(f"  密码 / Password   {self.layout.demo_password()}")
        say(f"  日志 / Logs       {self.layout.logs}")
        say("  按 Ctrl-C 停止", "Ctrl-C stops everything")

    def _log(self, name: str) -> Path:
        return self.layout.logs / f"{name}.log"


def own_address(environ: Mapping[str, str]) -> str:
    """The address to reach our own web process at."""
    host = environ.get("BIND_HOST") or "127.0.0.1"
    return "127.0.0.1" if host == "0.0.0.0" else host


def answers_http(host: str, port: int) -> bool:
    """Whether something there speaks HTTP; any status will do, health is another question."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def static_fingerprint(root: Path) -> str:
    """Changes when collectstatic would have something to do: our files, or the packages'."""
    digest = hashlib.sha256()
    sources = [root / "requirements.txt", root / "portal" / "settings.py"]
    sources += sorted(path for path in root.glob("static/**/*"))
    sources += sorted(path for path in root.glob("*/static/**/*"))
    for path in sources:
        try:
            status = path.stat()
        except OSError:
            continue
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _other(port: int) -> int:
    return port + 1 if port < 65535 else port - 1
