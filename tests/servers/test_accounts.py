"""The claim on a data folder: one process, a writable place, nobody else's things."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from portal.servers import accounts, layout
from portal.servers.accounts import claimed, others_may_enter, private_folder, servers_account
from portal.servers.console import Problem, storage_problem
from portal.servers.layout import Layout

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to `nobody`")


def test_a_second_process_is_told_who_holds_the_data_folder(data_dir: Path) -> None:
    folder = Layout(data_dir)
    held = pytest.raises(Problem, match=f"进程号 {os.getpid()}")
    with claimed(folder, servers=True), held, claimed(folder, servers=True):
        pass
    with claimed(folder, servers=True):
        pass


def test_only_we_and_the_servers_account_get_into_the_data_folder(data_dir: Path) -> None:
    with claimed(Layout(data_dir), servers=True):
        passable = 0o711 if os.geteuid() == 0 else 0o700
        assert stat.S_IMODE(data_dir.stat().st_mode) == passable
        assert stat.S_IMODE((data_dir / "logs").stat().st_mode) == 0o700


def test_a_full_disk_is_said_before_anything_is_started(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "LEAST_FREE_BYTES", 2**60)
    with pytest.raises(Problem, match="磁盘空间不足"), claimed(Layout(data_dir), servers=True):
        pass


def test_a_data_folder_that_is_a_file_is_a_problem_in_words(data_dir: Path) -> None:
    data_dir.write_text("")
    with pytest.raises(Problem, match="无法使用"), claimed(Layout(data_dir), servers=True):
        pass


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "磁盘空间不足"),
        (errno.EROFS, "数据目录不可写"),
        (errno.EACCES, "数据目录不可写"),
    ],
)
def test_refusals_of_the_system_are_put_into_words(number: int, words: str) -> None:
    assert words in str(storage_problem(OSError(number, os.strerror(number)), Path("/d")))


def test_a_link_where_a_private_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sockets").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Problem, match="为安全起见"):
        private_folder(tmp_path / "sockets", servers_account())


def test_a_private_folder_is_closed_even_if_it_stood_open(tmp_path: Path) -> None:
    (tmp_path / "sockets").mkdir(mode=0o777)
    private_folder(tmp_path / "sockets", servers_account())
    assert stat.S_IMODE((tmp_path / "sockets").stat().st_mode) == 0o700


def test_a_closed_folder_anywhere_above_keeps_others_out(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "open"
    inner.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not others_may_enter(inner)
    assert others_may_enter(Path("/usr/bin"))


@as_root
def test_root_keeps_the_servers_elsewhere_when_nobody_cannot_enter(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = data_dir.parent / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(layout, "ROOT_SERVERS_ROOT", data_dir.parent / "elsewhere")
    here = Layout(closed / "data")
    with claimed(here, servers=True):
        place = here.servers_dir
        assert place.parent == data_dir.parent / "elsewhere"
        here.postgres_data.mkdir()
    closed.chmod(0o755)
    assert here.servers_dir == place, "opening the folder later must not lose the data"

    here.servers_link.unlink()  # as when someone deletes the data folder to begin anew
    closed.chmod(0o700)
    with claimed(here, servers=True):
        assert not here.postgres_data.exists(), "a deleted data folder must not come back"
