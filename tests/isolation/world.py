"""Two SASACs with everything below them, and a marker text in every text field of every row.

The markers are what the walk looks for: a page that a person may open must not hold the marker of a
unit that this person may not see, wherever on the page it stands.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils import timezone

from enterprises.models import (
    Enterprise,
    EnterpriseAlias,
    ExportLayout,
    ListExport,
    PartyBranch,
    SavedView,
    User,
)
from notices.models import Message, Robot
from projects.importing.reading import Reading
from projects.models import (
    ActionItem,
    Category,
    CloseOut,
    Evidence,
    ExtensionRequest,
    LedgerImport,
    LedgerPart,
    LedgerRow,
    Milestone,
    OverdueEpisode,
    Programme,
    ProgressReport,
    Project,
    Reminder,
    SetAside,
    SiteVisit,
)
from projects.services.lights import refresh_lights
from projects.services.patrol import patrol
from tests import factories

#: Fields whose text is checked against a pattern or a choice and so cannot hold a marker.
_FORMATTED = {
    "code",
    "credit_code",
    "region_code",
    "username",
    "password",
    "path",
    "sort_key",
    "sha256",
    "content_type",
    "preview",
    "thumbnail",
    "original",
}


def marker(unit: str) -> str:
    return f"墙标{unit}墙"


@dataclass
class Unit:
    """One enterprise with a row of every scoped model below it."""

    key: str
    enterprise: Enterprise
    rows: dict[type[models.Model], Any] = field(default_factory=dict)


@dataclass
class World:
    units: dict[str, Unit]
    users: dict[str, User]
    #: Units of which each user may see the rows.
    sees: dict[str, set[str]]


def build() -> World:
    """SASAC a: group a1 with subsidiary a11 and department a111, group a2. SASAC b: group b1."""
    today = timezone.localdate()
    units: dict[str, Unit] = {}
    for key, kind in (("a", "sasac"), ("a1", "group"), ("a11", "subsidiary"), ("a111", "department"), ("a2", "group"), ("b", "sasac"), ("b1", "group")):  # fmt: skip
        above = units[key[:-1]].enterprise if len(key) > 1 else None
        units[key] = Unit(key, factories.enterprise(marker(key), kind=kind, parent=above))
    programmes = {root: (factories.programme(units[root].enterprise, today.year - 1, ends_on=today + datetime.timedelta(days=300), patrolled_until=today + datetime.timedelta(days=400))) for root in "ab"}  # fmt: skip
    for key, unit in units.items():
        _fill(unit, programmes[key[0]], today)
        unit.rows[Programme] = programmes[key[0]]
    patrol(as_of=today)
    refresh_lights(as_of=today)
    for unit in units.values():
        unit.rows[OverdueEpisode] = OverdueEpisode.objects.get(milestone=unit.rows[Milestone])
    users = {
        "officer": factories.user("officer", units["a1"].enterprise, name="官甲"),
        "clerk": factories.user("officer", units["a11"].enterprise, name="官乙"),
        "staff": factories.user("staff", units["a"].enterprise, name="官丙"),
        "leader": factories.user("leader", units["a"].enterprise, name="官丁"),
        "group_leader": factories.user("leader", units["a1"].enterprise, name="官戊"),
        "system": factories.user("system", units["a"].enterprise, name="官己"),
        "security": factories.user("security", units["a"].enterprise, name="官庚"),
        "audit": factories.user("audit", units["a"].enterprise, name="官辛"),
    }
    everything_of_a = {"a", "a1", "a11", "a111", "a2"}
    sees = {
        "officer": {"a1", "a11", "a111"},
        "clerk": {"a11", "a111"},
        "group_leader": {"a1", "a11", "a111"},
        **dict.fromkeys(("staff", "leader", "system", "security", "audit"), everything_of_a),
    }
    return World(units, users, sees)


def _fill(unit: Unit, programme: Programme, today: datetime.date) -> None:
    enterprise = _marked(unit.enterprise, unit.key)
    project = _marked(factories.project(enterprise, programme), unit.key)
    milestone = _marked(factories.milestone(project, today - datetime.timedelta(days=3)), unit.key)
    report, extension, close_out = _submissions(project, today, unit.key)
    branch = _marked(factories.branch(enterprise), unit.key)
    person = _marked(factories.user("officer", enterprise), unit.key)
    project.party_branches.add(branch)
    ledger = _marked(
        LedgerImport.objects.create(
            programme=programme,
            uploaded_by=person,
            uploaded_at=timezone.now(),
            as_of=today,
            state="ready",
            counts={
                **dict.fromkeys(("needs_review", "rejected", "changed", "unchanged"), 0),
                "accepted": 1,
                "new": 1,
            },
        ),
        unit.key,
    )
    recorded = {
        "project": project,
        "leader": person,
        "recorded_by": person,
        "recorded_at": timezone.now(),
    }
    visit = _marked(SiteVisit.objects.create(visited_on=today, findings="x", **recorded), unit.key)
    unit.rows = {
        Enterprise: enterprise,
        EnterpriseAlias: EnterpriseAlias.objects.create(enterprise=enterprise, name=marker(unit.key)),
        PartyBranch: branch,
        User: person,
        type(person.memberships.get()): _marked(person.memberships.get(), unit.key),
        Project: project,
        Milestone: milestone,
        ProgressReport: report,
        ExtensionRequest: extension,
        CloseOut: close_out,
        Evidence: _marked(_photo(project, report, person), unit.key),
        Category: factories.category(programme),
        ExportLayout: ExportLayout.objects.create(
            name=marker(unit.key),
            unit=enterprise,
            listed="projects.project",
            columns=[["name", marker(unit.key)]],
        ),
        # Its owner's alone: to everyone who walks it is missing.
        SavedView: SavedView.objects.create(owner=person, listed="projects.project", name=marker(unit.key)),
        ListExport: ListExport.objects.create(
            user=person, by=marker(unit.key), unit=enterprise, listed="projects.project", form="csv", rows=1
        ),
        Robot: _marked(
            Robot.objects.create(enterprise=enterprise, name="x", kind="wecom", address="x", set_by=person),
            unit.key,
        ),
        Message: _marked(
            Message.objects.create(
                recipient=person,
                channel="email",
                kind="test",
                on=today,
                state="sent",
                created_at=timezone.now(),
                next_try_at=timezone.now(),
                finished_at=timezone.now(),
            ),
            unit.key,
        ),
        LedgerImport: ledger,
        LedgerPart: LedgerPart.objects.create(ledger=ledger, order=0, content=marker(unit.key).encode()),
        LedgerRow: LedgerRow.objects.create(
            ledger=ledger,
            position=1,
            sheet=marker(unit.key),
            row=2,
            outcome="accepted",
            change="new",
            name=marker(unit.key),
            enterprise=enterprise,
            data=Reading(marker(unit.key), 2).as_data(),
        ),
        Reminder: _marked(
            Reminder.objects.create(
                project=project, enterprise=enterprise, sent_by=person, sent_at=timezone.now(), sent_on=today
            ),
            unit.key,
        ),
        SiteVisit: visit,
        ActionItem: _marked(
            ActionItem.objects.create(visit=visit, due_on=today, given_on=today, text="x", **recorded),
            unit.key,
        ),
        SetAside: SetAside.objects.create(
            milestone=milestone,
            as_of=today,
            at=timezone.now(),
            error=marker(unit.key),
            resolved_at=timezone.now(),
        ),
    }


def _submissions(project: Project, today: datetime.date, key: str) -> tuple[Any, Any, Any]:
    """One of each kind that waits, on milestones of their own so that the project's other one stays overdue."""
    waits = {"submitted_on": today, "submitted_at": timezone.now()}
    milestone = _marked(factories.milestone(project, today + datetime.timedelta(days=9)), key + "二")
    report = ProgressReport(milestone=milestone, state="submitted", **waits)
    extension = ExtensionRequest(
        milestone=milestone,
        state="submitted",
        from_on=today,
        to_on=today + datetime.timedelta(days=9),
        reason_class="site",
        **waits,
    )
    close_out = CloseOut(project=project, programme=project.programme, state="submitted", **waits)
    return _marked(report, key), _marked(extension, key), _marked(close_out, key)


def _photo(project: Project, report: ProgressReport, by: User) -> Evidence:
    return Evidence.objects.create(
        project=project, report=report, kind="photo", name="x", content_type="image/jpeg", size=1,
        sha256="0" * 64, phash=12345, phash_bands=[1, 2], uploaded_by=by,
    )  # fmt: skip


def _marked(obj: Any, key: str) -> Any:
    """Write the unit's marker into every text field that takes free text."""
    for f in obj._meta.fields:
        free = (
            isinstance(f, models.CharField | models.TextField) and not f.choices and f.name not in _FORMATTED
        )
        if free and not f.validators[1:]:
            setattr(obj, f.name, marker(key)[: f.max_length])
    obj.save()
    return obj
