"""The cleaner: files that no row names go once they are old enough; everything else stays."""

from __future__ import annotations

import datetime
import io
import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.utils import timezone

from projects.evidence import storage
from projects.evidence.files import judge
from projects.models import Evidence
from projects.services import reports
from projects.services.evidence import add_evidence, sweep, sweep_incoming
from projects.tasks import sweep_evidence
from tests.evidence import made
from tests.test_pages import built

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def world(settings: Any, evidence_folder: Path, tmp_path: Path) -> dict[str, Any]:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    (tmp_path / "incoming").mkdir()
    return {**built(), "folder": evidence_folder, "incoming": tmp_path / "incoming"}


def upload(world: dict, seed: int = 1) -> Evidence:
    draft = reports.open_draft(milestone_id=world["late"].pk, actor=world["officer"], as_of=world["today"])
    body = made.encoded(made.scene(seed))
    return add_evidence(
        submission=draft, judged=judge(io.BytesIO(body), "a.jpg"), stage="during", actor=world["officer"],
        on=world["today"], keep_original=True,
    )  # fmt: skip


def orphan(world: dict, age: datetime.timedelta) -> str:
    name = storage.write(f"{storage.new_folder(world['today'])}/preview.jpg", b"x")
    aged(world["folder"] / name, age)
    return name


def aged(file: Path, age: datetime.timedelta) -> None:
    then = (timezone.now() - age).timestamp()
    os.utime(file, (then, then))


def names() -> set[str]:
    return {name for name, _when in storage.listing()}


def test_old_orphans_go_and_young_or_owned_files_stay(world: dict) -> None:
    row = upload(world)
    owned = {row.preview, row.thumbnail, row.original}
    for name in owned:
        aged(world["folder"] / name, HOUR * 1000)
    old, young = orphan(world, HOUR * 3), orphan(world, HOUR)
    assert sweep(now=timezone.now(), dry_run=True) == 1
    assert names() == {*owned, old, young}
    assert sweep(now=timezone.now()) == 1
    assert names() == {*owned, young}


def test_without_its_row_the_same_file_is_an_orphan(world: dict) -> None:
    """Negative control: it was the row that kept the files."""
    row = upload(world)
    Evidence.objects.all().delete()
    for name in (row.preview, row.thumbnail, row.original):
        aged(world["folder"] / name, HOUR * 3)
    assert sweep(now=timezone.now()) == 3
    assert names() == set()


def test_the_files_of_a_discarded_draft_are_swept(world: dict) -> None:
    row = upload(world)
    reports.discard(report_id=row.report_id, actor=world["officer"])
    assert not Evidence.objects.exists()
    assert sweep(now=timezone.now() + HOUR * 3) == len({row.preview, row.thumbnail, row.original})
    assert names() == set()


def test_what_a_killed_process_was_receiving_is_swept_and_nothing_else_there(world: dict) -> None:
    for name, age in (("tmpa.upload.jpg", 3), ("tmpb.upload.jpg", 1), ("keep.txt", 3)):
        (world["incoming"] / name).write_bytes(b"x")
        aged(world["incoming"] / name, HOUR * age)
    assert sweep_incoming(folder=world["incoming"], now=timezone.now()) == 1
    assert {file.name for file in world["incoming"].iterdir()} == {"tmpb.upload.jpg", "keep.txt"}
    assert sweep_incoming(folder=world["incoming"] / "nowhere", now=timezone.now()) == 0


def test_the_task_sweeps_both_and_may_run_again(world: dict) -> None:
    upload(world)
    kept = names()
    orphan(world, HOUR * 3)
    (world["incoming"] / "tmpa.upload").write_bytes(b"x")
    aged(world["incoming"] / "tmpa.upload", HOUR * 3)
    for _ in range(2):
        sweep_evidence()
        assert names() == kept
        assert not list(world["incoming"].iterdir())


def test_the_task_runs_every_night() -> None:
    entry = configured.CELERY_BEAT_SCHEDULE["sweep-the-evidence"]
    assert entry["task"] == sweep_evidence.name
    assert (entry["schedule"].hour, entry["schedule"].minute) == ({3}, {30})


def test_the_command_counts_first_and_then_removes(world: dict) -> None:
    orphan(world, HOUR / 2)

    def told(*options: str) -> str:
        out = io.StringIO()
        call_command("sweep_evidence", *options, stdout=out)
        return out.getvalue()

    assert " 0 " in told()
    assert " 1 " in told("--older-than-hours", "0.25", "--dry-run")
    assert len(names()) == 1
    assert " 1 " in told("--older-than-hours", "0.25")
    assert names() == set()
    with pytest.raises(CommandError):
        told("--older-than-hours", "-1")
