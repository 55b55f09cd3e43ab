"""Journeys in a real browser: what an officer and two clerks do in a working week, and what it leaves behind."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from projects.models import CloseOut, Evidence, ExtensionRequest, Milestone, ProgressReport, Project
from projects.services.patrol import patrol
from tests import factories
from tests.browsing import BROWSER_TESTS, Visit
from tests.test_pages import DAY, built

pytestmark = BROWSER_TESTS
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def world(evidence_folder: Path) -> dict[str, Any]:
    found = built()
    found["project"].milestones.exclude(pk=found["late"].pk).delete()
    Project.objects.update(approved_on=found["today"] - DAY * 50)
    found["chief"] = factories.user("staff", found["root"], name="陈某某")
    return found


def photo(seed: int) -> dict[str, Any]:
    """A picture that looks like no other one."""
    chance = random.Random(seed)
    image = Image.new("RGB", (320, 240))
    image.putdata([(chance.randrange(256), (x * seed) % 256, 90) for x in range(320 * 240)])
    image = image.resize((640, 480), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    image.save(out, "JPEG")
    return {"name": f"现场{seed}.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def no_wider_than_the_screen(window: Visit) -> None:
    assert window.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def report(window: Visit, world: dict, text: str, photos: list[dict[str, Any]]) -> None:
    """Write and hand in a claim of completion on the one milestone, with photos."""
    window.open(f"/projects/project/{world['project'].pk}/")
    window.follow(f'a[href$="/projects/milestone/{world["late"].pk}/report/"]')
    no_wider_than_the_screen(window)
    if photos:
        window.page.set_input_files("input[type=file][multiple]", photos)
        window.page.wait_for_selector(f"[data-shots] img >> nth={len(photos) - 1}")
    window.page.fill("[name=done]", text)
    window.page.fill("[name=claimed_on]", world["today"].isoformat())
    hand_in(window, "progressreport")


def hand_in(window: Visit, kind: str) -> None:
    window.page.click("button[name=_submit]")
    window.page.wait_for_url(f"**/projects/{kind}/*/")


def decide(window: Visit, action: str, comment: str = "") -> None:
    """Open the oldest item of the desk and decide on it."""
    window.open("/review/")
    window.follow(".desk tbody tr:first-child th a")
    if comment:
        window.page.fill("[name=comment]", comment)
    window.follow(f'button[formaction$="/step/{action}/"]')


def test_from_a_report_on_a_phone_to_the_certificate(visit: Any, world: dict) -> None:
    officer, staff, chief = visit(**PHONE), visit(), visit()
    for window, who in ((officer, "officer"), (staff, "staff"), (chief, "chief")):
        window.log_in(world[who])
    report(officer, world, "总表和分表全部安装完毕，已通水。", [photo(1), photo(2)])
    assert Evidence.objects.filter(report__round=1, kind="photo").count() == 2

    decide(staff, "return", "请补充抄表到户的照片")
    officer.open(f"/projects/milestone/{world['late'].pk}/report/")
    assert "请补充抄表到户的照片" in officer.page.inner_text("main")
    assert officer.page.input_value("[name=done]") == "总表和分表全部安装完毕，已通水。"
    report(officer, world, "总表和分表全部安装完毕，已通水。抄表到户照片已补充。", [photo(3)])

    staff.open("/review/")
    staff.follow(".desk tbody tr:first-child th a")
    assert staff.page.inner_text(".passages ins").endswith("抄表到户照片已补充。")
    decide(staff, "accept")
    milestone = Milestone.objects.get()
    assert (milestone.state, milestone.days_late) == ("accepted", 3)
    assert list(ProgressReport.objects.order_by("round").values_list("state", flat=True)) == [
        "returned",
        "accepted",
    ]

    officer.open(f"/projects/project/{world['project'].pk}/")
    officer.follow('a[href$="/close-out/"]')
    no_wider_than_the_screen(officer)
    officer.page.fill("[name=achieved]", "上山门村 320 户全部通水")
    officer.page.fill("[name=follow_up_owner]", "李某某")
    hand_in(officer, "closeout")
    decide(staff, "verify", "现场核实")
    decide(chief, "approve")
    project = Project.objects.get()
    assert (project.status, project.light) == ("closed_out", "blue")
    chief.open(f"/projects/project/{project.pk}/")
    with chief.page.expect_download() as download:
        chief.page.click('a[href$="/certificate/"]')
    assert Path(download.value.path()).read_bytes().startswith(b"PK")

    history = chief.page.locator("section[aria-labelledby=h-history]")
    history.evaluate("e => e.querySelectorAll('details').forEach((d) => { d.open = true; })")
    told = history.inner_text()
    for name in (world["officer"].name, world["staff"].name, "陈某某", "请补充抄表到户的照片", "现场核实"):
        assert name in told
    assert CloseOut.objects.get().number == 1


def test_an_extension_is_asked_for_freezes_the_light_and_is_approved(visit: Any, world: dict) -> None:
    today = world["today"]
    milestone = factories.milestone(world["project"], today, name="管网铺设")
    Project.objects.update(due_on=today + DAY * 60)
    officer, staff = visit(**PHONE), visit()
    officer.log_in(world["officer"])
    staff.log_in(world["staff"])
    officer.open(f"/projects/project/{world['project'].pk}/")
    officer.follow(f'a[href$="/projects/milestone/{milestone.pk}/extension/"]')
    no_wider_than_the_screen(officer)
    officer.page.fill("[name=to_on]", (today + DAY * 15).isoformat())
    officer.page.check("[name=reason_class][value=site]", force=True)
    officer.page.fill("[name=reason]", "连续暴雨，沟槽积水")
    hand_in(officer, "extensionrequest")
    officer.open(f"/projects/project/{world['project'].pk}/")
    block = officer.page.locator(f"#m{milestone.pk}")
    assert "待批延期" in block.inner_text()
    assert patrol(as_of=today + DAY).opened == 0, "frozen: tomorrow it is not overdue"

    decide(staff, "approve", "同意")
    officer.open(f"/projects/project/{world['project'].pk}/")
    told = officer.page.locator(f"#m{milestone.pk}").inner_text()
    assert "第 1 次延期，累计 +15 天" in told
    milestone.refresh_from_db()
    assert (milestone.due_on, milestone.baseline_due_on) == (today + DAY * 15, today)
    assert ExtensionRequest.objects.get().decided_by == world["staff"]


def test_two_officers_on_one_draft_and_the_second_chooses(visit: Any, world: dict) -> None:
    colleague = factories.user("officer", world["group"], name="钱某某")
    first, second = visit(), visit()
    first.log_in(world["officer"])
    second.log_in(colleague)
    url = f"/projects/milestone/{world['late'].pk}/report/"
    first.open(url)
    first.page.fill("[name=done]", "开始")
    first.follow("button[name=_save]")
    second.open(url)
    first.open(url)
    first.page.fill("[name=done]", "完成开挖 300 米")
    first.follow("button[name=_save]")
    second.page.fill("[name=done]", "完成开挖 500 米")
    second.page.fill("[name=problems]", "缺管材")
    second.follow("button[name=_save]")
    page = second.page.inner_text("main")
    assert "完成开挖 300 米" in page
    assert "完成开挖 500 米" in page
    assert world["officer"].name in page
    second.provoked.add("409")
    second.page.check('input[type=radio][value="mine"]')
    second.follow("main form button.primary")
    draft = ProgressReport.objects.get()
    assert (draft.done, draft.problems) == ("完成开挖 500 米", "缺管材")
