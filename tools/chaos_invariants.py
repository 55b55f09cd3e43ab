"""What must hold after any kill, at rest: nobody is connected, every transaction is over.

Each function answers with a sentence for each violation, [] when there is none. Its docstring says what a
violation would mean for the people who use the portal. tests/test_chaos_invariants.py makes every one of
them speak up by hand: a check that cannot fail proves nothing.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from journal.tracking import event_model_of
from projects.evidence import storage
from projects.models import (
    CloseOut,
    Evidence,
    ExtensionRequest,
    ExtensionShift,
    Milestone,
    ProgressReport,
    Project,
    Submission,
)
from projects.services.lights import refresh_lights
from projects.services.submissions import SUBJECT_OF
from projects.states import MilestoneState, ProjectStatus
from projects.workflow import WORKFLOW

DECIDED = ("accepted", "approved", "returned", "rejected")
#: What a person changes in a milestone; its journal has to end with the same values.
TOLD = ("state", "percent", "due_on", "claimed_on", "accepted_on", "awaits_extension")

Invariant = Callable[[datetime.date], list[str]]


def reports_agree_with_milestones(as_of: datetime.date) -> list[str]:
    """A violation: an officer handed in (or a reviewer decided) and only half of it happened. The milestone
    would be chased as overdue although it was claimed, or count as done although nobody accepted it."""
    found = []
    latest: dict[int, ProgressReport] = {}
    for report in ProgressReport.objects.exclude(state="draft").order_by("round"):
        latest[report.milestone_id] = report
    for milestone in Milestone.objects.order_by("pk"):
        report = latest.get(milestone.pk)
        wanted = _wanted(report)
        if wanted is None:
            if milestone.state in (MilestoneState.SUBMITTED, MilestoneState.ACCEPTED):
                found.append(f"milestone {milestone.pk} is {milestone.state} without a report")
            continue
        shown = {name: getattr(milestone, name) for name in wanted}
        if shown != wanted:
            found.append(f"milestone {milestone.pk} has {shown}, its last report wants {wanted}")
    return found


def _wanted(report: ProgressReport | None) -> dict[str, Any] | None:
    """The values of a milestone that follow from the last report on it."""
    if report is None:
        return None
    if report.state == "returned":
        return {"state": "returned", "percent": report.percent_before, "claimed_on": None}
    if report.claimed_on is None:
        return {"state": "in_progress", "percent": report.percent, "claimed_on": None}
    claimed = {
        "percent": 100,
        "claimed_on": report.claimed_on,
        "submitted_by_id": report.submitted_by_id,
    }
    if report.state == "accepted":
        return {"state": "accepted", "accepted_on": report.decided_on, **claimed}
    return {"state": "submitted", "accepted_on": None, **claimed}


def extensions_agree_with_milestones(as_of: datetime.date) -> list[str]:
    """A violation: a request was filed in time and the clock runs on, or it was decided and the clock stands
    still for ever."""
    waiting = set(
        ExtensionRequest.objects.waiting().filter(is_late=False).values_list("milestone_id", flat=True)
    )
    frozen = set(Milestone.objects.filter(awaits_extension=True).values_list("pk", flat=True))
    return [f"milestone {pk}: a request waits, the clock runs" for pk in sorted(waiting - frozen)] + [
        f"milestone {pk}: the clock stands, no request waits" for pk in sorted(frozen - waiting)
    ]


def dates_are_those_that_were_granted(as_of: datetime.date) -> list[str]:
    """A violation: an approval was told to the enterprise and the date did not move (or one of several did),
    or a date moved that nobody approved."""
    granted: dict[int, datetime.date | None] = dict(Milestone.objects.values_list("pk", "baseline_due_on"))
    approved = ExtensionRequest.objects.filter(state="approved").order_by("decided_at", "pk")
    shifts = ExtensionShift.objects.filter(request__in=approved)
    along: dict[int, list[ExtensionShift]] = {}
    for shift in shifts:
        along.setdefault(shift.request_id, []).append(shift)
    for request in approved:
        granted[request.milestone_id] = request.to_on
        for shift in along.get(request.pk, []):
            granted[shift.milestone_id] = shift.to_on
    return [
        f"milestone {pk} is due on {due_on}, granted was {granted[pk]}"
        for pk, due_on in Milestone.objects.values_list("pk", "due_on")
        if due_on != granted[pk]
    ]


def close_outs_agree_with_projects(as_of: datetime.date) -> list[str]:
    """A violation: a project stands on the list although it was struck off, or waits for an acceptance that
    nobody was asked for. And: work was reported in a project that "has not begun"."""
    states: dict[int, set[str]] = {}
    for pk, state in CloseOut.objects.values_list("project_id", "state"):
        states.setdefault(pk, set()).add(state)
    found = []
    for project in Project.objects.all():
        here = states.get(project.pk, set())
        asked, granted = bool(here & set(CloseOut.WAITING)), "approved" in here
        if asked != (project.status == ProjectStatus.AWAITING_ACCEPTANCE):
            found.append(f"project {project.pk} is {project.status}, its close-outs are {sorted(here)}")
        if granted != (project.status == ProjectStatus.CLOSED_OUT):
            found.append(f"project {project.pk} is {project.status}, close-out granted: {granted}")
    begun = Q(milestones__state__in=("in_progress", "submitted", "accepted", "returned"))
    idle = Project.objects.filter(begun, status__in=("", ProjectStatus.NOT_STARTED)).distinct()
    return found + [f"project {row.pk} has not begun, its milestones have" for row in idle]


def decisions_say_who_and_when(as_of: datetime.date) -> list[str]:
    """A violation: a decision that nobody answers for, or a reviewer's time that counts for nobody."""
    found = []
    for row in _submissions():
        facts = (row.decided_by_id, row.decided_at, row.decided_on, row.waited_days)
        decided = row.state in DECIDED  # type: ignore[attr-defined]
        if any((fact is not None) != decided for fact in facts):
            found.append(f"{_named(row)} has decided_by, at, on, waited_days {facts}")
        elif row.decided_at is not None and timezone.localdate(row.decided_at) != row.decided_on:
            found.append(f"{_named(row)} was decided on {row.decided_on}, at {row.decided_at}")
        if row.state != "draft" and None in (row.submitted_at, row.submitted_on):  # type: ignore[attr-defined]
            found.append(f"{_named(row)} was handed in, nobody knows when")
    return found


