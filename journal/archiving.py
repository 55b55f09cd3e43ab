"""What is older than the retention leaves the tables for a file; nothing is ever only deleted.

A batch is one transaction: the file is written, brought to the disk, read back and counted; then the row
that knows it is made and the entries are deleted, together. Killed in between, the file stays without a
row and the entries stay in the tables; the next run does the batch again.

Of every object that is still there, the newest of its old entries stays: the next change is compared with it.
"""

from __future__ import annotations

import datetime
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pgtrigger
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.utils import translation

from journal import archive_files
from journal.entries import entries_of
from journal.names import Names
from journal.tracking import event_models

BATCH = 20_000
#: Rows that are put into words at a time.
_AT_A_TIME = 1000
#: A file without a row may be a batch that another worker is just finishing; an hour later it is none.
_ORPHAN_AFTER = 3600
_LOCK = 0x6A6F7572  # "jour"


@dataclass(frozen=True)
class Archived:
    """One file and what it holds; `since` and `until` are the times of its first and last entry."""

    number: int
    file_name: str
    since: datetime.datetime
    until: datetime.datetime
    entries: int
    bytes: int
    sha256: str


class Register(Protocol):
    """Where the files are written down (`enterprises.services.journal_archive`)."""

    def next_number(self) -> int: ...
    def holds(self, file_name: str) -> bool: ...
    def keep(self, archived: Archived) -> None: ...


class Unreadable(Exception):
    """A file that was just written does not read back as it was written: nothing was deleted."""


def old_enough(before: datetime.datetime) -> list[tuple[Any, QuerySet[Any]]]:
    """Event tables, each with its entries from before a moment that may leave it."""
    found = []
    for event_model in event_models():
        rows = event_model._base_manager.filter(pgh_created_at__lt=before)
        followed = rows.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__gt=OuterRef("pgh_id"))
        found.append((event_model, rows.filter(Q(pgh_label="delete") | Exists(followed))))
    return found


def archive(
    *,
    before: datetime.datetime,
    folder: Path,
    register: Register,
    batch: int = BATCH,
    at_most: int = 100,
) -> list[Archived]:
    """Move entries from before a moment into files.

    Safe to repeat, to kill, and to run twice at once: the second finds the lock taken and leaves.

    Args:
        before: entries of this moment and later stay.
        folder: where the files go; made when it is missing.
        register: knows the files that count.
        batch: entries in a file.
        at_most: files in one run; the next run goes on.

    Raises:
        OSError: the folder or the disk does not take the file.
        Unreadable: what was written could not be read back. In both cases nothing was deleted.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    done: list[Archived] = []
    for _number in range(at_most):
        with transaction.atomic():
            archived = _one_batch(before, folder, register, batch) if _alone() else None
        if archived is None:
            break
        done.append(archived)
        if archived.entries < batch:
            break
    return done


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return cursor.fetchone()[0]


def _one_batch(before: datetime.datetime, folder: Path, register: Register, batch: int) -> Archived | None:
    _set_orphans_aside(folder, register)
    keys = _oldest(before, batch)
    if not keys:
        return None
    since, until, number = keys[0][2], keys[-1][2], register.next_number()
    path = folder / f"journal-{number:06d}-{since:%Y%m%d}-{until:%Y%m%d}.jsonl.gz"
    if path.exists():
        archive_files.set_aside(path)
    with translation.override("zh-hans"):
        written = archive_files.write(path, _lines(keys))
    read_back = sum(1 for _line in archive_files.lines_of(path))
    if not written == read_back == len(keys):
        raise Unreadable(f"{path.name}: {len(keys)} entries, {written} written, {read_back} read back")
    archived = Archived(
        number=number,
        file_name=path.name,
        since=since,
        until=until,
        entries=len(keys),
        bytes=path.stat().st_size,
        sha256=archive_files.sha256_of(path),
    )
    register.keep(archived)
    _delete(keys)
    return archived


def _oldest(before: datetime.datetime, size: int) -> list[tuple[int, int, datetime.datetime]]:
    """(table, row, time) of the oldest entries that may leave, oldest first."""
    arms = [
        rows.order_by("pgh_created_at", "pgh_id")
        .annotate(arm=Value(index))
        .values_list("arm", "pgh_id", "pgh_created_at")[:size]
        for index, (_model, rows) in enumerate(old_enough(before))
    ]
    return list(arms[0].union(*arms[1:], all=True).order_by("pgh_created_at", "arm", "pgh_id")[:size])


def _lines(keys: Sequence[tuple[int, int, Any]]) -> Iterator[str]:
    tables = event_models()
    for start in range(0, len(keys), _AT_A_TIME):
        part = keys[start : start + _AT_A_TIME]
        found = []
        for arm, group in itertools.groupby(sorted(part), key=lambda key: key[0]):
            ids = [pgh_id for _arm, pgh_id, _at in group]
            found.append((tables[arm], list(tables[arm]._base_manager.filter(pgh_id__in=ids))))
        for entry in reversed(entries_of(found, Names(None))):
            yield archive_files.as_line(entry)


def _delete(keys: Sequence[tuple[int, int, Any]]) -> None:
    """The only place where the journal's own protection is lifted: for these rows, in this transaction."""
    tables = event_models()
    for arm, group in itertools.groupby(sorted(keys), key=lambda key: key[0]):
        ids = [pgh_id for _arm, pgh_id, _at in group]
        meta = tables[arm]._meta
        with pgtrigger.ignore(f"{meta.label}:append_only"), connection.cursor() as cursor:
            cursor.execute(f'DELETE FROM "{meta.db_table}" WHERE pgh_id = ANY(%s)', [ids])
            if cursor.rowcount != len(ids):
                raise RuntimeError(f"{meta.db_table}: {len(ids)} entries written, {cursor.rowcount} deleted")


def _set_orphans_aside(folder: Path, register: Register) -> None:
    for path in folder.glob(archive_files.PATTERN):
        if not register.holds(path.name) and time.time() - path.stat().st_mtime > _ORPHAN_AFTER:
            archive_files.set_aside(path)
