"""Two people press "save" on one record at the same instant: no silent overwrite on any edit path.

Real threads, real transactions. Each race opens the form twice, changes the same value differently, and
posts both when a barrier falls. One is saved, the other is told, and the journal knows of one change.

RACES=100 runs as many on each path (`make races`).
"""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from django.db import models

from enterprises.models import EnterpriseAlias
from enterprises.scoped_edits import SafeEdits
from journal.versions import events_since, versions_of
from projects.models import Project
from tests import factories
from tests.forms import conflict_form, form_of
from tests.racing import together
from tests.test_pages import built, client_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_noise")]
RACES = int(os.environ.get("RACES", "4"))

#: Path → (role, URL, the row that is written, its field, whether the row stands in an inline).
Path = tuple[str, str, models.Model, str, bool]


@pytest.fixture
def no_noise(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR", logger="django.request")


def paths(world: dict[str, Any]) -> dict[str, Path]:
    project, group, officer = world["project"], world["group"], world["officer"]
    alias = EnterpriseAlias.objects.create(enterprise=group, name="旧称")
    branch, membership = factories.branch(group), officer.memberships.get()
    of_project, of_group = (
        f"/projects/project/{project.pk}/change/",
        f"/enterprises/enterprise/{group.pk}/change/",
    )
    of_programme = f"/projects/programme/{project.programme_id}/change/"
    return {
        "project": ("staff", of_project, project, "place", False),
        "milestone in the project": ("staff", of_project, world["late"], "name", True),
        "milestone": ("staff", f"/projects/milestone/{world['late'].pk}/change/", world["late"], "name", False),
        "programme": ("staff", of_programme, project.programme, "note", False),
        "category in the programme": ("staff", of_programme, project.category, "name", True),
        "enterprise": ("staff", of_group, group, "note", False),
        "alias in the enterprise": ("staff", of_group, alias, "name", True),
        "party organisation": ("staff", f"/enterprises/partybranch/{branch.pk}/change/", branch, "secretary", False),
        "account": ("security", f"/enterprises/user/{officer.pk}/change/", officer, "phone", False),
        "membership in the account": ("security", f"/enterprises/user/{officer.pk}/change/", membership, "note", True),
        "membership": ("security", f"/enterprises/membership/{membership.pk}/change/", membership, "note", False),
    }  # fmt: skip


NAMES = [
    "project", "milestone in the project", "milestone", "programme", "category in the programme", "enterprise",
    "alias in the enterprise", "party organisation", "account", "membership in the account", "membership",
]  # fmt: skip


def field_on(page: Any, row: models.Model, field: str, inline: bool) -> str:
    """The name under which a form posts a field of a row, on the form itself or in an inline."""
    if not inline:
        return field
    return next(
        f"{inner.prefix}-{field}"
        for formset in page.context["inline_admin_formsets"]
        for inner in formset.formset.initial_forms
        if inner.instance == row
    )


def race(clients: list[Any], ways: list[Path], number: int) -> list[Any]:
    """Open a form each, write a value each into the same field, save at the same instant."""
    posts = []
    for client, (_role, url, row, field, inline), who in zip(clients, ways, ("甲", "乙"), strict=True):
        page = client.get(url)
        data = form_of(page) | {field_on(page, row, field, inline): f"{who}{number}"}
        posts.append(lambda client=client, url=url, data=data: client.post(url, data))
    return together(*posts)


@pytest.mark.parametrize("name", NAMES)
def test_of_two_saves_at_the_same_instant_one_wins_and_the_other_is_told(name: str) -> None:
    world = built()
    path = paths(world)[name]
    role, url, row, field, _inline = path
    clients = [client_of(world[role]) for _who in "ab"]
    rows = type(row)._base_manager.filter(pk=row.pk)
    for number in range(RACES):
        start = versions_of(rows)
        answers = race(clients, [path, path], number)
        assert sorted(answer.status_code for answer in answers) == [302, 409], number
        winner = 0 if answers[0].status_code == 302 else 1
        assert rows.values_list(field, flat=True)[0] == f"{'甲乙'[winner]}{number}"
        events = events_since(type(row), start)[row.pk]
        assert [event.pgh_label for event in events[1:]] == ["update"], "one change, not two"
        told = answers[1 - winner]
        if number == 0:  # the loser's words are on the page, and can be saved from there
            asked = re.findall(r'class="must-choose" data-field="([^"]+)"', told.content.decode())
            assert len(asked) == 1
            choice = conflict_form(told) | {f"_choice-{asked[0]}": "mine"}
            assert clients[1 - winner].post(url, choice).status_code == 302
            assert rows.values_list(field, flat=True)[0] == f"{'甲乙'[1 - winner]}{number}"


def test_a_milestone_is_guarded_between_its_own_form_and_that_of_its_project() -> None:
    """Two doors to one row: both lock the row before they compare."""
    world = built()
    known = paths(world)
    ways = [known[name] for name in ("milestone in the project", "milestone")]
    clients = [client_of(world["staff"]) for _way in ways]
    for number in range(RACES):
        start = versions_of(type(world["late"])._base_manager.filter(pk=world["late"].pk))
        answers = race(clients, ways, number)
        assert sorted(answer.status_code for answer in answers) == [302, 409], number
        assert len(events_since(type(world["late"]), start)[world["late"].pk]) == 2


@pytest.mark.parametrize("door", ["project", "milestone"])
def test_a_form_and_a_step_on_a_milestone_never_wait_for_each_other_in_a_circle(door: str) -> None:
    """Both lock the project before its milestones; the other order would end in a deadlock."""
    world = built()
    project = world["project"]
    staff, other = client_of(world["staff"]), client_of(world["staff"])
    for _number in range(RACES):
        milestone = factories.milestone(project)
        row = project if door == "project" else milestone
        url = f"/projects/{door}/{row.pk}/change/"
        page = staff.get(url)
        data = form_of(page) | {field_on(page, milestone, "weight", door == "project"): 7}
        saved, stepped = together(
            lambda url=url, data=data: staff.post(url, data),
            lambda pk=milestone.pk: other.post(f"/projects/milestone/{pk}/step/cancel/", {"comment": "并入"}),
        )
        assert (saved.status_code, stepped.status_code) == (302, 302)
        milestone.refresh_from_db()
        assert (milestone.weight, milestone.state) == (7, "cancelled")
        milestone.delete()


def test_control_without_the_comparison_both_are_saved_and_one_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SafeEdits, "_compared", lambda *_args: None)
    world = built()
    path = paths(world)["project"]
    answers = race([client_of(world["staff"]), client_of(world["staff"])], [path, path], 1)
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Project.objects.get(pk=world["project"].pk).place in ("甲1", "乙1"), "the other's words are gone"
