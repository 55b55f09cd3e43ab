"""On paper and on a phone: one sheet of A4 for each project, and a visit recorded in a tunnel is not lost."""

from __future__ import annotations

import re
from typing import Any

from projects.models import Evidence, Project, SiteVisit
from projects.services.lights import refresh_lights
from projects.services.visits import NewItem
from tests import factories
from tests.browsing import BROWSER_TESTS
from tests.visits.world import DAY, World, built, instructed, visited

pytestmark = BROWSER_TESTS

LONG = "沿线居民反映夜间施工噪声较大且出入口堆料未清，" * 40


def filled(world: World, project: Project) -> None:
    """A project of which every text is as long as it may be, with more rows than a sheet has."""
    for number, post in enumerate(("accountable_lead", "direct_lead", "coordinator")):
        setattr(project, f"{post}_text", f"{number}{LONG[:60]} 1380000111{number}")
        setattr(project, post, None)
    project.name = LONG[:196] + str(project.pk)[-4:]
    project.place, project.measures, project.investment_text = LONG[:200], LONG, LONG[:120]
    project.beneficiaries_text, project.is_key = LONG[:200], True
    project.save()
    milestones = [
        factories.milestone(project, world.today + DAY * (days - 40), name=f"{days}{LONG[:110]}")
        for days in range(0, 140, 10)
    ]
    for milestone in milestones[-2:]:
        report = factories.report(
            milestone, world.officer, world.today, done=LONG[:900], problems=LONG[:900], needs=LONG[:900]
        )
        type(report).objects.filter(pk=report.pk).update(
            state="accepted", decided_on=world.today, decided_by=world.staff, decided_at=world.at
        )
    for stage in ("before", "after"):
        Evidence.objects.create(
            project=project, report=report, kind="photo", stage=stage, name="x", content_type="image/jpeg",
            size=1, sha256=stage.ljust(64, "0"), uploaded_by=world.officer, preview="x",
        )  # fmt: skip
    items = [
        NewItem(text=f"{n}{LONG[:490]}", due_on=world.today, responsible_text=LONG[:80]) for n in range(6)
    ]
    visited(world, project_id=project.pk, findings=LONG[:2000], companions=LONG[:300], items=items)


def sheets(page: Any) -> int:
    pdf = page.pdf(prefer_css_page_size=True)
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def test_a_brief_is_one_sheet_of_a4_however_long_its_texts_are(visit: Any) -> None:
    world = built()
    filled(world, world.project)
    second = factories.project(world.group, world.programme, liaison_leader=world.leader)
    filled(world, second)
    refresh_lights(as_of=world.today)
    window = visit()
    window.provoked = {"404"}  # the pictures have no file here; their room is kept all the same
    window.log_in(world.leader)
    for language in ("zh-hans", "en"):
        window.context.add_cookies([{"name": "language", "value": language, "url": window.url}])
        window.open(f"/projects/project/{world.project.pk}/brief/")
        assert sheets(window.page) == 1, language
        window.open("/liaison/brief/")
        assert sheets(window.page) == 2, language


def test_a_short_brief_is_one_sheet_too_and_no_page_is_wider_than_a_phone(visit: Any) -> None:
    world = built()
    instructed(world)
    window = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    window.log_in(world.leader)
    window.open(f"/projects/project/{world.project.pk}/brief/")
    assert sheets(window.page) == 1
    filled(world, world.project)
    window.provoked = {"404"}
    own = f"/projects/project/{world.project.pk}"
    for path in (
        "/liaison/",
        "/liaison/brief/",
        f"{own}/brief/",
        f"{own}/visit/",
        f"{own}/instruct/",
        f"{own}/",
    ):
        window.open(path)
        wide = window.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, (path, wide)


def test_a_visit_typed_without_a_connection_is_kept_and_recorded_once(visit: Any) -> None:
    world = built()
    window = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    window.log_in(world.leader)
    window.open(f"/projects/project/{world.project.pk}/visit/")
    window.page.fill("#id_findings", "隧道内查看，未见渗漏")
    window.context.set_offline(True)
    window.page.click("button[name=_submit]")
    assert not SiteVisit.objects.exists()
    window.context.set_offline(False)
    window.open(f"/projects/project/{world.project.pk}/visit/")
    assert window.page.input_value("#id_findings") == "隧道内查看，未见渗漏"
    window.page.click("button[name=_submit]")
    window.page.wait_for_url(re.compile(r"#h-visits$"))
    assert SiteVisit.objects.get().findings == "隧道内查看，未见渗漏"
    window.open(f"/projects/project/{world.project.pk}/visit/")
    assert window.page.input_value("#id_findings") == "", "what was recorded comes back no more"
