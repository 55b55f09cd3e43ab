"""Photos from a phone in a real browser: the connection drops, nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from projects.models import Evidence, ProgressReport, Project
from tests.evidence import made
from tests.test_pages import built

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
#: Deletions are queued before it, so its answer comes after theirs.
FORGOTTEN = """() => new Promise((resolve) => {
    const asked = indexedDB.open("portal-uploads", 1);
    asked.onsuccess = () => {
        const count = asked.result.transaction("files").objectStore("files").count();
        count.onsuccess = () => { asked.result.close(); resolve(count.result); };
    };
})"""
FILES = ".picker:not(.camera) input"


@pytest.fixture
def world(evidence_folder: Path) -> dict[str, Any]:
    found = built()
    Project.objects.update(approved_on=found["today"])
    return found


def photos(*seeds: int) -> list[dict[str, Any]]:
    return [
        {"name": f"现场{n}.jpg", "mimeType": "image/jpeg", "buffer": made.encoded(made.scene(n))}
        for n in seeds
    ]


def opened(visit: Any, world: dict, **options: Any) -> Any:
    window = visit(**options)
    window.log_in(world["officer"])
    window.open(f"/projects/milestone/{world['late'].pk}/report/")
    return window


def test_two_photos_wait_for_the_connection_and_go_up_when_it_is_back(visit: Any, world: dict) -> None:
    window = opened(visit, world, **PHONE)
    page = window.page
    page.wait_for_selector(".uploads.live")
    page.check("input[name=stage][value=before]", force=True)
    window.context.set_offline(True)
    page.set_input_files(FILES, photos(1, 2))
    page.wait_for_selector(".shot.waiting >> nth=1")
    offline = page.get_attribute(".uploads", "data-word-offline")
    assert page.inner_text("[data-status]") == offline
    assert not Evidence.objects.exists()

    window.context.set_offline(False)
    page.wait_for_selector(".shot[data-id] img >> nth=1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert sorted(Evidence.objects.values_list("name", "stage")) == [
        ("现场1.jpg", "before"),
        ("现场2.jpg", "before"),
    ]
    window.provoked.add("ERR_INTERNET_DISCONNECTED")


def test_photos_that_could_not_be_sent_survive_a_reload(visit: Any, world: dict) -> None:
    window = opened(visit, world, **PHONE)
    page = window.page
    # The portal is down for uploads, then it is back.
    page.route("**/evidence/add/**", lambda route: route.abort())
    page.set_input_files(FILES, photos(3))
    page.wait_for_selector(".shot.failed [data-again]:not([hidden])")
    page.wait_for_function(
        "async () => (await indexedDB.databases()).some(base => base.name === 'portal-uploads')"
    )
    page.unroute("**/evidence/add/**")
    page.reload()
    page.wait_for_selector(".shot[data-id] img")
    assert Evidence.objects.get().name == "现场3.jpg"
    page.reload()
    page.wait_for_selector(".uploads.live")
    assert page.locator(".shot").count() == 1
    window.provoked.add("ERR_FAILED")


def test_the_form_names_the_photos_that_are_missing_and_goes_without_them_only_if_told_so(
    visit: Any,
    world: dict,
) -> None:
    window = opened(visit, world)
    page = window.page
    page.route("**/evidence/add/**", lambda route: route.abort())
    page.fill("[name=done]", "管沟开挖 200 米")
    page.set_input_files(FILES, photos(7))
    page.wait_for_selector(".shot.failed")
    page.click("button[name=_save]")
    page.wait_for_selector("[data-hold] button:not([hidden])")
    assert "现场7.jpg" in page.inner_text("[data-hold] p")
    page.click("[data-hold] button")
    page.wait_for_selector(".messagelist, .notice", state="attached")
    page.wait_for_function("() => document.readyState === 'complete'")
    assert ProgressReport.objects.get().done == "管沟开挖 200 米"
    assert not Evidence.objects.exists()
    window.provoked.add("ERR_FAILED")


def test_the_form_waits_for_its_photos_and_then_goes_by_itself(visit: Any, world: dict) -> None:
    window = opened(visit, world)
    page = window.page
    held: list[Any] = []
    page.route("**/evidence/add/**", lambda route: held.append(route))
    page.fill("[name=done]", "管沟开挖 200 米")
    page.set_input_files(FILES, photos(8))
    page.wait_for_selector(".shot.sending")
    page.click("button[name=_save]")
    page.wait_for_selector("[data-hold]:not([hidden])")
    assert not ProgressReport.objects.exists()
    with page.expect_navigation():
        held[0].continue_()
    assert ProgressReport.objects.get().done == "管沟开挖 200 米"
    assert Evidence.objects.get().name == "现场8.jpg"


def test_an_upload_says_how_far_it_is_and_can_be_cancelled(visit: Any, world: dict) -> None:
    window = opened(visit, world, **PHONE)
    page = window.page
    held: list[Any] = []
    page.route("**/evidence/add/**", lambda route: held.append(route))
    page.check("input[name=stage][value=after]", force=True)
    page.set_input_files(FILES, photos(11))
    page.wait_for_selector(".shot.sending [data-stop]:not([hidden])")
    assert "%" in page.inner_text(".shot.sending .said")
    page.click(".shot.sending [data-stop]")
    page.wait_for_selector(".shot", state="detached")
    assert page.evaluate(FORGOTTEN) == 0
    assert not Evidence.objects.exists()

    page.reload()  # nothing comes back, and the stage is the one that was chosen last
    page.wait_for_selector(".uploads.live")
    page.wait_for_selector("input[name=stage][value=after]:checked", state="attached")
    assert page.locator(".shot").count() == 0
    assert len(held) == 1


def test_a_refused_file_says_why_and_a_photo_is_staged_and_removed(visit: Any, world: dict) -> None:
    window = opened(visit, world)
    page = window.page
    page.set_input_files(
        FILES, [*photos(4), {"name": "坏.jpg", "mimeType": "image/jpeg", "buffer": b"<svg>"}]
    )
    page.wait_for_selector(".shot.refused .said:not([hidden])")
    assert "SVG" in page.inner_text(".shot.refused .said")
    page.wait_for_selector(".shot[data-id] img")
    with page.expect_response("**/stage/"):
        page.select_option(".shot[data-id] select", "after")
    assert Evidence.objects.get().stage == "after"
    with page.expect_response("**/remove/"):
        page.click(".shot[data-id] [data-remove]")
    page.wait_for_selector(".shot[data-id]", state="detached")
    assert not Evidence.objects.exists()
    window.provoked.add("422")


def test_without_scripts_the_files_go_with_the_form(visit: Any, world: dict) -> None:
    window = opened(visit, world, java_script_enabled=False)
    page = window.page
    page.set_input_files(FILES, photos(5, 6))
    page.check("input[name=stage][value=after]", force=True)
    page.fill("[name=done]", "管沟开挖 200 米")
    window.follow("button[name=_save]")
    assert set(Evidence.objects.values_list("stage", flat=True)) == {"after"}
    assert Evidence.objects.count() == 2
    page.check("[name=evidence_remove] >> nth=0")
    window.follow("button[name=_save]")
    assert Evidence.objects.count() == 1
    assert ProgressReport.objects.get().done == "管沟开挖 200 米"
