"""Moving old entries of the journal into files, and writing the files down."""

from __future__ import annotations

import datetime
from pathlib import Path

from django.utils import timezone

from enterprises.models import JournalArchive
from journal import archiving
from journal.archiving import Archived


class _Rows:
    """The rows of `JournalArchive`, as `journal.archiving` asks for them."""

    def next_number(self) -> int:
        newest = JournalArchive.objects.order_by("-number").first()
        return newest.number + 1 if newest else 1

    def holds(self, file_name: str) -> bool:
        return JournalArchive.objects.filter(file_name=file_name).exists()

    def keep(self, archived: Archived) -> None:
        JournalArchive.objects.create(**vars(archived))


def first_day_kept(*, as_of: datetime.date, days: int) -> datetime.date:
    """The oldest day whose entries stay in the tables."""
    return as_of - datetime.timedelta(days=days)


def _midnight(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min))


def archive_journal(
    *, as_of: datetime.date, days: int, folder: Path, batch: int = archiving.BATCH
) -> list[Archived]:
    """Move what is older than the retention into files; see `journal.archiving`.

    Args:
        as_of: the day of the run.
        days: retention; entries of the last `days` days stay.
        folder: where the files go.
        batch: entries in a file.
    """
    before = _midnight(first_day_kept(as_of=as_of, days=days))
    return archiving.archive(before=before, folder=folder, register=_Rows(), batch=batch)


def waiting(*, as_of: datetime.date, days: int) -> int:
    """How many entries a run would move."""
    before = _midnight(first_day_kept(as_of=as_of, days=days))
    return sum(rows.count() for _model, rows in archiving.old_enough(before))
