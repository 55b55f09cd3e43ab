"""Retention: what is old goes to a file, whole and once; what is needed stays; nothing else is ever deleted."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from enterprises.models import JournalArchive
from enterprises.services.journal_archive import archive_journal, waiting
from enterprises.tasks import run_archive
from journal import archive_files, archiving
from journal.archive_files import lines_of
from journal.context import acting
from journal.reading import history_of
from journal.tracking import event_model_of, event_models
from projects.models import Milestone, Project
from tests import factories
from tests.test_pages import built, client_of

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent
DAYS = 200


@pytest.fixture
def world() -> dict[str, Any]:
    return built()


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.JOURNAL_ARCHIVE_DIR = tmp_path / "journal-archive"
    return settings.JOURNAL_ARCHIVE_DIR


def grow_old(days: int = 300) -> None:
    """Move everything in the journal into the past, as only a test may."""
    uris = [f"{model._meta.label}:append_only" for model in event_models()]
    with pgtrigger.ignore(*uris), connection.cursor() as cursor:
        for model in event_models():
            cursor.execute(
                f"UPDATE {model._meta.db_table} SET pgh_created_at = pgh_created_at - make_interval(days => %s)",
                [days],
            )


def run(folder: Path, **more: Any) -> list[Any]:
    return archive_journal(as_of=timezone.localdate(), days=DAYS, folder=folder, **more)


def count() -> int:
    return sum(model._base_manager.count() for model in event_models())


def records(folder: Path) -> list[dict[str, Any]]:
    return [entry for path in sorted(folder.glob("*.gz")) for entry in lines_of(path)]


def test_old_entries_are_in_the_file_in_chinese_and_no_longer_in_the_tables(
    world: dict, folder: Path
) -> None:
    with acting(by="张三", why="更正", source="command"):
        Project.objects.filter(pk=world["project"].pk).update(place="一")
    Project.objects.filter(pk=world["project"].pk).update(place="二")
    before = count()
    grow_old()
    (archived,) = run(folder)
    told = records(folder)
    assert count() + archived.entries == before
    assert archived.entries == len(told)
    assert [entry["at"] for entry in told] == sorted(entry["at"] for entry in told)
    place = next(e for e in told if e["table"] == "projects.project" and e["action"] == "update")
    assert (place["by"], place["why"], place["kind"], place["name"]) == (
        "张三",
        "更正",
        "项目",
        world["project"].name,
    )
    assert [(c["field"], c["after"]) for c in place["changes"]] == [("place", "一")]
    assert place["changes"][0]["label"] == str(Project._meta.get_field("place").verbose_name)
    assert place["values"]["enterprise_id"] == world["group"].pk
    row = JournalArchive.objects.get()
    assert row.sha256 == archive_files.sha256_of(folder / row.file_name)
    assert row.bytes == (folder / row.file_name).stat().st_size
    assert (row.entries, row.number) == (archived.entries, 1)


def test_what_is_young_stays(world: dict, folder: Path) -> None:
    before = count()
    grow_old(days=DAYS - 1)
    assert waiting(as_of=timezone.localdate(), days=DAYS) == 0
    assert run(folder) == []
    assert count() == before
    assert list(folder.iterdir()) == []


def test_the_last_old_entry_of_what_still_exists_stays_so_the_next_has_a_before(
    world: dict, folder: Path
) -> None:
    project = world["project"]
    Project.objects.filter(pk=project.pk).update(place="一")
    Project.objects.filter(pk=project.pk).update(place="二")
    gone = factories.project(world["group"])
    gone_id = gone.pk
    gone.delete()
    grow_old()
    Project.objects.filter(pk=project.pk).update(place="三")
    run(folder)
    events: Any = event_model_of(Project)
    assert list(events.objects.filter(pgh_obj_id=project.pk).order_by("pgh_id").values_list("place", flat=True)) == ["二", "三"]  # fmt: skip
    assert not events.objects.filter(pgh_obj_id=gone_id).exists()
    newest = history_of([project], world["staff"])[0]
    assert [(c.before, c.after) for c in newest.changes] == [("二", "三")]
    for model in event_models():
        if model.pgh_tracked_model._meta.model_name != "overdueepisode":  # their making is no entry
            for obj in model.pgh_tracked_model._base_manager.all():
                assert model._base_manager.filter(pgh_obj_id=obj.pk).exists(), obj


def test_a_second_run_finds_nothing(world: dict, folder: Path) -> None:
    Project.objects.filter(pk=world["project"].pk).update(place="一")
    grow_old()
    assert run(folder)
    assert run(folder) == []
    assert JournalArchive.objects.count() == 1


def test_many_batches_hold_each_entry_once(world: dict, folder: Path) -> None:
    for place in range(30):
        Project.objects.filter(pk=world["project"].pk).update(place=str(place))
    grow_old()
    expected = waiting(as_of=timezone.localdate(), days=DAYS)
    done = run(folder, batch=7)
    assert len(done) > 3
    told = [(entry["table"], entry["row"]) for entry in records(folder)]
    assert len(told) == len(set(told)) == expected
    assert [row.number for row in JournalArchive.objects.order_by("number")] == list(range(1, len(done) + 1))


def test_a_second_worker_leaves_while_the_first_is_at_it(world: dict, folder: Path) -> None:
    Project.objects.filter(pk=world["project"].pk).update(place="一")
    grow_old()
    before = count()
    first = connection.copy()
    try:
        with first.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [archiving._LOCK])
        assert run(folder) == []
    finally:
        first.close()
    assert (count(), list(folder.iterdir())) == (before, [])
    assert run(folder), "the control: the lock is free again"


def test_killed_before_the_commit_nothing_is_lost_or_doubled(
    world: dict, folder: Path, monkeypatch: Any
) -> None:
    for place in range(5):
        Project.objects.filter(pk=world["project"].pk).update(place=str(place))
    grow_old()
    before = count()

    def killed(_keys: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(archiving, "_delete", killed)
        with pytest.raises(KeyboardInterrupt), transaction.atomic():
            run(folder)
    assert (count(), JournalArchive.objects.count()) == (before, 0)
    (left,) = folder.glob("*.gz")
    run(folder)
    assert left.with_name(left.name + ".orphan").exists(), "kept under another name"
    assert len(list(folder.glob("*.gz"))) == JournalArchive.objects.count() == 1


def test_a_file_that_no_row_knows_is_renamed_after_an_hour(world: dict, folder: Path) -> None:
    folder.mkdir(parents=True)
    old, fresh = folder / "journal-000090-x.jsonl.gz", folder / "journal-000091-x.jsonl.gz"
    for path in (old, fresh):
        path.write_bytes(b"?")
    os.utime(old, (1, 1))
    run(folder)
    assert sorted(path.name for path in folder.iterdir()) == [old.name + ".orphan", fresh.name]


def test_what_does_not_read_back_is_not_deleted(world: dict, folder: Path, monkeypatch: Any) -> None:
    Project.objects.filter(pk=world["project"].pk).update(place="一")
    grow_old()
    before = count()
    monkeypatch.setattr(archive_files, "lines_of", lambda _path: iter(()))
    with pytest.raises(archiving.Unreadable), transaction.atomic():
        run(folder)
    assert count() == before


def test_a_folder_that_cannot_be_written_is_said_and_nothing_is_deleted(world: dict, folder: Path) -> None:
    Project.objects.filter(pk=world["project"].pk).update(place="一")
    grow_old()
    before = count()
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file, not a folder")
    with pytest.raises(CommandError), transaction.atomic():
        call_command("archive_journal")
    assert count() == before


def test_the_commands_say_what_they_do_and_find_a_changed_file(
    world: dict, folder: Path, capsys: Any
) -> None:
    Project.objects.filter(pk=world["project"].pk).update(place="一")
    grow_old()
    before = count()
    call_command("archive_journal", dry_run=True)
    assert count() == before
    call_command("archive_journal")
    row = JournalArchive.objects.get()
    path = folder / row.file_name
    call_command("read_journal_archive", str(path), verify=True)
    call_command("read_journal_archive", str(path))
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["table"]
    entries = gzip.decompress(path.read_bytes()).replace("一".encode(), "二".encode())
    path.write_bytes(gzip.compress(entries))
    with pytest.raises(CommandError):
        call_command("read_journal_archive", str(path), verify=True)
    path.write_bytes(b"no gzip")
    with pytest.raises(CommandError):
        call_command("read_journal_archive", str(path))


def test_the_nightly_task_runs_it(world: dict, folder: Path, settings: Any) -> None:
    Project.objects.filter(pk=world["project"].pk).update(place="一")
    grow_old()
    run_archive()
    assert JournalArchive.objects.count() == 1
    assert settings.CELERY_BEAT_SCHEDULE["archive-the-journal"]["task"] == run_archive.name


# -- nobody else -----------------------------------------------------------------------------------


def test_after_an_archive_the_tables_refuse_everyone_again(world: dict, folder: Path) -> None:
    Project.objects.filter(pk=world["project"].pk).update(place="一")
    grow_old()
    run(folder)
    event: Any = event_model_of(Project)
    for verb in (f"DELETE FROM {event._meta.db_table}", f"UPDATE {event._meta.db_table} SET place = 'x'"):
        with (
            connection.cursor() as cursor,
            pytest.raises(DatabaseError, match="Cannot"),
            transaction.atomic(),
        ):
            cursor.execute(verb)
    for change in (
        event.objects.all().delete,
        lambda: event.objects.update(place="x"),
        lambda: event.objects.bulk_update([event(pgh_id=event.objects.first().pgh_id, place="x")], ["place"]),
        event.objects.first().delete,
        event.objects.first().save,
    ):
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            change()


@pytest.mark.parametrize("verb", ["UPDATE {} SET sha256 = ''", "DELETE FROM {}"])
def test_the_record_of_an_archive_is_not_changed(world: dict, folder: Path, verb: str) -> None:
    Project.objects.filter(pk=world["project"].pk).update(place="一")
    grow_old()
    run(folder)
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
        cursor.execute(verb.format(JournalArchive._meta.db_table))


def test_the_protection_is_lifted_in_one_place_only() -> None:
    lifting = re.compile(r"pgtrigger\.ignore\(|session_replication_role|DISABLE TRIGGER", re.I)
    found = {
        path.relative_to(ROOT).as_posix()
        for room in ("portal", "enterprises", "projects", "journal", "tools")
        for path in (ROOT / room).rglob("*.py")
        if lifting.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"journal/archiving.py"}


@pytest.mark.parametrize(("days", "starts"), [("183", False), ("0", False), ("184", True), ("400", True)])
def test_less_than_six_months_is_refused(days: str, starts: bool, tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", "import portal.settings"],
        env={**os.environ, "JOURNAL_RETENTION_DAYS": days, "DATA_DIR": str(tmp_path)},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (answer.returncode == 0) == starts
    if not starts:
        assert "第二十一条" in answer.stderr
        assert "184" in answer.stderr


# -- who reads the files ---------------------------------------------------------------------------


def test_only_an_auditor_above_everything_gets_a_file(world: dict, folder: Path) -> None:
    Project.objects.filter(pk=world["project"].pk).update(place="一")
    grow_old()
    run(folder)
    whole = client_of(world["audit"])
    assert whole.get("/journal/archives/").context["rows"]
    file = whole.get("/journal/archives/1/")
    assert "attachment" in file.headers["Content-Disposition"]
    assert gzip.decompress(b"".join(file.streaming_content))
    assert whole.get("/journal/archives/2/").status_code == 404
    factories.sasac("外地国资委")
    for who in (world["audit"], factories.user("audit", world["group"])):
        client = client_of(who)
        assert not client.get("/journal/archives/").context["rows"]
        assert client.get("/journal/archives/1/").status_code == 404


def test_a_file_that_was_taken_away_is_missing_and_no_error(world: dict, folder: Path) -> None:
    Project.objects.filter(pk=world["project"].pk).update(place="一")
    grow_old()
    run(folder)
    for path in folder.glob("*.gz"):
        path.unlink()
    assert client_of(world["audit"]).get("/journal/archives/1/").status_code == 404


def test_the_milestone_of_a_deleted_project_stays_behind_its_wall(world: dict, folder: Path) -> None:
    """Scopes of entries are followed through the tables that the archive thins out."""
    milestone = factories.milestone(world["project"])
    grow_old()
    Milestone.objects.filter(pk=milestone.pk).update(weight=9)
    run(folder)
    factories.sasac("外地国资委")
    entries = client_of(world["audit"]).get("/journal/").context["entries"]
    assert [e.name for e in entries if e.kind_label == "projects.milestone" and e.action == "update"][:1] == [
        milestone.name
    ]
