"""What was tried against reports, evidence and close-outs. Each was once possible."""

from __future__ import annotations

import io
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.utils import OperationalError
from django.utils import timezone

from enterprises.models import Membership
from projects.evidence.files import judge
from projects.models import CloseOut, Evidence, Project
from projects.services import evidence, reports
from projects.services.refusals import Refused
from projects.services.reviews import decide
from tests import factories
from tests.evidence import made
from tests.forms import form_of
from tests.test_pages import DAY, built, client_of


@pytest.fixture
def world(evidence_folder: Path) -> dict[str, Any]:
    found = built()
    Project.objects.update(approved_on=found["today"] - DAY * 50)
    found["project"].refresh_from_db()
    return found


def photo_file(seed: int) -> io.BytesIO:
    return io.BytesIO(made.encoded(made.scene(seed, (200, 150))))


def drafted(world: dict, text: str = "先写的话") -> Any:
    draft = reports.open_draft(milestone_id=world["late"].pk, actor=world["officer"], as_of=world["today"])
    return reports.save_draft(report_id=draft.pk, actor=world["officer"], texts={"done": text, "percent": 20})


@pytest.mark.django_db
def test_a_reader_who_writes_for_another_group_sees_no_drafts_here(world: dict) -> None:
    draft = drafted(world)
    mixed = factories.user("leader", world["root"])
    elsewhere = factories.enterprise("燃气集团", parent=world["root"])
    Membership.objects.create(user=mixed, role="officer", unit=elsewhere)
    client = client_of(mixed)
    page = client.get("/projects/progressreport/?state__exact=draft")
    assert page.context["cl"].result_count == 0
    for tail in ("", "history/"):
        assert client.get(f"/projects/progressreport/{draft.pk}/{tail}").status_code == 302
    assert (
        f"{world['late'].pk}/report/"
        not in client.get(f"/projects/project/{world['project'].pk}/").content.decode()
    )


@pytest.mark.django_db
def test_what_was_taken_out_of_a_draft_is_not_told_to_the_reviewer(world: dict) -> None:
    draft = drafted(world, "不该写的话")
    reports.save_draft(report_id=draft.pk, actor=world["officer"], texts={"done": "完成开挖"})
    reports.submit(report_id=draft.pk, actor=world["officer"], at=timezone.now())
    for path in (
        f"/projects/progressreport/{draft.pk}/",
        f"/projects/progressreport/{draft.pk}/history/",
        f"/projects/project/{world['project'].pk}/",
    ):
        assert "不该写的话" not in client_of(world["staff"]).get(path).content.decode(), path
    own = client_of(world["officer"]).get(f"/projects/progressreport/{draft.pk}/history/")
    assert "不该写的话" in own.content.decode()


@pytest.mark.django_db
def test_the_words_of_an_approved_promise_are_not_the_officers_to_change(world: dict) -> None:
    client, url = client_of(world["officer"]), f"/projects/project/{world['project'].pk}/change/"
    data = form_of(client.get(url))
    client.post(url, data | {"measures": "改写承诺", "beneficiaries_number": "1", "place": "新地点"})
    world["project"].refresh_from_db()
    assert (world["project"].measures, world["project"].beneficiaries_number) == ("", None)
    assert world["project"].place == "新地点"


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["awaiting", "closed_out", "terminated"])
def test_a_project_that_is_settled_is_edited_by_nobody(world: dict, status: str) -> None:
    Project.objects.filter(pk=world["project"].pk).update(status=status)
    for role in ("officer", "staff"):
        client = client_of(world[role])
        for url in (f"/projects/project/{world['project'].pk}/change/", f"/projects/milestone/{world['late'].pk}/change/"):  # fmt: skip
            assert client.post(url, {"name": "改", "place": "改"}).status_code == 403, (role, url)
    world["project"].refresh_from_db()
    assert world["project"].place == ""


@pytest.mark.django_db
def test_evidence_of_a_draft_that_is_gone_is_refused_in_words(world: dict) -> None:
    draft = drafted(world)
    photo = evidence.add_evidence(
        submission=draft,
        judged=judge(photo_file(1), "a.jpg"),
        stage="before",
        actor=world["officer"],
        on=world["today"],
        keep_original=False,
    )
    other = Evidence.objects.get(pk=photo.pk)
    evidence.remove_evidence(evidence=photo, actor=world["officer"])
    with pytest.raises(Refused):
        evidence.set_stage(evidence=other, stage="after", actor=world["officer"])
    reports.discard(report_id=draft.pk, actor=world["officer"])
    with pytest.raises(Refused):
        evidence.set_stage(evidence=other, stage="after", actor=world["officer"])


@pytest.mark.django_db(transaction=True)
def test_photos_on_their_way_and_a_hand_in_never_wait_for_each_other(world: dict) -> None:
    """Uploads locked the draft first and the project last, every other verb the other way round."""
    faults: list[BaseException] = []

    def run(verb: Any) -> None:
        try:
            verb()
        except Refused:
            pass
        except OperationalError as error:
            faults.append(error)
        finally:
            connection.close()

    for number in range(8):
        milestone = factories.milestone(world["project"], world["today"] + DAY * 9, state="in_progress")
        draft = reports.open_draft(milestone_id=milestone.pk, actor=world["officer"], as_of=world["today"])
        reports.save_draft(report_id=draft.pk, actor=world["officer"], texts={"done": "x", "percent": 20})
        judged = [judge(photo_file(number * 3 + n), "a.jpg") for n in range(3)]
        add = partial(
            evidence.add_evidence,
            submission=draft,
            stage="during",
            actor=world["officer"],
            on=world["today"],
            keep_original=False,
        )
        hand_in = partial(reports.submit, report_id=draft.pk, actor=world["officer"], at=timezone.now())
        verbs = [*(partial(add, judged=one) for one in judged), hand_in]
        threads = [threading.Thread(target=run, args=(verb,)) for verb in verbs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert faults == []


@pytest.mark.django_db
def test_the_paths_of_a_close_out_are_closed_one_after_the_other(world: dict) -> None:
    """Neither one person in two sessions nor an early approval makes a certificate."""
    project, today = world["project"], world["today"]
    project.milestones.all().delete()
    factories.milestone(project, today, state="accepted", claimed_on=today, accepted_on=today)
    row = factories.close_out(project, world["officer"], today)
    for action, who in (("approve", "staff"), ("verify", "officer"), ("verify", "leader")):
        with pytest.raises(Refused):
            decide(kind=CloseOut, pk=row.pk, action=action, actor=world[who], at=timezone.now())
    decide(kind=CloseOut, pk=row.pk, action="verify", actor=world["staff"], at=timezone.now())
    with pytest.raises(Refused):
        decide(kind=CloseOut, pk=row.pk, action="approve", actor=world["staff"], at=timezone.now())
    assert CloseOut.objects.get().number is None
