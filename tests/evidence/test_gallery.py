"""The gallery of a project, and photos that look alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprises.models import Membership
from projects.admin.evidence_gallery import PER_PAGE
from projects.models import Evidence, ProgressReport
from tests import factories
from tests.evidence import made
from tests.evidence.test_pages import add, hand_in, photo, taken, with_strangers
from tests.factories import moment
from tests.test_pages import DAY, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(evidence_folder: Path) -> dict[str, Any]:
    return with_strangers(evidence_folder)


def fill(world: dict, count: int) -> None:
    """So many handed-in photos on three milestones, a third of them before, a third after; one document."""
    when = moment(world["today"] - DAY)
    found = []
    for number, milestone in enumerate(world["project"].milestones.all()):
        report, _made = ProgressReport.objects.get_or_create(
            milestone=milestone, round=1, state="submitted", submitted_by=world["officer"],
            submitted_at=when, submitted_on=when.date(), done="开挖", percent=number,
        )  # fmt: skip
        found.append(report)
    start = Evidence.objects.count()
    Evidence.objects.bulk_create(
        Evidence(
            project=world["project"], report=found[n % 3], kind="photo", name=f"{n}.jpg", size=9,
            stage=Evidence.Stage.values[n // 3 % 3], content_type="image/jpeg", sha256=f"{start + n:064}",
            width=4, height=3, preview="x", thumbnail="x", uploaded_by=world["officer"],
        )
        for n in range(count)
    )  # fmt: skip


def queries(world: dict, url: str, who: str = "staff") -> int:
    client = client_of(world[who])
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(url).status_code == 200
    return len(caught)


def test_the_gallery_asks_as_often_for_sixty_photos_as_for_three(world: dict) -> None:
    url = f"/projects/project/{world['project'].pk}/evidence/"
    fill(world, 3)
    few = queries(world, url)
    fill(world, 57)
    assert queries(world, url) == few


def test_the_gallery_shows_before_beside_after_and_goes_on_after_sixty(world: dict) -> None:
    fill(world, 63)
    client, url = client_of(world["leader"]), f"/projects/project/{world['project'].pk}/evidence/"
    first = client.get(url)
    for before, after in first.context["pairs"]:
        assert (before.stage, after.stage) == ("before", "after")
        assert before.of.milestone_id == after.of.milestone_id
    assert len(first.context["pairs"]) == 12
    assert sum(len(rows) for _stage, rows in first.context["sections"]) == PER_PAGE
    second = client.get(url + "?p=2")
    assert sum(len(rows) for _stage, rows in second.context["sections"]) == 3
    assert not second.context["pairs"]
    assert client.get(url + "?p=-1²").status_code == 200


def test_an_empty_gallery_says_so_and_a_foreign_one_does_not_exist(world: dict) -> None:
    url = f"/projects/project/{world['project'].pk}/evidence/"
    assert 'class="empty"' in client_of(world["staff"]).get(url).content.decode()
    for who in ("stranger", "elsewhere"):
        there, nowhere = (client_of(world[who]).get(u) for u in (url, "/projects/project/99999999/evidence/"))
        assert there.status_code == nowhere.status_code == 302


# -- look-alikes --------------------------------------------------------------------------------------------


def another_project(world: dict, unit: Any = None) -> dict[str, Any]:
    """A second project with the same photo, compressed anew, handed in."""
    unit = unit or world["group"]
    officer = factories.user("officer", unit)
    programme = world["project"].programme if unit != world.get("foreign") else None
    project = factories.project(unit, programme, name="另一处改造", approved_on=world["today"])
    late = factories.milestone(project, world["today"] + DAY * 9)
    there = {**world, "project": project, "late": late, "officer": officer}
    row = taken(there, made.encoded(made.scene(1), quality=40), "旧照.jpg")
    hand_in(there)
    return {**there, "row": row}


def test_the_reviewer_is_shown_that_a_photo_was_handed_in_elsewhere_and_nobody_else_is(world: dict) -> None:
    other = another_project(world)
    mine = taken(world, photo(1))
    report = hand_in(world)
    page = f"/projects/progressreport/{report.pk}/"
    seen = client_of(world["staff"]).get(page).content.decode()
    assert 'class="alike"' in seen
    assert "另一处改造" in seen
    assert f"/projects/evidence/{other['row'].pk}/thumb/" in seen
    assert f"/projects/progressreport/{other['row'].report_id}/" in seen
    for who in ("officer", "leader"):
        html = client_of(world[who]).get(page).content.decode()
        assert f"/projects/evidence/{mine.pk}/thumb/" in html
        assert "另一处改造" not in html


def test_a_look_alike_beyond_the_wall_or_in_a_draft_is_not_told(world: dict) -> None:
    foreign = factories.enterprise("外市水务", parent=factories.sasac("邻市国资委"))
    another_project({**world, "foreign": foreign}, foreign)
    taken(world, photo(1))
    report = hand_in(world)
    page = f"/projects/progressreport/{report.pk}/"
    assert 'class="alike"' not in client_of(world["staff"]).get(page).content.decode()
    # Negative control: what the wall hid is there for whoever answers for both trees.
    Membership.objects.create(user=world["staff"], role="staff", unit=foreign.parent)
    assert (
        'class="alike"'
        in client_of(type(world["staff"]).objects.get(pk=world["staff"].pk)).get(page).content.decode()
    )
    ProgressReport.objects.exclude(pk=report.pk).update(state="draft", submitted_by=None)
    assert (
        'class="alike"'
        not in client_of(type(world["staff"]).objects.get(pk=world["staff"].pk)).get(page).content.decode()
    )


def test_json_answers_are_not_read_as_pages(world: dict) -> None:
    answer = add(world, b"<script>", "x.jpg")
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.content)["error"]
