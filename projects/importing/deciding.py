"""What a person decides in the preview: which date is meant, which enterprise, which state."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from enterprises.models import User
from projects.importing.checking import Checker
from projects.importing.cleaning import clean
from projects.importing.confirming import locked_ledger
from projects.importing.findings import MEANINGS, Finding, Outcome
from projects.importing.reading import Reading
from projects.importing.registers import Registers
from projects.models import LedgerImport, LedgerRow
from projects.services.refusals import Refused

#: What may be decided: the fields of a row whose reading was left open, or refused.
DECIDABLE = ("name", "enterprise", "start", "deadline", "progress", "status", "category")
NO_DATE, STANDING = "none", "standing"
#: "It is right as the portal read it", for whatever needs review and has a reading of its own.
AS_READ = "as_read"
_NEEDS_A_CHOICE = frozenset(
    {
        *("AMBIGUOUS_DEADLINE", "AMBIGUOUS_START", "MULTI_DATE", "AMBIGUOUS_PERCENT", "DUPLICATE_IN_FILE"),
        *("NEAR_MISS_ENTERPRISE", "UNKNOWN_ENTERPRISE", "MULTIPLE_ENTERPRISES", "ENTERPRISE_MISSING"),
    }
)
STATES = ("not_started", "in_progress", "done", "ongoing", "suspended")
_MOST_TOGETHER = 5_000


@transaction.atomic
def decide(
    *,
    ledger_id: int,
    row_id: int,
    actor: User,
    decisions: Mapping[str, str],
    everywhere: bool,
    as_of: datetime.date,
) -> int:
    """Put a person's decision in the place of what could not be read for certain.

    Args:
        decisions: field → value: an ISO date, "none" or "standing" for dates; the code of an enterprise; a
            percentage; a state; the id of a category; a name. "" takes back nothing and is left out.
        everywhere: also for the other rows of this ledger with the same words in that cell.

    Returns:
        For how many rows it was decided.

    Raises:
        Refused: not theirs, confirmed already, or a value that cannot be; nothing was changed.
    """
    ledger = locked_ledger(ledger_id, actor)
    if ledger.state != LedgerImport.State.READY:
        raise Refused(_("This ledger was confirmed already, or is being read. Nothing was changed."))
    row = LedgerRow.objects.filter(ledger=ledger, pk=row_id).first()
    given = {key: value.strip() for key, value in decisions.items() if value.strip()}
    given = {key: value for key, value in given.items() if key in DECIDABLE or value == AS_READ}
    if row is None or not given:
        raise Refused(_("Nothing was chosen."))
    registers = Registers(actor, ledger.programme, ledger.as_of)
    # A name is one project's alone, whatever the cells say.
    rows = [row, *_like(row, given)] if everywhere and "name" not in given else [row]
    checker = Checker(registers, as_of)
    readings = []
    for one in rows:
        reading = Reading.from_data(one)
        for key, value in given.items():
            _settle(reading, key, value, registers)
        one.decided = {**one.decided, **given}
        readings.append(reading)
    checker.check(readings)
    for one, reading in zip(rows, readings, strict=True):
        _refuse_twins(ledger, one, reading)
        one.outcome, one.change, one.name = reading.outcome, reading.change, reading.name[:400]
        one.enterprise_id, one.project_id = reading.enterprise_id, reading.project_id
        one.version, one.data = reading.version, reading.as_data()
    columns = ["outcome", "change", "name", "enterprise", "project", "version", "data", "decided"]
    LedgerRow.objects.bulk_update(rows, columns, batch_size=500)
    ledger.counts = {**ledger.counts, **recount(ledger)}
    ledger.save(update_fields=["counts"])
    return len(rows)


def recount(ledger: LedgerImport) -> dict[str, int]:
    """The rows of a ledger by outcome, and by what they would change."""
    found = {outcome.value: 0 for outcome in Outcome} | {change.value: 0 for change in LedgerRow.Change}
    rows = LedgerRow.objects.filter(ledger=ledger).order_by()
    for outcome, change, n in rows.values_list("outcome", "change").annotate(n=Count("pk")):
        found[outcome] += n
        if change and outcome == Outcome.ACCEPTED:
            found[change] += n
    return found


def _like(row: LedgerRow, given: Mapping[str, str]) -> list[LedgerRow]:
    """Other open rows of the ledger whose cells have the same words."""
    rows = LedgerRow.objects.filter(ledger=row.ledger_id).exclude(pk=row.pk).exclude(outcome=Outcome.ACCEPTED)
    for key in given:
        if key in row.data["raw"]:
            rows = rows.filter(**{f"data__raw__{key}": row.data["raw"][key]})
        else:
            rows = rows.exclude(data__raw__has_key=key)
    return list(rows.order_by("position")[:_MOST_TOGETHER])


def _settle(one: Reading, key: str, value: str, registers: Registers) -> None:
    if value == AS_READ:
        one.settled += [
            found.code
            for found in one.findings
            if (found.field or "row") == key
            and MEANINGS[found.code].outcome == Outcome.NEEDS_REVIEW
            and found.code not in _NEEDS_A_CHOICE
        ]
        return
    one.findings = [
        found
        for found in one.findings
        if found.field != key or MEANINGS[found.code].outcome == Outcome.ACCEPTED
    ]
    if key in ("deadline", "start"):
        _settle_date(one, key, value)
    elif key == "enterprise":
        known = registers.called(value)
        if len(known) != 1:
            raise Refused(_("“%(name)s” is not among the enterprises you work for.") % {"name": value})
        unit = registers.units[known[0]]
        one.enterprise_id, one.enterprise = unit.pk, {**one.enterprise, "code": unit.code}
    elif key == "name":
        value = " ".join(clean(value).text.split())
        if not value:
            raise Refused(_("Nothing was chosen."))
        if len(value) > 200:
            raise Refused(_("The name is longer than 200 characters."))
        one.name = one.values["name"] = value
    elif key == "progress":
        one.progress_pct = _percent(value)
    elif key == "status":
        if value not in STATES:
            raise Refused(_("There is no such state."))
        one.status = value
    elif key == "category":
        if not value.isdecimal() or int(value[:18]) not in registers.categories.values():
            raise Refused(_("This category belongs to another programme."))
        one.values["category_id"] = int(value)


def _settle_date(one: Reading, key: str, value: str) -> None:
    part: dict[str, Any] = one.deadline if key == "deadline" else one.start
    column = "due_on" if key == "deadline" else "starts_on"
    kind, on = "date", value
    if value in (NO_DATE, STANDING):
        kind, on = ("open_ended" if value == STANDING else "none"), ""
    else:
        on = _day(value).isoformat()
    part |= {"kind": kind, "iso": on or None, "candidates": []}
    one.values[column] = on or None
    if key == "deadline":
        one.values["is_standing"] = kind == "open_ended"


def _day(value: str) -> datetime.date:
    """A day that a ledger may name (the same years as in a cell)."""
    try:
        day = datetime.date.fromisoformat(value)
    except ValueError:
        day = datetime.date.min
    if not 1900 <= day.year <= 2199:
        raise Refused(_("“%(value)s” is no date.") % {"value": value[:40]})
    return day


def _percent(value: str) -> float:
    try:
        percent = round(float(value.rstrip("%％")), 2)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise Refused(_("Enter a percentage from 0 to 100."))
    return percent


def _refuse_twins(ledger: LedgerImport, row: LedgerRow, one: Reading) -> None:
    """The checker knows only the rows it was given; the others of the file are asked for here."""
    twin = (
        LedgerRow.objects.filter(ledger=ledger, enterprise_id=one.enterprise_id, name=one.name)
        .exclude(pk=row.pk)
        .exclude(outcome=Outcome.REJECTED)
        .filter(position__lt=row.position)
        .first()
        if one.enterprise_id and one.name
        else None
    )
    if twin is not None and not any(found.code == "DUPLICATE_IN_FILE" for found in one.findings):
        one.findings.append(Finding("DUPLICATE_IN_FILE", {"row": twin.row, "sheet": twin.sheet}, "name"))
        one.settle()
