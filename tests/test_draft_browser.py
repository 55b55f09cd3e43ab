"""The forms of drafts in a real browser: what is typed outlives a reload, a dead connection, a second tab."""

from __future__ import annotations

import json
from typing import Any

from projects.models import ProgressReport
from projects.services.reviews import decide
from tests import factories
from tests.browsing import BROWSER_TESTS, Visit
from tests.test_draft_forms import prepared
from tests.test_pages import DAY

pytestmark = BROWSER_TESTS
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
FIELD = "textarea[name=done]"


def typing(visit: Any, world: dict[str, Any], **options: Any) -> Visit:
    window = visit(**options)
    window.log_in(world["officer"])
    window.open(world["report"])
    return window


def kept(window: Visit) -> dict[str, Any]:
    """What is kept on the device for this form, once it is there."""
    window.page.wait_for_function("() => Object.keys(localStorage).some((key) => key.startsWith('draft:'))")
    text = window.page.evaluate(
        "localStorage.getItem(Object.keys(localStorage).find((key) => key.startsWith('draft:')))"
    )
    return json.loads(text)


def nothing_kept(window: Visit) -> bool:
    window.page.wait_for_function("() => !Object.keys(localStorage).some((key) => key.startsWith('draft:'))")
    return True


def fast(window: Visit) -> None:
    """Saves by itself after a moment instead of after twenty seconds."""
    window.context.add_init_script(
        "const later = window.setTimeout;"
        "window.setTimeout = (deed, wait, ...more) => later(deed, wait === 20000 ? 300 : wait, ...more);"
    )


def test_what_was_typed_outlives_a_reload_and_may_be_discarded(visit: Any) -> None:
    world = prepared()
    window = typing(visit, world, **PHONE)
    assert not window.page.is_visible("[data-restored]")
    window.page.fill(FIELD, "已开挖 300 米")
    window.page.click("[data-add='5']")
    kept(window)
    window.page.reload()
    assert window.page.is_visible("[data-restored]")
    assert window.page.input_value(FIELD) == "已开挖 300 米"
    assert window.page.input_value("#id_percent") == "5"
    assert not ProgressReport.objects.exists()
    window.follow("[data-drop]")
    assert window.page.input_value(FIELD) == ""
    assert nothing_kept(window)


def test_a_dead_connection_holds_the_form_back_and_loses_nothing(visit: Any) -> None:
    world = prepared()
    window = typing(visit, world, **PHONE)
    window.page.fill(FIELD, "断网时写的")
    window.context.set_offline(True)
    window.page.click("[name=_submit]")
    assert window.page.inner_text("[data-draft-status]") == window.page.get_attribute(
        "form[data-draft]", "data-word-offline"
    )
    assert window.page.input_value(FIELD) == "断网时写的"
    assert kept(window)["values"]["done"] == "断网时写的"
    window.context.set_offline(False)
    window.page.wait_for_function("() => document.querySelector('[name=_version]').value.length > 0")
    window.follow("[name=_submit]")
    report = ProgressReport.objects.get()
    assert (report.state, report.done) == ("submitted", "断网时写的")


def test_a_saved_draft_leaves_nothing_on_the_device(visit: Any) -> None:
    world = prepared()
    window = typing(visit, world)
    window.page.fill(FIELD, "一稿")
    kept(window)
    window.follow("[name=_save]")
    assert nothing_kept(window)
    assert not window.page.is_visible("[data-restored]")
    assert window.page.input_value(FIELD) == "一稿"


def test_the_draft_is_saved_by_itself_and_then_handed_in(visit: Any) -> None:
    world = prepared()
    window = visit()
    fast(window)
    window.log_in(world["officer"])
    window.open(world["report"])
    before = window.page.input_value("[name=_version]")
    window.page.fill(FIELD, "自动保存的")
    window.page.wait_for_function(
        "(before) => document.querySelector('[name=_version]').value !== before", arg=before
    )
    assert ProgressReport.objects.get().done == "自动保存的"
    assert nothing_kept(window)
    window.page.fill(FIELD, "又写了一句")
    window.follow("[name=_submit]")
    assert (ProgressReport.objects.get().state, ProgressReport.objects.get().done) == (
        "submitted",
        "又写了一句",
    )


