"""The checks of `make chaos` notice what they are there for: each is shown a violation made by hand."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.utils import timezone

from journal.context import acting
from projects.evidence import storage
from projects.evidence.files import judge
from projects.models import (
    CloseOut,
    Evidence,
    ExtensionRequest,
    ExtensionShift,
    Milestone,
    ProgressReport,
    Project,
)
from projects.services import reports
from projects.services.evidence import add_evidence
from projects.services.lights import refresh_lights
from projects.services.reviews import decide
from tests import factories
from tests.evidence.made import encoded, scene
from tests.test_pages import DAY, built
from tools import chaos_invariants as invariants
from tools import chaos_ledger as ledger
from tools.chaos_browser import Form
from tools.chaos_clients import _accepted
from tools.chaos_ledger import Kind, Sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(evidence_folder: Path) -> dict[str, Any]:
    """Everything that the checks look at, brought about by the services: nothing is violated."""
    import pghistory

    found = built()
    project, today = found["project"], found["today"]
    officer, staff = found["officer"], found["staff"]
    Project.objects.filter(pk=project.pk).update(approved_on=today - DAY * 50)
    # The small world sets states without the journal's knowledge of a person; its checks begin here.
    milestones = [
        factories.milestone(project, today + DAY * n, state="not_started") for n in (10, 20, 30, 25)
    ]
    with pghistory.context(user=officer.pk):
        claimed, accepted, returned = (
            factories.report(m, officer, today, claimed_on=day)
            for m, day in zip(milestones, (today, today, None), strict=False)
        )
        waiting = factories.extension(
            factories.milestone(project, today + DAY * 12), officer, today, today + DAY * 15
        )
        approved = factories.extension(
            milestones[3],
            officer,
            today,
            today + DAY * 60,
            {returned.milestone_id: today + DAY * 44},
        )
        draft = reports.open_draft(
            milestone_id=factories.milestone(project, today + DAY * 50).pk, actor=officer, as_of=today
        )
        photo = add_evidence(
            submission=draft,
            judged=judge(_file(encoded(scene(1))), "a.jpg"),
            stage="during",
            actor=officer,
            on=today,
            keep_original=True,
        )
    at = timezone.now()
    with pghistory.context(user=staff.pk):
        decide(kind=ProgressReport, pk=accepted.pk, action="accept", actor=staff, at=at)
        decide(kind=ProgressReport, pk=returned.pk, action="return", actor=staff, at=at, comment="再写")
        decide(kind=ExtensionRequest, pk=approved.pk, action="approve", actor=staff, at=at)
    refresh_lights(as_of=today)
    return {
        **found,
        "claimed": claimed,
        "accepted": accepted,
        "waiting": waiting,
        "approved": approved,
        "photo": photo,
    }


def _file(body: bytes) -> Any:
    from django.core.files.base import ContentFile

    return ContentFile(body)


def behind_the_back(rows: Any, **values: Any) -> None:
    """Change rows as no road of the portal can: no trigger sees it."""
    with pgtrigger.ignore():
        rows.update(**values)


def _of(world: dict, name: str) -> Any:
    return type(world[name]).objects.filter(pk=world[name].pk)


def _milestone(world: dict, name: str) -> Any:
    return Milestone.objects.filter(pk=world[name].milestone_id)


VIOLATIONS: list[tuple[str, str, Callable[[dict], None]]] = [
    (
        "a claim was handed in and the milestone stayed open",
        "reports_agree_with_milestones",
        lambda w: behind_the_back(_milestone(w, "claimed"), state="in_progress"),
    ),
    (
        "the report was accepted and the milestone was not",
        "reports_agree_with_milestones",
        lambda w: behind_the_back(_milestone(w, "accepted"), state="submitted"),
    ),
    (
        "the milestone counts a progress that was returned",
        "reports_agree_with_milestones",
        lambda w: behind_the_back(Milestone.objects.filter(state="returned"), percent=50),
    ),
    (
        "a milestone is claimed and no report says so",
        "reports_agree_with_milestones",
        lambda w: behind_the_back(
            Milestone.objects.filter(reports=None, due_on__isnull=True),
            state="submitted",
            claimed_on=w["today"],
        ),
    ),
    (
        "a request waits and the clock runs on",
        "extensions_agree_with_milestones",
        lambda w: behind_the_back(_milestone(w, "waiting"), awaits_extension=False),
    ),
    (
        "a request was decided and the clock stands still",
        "extensions_agree_with_milestones",
        lambda w: behind_the_back(_milestone(w, "approved"), awaits_extension=True),
    ),
    (
        "an approval did not move the date",
        "dates_are_those_that_were_granted",
        lambda w: behind_the_back(_milestone(w, "approved"), due_on=w["approved"].from_on),
    ),
    (
        "an approval did not move the milestone that was listed with it",
        "dates_are_those_that_were_granted",
        lambda w: behind_the_back(
            Milestone.objects.filter(pk=ExtensionShift.objects.get().milestone_id),
            due_on=ExtensionShift.objects.get().from_on,
        ),
    ),
    (
        "a project awaits an acceptance that nobody asked for",
        "close_outs_agree_with_projects",
        lambda w: behind_the_back(Project.objects.all(), status="awaiting"),
    ),
    (
        "a close-out waits and the project goes on",
        "close_outs_agree_with_projects",
        lambda w: CloseOut.objects.create(
            project=w["project"], programme=w["project"].programme, state="submitted"
        )
        and None,
    ),
    (
        "a project has not begun although its milestones have",
        "close_outs_agree_with_projects",
        lambda w: behind_the_back(Project.objects.all(), status="not_started"),
    ),
    (
        "nobody answers for a decision",
        "decisions_say_who_and_when",
        lambda w: behind_the_back(_of(w, "accepted"), decided_by=None),
    ),
    (
        "nobody knows how long a decision took",
        "decisions_say_who_and_when",
        lambda w: behind_the_back(_of(w, "accepted"), waited_days=None),
    ),
    (
        "the day of a decision is not the day of its moment",
        "decisions_say_who_and_when",
        lambda w: behind_the_back(_of(w, "accepted"), decided_on=w["today"] - DAY),
    ),
    (
        "nobody knows when a report was handed in",
        "decisions_say_who_and_when",
        lambda w: behind_the_back(_of(w, "claimed"), submitted_at=None),
    ),
    (
        "a file of a photo is gone",
        "evidence_has_its_files",
        lambda w: storage.delete(w["photo"].thumbnail),
    ),
    (
        "a file is cut short",
        "evidence_has_its_files",
        lambda w: _cut_short(w["photo"].preview),
    ),
    (
        "a file is another one than was sent",
        "evidence_has_its_files",
        lambda w: behind_the_back(Evidence.objects.all(), sha256="0" * 64),
    ),
    (
        "a step has no entry in the journal",
        "steps_are_in_the_journal",
        lambda w: behind_the_back(_of(w, "claimed"), state="accepted", decided_on=w["today"]),
    ),
    (
        "the journal names somebody else",
        "steps_are_in_the_journal",
        lambda w: behind_the_back(_of(w, "claimed"), submitted_by=w["leader"]),
    ),
    (
        "the journal names somebody else for a decision",
        "steps_are_in_the_journal",
        lambda w: behind_the_back(_of(w, "accepted"), decided_by=w["leader"]),
    ),
    (
        "a step was taken that the table does not have",
        "steps_are_in_the_journal",
        lambda w: _of(w, "claimed").update(state="draft") and _of(w, "claimed").update(state="returned", decided_on=w["today"], comment="?"),
    ),
    (
        "a milestone changed and the journal does not know",
        "steps_are_in_the_journal",
        lambda w: behind_the_back(_milestone(w, "claimed"), percent=7),
    ),
    (
        "a light is not what the milestones bear out",
        "lights_are_current",
        lambda w: behind_the_back(Project.objects.all(), light="blue"),
    ),
]  # fmt: skip


def _cut_short(name: str) -> None:
    with storage.open_read(name) as file:
        half = file.read()[:1000]
    storage.delete(name)
    assert storage.write(name, half) == name


def test_after_the_services_nothing_is_violated(world: dict) -> None:
    today: datetime.date = world["today"]
    found = {check.__name__: check(today) for check in invariants.INVARIANTS}
    assert not any(found.values()), found


@pytest.mark.parametrize(("what", "check", "violate"), VIOLATIONS, ids=[row[0] for row in VIOLATIONS])
def test_a_violation_made_by_hand_is_noticed(
    world: dict, what: str, check: str, violate: Callable[[dict], None]
) -> None:
    before = getattr(invariants, check)(world["today"])
    with acting(by="test", source="command"):
        violate(world)
    assert before == []
    assert getattr(invariants, check)(world["today"]) != []


def test_every_check_is_shown_a_violation() -> None:
    assert {check for _what, check, _violate in VIOLATIONS} == {c.__name__ for c in invariants.INVARIANTS}


def entry(outcome: str, count: int, halves: str = "") -> Sent:
    return Sent(Kind.SUBMIT, lambda: count, lambda: halves, outcome=outcome)


def test_a_promise_to_a_client_that_was_not_kept_is_noticed() -> None:
    whole = [entry("answered", 1), entry("broken", 0), entry("broken", 1), entry("refused", 0)]
    assert [promise(whole) for promise in ledger.PROMISES] == [[], [], [], []]
    assert ledger.what_was_answered_is_there([entry("answered", 0)])
    assert ledger.what_was_sent_again_counts_once([entry("broken", 2)])
    assert ledger.many_are_done_together_or_not_at_all([entry("broken", 1, "3 of 9")])
    assert ledger.nobody_saw_an_error_page([entry("error", 0)])


def test_a_form_is_read_as_a_browser_would_send_it_back() -> None:
    page = """<form><input name="q"></form><form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="x">
        <input type="hidden" name="_version" value="a&amp;b"><textarea name="done">\nA &lt; B</textarea>
        <input type="checkbox" name="off"><input type="checkbox" name="on" value="1" checked>
        <input type="file" name="files"><button name="_save" value="1">S</button></form>"""
    form = Form(page, having="_save")
    assert form.fields == [("_version", "a&b"), ("done", "A < B"), ("on", "1")]
    assert form.filled(done="C", _save="1") == [
        ("_version", "a&b"),
        ("on", "1"),
        ("done", "C"),
        ("_save", "1"),
    ]
    with pytest.raises(LookupError):
        Form(page, having="percent")


def test_what_the_desk_says_was_accepted_is_read_from_its_page() -> None:
    page = """<section class="outcomes"><ul><li><b></b><a href="/projects/progressreport/7/">x</a></li>
        <li><a href="/projects/progressreport/8/">x</a><span class="why">no</span></li></ul></section>
        <a href="/projects/progressreport/9/">"""
    assert _accepted(page) == [7]
