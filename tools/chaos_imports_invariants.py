"""What must hold of ledgers after any kill; each on one snapshot, whatever is under way at that moment.

Each function answers with a sentence for each violation. Its docstring says what a violation would mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from journal.tracking import event_model_of
from projects.models import LedgerImport, LedgerRow, Milestone, Project

State = LedgerImport.State


def _results(ledger: LedgerImport) -> Counter[str]:
    return Counter(LedgerRow.objects.filter(ledger=ledger).values_list("result", flat=True))


def _entries(ledger: LedgerImport) -> Counter[str]:
    events: Any = event_model_of(Project)
    mine = events._base_manager.filter(pgh_context__ledger=ledger.pk)
    return Counter(mine.values_list("pgh_label", flat=True))


def a_ledger_is_written_as_a_whole_or_not_at_all(ledgers: list[LedgerImport]) -> list[str]:
    """A violation: some rows of a ledger are projects and others are not, and nobody can tell which."""
    found = []
    for ledger in ledgers:
        results = _results(ledger)
        if ledger.state == State.CONFIRMED:
            if results[""]:
                found.append(f"ledger {ledger.pk} was taken in, {results['']} of its rows were not")
            continue
        written = sum(n for result, n in results.items() if result)
        if written or _entries(ledger) or ledger.receipt:
            found.append(f"ledger {ledger.pk} is {ledger.state}, {written} of its rows are written")
    return found


def receipts_tell_what_is_there(ledgers: list[LedgerImport]) -> list[str]:
    """A violation: the person is told of projects that are not there, or not told of some that are."""
    found = []
    for ledger in ledgers:
        if ledger.state != State.CONFIRMED:
            continue
        told = {key: n for key, n in ledger.receipt.items() if key != "milestones"}
        results = _results(ledger)
        rows = LedgerRow.objects.filter(ledger=ledger)
        there = Project.objects.filter(pk__in=rows.filter(result="created").values("project_id")).count()
        if told != {key: results[key] for key in told} or sum(told.values()) != rows.count():
            found.append(f"ledger {ledger.pk} tells {told}, its rows {dict(results)}")
        if there != told["created"]:
            found.append(f"ledger {ledger.pk} tells of {told['created']} projects, {there} are there")
    return found


def the_journal_tells_each_of_them_once(ledgers: list[LedgerImport]) -> list[str]:
    """A violation: a project came to be, or changed, and nobody can be asked about it; or it is told twice."""
    found = []
    for ledger in ledgers:
        if ledger.state == State.CONFIRMED:
            told = _entries(ledger)
            wanted = (ledger.receipt["created"], ledger.receipt["changed"])
            if (told["insert"], told["update"]) != wanted:
                found.append(f"ledger {ledger.pk} wrote {wanted}, the journal tells {dict(told)}")
    return found


def projects_have_their_milestones(ledgers: list[LedgerImport]) -> list[str]:
    """A violation: a promise with a date that the patrol never watches, or one that it watches twice."""
    found = []
    for ledger in ledgers:
        made = LedgerRow.objects.filter(ledger=ledger, result="created").values("project_id")
        projects = made.count()
        owners = list(Milestone.objects.filter(project__in=made).values_list("project_id", flat=True))
        if len(owners) != projects or len(set(owners)) != projects:
            found.append(f"ledger {ledger.pk} made {projects} projects, {len(owners)} milestones")
    return found


def rows_are_read_once(ledgers: list[LedgerImport]) -> list[str]:
    """A violation: after a worker was replaced, rows of the file are missing in the preview or stand there twice."""
    found = []
    for ledger in ledgers:
        if ledger.state == State.READING:
            continue
        rows = LedgerRow.objects.filter(ledger=ledger).order_by("position")
        positions = list(rows.values_list("position", flat=True))
        counted = sum(ledger.counts.get(key, 0) for key in ("accepted", "needs_review", "rejected"))
        if positions != list(range(1, counted + 1)) or ledger.rows_read != counted:
            found.append(f"ledger {ledger.pk} has {len(positions)} rows, {counted} were counted")
    return found


def no_project_is_doubled(ledgers: list[LedgerImport]) -> list[str]:
    """A violation: one promise stands twice on the lists, and two people work on it."""
    names = list(Project.objects.values_list("programme_id", "enterprise_id", "name"))
    return [] if len(names) == len(set(names)) else [f"{len(names) - len(set(names))} names stand twice"]


def nothing_is_given_back_to_the_person(ledgers: list[LedgerImport]) -> list[str]:
    """A violation: a kill or a restart is shown to a person as a fault of the file or of the portal."""
    return [
        f"ledger {ledger.pk} is {ledger.state}: {ledger.fault}"
        for ledger in ledgers
        if ledger.fault or ledger.state == State.REFUSED
    ]


IMPORT_INVARIANTS: tuple[Callable[[list[LedgerImport]], list[str]], ...] = (
    a_ledger_is_written_as_a_whole_or_not_at_all,
    receipts_tell_what_is_there,
    the_journal_tells_each_of_them_once,
    projects_have_their_milestones,
    rows_are_read_once,
    no_project_is_doubled,
    nothing_is_given_back_to_the_person,
)


def printed_receipts_are_true(printed: list[dict[str, int]], stem: str, projects: int) -> list[str]:
    """A violation: what the command printed is not what the database holds.

    Args:
        printed: what the commands of one round printed.
        stem: with what the names of all their projects begin.
        projects: how many different projects their files name.
    """
    found = []
    for one in printed:
        ledger = LedgerImport.objects.get(pk=one["ledger"])
        found += [said for check in IMPORT_INVARIANTS for said in check([ledger])]
        if {"ledger": ledger.pk, **ledger.receipt} != one:
            found.append(f"printed {one}, kept {ledger.receipt}")
    there = Project.objects.filter(name__startswith=stem).count()
    created = sum(one["created"] for one in printed)
    if not there == created == projects:
        found.append(f"{stem}: {projects} projects in the files, {created} told, {there} there")
    return found
