"""A ledger in a real browser: handed in, decided, taken in, taken back; and a large one that is read meanwhile."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from projects.admin import ledgers
from projects.importing.working import waiting, work_on
from projects.models import LedgerImport, Project
from tests.browsing import BROWSER_TESTS
from tests.importing.ledgers import ledger, workbook, world

pytestmark = BROWSER_TESTS
PIPES = [1, "牛山上山门管网改造工程", "水务集团", "4月23日", "7月底前", "60%", "推进中", "抄表到户"]
CARD = [2, "社保卡便利服务", "水务集团", "", "国庆前", "", "", ""]
STOP = [3, "公交站台改造", "轨道交通公司", "", "9月", "", "", ""]


def handed_in(visit: Any, here: Any, content: bytes, folder: Path) -> Any:
    file = folder / "台账.xlsx"
    file.write_bytes(content)
    window = visit()
    window.log_in(here.staff)
    window.open("/projects/ledgerimport/add/")
    window.page.select_option("#id_programme", str(here.programme.pk))
    window.page.set_input_files("#id_files", str(file))
    assert "台账.xlsx" in window.page.inner_text("[data-names]")
    window.follow("main form button.primary")
    assert re.search(r"/projects/ledgerimport/\d+/$", window.page.url)
    return window


def test_a_ledger_is_decided_taken_in_and_taken_back(visit: Any, tmp_path: Path) -> None:
    here = world()
    window = handed_in(visit, here, ledger(PIPES, CARD, STOP), tmp_path)
    page = window.page
    assert not Project.objects.exists()
    dates = page.locator(".questions", has=page.locator("[name='d-deadline']"))
    dates.locator("[value='2021-09-30']").check()
    window.follow(dates.locator("button"))
    page.locator(".questions [name='d-enterprise']").first.check()
    window.follow(page.locator(".questions button"))
    page.click(".ledger-confirm button")
    page.wait_for_selector(".receipt")
    assert Project.objects.count() == 3
    assert str(Project.objects.get(name=CARD[1]).due_on) == "2021-09-30"
    assert Project.objects.get(name=STOP[1]).enterprise == here.metro
    window.follow(".receipt a[href$='/undo/']")
    window.follow("main form button")
    page.wait_for_selector(".receipt")
    assert not Project.objects.exists()


def test_a_large_ledger_is_followed_and_may_be_left_alone(
    visit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world()
    monkeypatch.setattr(ledgers, "AT_ONCE_BYTES", 0)
    monkeypatch.setattr(ledgers, "AT_ONCE_ROWS", 0)
    rows = [["项目名称", "责任单位", "完成时限", "主要举措"]]
    rows += [
        [f"第{n}号管网改造", "水务集团", "7月底", f"更换旧管网{n * 7919}米{n * 104729}"] for n in range(2500)
    ]
    window = handed_in(visit, here, workbook(rows), tmp_path)
    page = window.page
    page.wait_for_selector("[data-progress]")
    page.reload()
    page.wait_for_selector("[data-progress]")
    # The worker, here by hand: the page learns of it by itself.
    assert len(waiting()) == 1
    work_on(ledger_id=waiting()[0], as_of=timezone.localdate(), now=timezone.now)
    page.wait_for_selector(".ledger-confirm", timeout=15_000)
    page.click(".ledger-confirm button")
    page.wait_for_selector("[data-progress]")
    work_on(ledger_id=waiting()[0], as_of=timezone.localdate(), now=timezone.now)
    page.wait_for_selector(".receipt", timeout=15_000)
    assert LedgerImport.objects.get().receipt["created"] == Project.objects.count() == 2500
