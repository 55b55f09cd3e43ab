"""Checking rows against each other, against the calendar of their programme, and against what is there already.

Rows come in chunks, because what is there already is asked for a chunk at a time: the memory stays flat and the
number of queries grows with the file, not with the rows that differ.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from enterprises.scoping import may
from enterprises.spreadsheets import CELL_LENGTH
from journal.versions import author_of, events_since, versions_of
from projects.importing.cleaning import clean
from projects.importing.fields import FIELDS, MANY, label_of
from projects.importing.findings import Finding
from projects.importing.reading import Reading
from projects.importing.registers import Registers
from projects.importing.status import conflict
from projects.models import Project
from projects.services.projects import EDITABLE, fixed_fields

#: What this module finds; a row that is checked once more forgets these first.
CHECKS = frozenset(
    {
        *("DEADLINE_BEFORE_START", "STATUS_PROGRESS_CONFLICT", "OVERDUE_AT_IMPORT"),
        *("EXISTS_IN_SYSTEM", "SIMILAR_NAME", "SAME_NAME_OTHER_ENTERPRISE"),
        *("CODE_GIVEN_BY_PORTAL", "FIXED_BY_APPROVAL", "NOT_CHANGEABLE", "PROGRESS_BY_REPORT"),
        *("DUPLICATE_IN_FILE", "DUPLICATE_SERIAL"),
    }
)

_DATES = {"start": "starts_on", "deadline": "due_on"}


@dataclass
class Checker:
    """Checks the rows of one import, in the order of the file."""

    registers: Registers
    as_of: datetime.date
    _seen: dict[Any, tuple[str, int]] = field(default_factory=dict)
    _serials: dict[tuple[str, str], int] = field(default_factory=dict)
    _gives_codes: bool | None = None
    _today: str = ""

    def __post_init__(self) -> None:
        self._today = self.as_of.isoformat()

    def check(self, readings: Iterable[Reading]) -> None:
        """Find what is wrong with rows, what they change, and settle their outcome. Changes the readings."""
        rows = list(readings)
        for one in rows:
            if one.findings:
                one.findings = [found for found in one.findings if found.code not in CHECKS]
            if one.change:  # checked before
                one.change, one.project_id, one.version, one.differences, one.conflict = "", None, 0, {}, ""
            self._dates(one)
            code = one.values.get("code")
            self._serial(one)
            self._identify(one)
            self._alone(one, code)
            self._progress(one)
        self._compare(rows)
        for one in rows:
            one.settle()

    # -- within the row -------------------------------------------------------------------------

    def _dates(self, one: Reading) -> None:
        start, due = one.values.get("starts_on"), one.values.get("due_on")
        if not due:
            return
        if start and due < start:
            params = {"due": due, "start": start}
            one.findings.append(Finding("DEADLINE_BEFORE_START", params, "deadline"))
        elif due < self._today:
            one.findings.append(Finding("OVERDUE_AT_IMPORT", {"read": due}, "deadline"))

    def _progress(self, one: Reading) -> None:
        # Of a project that is there already neither is taken over: reports and reviews move them.
        if one.project_id is None and conflict(one.status, one.progress_pct):
            params = {"value": one.raw.get("status", ""), "read": shown_number(one.progress_pct)}
            one.findings.append(Finding("STATUS_PROGRESS_CONFLICT", params, "status"))

    # -- within the file ------------------------------------------------------------------------

    def _serial(self, one: Reading) -> None:
        serial = one.raw.get("serial", "")
        if serial:
            first = self._serials.setdefault((one.sheet, serial), one.row)
            if first != one.row:
                params = {"value": serial, "row": first}
                one.findings.append(Finding("DUPLICATE_SERIAL", params, "serial"))

    def _alone(self, one: Reading, code: str | None) -> None:
        """One project, one row: by its code here and by its name there it is the same all the same."""
        keys: list[Any] = [("code", code)] if code else []
        if one.project_id is not None:
            keys.append(("project", one.project_id))
        elif one.name:
            # With a code that the portal knows the unit may be blank, and its namesakes are others' projects.
            keys.append((one.enterprise_id or one.enterprise["raw"], one.name))
        here = (one.sheet, one.row)
        # Every key is kept, whichever was seen: the third row may have another one in common with the second.
        places = [self._seen.setdefault(key, here) for key in keys]
        first = next((place for place in places if place is not here), None)
        if first is not None:
            one.findings.append(Finding("DUPLICATE_IN_FILE", {"row": first[1], "sheet": first[0]}, "name"))

    # -- what is there already ------------------------------------------------------------------

    def _identify(self, one: Reading) -> None:
        code = one.values.get("code")
        known = self.registers.by_code.get(code) if code else None
        # With a name that stands somewhere already, the enterprise says whether it is the same project.
        namesakes = self.registers.by_name.get(one.name, ())
        if known is None and one.enterprise_id is not None:
            known = next((pk for pk, unit in namesakes if unit == one.enterprise_id), None)
        if known is not None:
            one.project_id = known
            one.findings.append(Finding("EXISTS_IN_SYSTEM", {"read": one.name}, "name"))
            return
        one.change = "new"
        if code and not self.gives_codes:
            del one.values["code"]
            one.findings.append(Finding("CODE_GIVEN_BY_PORTAL", {"value": code}, "code"))
        if namesakes:
            others = {self.registers.unit_label(unit) for _pk, unit in namesakes}
            params = {"read": "、".join(sorted(others)[:3])}
            one.findings.append(Finding("SAME_NAME_OTHER_ENTERPRISE", params, "name"))
        elif one.enterprise_id is not None:
            similar = self.registers.similar(one.enterprise_id, one.name)
            if similar is not None:
                one.findings.append(Finding("SIMILAR_NAME", {"read": similar}, "name"))

    @property
    def gives_codes(self) -> bool:
        if self._gives_codes is None:
            held = self.registers.actor.grants
            self._gives_codes = any(grant.gives("projects.approve_project") for grant in held)
        return self._gives_codes

    def _compare(self, rows: list[Reading]) -> None:
        known = [(one, one.project_id) for one in rows if one.project_id is not None]
        if not known:
            return
        ids = {pk for _one, pk in known}
        present = present_values(Project.objects.filter(pk__in=ids))
        versions = versions_of(Project.objects.filter(pk__in=ids))
        stated = {
            pk: one.stated_version
            for one, pk in known
            if one.stated_version and versions[pk] > one.stated_version
        }
        events = events_since(Project, stated)
        changeable = set(
            Project.objects.permitted(self.registers.actor, "change")
            .filter(pk__in=ids)
            .values_list("pk", flat=True)
        )
        for one, pk in known:
            project, now = present[pk]
            one.version = versions[pk]
            self._compare_one(one, project, now, events.get(pk, []), pk in changeable)

    def _compare_one(
        self, one: Reading, project: Project, now: dict[str, Any], events: list[Any], changeable: bool
    ) -> None:
        self._keep_what_cannot_be_said(one, now)
        base = _values_of_event(events[0]) if events else {}
        edited = {
            key: value
            for key, value in one.values.items()
            if key in now
            and value != now[key]
            and not (key in base and (base[key] == value or says_the_same(key, value, base[key])))
            and not says_the_same(key, value, now[key])
        }
        approver = may(self.registers.actor, "approve", project)
        fixed = fixed_fields(approved=bool(project.approved_on), approver=approver)
        for key in [key for key in edited if key.removesuffix("_id") in fixed]:
            params = {"field": label_of(key), "old": self.shown(key, now[key])}
            one.findings.append(Finding("FIXED_BY_APPROVAL", params, key))
            del edited[key]
        one.differences = {key: [now[key], value] for key, value in edited.items()}
        if one.stated_version:
            # A date that the portal wrote and nobody touched is not asked about, however odd its year.
            untouched = {column for column, key in _DATES.items() if one.values.get(key) == now[key]}
            one.findings = [
                found
                for found in one.findings
                if found.code != "IMPLAUSIBLE_YEAR" or found.field not in untouched
            ]
        told = one.progress_pct
        if told is not None and abs(Decimal(str(told)) - project.actual_percent) >= 1:
            params = {"value": shown_number(told), "read": shown_number(project.actual_percent)}
            one.findings.append(Finding("PROGRESS_BY_REPORT", params, "progress"))
        if not edited:
            one.change = "unchanged"
        elif not changeable or project.programme.archived_on or project.status not in EDITABLE:
            one.change = "changed"
            reason = (
                _("the programme is archived")
                if project.programme.archived_on
                else (project.get_status_display() if changeable else _("your role does not include it"))
            )
            one.findings.append(Finding("NOT_CHANGEABLE", {"read": str(reason)}))
        elif events:
            one.change = "conflict"
            one.conflict = who_changed(events)
        else:
            one.change = "changed"

    def _keep_what_cannot_be_said(self, one: Reading, now: dict[str, Any]) -> None:
        """Leave alone what the row cannot speak of: units beyond the wall, a number whose words did not change."""
        values, keeps = one.values, self.registers.keeps
        for field_ in MANY:
            if field_.key in values and values[field_.key] != now[field_.key]:
                beyond = [pk for pk in now[field_.key] if keeps(field_.key, pk)]
                values[field_.key] = sorted({*values[field_.key], *beyond})
        leader = now["liaison_leader_id"]
        if leader and values.get("liaison_leader_id", leader) is None and keeps("liaison_leader_id", leader):
            del values["liaison_leader_id"]
        words = values.get("beneficiaries_text")
        amount = ("beneficiaries_number", "beneficiaries_unit")
        told = now["beneficiaries_text"]
        # Of a number without words the ledger shows the number.
        is_number_alone = words and not told and all(values.get(key) == now[key] for key in amount)
        if is_number_alone:
            del values["beneficiaries_text"]
        elif words and (words == told or says_the_same("beneficiaries_text", words, told)):
            for key in amount:
                values.pop(key, None)

    def shown(self, key: str, value: Any) -> str:
        """A value of a field in words, for the preview."""
        return self.registers.shown(key, value)


def present_values(projects: Any) -> dict[int, tuple[Project, dict[str, Any]]]:
    """Project → (the row, what it holds by field, in the form in which a reading holds it)."""
    found: dict[int, tuple[Project, dict[str, Any]]] = {}
    rows = projects.select_related("programme", "enterprise")
    for project in rows:
        now = {one.key: as_json(getattr(project, one.key)) for one in FIELDS}
        found[project.pk] = (project, {**now, **{one.key: [] for one in MANY}})
    for one in MANY:
        through: Any = getattr(Project, one.key).through
        column = "enterprise_id" if one.key == "supporting_enterprises" else "partybranch_id"
        pairs = through._base_manager.filter(project_id__in=found).values_list("project_id", column)
        for pk, other in pairs.order_by("project_id", column):
            found[pk][1][one.key].append(other)
    return found


def as_json(value: Any) -> Any:
    """A column's value in the form in which a reading holds it."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return shown_number(value)
    return value


def says_the_same(key: str, new: Any, old: Any) -> bool:
    """Whether two texts differ only by what cleaning does, or by what a cell cannot hold: that is no edit."""
    if not (isinstance(new, str) and isinstance(old, str) and old):
        return False
    told = clean(old[:CELL_LENGTH]).text
    return new == (" ".join(told.split()) if key == "name" else told)


def shown_number(value: Any) -> str:
    """A number without the zeros at its end: 80, 97.5."""
    return "" if value is None else f"{Decimal(str(value)).normalize():f}"


def who_changed(events: list[Any]) -> str:
    """Who changed a project last since it was exported, and when."""
    by, at = author_of(events[-1])
    when = date_format(timezone.localtime(at), "Y-m-d H:i")
    return _("%(by)s changed this project on %(when)s, after the ledger was exported.") % {
        "by": by,
        "when": when,
    }


def _values_of_event(event: Any) -> dict[str, Any]:
    return {one.key: as_json(getattr(event, one.key)) for one in FIELDS}