def test_what_came_back_after_a_colleagues_save_leads_to_both_versions(visit: Any) -> None:
    world = prepared()
    mine = typing(visit, world)
    mine.page.fill(FIELD, "我没保存的")
    kept(mine)
    other = visit()
    other.log_in(factories.user("officer", world["group"]))
    other.open(world["report"])
    other.page.fill(FIELD, "同事保存的")
    other.follow("[name=_save]")
    mine.page.reload()
    assert mine.page.input_value(FIELD) == "我没保存的"
    mine.follow("[name=_save]")
    assert "同事保存的" in mine.page.inner_text(".conflict-table")
    assert "我没保存的" in mine.page.inner_text(".conflict-table")
    mine.provoked.add("409")  # the browser calls a 409 an error


def test_logging_out_leaves_no_text_on_a_shared_device(visit: Any) -> None:
    world = prepared()
    window = typing(visit, world)
    window.page.evaluate("localStorage.setItem('draft:999999:/elsewhere/', '{}')")
    window.page.fill(FIELD, "不给别人看的")
    window.page.wait_for_function("() => Object.keys(localStorage).length === 2")
    window.page.click("header details.menu summary")
    window.follow("form[data-drafts-of] button")
    assert window.page.evaluate("Object.keys(localStorage)") == ["draft:999999:/elsewhere/"]


def test_what_differs_from_the_last_report_is_marked_while_typing(visit: Any) -> None:
    world = prepared()
    old = factories.report(world["open"], world["officer"], world["today"] - DAY * 9, done="挖沟", percent=40)
    decide(
        kind=ProgressReport, pk=old.pk, action="accept", actor=world["staff"],
        at=factories.moment(world["today"] - DAY * 8), comment="",
    )  # fmt: skip
    window = typing(visit, world, **PHONE)
    marks = window.page.locator("[data-mark]:visible")
    assert marks.count() == 0
    window.page.fill(FIELD, "挖沟、铺管")
    window.page.click("[data-add='5']")
    assert marks.count() == 2
    window.page.fill(FIELD, "挖沟")
    assert marks.count() == 1
    window.page.click("[data-today]")
    assert window.page.input_value("#id_percent") == "100"
    window.page.click("[data-clear]")
    assert window.page.input_value("#id_percent") == "45"


def test_the_days_in_all_and_what_moves_along_follow_the_date(visit: Any) -> None:
    world = prepared()
    later = factories.milestone(world["project"], world["today"] + DAY * 20)
    window = visit(**PHONE)
    window.log_in(world["officer"])
    window.open(world["extension"])
    window.page.check(f"[name=shift-{later.pk}]")
    window.page.fill("#id_to_on", (world["open"].due_on + DAY * 10).isoformat())
    assert "10" in window.page.inner_text("[data-total]")
    box = f"[name=shift_to-{later.pk}]"
    assert window.page.input_value(box) == (later.due_on + DAY * 10).isoformat()
    window.page.fill(box, (later.due_on + DAY * 3).isoformat())
    window.page.fill("#id_to_on", (world["open"].due_on + DAY * 12).isoformat())
    assert window.page.input_value(box) == (later.due_on + DAY * 3).isoformat()


def test_on_a_phone_the_buttons_are_at_the_thumb_and_nothing_is_wider(visit: Any) -> None:
    world = prepared()
    window = typing(visit, world, **PHONE)
    for path in (world["report"], world["extension"]):
        window.open(path)
        assert window.page.evaluate("document.documentElement.scrollWidth") <= 390
        for name in ("_save", "_submit"):
            box = window.page.locator(f"[name={name}]").bounding_box()
            assert box["height"] >= 44
            assert 844 - 100 < box["y"] + box["height"] <= 844


def test_the_form_works_without_scripts(visit: Any) -> None:
    world = prepared()
    window = typing(visit, world, java_script_enabled=False)
    window.page.fill("#id_percent", "30")
    window.page.fill(FIELD, "不用脚本写的")
    window.follow("[name=_submit]")
    assert ProgressReport.objects.get().state == "submitted"
