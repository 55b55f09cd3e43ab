"""The six projects of 2021 that are named in public, with exactly the facts published."""

from __future__ import annotations

import csv
import datetime
import json
from pathlib import Path
from typing import Any

from enterprises.models import Enterprise, PartyBranch
from projects.models import Programme
from projects.services.programmes import create_programme
from projects.services.projects import COMPLETION, take_in
from projects.states import MilestoneState, ProjectStatus

DATA = Path(__file__).resolve().parent.parent / "data"


def load_published() -> Programme:
    """Take in the 2021 programme. Blank stays blank; a second call changes nothing."""
    facts = json.loads((DATA / "dongguan_2021.json").read_text())
    year = facts["year"]
    programme, _made = create_programme(
        code=facts["code"],
        name=facts["name"],
        year=year,
        owner=Enterprise.objects.get(code=facts["enterprise_code"]),
        reported_total=facts["reported_total"],
        source=facts["source"],
        note=facts["note"],
        # The year is over: the portal keeps it as history. A setting of the portal, not a published fact.
        archived_on=datetime.date(year + 1, 1, 1),
    )
    with (DATA / "dongguan_2021.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            _take_in(programme, row)
    return programme


def _take_in(programme: Programme, row: dict[str, str]) -> None:
    due_on = _day(row["due_on"])
    take_in(
        programme=programme,
        code=row["code"],
        category=row["category"],
        party_branches=list(PartyBranch.objects.filter(code__in=listed(row["party_branch_codes"]))),
        name=row["name"],
        enterprise=Enterprise.objects.get(code=row["enterprise_code"]),
        place=row["place"],
        # "Under way" only where the source says that work had begun.
        status=ProjectStatus.IN_PROGRESS if row["starts_on"] else "",
        start_text=row["start_text"],
        starts_on=_day(row["starts_on"]),
        due_text=row["deadline_text"],
        due_on=due_on,
        status_text=row["status_text"],
        measures=row["measures"],
        milestones=_milestones(row, due_on),
        beneficiaries_text=row["beneficiaries_text"],
        beneficiaries_number=row["beneficiaries_number"] or None,
        beneficiaries_unit=row["beneficiaries_unit"],
        investment_text=row["investment_text"],
        is_key=row["key_project"] == "true",
        published_on=_day(row["published_on"]),
        source=row["source"],
        note=row["note"],
    )


def _milestones(row: dict[str, str], due_on: datetime.date | None) -> list[dict[str, Any]] | None:
    """The one published promise, begun where the source says that work had begun."""
    if due_on is None:
        return None
    begun = MilestoneState.IN_PROGRESS if row["starts_on"] else MilestoneState.NOT_STARTED
    return [{"name": COMPLETION, "starts_on": _day(row["starts_on"]), "due_on": due_on, "state": begun}]


def listed(text: str) -> list[str]:
    """Codes or names parted by the register's separator."""
    return [part.strip() for part in text.split("；") if part.strip()]


def _day(text: str) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None
