"""Files that come with the form itself, without scripts: judged before anything is locked, refused by name."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction

from projects.admin import evidence_files
from projects.evidence import storage
from projects.models import Evidence, ProgressReport, Project
from projects.services.evidence import MOST_PER_SUBMISSION
from tests import factories
from tests.evidence import made
from tests.test_draft_forms import prepared, typed
from tests.test_pages import client_of

PDF = made.pdf()


@pytest.fixture
def world(evidence_folder: Path) -> dict[str, Any]:
    return prepared()


def papers(count: int) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(f"{n}.pdf", PDF + b"\n%" + str(n).encode()) for n in range(count)]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were looked at."""
    seen: list[str] = []
    judge = evidence_files.judge

    def watched(file: Any, name: str) -> Any:
        seen.append(name)
        return judge(file, name)

    monkeypatch.setattr(evidence_files, "judge", watched)
    return seen


def from_outside(project: Any) -> str:
    """Try to lock a project on a connection of its own; "" when nobody else holds it."""
    said: list[str] = []

    def lock() -> None:
        try:
            with transaction.atomic():
                Project.objects.select_for_update(nowait=True).get(pk=project.pk)
        except Exception as fault:
            said.append(str(fault))
        finally:
            connection.close()

    thread = threading.Thread(target=lock)
    thread.start()
    thread.join()
    return "".join(said)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("case", ["first", "draft", "conflict"])
def test_no_project_is_locked_while_files_are_looked_at(
    world: dict, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """Pictures take seconds; all who work on the project would wait for them."""
    held: list[str] = []
    judge = evidence_files.judge

    def watched(file: Any, name: str) -> Any:
        held.append(from_outside(world["project"]))
        return judge(file, name)

    monkeypatch.setattr(evidence_files, "judge", watched)
    client, page = world["client"], world["client"].get(world["report"])
    if case != "first":
        writer = client if case == "draft" else client_of(factories.user("officer", world["group"]))
        opened = writer.get(world["report"])
        writer.post(world["report"], typed(opened, done="一稿") | {"_save": "1"})
        page = client.get(world["report"]) if case == "draft" else page
    answer = client.post(world["report"], typed(page, done="挖沟") | {"_save": "1", "files": papers(2)})
    assert answer.status_code == (409 if case == "conflict" else 302)
    assert held == ["", ""]
    assert Evidence.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_question_for_the_lock_finds_one(world: dict) -> None:
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=world["project"].pk)
        assert "lock" in from_outside(world["project"])


@pytest.mark.django_db
def test_what_is_too_many_is_refused_by_name_and_not_looked_at(world: dict, judged: list[str]) -> None:
    client = world["client"]
    data = typed(client.get(world["report"]), done="见附件")
    page = client.post(world["report"], data | {"_save": "1", "files": papers(MOST_PER_SUBMISSION + 2)})
    assert page.status_code == 200
    assert page.context["entries"]["done"].bound.value() == "见附件"
    problems = " ".join(page.context["form"].non_field_errors())
    assert all(f"{n}.pdf" in problems for n in (30, 31)) and "29.pdf" not in problems
    assert len(judged) == Evidence.objects.count() == MOST_PER_SUBMISSION
    assert ProgressReport.objects.get().done == "见附件"


@pytest.mark.django_db
def test_files_for_a_form_that_is_refused_are_not_looked_at(world: dict, judged: list[str]) -> None:
    data = typed(world["client"].get(world["report"]), done="写好的")
    for who in ("staff", "leader"):
        assert client_of(world[who]).post(world["report"], data | {"files": papers(1)}).status_code == 409
    factories.report(world["open"], world["officer"], world["today"])
    page = world["client"].post(world["report"], data | {"files": papers(1)})
    assert page.status_code == 409 and "写好的" in page.content.decode()
    assert not judged and not Evidence.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("keep", [True, False])
def test_what_is_kept_is_what_was_sent(world: dict, settings: Any, keep: bool) -> None:
    settings.EVIDENCE_KEEP_ORIGINALS = keep
    picture = made.encoded(made.scene(1))
    files = [SimpleUploadedFile("回执.pdf", PDF), SimpleUploadedFile("现场.jpg", picture)]
    client = world["client"]
    client.post(world["report"], typed(client.get(world["report"])) | {"_save": "1", "files": files})
    for row, sent in zip(Evidence.objects.order_by("pk"), (PDF, picture), strict=True):
        assert bool(row.original) == (keep or row.kind == "document")
        if row.original:
            with storage.open_read(row.original) as file:
                assert file.read() == sent


@pytest.mark.django_db
def test_more_files_than_a_request_may_carry_are_refused_in_words(world: dict, settings: Any) -> None:
    most = settings.DATA_UPLOAD_MAX_NUMBER_FILES
    url = f"/projects/evidence/add/progressreport/{world['open'].pk}/"
    answer = world["client"].post(url, {"file": papers(most + 1)})
    assert answer.status_code == 400
    assert str(most) in answer.content.decode()
    assert world["client"].post(url, {"file": papers(most)}).status_code == 200
