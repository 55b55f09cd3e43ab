"""One value for many projects: who may, what is refused and why, and that nothing newer is overwritten."""

from __future__ import annotations

from typing import Any

import pytest

from journal.tracking import event_model_of
from projects.models import Project
from projects.services.bulk_edits import Change, change_many, present
from projects.services.refusals import Refused
from tests import factories
from tests.test_pages import built, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    found = built()
    found["others"] = [factories.project(found["group"], found["project"].programme) for _n in range(2)]
    return found


def everything(world: dict[str, Any]) -> list[Project]:
    return [world["project"], *world["others"]]


def change(
    world: dict[str, Any], who: str, what: Change, value: Any, projects: list[Project], **more: Any
) -> list[Any]:
    seen = {project.pk: present(project, what) for project in projects}
    return change_many(change=what, value=value, seen=seen, actor=world[who], **more)


def post(world: dict[str, Any], who: str, what: str, value: str, projects: list[Project], **more: Any) -> Any:
    data = {
        "id": [p.pk for p in projects],
        "value": value,
        **{f"was-{p.pk}": present(p, Change(what)) for p in projects},
    }
    return client_of(world[who]).post(f"/projects/project/set/{what}/", {**data, **more})


def test_the_ticked_rows_lead_to_a_page_that_asks(world: dict[str, Any]) -> None:
    client = client_of(world["staff"])
    for what in Change:
        data = {"action": f"set_{what}", "_selected_action": [p.pk for p in everything(world)], "index": 0}
        page = client.post("/projects/project/", data)
        assert page.status_code == 200 and len(page.context["ready"]) == 3, what
    assert Project.objects.filter(is_key=True).count() == 0


def test_each_value_is_set_and_the_journal_keeps_why(world: dict[str, Any]) -> None:
    page = post(
        world, "staff", "liaison_leader", str(world["leader"].pk), everything(world), reason="分工调整"
    )
    assert page.status_code == 200 and page.context["done"] == 3
    assert Project.objects.filter(liaison_leader=world["leader"]).count() == 3
    events = event_model_of(Project).objects.filter(liaison_leader_id=world["leader"].pk, pgh_label="update")  # type: ignore[union-attr]
    assert {event.pgh_context["why"] for event in events} == {"分工调整"}
    post(world, "staff", "category", "供水", everything(world))
    assert Project.objects.filter(category__name="供水").count() == 3
    post(world, "staff", "category", "-", [world["project"]])
    assert Project.objects.filter(category=None).count() == 1
    post(world, "staff", "is_key", "yes", everything(world))
    assert Project.objects.filter(is_key=True).count() == 3


def test_what_is_so_already_is_told_and_not_written(world: dict[str, Any]) -> None:
    before = event_model_of(Project).objects.count()  # type: ignore[union-attr]
    assert [one.same for one in change(world, "staff", Change.IS_KEY, False, everything(world))] == [True] * 3
    assert event_model_of(Project).objects.count() == before  # type: ignore[union-attr]


def test_a_row_that_somebody_changed_meanwhile_stays(world: dict[str, Any]) -> None:
    seen = {project.pk: present(project, Change.IS_KEY) for project in everything(world)}
    Project.objects.filter(pk=world["others"][0].pk).update(is_key=True)
    outcomes = change_many(change=Change.IS_KEY, value=False, seen=seen, actor=world["staff"])
    assert [bool(one.refused) for one in outcomes] == [False, True, False]
    assert Project.objects.get(pk=world["others"][0].pk).is_key


def test_a_second_click_finds_everything_as_it_was_asked_for(world: dict[str, Any]) -> None:
    projects = everything(world)
    sent = {f"was-{p.pk}": present(p, Change.IS_KEY) for p in projects}
    for first in (True, False):
        page = post(world, "staff", "is_key", "yes", projects, **sent)
        outcomes = page.context["outcomes"]
        assert not [one.refused for one in outcomes if one.refused]
        assert [one.same for one in outcomes] == [not first] * 3


def test_a_refusal_keeps_what_was_written(world: dict[str, Any]) -> None:
    page = post(world, "staff", "liaison_leader", "0", everything(world), reason="分工调整“甲”")
    assert page.status_code == 409 and "分工调整“甲”" in page.content.decode()


def test_each_row_is_refused_for_its_own_reason(world: dict[str, Any]) -> None:
    first, second = world["others"]
    Project.objects.filter(pk=first.pk).update(status="closed")
    Project.objects.filter(pk=second.pk).update(approved_on=world["today"])
    fresh = list(Project.objects.order_by("pk"))
    outcomes = change(world, "officer", Change.IS_KEY, True, fresh)
    assert [bool(one.refused) for one in outcomes] == [False, True, True]
    assert len({one.refused for one in outcomes}) == 3
    assert not change(world, "staff", Change.IS_KEY, True, [fresh[2]])[0].refused, "who approves may"


def test_a_liaison_leader_from_above_is_not_replaced_from_below(world: dict[str, Any]) -> None:
    Project.objects.filter(pk=world["project"].pk).update(liaison_leader=world["leader"])
    own = factories.user("leader", world["group"])
    fresh = list(Project.objects.order_by("pk"))
    outcomes = change(world, "officer", Change.LIAISON_LEADER, own, fresh)
    assert [bool(one.refused) for one in outcomes] == [True, False, False]
    with pytest.raises(Refused):
        change(world, "officer", Change.LIAISON_LEADER, world["leader"], fresh)


def test_a_category_is_looked_up_in_each_programme(world: dict[str, Any]) -> None:
    other = factories.programme(world["root"], world["today"].year)
    stranger = factories.project(world["group"], other)
    outcomes = change(world, "staff", Change.CATEGORY, "供水", [world["others"][0], stranger])
    assert [bool(one.refused) for one in outcomes] == [False, True]


def test_a_foreign_project_is_left_out_like_one_that_does_not_exist(world: dict[str, Any]) -> None:
    foreign = factories.project(
        factories.enterprise("外部集团", parent=world["root"]), world["project"].programme, name="外部项目"
    )
    page = post(world, "officer", "is_key", "yes", [world["others"][0], foreign])
    assert page.context["done"] == 1 and page.context["missing"] == 1 and "外部" not in page.content.decode()
    foreign.refresh_from_db()
    assert not foreign.is_key
    asked = client_of(world["officer"]).get(f"/projects/project/set/is_key/?id={foreign.pk}")
    assert asked.context["ready"] == [] and "外部" not in asked.content.decode()


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("is_key", ""),
        ("is_key", "maybe"),
        ("liaison_leader", "x"),
        ("liaison_leader", "9" * 30),
        ("category", ""),
        ("liaison_leader", "0"),
    ],
)
def test_a_value_that_was_not_offered_changes_nothing(world: dict[str, Any], what: str, value: str) -> None:
    assert post(world, "staff", what, value, everything(world)).status_code == 409
    assert (
        not Project.objects.exclude(liaison_leader=None).exists()
        and not Project.objects.filter(is_key=True).exists()
    )


def test_who_only_reads_is_offered_nothing(world: dict[str, Any]) -> None:
    client = client_of(world["leader"])
    assert (
        client.post("/projects/project/set/is_key/", {"id": world["project"].pk, "value": "yes"}).status_code
        == 302
    )
    assert "set_is_key" not in client.get("/projects/project/").content.decode()
    assert client_of(world["staff"]).get("/projects/project/set/name/").status_code == 302
    assert not Project.objects.filter(is_key=True).exists()