def evidence_has_its_files(as_of: datetime.date) -> list[str]:
    """A violation: a photo that the officer saw arrive cannot be shown to the reviewer, or is cut short."""
    found = []
    for row in Evidence.objects.order_by("pk"):
        names = [row.preview, row.thumbnail] if row.is_photo else [row.original]
        if not all(names):
            found.append(f"evidence {row.pk} has no name for a file")
        for name in {*names, row.original} - {""}:
            problem = _problem(row, name)
            if problem:
                found.append(f"evidence {row.pk}, {name}: {problem}")
    return found


def _problem(row: Evidence, name: str) -> str:
    try:
        with storage.open_read(name) as file:
            body = file.read()
    except FileNotFoundError:
        return "no such file"
    if name == row.original:
        same = len(body) == row.size and hashlib.sha256(body).hexdigest() == row.sha256
        return "" if same else "not the file that was sent"
    whole = body.startswith(b"\xff\xd8") and body.endswith(b"\xff\xd9")
    return "" if whole else "not a whole picture"


def steps_are_in_the_journal(as_of: datetime.date) -> list[str]:
    """A violation: something changed and nobody can be asked about it, the journal names somebody else, or
    one step was taken twice."""
    found: list[str] = []
    for model, subject in SUBJECT_OF.items():
        steps = {(start, step.to_state) for step in WORKFLOW[subject] for start in step.from_states}
        told = _entries(model, "state")
        for row in model._default_manager.all():
            found += _wrong_steps(row, told.get(row.pk, []), steps)
    told = _entries(Milestone, *TOLD)
    for milestone in Milestone.objects.all():
        entries = told.get(milestone.pk, [])
        last = {name: entries[-1][name] for name in TOLD} if entries else {}
        now = {name: getattr(milestone, name) for name in TOLD}
        if last != now:
            found.append(f"milestone {milestone.pk} has {now}, the journal ends with {last}")
    return found


def _wrong_steps(
    row: Submission, entries: list[dict[str, Any]], steps: set[tuple[str, str]]
) -> Iterator[str]:
    walked = [entry["state"] for entry in entries]
    if not walked or walked[0] != "draft" or walked[-1] != row.state:  # type: ignore[attr-defined]
        yield f"{_named(row)}: the journal tells {walked}"
    taken = [
        (before["state"], after)
        for before, after in itertools.pairwise(entries)
        if before["state"] != after["state"]
    ]
    for before, entry in taken:
        if (before, entry["state"]) not in steps:
            yield f"{_named(row)} went from {before} to {entry['state']}"
    states = [entry["state"] for _before, entry in taken]
    if "draft" not in states and len(states) != len(set(states)):
        yield f"{_named(row)} took a step twice: {states}"
    for _before, entry in taken:
        wanted = row.decided_by_id if entry["state"] in DECIDED else None
        wanted = row.submitted_by_id if entry["state"] == "submitted" and "draft" not in states else wanted
        if wanted is not None and (entry["pgh_context"] or {}).get("user") != wanted:
            yield f"{_named(row)}: {entry['state']} by {wanted}, the journal names {entry['pgh_context']}"


def _entries(model: Any, *columns: str) -> dict[int, list[dict[str, Any]]]:
    events: Any = event_model_of(model)
    told: dict[int, list[dict[str, Any]]] = {}
    for entry in events.objects.order_by("pgh_id").values("pgh_obj_id", "pgh_context", *columns):
        told.setdefault(entry["pgh_obj_id"], []).append(entry)
    return told


def lights_are_current(as_of: datetime.date) -> list[str]:
    """A violation: lists and the leader's page show a colour that the milestones do not bear out."""
    with transaction.atomic():
        changed = refresh_lights(as_of=as_of)
        transaction.set_rollback(True)
    return [f"{changed} stored lights are not what is computed now"] if changed else []


def _submissions() -> Iterator[Submission]:
    for model in SUBJECT_OF:
        yield from model._default_manager.order_by("pk")


def _named(row: Submission) -> str:
    return f"{row._meta.model_name} {row.pk} ({row.state})"  # type: ignore[attr-defined]


INVARIANTS: tuple[Invariant, ...] = (
    reports_agree_with_milestones,
    extensions_agree_with_milestones,
    dates_are_those_that_were_granted,
    close_outs_agree_with_projects,
    decisions_say_who_and_when,
    evidence_has_its_files,
    steps_are_in_the_journal,
    lights_are_current,
)
