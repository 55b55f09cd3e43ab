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


#: The draft of the next round opens with the text of the last one, so what was sent differs in nothing
#: from it, no conflict is seen, and it is handed in as a new round.
HANDED_IN_ANEW = pytest.mark.xfail(reason="what arrives again after the decision is a new round", strict=True)


@pytest.mark.parametrize(
    "decision",
    ["", pytest.param("accept", marks=HANDED_IN_ANEW), pytest.param("return", marks=HANDED_IN_ANEW)],
)
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


@pytest.mark.parametrize("decision", ["", "approve", pytest.param("return", marks=HANDED_IN_ANEW), "reject"])
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
