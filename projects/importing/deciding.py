"""What a person decides in the preview: which date is meant, which enterprise, which state."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q
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
#: Rows that are decided, compared and written in one go: the memory stays flat however many have the same words.
CHUNK = 5_000


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
    rows = LedgerRow.objects.filter(ledger=ledger)
    # A name is one project's alone, whatever the cells say.
    together = everywhere and "name" not in given
    rows = rows.filter(Q(pk=row.pk) | _like(row, given)) if together else rows.filter(pk=row.pk)
    checker, decided = Checker(registers, as_of), 0
    for chunk in _chunks(rows):
        readings = [_decided(one, given, registers) for one in chunk]
        checker.check(readings)
        _refuse_twins(ledger, chunk, readings)
        _write(chunk, readings, given)
        decided += len(chunk)
    ledger.counts = {**ledger.counts, **recount(ledger)}
    ledger.save(update_fields=["counts"])
    return decided


def recount(ledger: LedgerImport) -> dict[str, int]:
    """The rows of a ledger by outcome, and by what they would change."""
    found = {outcome.value: 0 for outcome in Outcome} | {change.value: 0 for change in LedgerRow.Change}
    rows = LedgerRow.objects.filter(ledger=ledger).order_by()
    for outcome, change, n in rows.values_list("outcome", "change").annotate(n=Count("pk")):
        found[outcome] += n
        if change and outcome == Outcome.ACCEPTED:
            found[change] += n
    return found


def _like(row: LedgerRow, given: Mapping[str, str]) -> Q:
    """Open rows whose cells have the same words."""
    found = ~Q(outcome=Outcome.ACCEPTED)
    for key in given:
        if key in row.data["raw"]:
            found &= Q((f"data__raw__{key}", row.data["raw"][key]))
        else:
            found &= ~Q(data__raw__has_key=key)
    return found


def _chunks(rows: Any) -> Iterator[list[LedgerRow]]:
    """The rows in the order of the file; each is read after those before it were written."""
    last = 0
    rows = rows.defer("decided").order_by("position")
    while chunk := list(rows.filter(position__gt=last)[:CHUNK]):
        yield chunk
        last = chunk[-1].position


def _decided(row: LedgerRow, given: Mapping[str, str], registers: Registers) -> Reading:
    reading = Reading.from_data(row)
    for key, value in given.items():
        _settle(reading, key, value, registers)
    return reading


_WRITE = """
UPDATE projects_ledgerrow r
SET outcome = d.outcome, change = d.change, name = d.name, enterprise_id = d.enterprise_id,
    project_id = d.project_id, version = d.version, data = d.data, decided = r.decided || %(given)s::jsonb
FROM jsonb_to_recordset(%(rows)s::jsonb)
     AS d(id bigint, outcome text, change text, name text, enterprise_id bigint, project_id bigint,
          version bigint, data jsonb)
WHERE r.id = d.id
"""


def _write(rows: list[LedgerRow], readings: list[Reading], given: Mapping[str, str]) -> None:
    """One statement for all: row by row a decision for a whole ledger would outlast the request."""
    written = [
        {
            "id": row.pk,
            "outcome": one.outcome,
            "change": one.change,
            "name": one.name[:400],
            "enterprise_id": one.enterprise_id,
            "project_id": one.project_id,
            "version": one.version,
            "data": one.as_data(),
        }
        for row, one in zip(rows, readings, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, {"rows": json.dumps(written), "given": json.dumps(dict(given))})


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


def _refuse_twins(ledger: LedgerImport, rows: list[LedgerRow], readings: list[Reading]) -> None:
    """The checker knows only the rows it was given; the others of the file are asked for here, all at once.

    A row is refused for one before it, and for one behind it that is to be taken in already.
    """
    keys = [_keys(one.project_id, one.enterprise_id, one.name) for one in readings]
    places = {key for found in keys for key in found}
    if not places:
        return
    others = (
        LedgerRow.objects.filter(ledger=ledger)
        .filter(
            Q(project_id__in={key[0] for key in places if len(key) == 1})
            | Q(
                enterprise_id__in={key[0] for key in places if len(key) == 2},
                name__in={key[1] for key in places if len(key) == 2},
            )
        )
        .exclude(outcome=Outcome.REJECTED)
        .exclude(pk__in=[row.pk for row in rows])
        .order_by("position")
    )
    first: dict[Any, LedgerRow] = {}
    taken: dict[Any, LedgerRow] = {}
    columns = ("position", "row", "sheet", "outcome", "project_id", "enterprise_id", "name")
    for other in others.only(*columns).iterator(CHUNK):
        for key in _keys(other.project_id, other.enterprise_id, other.name):
            first.setdefault(key, other)
            if other.outcome == Outcome.ACCEPTED:
                taken.setdefault(key, other)
    for row, one, found in zip(rows, readings, keys, strict=True):
        before = [first[key] for key in found if key in first and first[key].position < row.position]
        twins = before or [taken[key] for key in found if key in taken]
        if twins and not any(finding.code == "DUPLICATE_IN_FILE" for finding in one.findings):
            twin = twins[0]
            one.findings.append(Finding("DUPLICATE_IN_FILE", {"row": twin.row, "sheet": twin.sheet}, "name"))
            one.settle()


def _keys(project_id: int | None, enterprise_id: int | None, name: str) -> list[tuple[Any, ...]]:
    """By what two rows are the same: the project that is there already, else the unit and the name."""
    if project_id is not None:
        return [(project_id,)]
    return [(enterprise_id, name)] if enterprise_id is not None and name else []
