"""Evidence on the pages: who gets a file and how, what is taken in, what a reviewer is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from projects.evidence import storage
from projects.evidence.files import MAX_BYTES
from projects.models import Evidence, ProgressReport, Project
from projects.services import reports
from projects.services.evidence import MOST_PER_SUBMISSION
from tests import factories
from tests.evidence import made
from tests.factories import moment
from tests.test_pages import built, client_of

pytestmark = pytest.mark.django_db
PDF = made.pdf()


@pytest.fixture
def world(evidence_folder: Path) -> dict[str, Any]:
    return with_strangers(evidence_folder)


def with_strangers(evidence_folder: Path) -> dict[str, Any]:
    """The small world with an approved project, an officer of another group and staff of another commission."""
    found = built()
    Project.objects.update(approved_on=found["today"])
    found["stranger"] = factories.user("officer", factories.enterprise("燃气集团", parent=found["root"]))
    found["elsewhere"] = factories.user("staff", factories.sasac("外市国资委"))
    found["folder"] = evidence_folder
    return found


def photo(seed: int = 1, **options: Any) -> bytes:
    return made.encoded(made.scene(seed), **options)


def add(
    world: dict, body: bytes, name: str = "现场.jpg", *, who: str = "officer", kind: str = "progressreport", **form: Any
) -> Any:  # fmt: skip
    subject = world["project"].pk if kind == "closeout" else world["late"].pk
    url = f"/projects/evidence/add/{kind}/{subject}/"
    return client_of(world[who]).post(url, {"file": SimpleUploadedFile(name, body), **form})


def taken(world: dict, body: bytes, name: str = "现场.jpg", **form: Any) -> Evidence:
    answer = add(world, body, name, **form)
    assert answer.status_code == 200, answer.content.decode()
    return Evidence.objects.get(pk=answer.json()["id"])


def hand_in(world: dict) -> ProgressReport:
    draft = ProgressReport.objects.get(state="draft")
    texts = {"done": "管沟开挖", "percent": 50}
    reports.save_draft(report_id=draft.pk, actor=world["officer"], texts=texts)
    return reports.submit(report_id=draft.pk, actor=world["officer"], at=moment(world["today"]))


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


# -- taking in --------------------------------------------------------------------------------------


def test_the_first_file_opens_the_draft_and_answers_with_what_the_page_shows(world: dict) -> None:
    answer = add(world, photo(), stage="before")
    row = Evidence.objects.get()
    assert answer.json() == {
        "id": row.pk,
        "name": "现场.jpg",
        "kind": "photo",
        "stage": "before",
        "thumb": f"/projects/evidence/{row.pk}/thumb/",
        "view": f"/projects/evidence/{row.pk}/preview/",
    }
    assert row.report == ProgressReport.objects.get(milestone=world["late"], state="draft")
    assert row.uploaded_by == world["officer"]


@pytest.mark.parametrize("kind", ["progressreport", "extensionrequest", "closeout"])
def test_each_kind_of_submission_takes_files(world: dict, kind: str) -> None:
    world["project"].milestones.exclude(pk=world["late"].pk).delete()
    if kind == "closeout":
        world["project"].milestones.update(
            state="accepted", percent=100, claimed_on=world["today"], accepted_on=world["today"]
        )
    row = taken(world, PDF, "批复.pdf", kind=kind)
    assert type(row.of)._meta.model_name == kind
    assert row.of.of_project == world["project"]


def test_the_same_file_twice_is_one(world: dict) -> None:
    body = photo()
    first = taken(world, body, "a.jpg")
    assert taken(world, body, "b.jpg") == first
    assert taken(world, photo(2)) != first


def refused(name: str) -> tuple[str, bytes]:
    return {
        "an SVG named .jpg": ("图.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        "HTML named .jpg": ("图.jpg", b"<!doctype html><script>alert(1)</script>"),
        "HTML named .pdf": ("图.pdf", b"<!doctype html><script>alert(1)</script>"),
        "a program": ("图.jpg", b"MZ\x90\0" + bytes(200)),
        "an archive": ("图.docx", made.archive("a.txt")),
        "half a photograph": ("图.jpg", photo()[:400]),
        "30,000 × 30,000 pixels": ("图.jpg", made.png_header(30_000, 30_000)),
        "nothing": ("图.jpg", b""),
        "21 MB": ("图.pdf", PDF + bytes(MAX_BYTES)),
    }[name]  # fmt: skip


BAD = (
    "an SVG named .jpg", "HTML named .jpg", "HTML named .pdf", "a program", "an archive",
    "half a photograph", "30,000 × 30,000 pixels", "nothing", "21 MB",
)  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_file_is_refused_in_words_and_opens_no_draft(world: dict, bad: str) -> None:
    name, body = refused(bad)
    answer = add(world, body, name)
    assert answer.status_code in (400, 422), bad
    assert len(answer.json()["error"]) > 8
    assert not Evidence.objects.exists()
    assert not ProgressReport.objects.exists()
    assert not world["folder"].exists()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\照片\\现场.jpg", "现场.jpg"),
        ("现场\u202egpj.exe", "现场gpj.jpg"),
        ("长" * 300 + ".jpg", "长" * 116 + ".jpg"),
    ],
)
def test_a_name_that_wants_to_be_more_than_a_name_is_made_one(world: dict, sent: str, kept: str) -> None:
    row = taken(world, photo(), sent)
    assert row.name == kept
    response = client_of(world["officer"]).get(f"/projects/evidence/{row.pk}/preview/")
    assert (
        quote(kept) in response.headers["Content-Disposition"]
        or kept in response.headers["Content-Disposition"]
    )
    assert all("passwd" not in name for name, _when in storage.listing())


def test_no_submission_holds_more_than_thirty_files(world: dict) -> None:
    first = taken(world, PDF, "0.pdf")
    Evidence.objects.bulk_create(
        Evidence(
            project=first.project, report=first.report, kind="document", name=f"{n}.pdf", size=1,
            content_type="application/pdf", sha256=f"{n:064}", uploaded_by=world["officer"],
        )
        for n in range(1, MOST_PER_SUBMISSION)
    )  # fmt: skip
    files = sum(1 for _ in storage.listing())
    answer = add(world, photo(), "再来.jpg")
    assert answer.status_code == 409
    assert str(MOST_PER_SUBMISSION) in answer.json()["error"]
    assert sum(1 for _ in storage.listing()) == files


@pytest.mark.parametrize("who", ["staff", "leader"])
def test_who_may_not_report_is_told_so_and_nothing_is_taken(world: dict, who: str) -> None:
    answer = add(world, photo(), who=who)
    assert answer.status_code == 409
    assert answer.json()["error"]
    assert not Evidence.objects.exists()


@pytest.mark.parametrize("who", ["stranger", "elsewhere", "system", "security", "audit"])
def test_a_foreign_milestone_is_answered_like_a_missing_one(world: dict, who: str) -> None:
    there = add(world, photo(), who=who)
    nowhere = client_of(world[who]).post("/projects/evidence/add/progressreport/99999999/", {})
    assert (there.status_code, there.content) == (nowhere.status_code, nowhere.content)
    assert there.status_code == 404
    assert not Evidence.objects.exists()


def test_an_upload_without_a_file_or_by_get_is_refused_in_words(world: dict) -> None:
    client, url = client_of(world["officer"]), f"/projects/evidence/add/progressreport/{world['late'].pk}/"
    assert client.post(url, {}).status_code == 400
    assert client.get(url).status_code == 405
    assert client.post(url.replace("progressreport", "user"), {}).status_code == 404


def test_an_upload_that_breaks_off_is_no_fault_of_the_server(world: dict) -> None:
    """The phone went into a tunnel: the body ends before its announced length."""

    class Tunnel:
        def read(self, *_: Any) -> bytes:
            raise OSError("connection lost")

        readline = read

    client = client_of(world["officer"])
    answer = client.post(
        f"/projects/evidence/add/progressreport/{world['late'].pk}/",
        **{
            "wsgi.input": Tunnel(),
            "CONTENT_LENGTH": "1000000",
            "CONTENT_TYPE": "multipart/form-data; boundary=x",
        },
    )
    assert answer.status_code == 400
    assert not ProgressReport.objects.exists()


# -- while it is a draft ------------------------------------------------------------------------------


def test_a_draft_file_is_staged_and_removed_by_its_writers_until_it_is_handed_in(world: dict) -> None:
    row, client = taken(world, photo()), client_of(world["officer"])
    assert client.post(f"/projects/evidence/{row.pk}/stage/", {"stage": "after"}).status_code == 200
    row.refresh_from_db()
    assert row.stage == "after"
    assert client.post(f"/projects/evidence/{row.pk}/stage/", {"stage": "never"}).status_code == 409
    other = taken(world, photo(2))
    assert client.post(f"/projects/evidence/{other.pk}/remove/").status_code == 200
    assert not Evidence.objects.filter(pk=other.pk).exists()
    hand_in(world)
    for step in ("remove", "stage"):
        answer = client.post(f"/projects/evidence/{row.pk}/{step}/", {"stage": "before"})
        assert answer.status_code == 409
        assert answer.json()["error"]
    row.refresh_from_db()
    assert row.stage == "after"


def test_nobody_else_sees_or_touches_the_evidence_of_a_draft(world: dict) -> None:
    row = taken(world, photo())
    for who in ("staff", "leader", "stranger", "elsewhere", "system", "security", "audit"):
        client = client_of(world[who])
        for size in ("preview", "thumb", "original"):
            assert client.get(f"/projects/evidence/{row.pk}/{size}/").status_code == 404, who
        for step in ("remove", "stage"):
            there, nowhere = (
                client.post(f"/projects/evidence/{pk}/{step}/", {"stage": "after"})
                for pk in (row.pk, 99999999)
            )
            assert (there.status_code, there.content) == (nowhere.status_code, nowhere.content), who
        assert f"/evidence/{row.pk}/" not in client.get("/projects/evidence/").content.decode()
        page = client.get(f"/projects/project/{world['project'].pk}/evidence/")
        assert f"/evidence/{row.pk}/" not in page.content.decode(), who
    row.refresh_from_db()
    assert client_of(world["officer"]).get(f"/projects/evidence/{row.pk}/thumb/").status_code == 200


# -- the file -------------------------------------------------------------------------------------------


def test_a_picture_is_shown_inline_under_a_policy_that_lets_nothing_run(world: dict) -> None:
    row = taken(world, photo(exif=made.exif()), "井盖.jpeg")
    for size in ("preview", "thumb"):
        response = client_of(world["officer"]).get(f"/projects/evidence/{row.pk}/{size}/")
        assert response.headers["Content-Type"] == "image/jpeg"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in response.headers["Cache-Control"]
        assert response.headers["Content-Disposition"] == f"inline; filename*=utf-8''{quote('井盖.jpg')}"
        body = body_of(response)
        assert len(body) == int(response.headers["Content-Length"])
        assert b"SpyCam" not in body
        assert b"Exif" not in body
    assert client_of(world["officer"]).get(f"/projects/evidence/{row.pk}/original/").status_code == 404


def test_an_original_is_kept_only_if_the_setting_says_so_and_then_downloaded(
    world: dict, settings: Any
) -> None:
    settings.EVIDENCE_KEEP_ORIGINALS = True
    body = photo(exif=made.exif())
    row = taken(world, body)
    response = client_of(world["officer"]).get(f"/projects/evidence/{row.pk}/original/")
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert body_of(response) == body


def test_a_document_is_downloaded_and_only_a_pdf_may_be_looked_at(world: dict) -> None:
    pdf = taken(world, PDF, "批复.pdf")
    response = client_of(world["officer"]).get(f"/projects/evidence/{pdf.pk}/original/")
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"] == f"inline; filename*=utf-8''{quote('批复.pdf')}"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    word = taken(world, made.office("word/document.xml"), "小结.docx")
    response = client_of(world["officer"]).get(f"/projects/evidence/{word.pk}/original/")
    assert response.headers["Content-Disposition"].startswith("attachment")
    for size in ("preview", "thumb", "change-of-mind"):
        assert client_of(world["officer"]).get(f"/projects/evidence/{word.pk}/{size}/").status_code == 404


def test_head_says_the_same_without_a_body_and_post_gets_nothing(world: dict) -> None:
    row, client = taken(world, photo()), client_of(world["officer"])
    url = f"/projects/evidence/{row.pk}/thumb/"
    full, head = client.get(url), client.head(url)
    for name in ("Content-Type", "Content-Length", "Content-Security-Policy", "Content-Disposition"):
        assert head.headers[name] == full.headers[name]
    assert head.content == b""
    assert client.post(url).status_code == 404
    body_of(full)


def test_a_file_that_is_gone_from_the_storage_is_a_page_not_a_fault(world: dict) -> None:
    row = taken(world, photo())
    storage.delete(row.preview)
    response = client_of(world["officer"]).get(f"/projects/evidence/{row.pk}/preview/")
    assert response.status_code == 404
    assert 'href="/"' in response.content.decode()


def test_what_was_handed_in_is_seen_by_those_who_see_the_project_and_by_nobody_else(world: dict) -> None:
    row = taken(world, photo())
    report = hand_in(world)
    for who, status in {
        "officer": 200, "staff": 200, "leader": 200,
        "stranger": 404, "elsewhere": 404, "system": 404, "security": 404, "audit": 404,
    }.items():  # fmt: skip
        client = client_of(world[who])
        assert client.get(f"/projects/evidence/{row.pk}/preview/").status_code == status, who
        missing = client.get("/projects/evidence/99999999/preview/")
        if status == 404:
            assert client.get(f"/projects/evidence/{row.pk}/preview/").content == missing.content
    change = client_of(world["staff"]).get(f"/projects/evidence/{row.pk}/change/")
    assert change.headers["Location"] == f"/projects/progressreport/{report.pk}/"
    listing = client_of(world["staff"]).get("/projects/evidence/").content.decode()
    assert "现场.jpg" in listing
    assert client_of(world["staff"]).get(f"/projects/evidence/{row.pk}/history/").status_code == 200
