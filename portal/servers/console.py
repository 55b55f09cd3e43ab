"""What is said to people: Chinese first, English after, never a stack trace."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
from pathlib import Path

#: Begins the line that a log gets at each start of its process.
START_MARK = "=== "


class Problem(Exception):
    """Something the person at the keyboard can mend. `__main__` prints it and exits with 1."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")


def say(zh: str = "", en: str = "") -> None:
    """Print at once. A closed terminal or a `| head` must not end a clean stop half-way."""
    with contextlib.suppress(OSError, ValueError):
        print(f"{zh} / {en}" if en else zh, flush=True)


def accept_any_terminal() -> None:
    """Never fail on a terminal that cannot show Chinese."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def storage_problem(error: OSError, folder: Path) -> Problem:
    """The words for an operating system's refusal to store something in the data folder."""
    place = error.filename or folder
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Problem(
            f"磁盘空间不足，无法写入 {place}。请清理磁盘，或用 DATA_DIR 指定另一个目录。",
            f"No space left for {place}. Free some, or choose another folder with DATA_DIR.",
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return Problem(
            f"数据目录不可写：{place}。请修改权限，或用 DATA_DIR 指定另一个目录。",
            f"The data folder cannot be written: {place}. Change its permissions, or choose "
            "another folder with DATA_DIR.",
        )
    return Problem(
        f"数据目录 {folder} 无法使用：{os.strerror(error.errno or 0)}（{place}）。",
        f"The data folder {folder} cannot be used: {error.strerror} ({place}).",
    )


def failed(zh: str, en: str, log: Path) -> Problem:
    """The words for a process that failed, with the end of its log, and a full disk by name."""
    end = tail(log)
    # On a full disk the log itself may be empty.
    if "No space left on device" in end or shutil.disk_usage(log.parent).free < 2**20:
        zh = f"{zh}磁盘空间不足。"
        en = f"{en} The disk is full."
    return Problem(f"{zh}日志：{log}", f"{en} The log is {log}:\n{end}")


def tail(log: Path, lines: int = 8) -> str:
    """The last lines that a process wrote into its log since its latest start.

    Of a Python traceback only its last line, which says what happened; the log has the rest.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 65536))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    text = ("\n" + text).rpartition(f"\n{START_MARK}")[2].partition("\n")[2]
    inside_trace = (" ", "\t", "Traceback (", "During handling of", "The above exception")
    told = [line for line in text.splitlines() if line and not line.startswith(inside_trace)]
    return "\n".join(f"    {line}" for line in told[-lines:])
