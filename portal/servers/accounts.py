"""Who the embedded servers run as, and the claim on a data folder.

PostgreSQL refuses to run as root. As root the servers therefore run as `nobody`; as anyone else
they run as ourselves. What root keeps from others (the secret key, the logs, uploads) stays
root's; only the servers' own folders are given to `nobody`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from portal.servers.console import Problem, storage_problem
from portal.servers.layout import Layout

#: A new database and the demonstration data, with their write-ahead log; below this nothing good
#: happens. A database that exists needs room for its log only.
LEAST_FREE_BYTES = 150 * 1024 * 1024
LEAST_FREE_BYTES_LATER = 40 * 1024 * 1024


@dataclass(frozen=True)
class Account:
    """The user that the embedded servers run as."""

    uid: int
    gid: int
    name: str

    @property
    def is_ours(self) -> bool:
        return self.uid == os.geteuid()

    # What subprocess is told; None leaves things as they are, which is all that non-root may do.

    @property
    def dropped_uid(self) -> int | None:
        return None if self.is_ours else self.uid

    @property
    def dropped_gid(self) -> int | None:
        return None if self.is_ours else self.gid

    @property
    def dropped_groups(self) -> list[int] | None:
        return None if self.is_ours else []


def servers_account() -> Account:
    """Ourselves, or `nobody` when we are root."""
    uid = os.geteuid()
    if uid != 0:
        return Account(uid, os.getegid(), str(uid))
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise Problem(
            "以 root 运行需要系统帐户 nobody。请改用普通用户运行。",
            "Running as root needs the system account `nobody`. Run as an ordinary user instead.",
        ) from None
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)


@contextlib.contextmanager
def claimed(layout: Layout, *, servers: bool) -> Iterator[None]:
    """Make the data folder ready and keep it for this process alone.

    Args:
        layout: the data folder.
        servers: whether embedded servers will live in it.

    Raises:
        Problem: it cannot be written, is full, or another process holds it.
    """
    try:
        _passable_folders(layout.data_dir)
        layout.logs.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(layout.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise storage_problem(error, layout.data_dir) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).decode(errors="replace").strip() or "?"
            raise Problem(
                f"数据目录 {layout.data_dir} 已有一个进程在使用（进程号 {holder}）。"
                "请先停止它，或用 DATA_DIR 和 PORT 另起一份。",
                f"The data folder {layout.data_dir} is in use by process {holder}. "
                "Stop that one, or start a second portal with another DATA_DIR and PORT.",
            ) from None
        try:
            _prove_writable(lock)
            if servers:
                _make_servers_folders(layout)
                _refuse_full_disk(layout)
        except OSError as error:
            raise storage_problem(error, layout.data_dir) from None
        # The kernel drops the lock with the process, however it ends; the file itself stays,
        # because removing it would let two processes lock two different files of one name.
        yield
    finally:
        os.close(lock)


def private_folder(path: Path, account: Account) -> Path:
    """Make `path` a folder that only `account` can use, and check that it is just that.

    The short socket folder stands in /tmp where anyone may have put something before us.
    """
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    status = os.lstat(path)
    if not path.is_dir() or path.is_symlink():
        raise _not_ours(path)
    if status.st_uid == os.geteuid() != account.uid:
        os.chown(path, account.uid, account.gid)
    elif status.st_uid != account.uid:
        raise _not_ours(path)
    os.chmod(path, 0o700)
    return path


def others_may_enter(folder: Path) -> bool:
    """Whether an account without any rights could pass through every existing part of `folder`."""
    for part in (folder, *folder.parents):
        try:
            if not part.stat().st_mode & 0o001:
                return False
        except FileNotFoundError:
            continue  # we will make it, and make it passable
        except OSError:
            return False
    return True


def _make_servers_folders(layout: Layout) -> None:
    """Folders that the servers' account can reach; the caller holds the lock."""
    closed = os.geteuid() == 0 and not others_may_enter(layout.data_dir.parent)
    if closed and not layout.servers_link.is_symlink():
        # What may stand there belonged to a data folder of this name that was deleted.
        shutil.rmtree(layout.servers_dir_for_root, ignore_errors=True)
        _passable_folders(layout.servers_dir_for_root)
        layout.servers_link.symlink_to(layout.servers_dir_for_root)
    _passable_folders(layout.servers_dir)
    outer = layout.sockets_dir.parent
    if outer != layout.servers_dir:
        with contextlib.suppress(FileExistsError):
            outer.mkdir(mode=0o700)
        if outer.is_symlink() or os.lstat(outer).st_uid != os.geteuid():
            raise _not_ours(outer)
        os.chmod(outer, 0o711)


def _passable_folders(path: Path) -> None:
    """`mkdir -p` whose new folders let the servers' account pass, whatever our umask is."""
    missing = [part for part in (path, *path.parents) if not part.exists()]
    for part in reversed(missing):
        part.mkdir(exist_ok=True)
        os.chmod(part, 0o711 if os.geteuid() == 0 else 0o700)
    if os.geteuid() == 0 and not path.stat().st_mode & 0o001:
        os.chmod(path, path.stat().st_mode & 0o7777 | 0o011)


def _prove_writable(lock: int) -> None:
    """Fail now and in plain words, not later inside PostgreSQL."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    os.fsync(lock)


def _refuse_full_disk(layout: Layout) -> None:
    folder = layout.servers_dir
    free = shutil.disk_usage(folder).free
    needed = LEAST_FREE_BYTES_LATER if layout.postgres_data.is_dir() else LEAST_FREE_BYTES
    if free < needed:
        least = needed // 2**20
        raise Problem(
            f"磁盘空间不足：{folder} 只剩 {free // 2**20} MB，至少需要 {least} MB。"
            "请清理磁盘，或用 DATA_DIR 指定另一个目录。",
            f"Too little disk space: {free // 2**20} MB free at {folder}, at least {least} MB "
            "needed. Free some, or choose another folder with DATA_DIR.",
        )


def _not_ours(path: Path) -> Problem:
    return Problem(
        f"{path} 属于另一个帐户或不是普通目录，为安全起见不使用它。",
        f"{path} belongs to another account or is no plain folder; refusing to use it.",
    )
