"""A form that arrives twice, because its answer was lost on the way: handed in once, whatever came between."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from projects.models import ExtensionRequest, Milestone, ProgressReport, Project
from projects.services.reviews import decide
from tests import factories
from tests.test_pages import DAY, built, client_of
from tools.chaos_browser import Form

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    found = built()
    Project.objects.update(approved_on=found["today"] - DAY * 50)
    found["milestone"] = factories.milestone(found["project"], found["today"] + DAY * 40)
    return found


def sent(world: dict, address: str, **values: str) -> dict[str, str]:
    """Open the form, fill it in, hand it in; what the browser sent."""
    officer = client_of(world["officer"])
    fields = dict(Form(officer.get(address).content.decode(), having="_submit").filled(**values, _submit="1"))
    assert officer.post(address, fields).status_code == 302
    return fields


@pytest.mark.parametrize("decision", ["", "accept", "return"])
def test_a_report_that_arrives_again_is_one_report(world: dict, decision: str) -> None:
    milestone: Milestone = world["milestone"]
    address = f"/projects/milestone/{milestone.pk}/report/"
    fields = sent(world, address, percent="30", done="管沟 200 米")
    if decision:
        decide(
            kind=ProgressReport,
            pk=ProgressReport.objects.get().pk,
            action=decision,
            actor=world["staff"],
            at=timezone.now(),
            comment="看过",
        )
    client_of(world["officer"]).post(address, fields)
    assert ProgressReport.objects.exclude(state="draft").count() == 1


@pytest.mark.parametrize("decision", ["", "approve", "return", "reject"])
def test_a_request_that_arrives_again_is_one_request(world: dict, decision: str) -> None:
    milestone: Milestone = world["milestone"]
    assert milestone.due_on is not None
    address = f"/projects/milestone/{milestone.pk}/extension/"
    to_on = (milestone.due_on + DAY * 5).isoformat()
    fields = sent(world, address, to_on=to_on, reason_class="site", reason="暴雨")
    if decision:
        decide(
            kind=ExtensionRequest,
            pk=ExtensionRequest.objects.get().pk,
            action=decision,
            actor=world["staff"],
            at=timezone.now(),
            comment="看过",
        )
    client_of(world["officer"]).post(address, fields)
    assert ExtensionRequest.objects.exclude(state="draft").count() == 1


def test_a_page_of_its_own_hands_in_the_next_round(world: dict) -> None:
    """The control: what is opened anew is a new round, though its text may be the same."""
    address = f"/projects/milestone/{world['milestone'].pk}/report/"
    for number in (1, 2):
        sent(world, address, percent="30", done="管沟 200 米")
        decide(
            kind=ProgressReport,
            pk=ProgressReport.objects.get(round=number).pk,
            action="accept",
            actor=world["staff"],
            at=timezone.now(),
        )
    assert ProgressReport.objects.filter(state="accepted").count() == 2
