"""Confirming at the same instant as others, and counting what the receipts tell once more."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from journal.tracking import event_model_of
from projects.importing.confirming import ask_to_confirm, confirm
from projects.models import LedgerImport, LedgerRow, Milestone, Project
from projects.services.refusals import Refused
from tests.forms import form_of
from tests.importing.ledgers import HEADINGS, ON, World, handed_in, ledger
from tests.racing import until_somebody_waits
from tests.test_pages import client_of

#: LEDGER_RACES=50 runs as many rounds of each race.
ROUNDS = int(os.environ.get("LEDGER_RACES", "3"))
ROWS = 40
SUPPORTED = [*HEADINGS, "配合单位"]


def row(number: int, *, unit: str = "水务集团", note: str = "", due: str = "7月底前") -> list[Any]:
    return [number, f"管网改造{number:04}", unit, "", due, "", "", note]


def asked(made: LedgerImport) -> LedgerImport:
    return ask_to_confirm(
        ledger_id=made.pk, actor=made.uploaded_by, reading_number=made.reading_number, at=timezone.now()
    )


def written(made: LedgerImport) -> Any:
    return confirm(ledger_id=made.pk, as_of=ON)


def attempt(deed: Callable[[], Any]) -> Any:
    """What it answers, or the refusal."""
    try:
        return deed()
    except Refused as refusal:
        return refusal


def true_receipts(*ledgers: LedgerImport) -> None:
    """Every figure of the receipts is counted once more from the tables of the portal."""
    for made in ledgers:
        made.refresh_from_db()
        assert made.state == LedgerImport.State.CONFIRMED, made.fault
        rows = LedgerRow.objects.filter(ledger=made)
        told = {key: n for key, n in made.receipt.items() if key != "milestones"}
        counted = Counter(rows.values_list("result", flat=True))
        assert told == {key: counted[key] for key in told}
        assert sum(told.values()) == rows.count()
        assert not rows.filter(result="created", project=None).exists()
        mine = rows.filter(result="created").values("project_id")
        assert Project.objects.filter(pk__in=mine).count() == told["created"]
        assert Milestone.objects.filter(project__in=mine).count() == made.receipt["milestones"]
        events = event_model_of(Project)._base_manager
        labels = Counter(
            events.filter(pgh_context__ledger=made.pk, pgh_context__click=made.click).values_list(
                "pgh_label", flat=True
            )
        )
        assert (labels["insert"], labels["update"]) == (told["created"], told["changed"])
    names = list(Project.objects.values_list("programme", "enterprise", "name"))
    assert len(names) == len(set(names))
    created = LedgerRow.objects.filter(result="created", project__isnull=False).values_list(
        "project_id", flat=True
    )
    assert len(created) == len(set(created))


def there_already(here: World, n: int = 1, **values: Any) -> Project:
    asked(made := handed_in(ledger(row(n, **values)), here.staff, here.programme))
    written(made)
    return Project.objects.get(name=row(n)[1])


def save_of(project: Project, person: Any, **values: Any) -> Callable[[], Any]:
    """A colleague's form, opened now; call it to save."""
    client, url = client_of(person), f"/projects/project/{project.pk}/change/"
    data = form_of(client.get(url)) | values
    return lambda: client.post(url, data)


def holding(project: Project, change: Callable[[], Any], held: threading.Event) -> Callable[[], None]:
    """A colleague's transaction that is under way, and ends once somebody waits for it."""

    def work() -> None:
        with transaction.atomic():
            list(Project.objects.select_for_update(no_key=True).filter(pk=project.pk))
            change()
            held.set()
            until_somebody_waits()

    return work


def after(held: threading.Event, deed: Callable[[], Any]) -> Callable[[], Any]:
    def work() -> Any:
        assert held.wait(30)
        return deed()

    return work
