"""Two people press a button on one draft or one submission at the same instant: one wins, the other is told.

As in `test_edit_races`: real threads, real transactions, RACES of each (`make races` runs 100). Two officers
save one draft, opened while it was there or before it was; two reviewers decide; an officer takes back what
a reviewer decides; a project is suspended while a report on it is handed in.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import models

from journal.versions import events_since, versions_of
from projects.models import CloseOut, ExtensionRequest, ExtensionShift, ProgressReport, Project
from projects.services.submissions import SUBJECT_OF
from projects.workflow import step_of
from tests import factories
from tests.forms import conflict_form, form_of
from tests.racing import together
from tests.test_draft_forms import SCRIPT, finished, prepared, typed
from tests.test_edit_races import RACES
from tests.test_pages import DAY, client_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_noise")]

#: Form → (what it writes, the field that both write into).
FORMS: dict[str, tuple[Any, str]] = {
    "report": (ProgressReport, "done"),
    "extension": (ExtensionRequest, "reason"),
    "close_out": (CloseOut, "achieved"),
}
OPENED = ["on_a_draft", "before_a_draft"]


@pytest.fixture
def no_noise(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR", logger="django.request")


@pytest.fixture
def world(transactional_db: None) -> dict[str, Any]:
    found = prepared()
    found["colleague"] = factories.user("officer", found["group"])
    found["chief"] = factories.user("staff", found["root"])
    found["clients"] = [client_of(found["officer"]), client_of(found["colleague"])]
    return found


def begun(world: dict[str, Any], form: str, opened: str) -> None:
    """Leave a draft, or none, for two people to open the form on."""
    url, client = world[form], world["clients"][0]
    if opened == "before_a_draft":
        FORMS[form][0].objects.all().delete()
    elif not FORMS[form][0].objects.exists():
        assert client.post(url, typed(client.get(url)) | {"_save": "1"}).status_code == 302


def values_since(row: models.Model, start: dict[int, int], field: str) -> list[Any]:
    """What stood in a field: as the row was opened or made, and after each change in the journal."""
    return [
        getattr(event, field) for event in events_since(type(row), {row.pk: start.get(row.pk, 0)})[row.pk]
    ]


def raced(world: dict[str, Any], form: str, values: list[dict[str, Any]], *, script: bool) -> tuple[Any, Any]:
    """Open a form each, then save at the same instant; with `script` the first one saves by itself.

    Returns:
        What was sent, and the answers.
    """
    url, clients = world[form], world["clients"]
    sent = [
        typed(client.get(url), **mine) | {"_save": "1"} for client, mine in zip(clients, values, strict=True)
    ]
    headers = SCRIPT if script else {}
    answers = together(
        lambda: clients[0].post(url, sent[0], headers=headers), lambda: clients[1].post(url, sent[1])
    )
    return sent, answers


@pytest.mark.parametrize("script", [False, True], ids=["by_hand", "by_itself"])
@pytest.mark.parametrize("opened", OPENED)
@pytest.mark.parametrize("form", list(FORMS))
def test_of_two_saves_of_a_draft_one_wins_and_the_other_is_told(
    world: dict, form: str, opened: str, script: bool
) -> None:
    if form == "close_out":
        finished(world)
    (model, field), url, clients = FORMS[form], world[form], world["clients"]
    accepted = [200 if script else 302, 302]
    for number in range(RACES):
        begun(world, form, opened)
        start, before = versions_of(model.objects.all()), model.objects.values_list(field, flat=True).first()
        words = [f"甲{number}", f"乙{number}"]
        sent, answers = raced(world, form, [{field: word} for word in words], script=script)
        won = [answer.status_code == code for answer, code in zip(answers, accepted, strict=True)]
        assert sorted(won) == [False, True], number
        winner, loser = won.index(True), won.index(False)
        told = answers[loser]
        assert told.status_code == 409
        draft = model.objects.get()
        stood = values_since(draft, start, field)
        assert stood[1:] == [words[winner]] and getattr(draft, field) == words[winner], "one change, not two"
        assert not start or stood[0] == before
        if script and loser == 0:
            assert told.json()["conflict"] and told.json()["message"]
            told = clients[loser].post(url, sent[loser])  # what the page says to do: save by hand
        lines = [line for group in told.context["groups"] for line in group.lines if line.must_choose]
        assert [line.name for line in lines] == [field]
        if number == 0:  # the loser's words are on the page, and can be saved from there
            chosen = conflict_form(told) | {lines[0].choice: "mine"}
            assert clients[loser].post(url, chosen).status_code == 302
            draft.refresh_from_db()
            assert getattr(draft, field) == words[loser]


@pytest.mark.parametrize("script", [False, True], ids=["by_hand", "by_itself"])
@pytest.mark.parametrize("opened", OPENED)
def test_of_two_dates_for_one_milestone_that_moves_along_one_wins_and_the_other_is_told(
    world: dict, opened: str, script: bool
) -> None:
    """The rows of an extension request are kept one by one, so the answer is no conflict page but its row."""
    later = factories.milestone(world["project"], world["today"] + DAY * 20)
    url, clients = world["extension"], world["clients"]
    for number in range(RACES):
        begun(world, "extension", opened)
        start, before = (
            versions_of(ExtensionShift.objects.all()),
            list(ExtensionShift.objects.values_list("to_on", flat=True)),
        )
        days = [world["today"] + DAY * (30 + 2 * number % 60 + who) for who in (0, 1)]
        shifts = [{f"shift-{later.pk}": "on", f"shift_to-{later.pk}": day.isoformat()} for day in days]
        sent, answers = raced(world, "extension", shifts, script=script)
        shift = ExtensionShift.objects.get()
        assert shift.to_on in days
        winner = days.index(shift.to_on)
        loser = 1 - winner
        assert values_since(shift, start, "to_on") == [*before, days[winner]], "one change, not two"
        told = answers[loser]
        if script:
            assert answers[0].status_code == 200 and answers[0].json()["unclear"] == (loser == 0)
        if script and loser == 0:
            # Saved but for this row, so the page is its own draft's now; by hand it is told at the row.
            told = clients[0].post(url, sent[0])
        elif not script or winner == 1:
            assert answers[winner].status_code == 302
        row = next(row for row in told.context["shifts"] if row.milestone == later)
        assert row.error and row.to_on == days[loser].isoformat(), number
        if number == 0:
            assert clients[loser].post(url, typed(told) | {"_save": "1"}).status_code == 302
            assert ExtensionShift.objects.get().to_on == days[loser]


def test_of_two_who_hand_in_one_report_one_wins_and_nothing_typed_is_lost(world: dict) -> None:
    url, clients = world["report"], world["clients"]
    for number in range(RACES):
        words = [f"甲 {number} 段", f"乙 {number} 段"]
        sent = [
            typed(client.get(url), done=word, percent=30, claimed_on="") | {"_submit": "1"}
            for client, word in zip(clients, words, strict=True)
        ]
        answers = together(
            *(partial(client.post, url, data) for client, data in zip(clients, sent, strict=True))
        )
        assert sorted(answer.status_code for answer in answers) == [302, 409], number
        winner = 0 if answers[0].status_code == 302 else 1
        report = ProgressReport.objects.waiting().get()
        assert (report.done, report.submitted_by) == (
            words[winner],
            (world["officer"], world["colleague"])[winner],
        )
        assert not ProgressReport.objects.filter(state="draft").exists()
        assert words[1 - winner] in answers[1 - winner].content.decode()
        decided(world, report, "accept")


def decided(world: dict[str, Any], row: Any, action: str) -> None:
    url = f"/projects/{row._meta.model_name}/{row.pk}/step/{action}/"
    assert client_of(world["staff"]).post(url, {"comment": "看过"}).status_code == 302


# -- decisions ----------------------------------------------------------------------------------------


def waiting(world: dict[str, Any], model: Any) -> Any:
    """A submission that waits, on a subject where another one could not get in its way."""
    officer, today = world["officer"], world["today"]
    if model is ProgressReport:
        return factories.report(world["open"], officer, today)
    if model is ExtensionRequest:
        milestone = factories.milestone(world["project"], today + DAY * 20)
        return factories.extension(milestone, officer, today, today + DAY * 30)
    project = factories.project(world["group"], world["project"].programme, approved_on=today - DAY * 50)
    done = {"state": "accepted", "percent": 100, "claimed_on": today - DAY, "accepted_on": today}
    factories.milestone(project, today - DAY * 3, **done)
    return factories.close_out(project, officer, today)


#: What two people do to the same thing at the same instant: (whose, role and step, role and step).
DUELS: dict[str, tuple[Any, tuple[str, str], tuple[str, str]]] = {
    "accept_or_return": (ProgressReport, ("staff", "accept"), ("chief", "return")),
    "approve_or_reject": (ExtensionRequest, ("staff", "approve"), ("chief", "reject")),
    "verify_or_verify": (CloseOut, ("staff", "verify"), ("chief", "verify")),
    "accept_or_withdraw": (ProgressReport, ("staff", "accept"), ("officer", "withdraw")),
    "approve_or_withdraw": (ExtensionRequest, ("staff", "approve"), ("officer", "withdraw")),
    "verify_or_withdraw": (CloseOut, ("staff", "verify"), ("officer", "withdraw")),
}


@pytest.mark.parametrize("name", list(DUELS))
def test_of_two_steps_on_one_submission_one_is_taken_and_the_other_is_told_who_was_faster(
    world: dict, name: str
) -> None:
    model, *sides = DUELS[name]
    clients = [client_of(world[role]) for role, _action in sides]
    missing = clients[0].post(f"/projects/{model._meta.model_name}/99999999/step/accept/").headers["Location"]
    for number in range(RACES):
        row = waiting(world, model)
        start = versions_of(model.objects.filter(pk=row.pk))
        urls = [f"/projects/{model._meta.model_name}/{row.pk}/step/{action}/" for _role, action in sides]
        answers = together(
            lambda urls=urls: clients[0].post(urls[0], {"comment": "看过"}),
            lambda urls=urls: clients[1].post(urls[1], {"comment": "看过"}),
        )
        taken = [answer.status_code == 302 and answer.headers["Location"] != missing for answer in answers]
        assert sorted(taken) == [False, True], number
        winner, loser = taken.index(True), taken.index(False)
        role, action = sides[winner]
        row.refresh_from_db()
        step = step_of(SUBJECT_OF[model], action)
        assert values_since(row, start, "state") == ["submitted", step.to_state], "one step, not two"
        assert row.state == step.to_state
        told = answers[loser]
        if action == "withdraw":
            # A draft is private to its writers: who looks for it a moment later finds nothing at all.
            assert told.status_code == 302 or (told.status_code == 409 and told.context["error"])
        else:
            assert told.status_code == 409
            assert str(world[role]) in told.context["error"], "who was faster"
            assert (row.verified_by if action == "verify" else row.decided_by) == world[role]


def test_a_project_is_suspended_or_its_report_is_handed_in_never_both(world: dict) -> None:
    staff, officer, today = client_of(world["staff"]), world["clients"][0], world["today"]
    suspension = {"reason": "征地未完成", "look_again_on": (today + DAY * 30).isoformat()}
    for number in range(RACES):
        project = factories.project(world["group"], world["project"].programme, approved_on=today - DAY * 50)
        milestone = factories.milestone(project, today + DAY * 20)
        url = f"/projects/milestone/{milestone.pk}/report/"
        data = typed(officer.get(url), done=f"停工前写的 {number}", percent=30) | {"_submit": "1"}
        start = versions_of(Project.objects.filter(pk=project.pk))
        handed_in, suspended = together(
            lambda url=url, data=data: officer.post(url, data),
            lambda pk=project.pk: staff.post(f"/projects/project/{pk}/status/suspend/", suspension),
        )
        assert sorted((handed_in.status_code, suspended.status_code)) == [302, 409], number
        project.refresh_from_db()
        milestone.refresh_from_db()
        waits = ProgressReport.objects.waiting().filter(milestone=milestone).exists()
        if suspended.status_code == 302:
            assert (project.status, milestone.is_suspended, waits) == ("suspended", True, False)
            assert values_since(project, start, "status") == ["in_progress", "suspended"]
            assert f"停工前写的 {number}" in handed_in.content.decode()
        else:
            assert (project.status, milestone.is_suspended, waits) == ("in_progress", False, True)
            assert suspended.context["error"] and "征地未完成" in suspended.content.decode()


def test_control_without_the_comparison_both_saves_of_a_draft_are_kept_and_one_is_lost(
    world: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enterprises.edits.is_fresh", lambda *_args: True)
    begun(world, "report", "on_a_draft")
    _sent, answers = raced(world, "report", [{"done": "甲"}, {"done": "乙"}], script=False)
    assert [answer.status_code for answer in answers] == [302, 302]
    assert ProgressReport.objects.get().done in ("甲", "乙"), "the other's words are gone"


@pytest.mark.parametrize("_race", range(RACES))
def test_a_step_that_waits_while_its_project_moves_goes_on_afterwards(
    world: dict[str, Any], _race: int
) -> None:
    """Locked together with its enterprise, the project dropped out of the step's result: a 500."""
    other = factories.enterprise("燃气集团", parent=world["root"])
    milestone = factories.milestone(world["project"], world["today"] + DAY * 20)
    staff, chief = client_of(world["staff"]), client_of(world["chief"])
    url = f"/projects/project/{world['project'].pk}/change/"
    data = form_of(staff.get(url)) | {"enterprise": other.pk}
    answers = together(
        lambda: staff.post(url, data),
        lambda: chief.post(f"/projects/milestone/{milestone.pk}/step/cancel/", {"comment": "并入他项"}),
    )
    assert [answer.status_code for answer in answers] == [302, 302]
    milestone.refresh_from_db()
    assert milestone.state == "cancelled"
