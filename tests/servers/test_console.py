"""What is said when a process fails: the reason in both languages, never a stack trace."""

from __future__ import annotations

from pathlib import Path

from portal.servers.console import failed, tail

TRACE = """\
Operations to perform:
Traceback (most recent call last):
  File "x.py", line 1, in <module>
    raise ValueError
psycopg2.OperationalError: connection refused

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "y.py", line 2, in f
    ~~~~^^^
django.db.utils.OperationalError: connection refused
"""


def test_of_a_traceback_only_what_happened_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "prepare.log"
    log.write_text(TRACE)
    assert tail(log).splitlines() == [
        "    Operations to perform:",
        "    psycopg2.OperationalError: connection refused",
        "    django.db.utils.OperationalError: connection refused",
    ]


def test_an_older_failure_is_not_quoted(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("=== web yesterday\nold failure\n=== web today\nnew failure\n")
    assert "old" not in tail(log)
    assert "new failure" in tail(log)


def test_a_log_that_is_not_there_is_no_second_failure(tmp_path: Path) -> None:
    assert tail(tmp_path / "none.log") == ""


def test_a_full_disk_in_the_log_is_called_by_its_name(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    log.write_text("PANIC:  could not write to file: No space left on device\n")
    words = str(failed("启动失败。", "It did not start.", log))
    assert words.startswith("启动失败。磁盘空间不足。日志：")
    assert "It did not start. The disk is full. The log is " in words
