"""What the page of a ledger shows: counts that filter, columns understood, rows with their questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from enterprises.models import User
from projects.importing.columns import COLUMNS
from projects.importing.deciding import STATES
from projects.importing.fields import label_of
from projects.importing.findings import MEANINGS, STATE_WORDS, Finding, Outcome, words
from projects.importing.reading import Reading
from projects.importing.registers import Registers
from projects.models import LedgerImport, LedgerRow

ROWS_PER_PAGE = 50

#: Filter → (label, condition, key in the counts). The order is what a person wants to see first.
SHOWN: dict[str, tuple[Any, Q, str]] = {
    "needs_review": (gettext_lazy("To be decided"), Q(outcome=Outcome.NEEDS_REVIEW), "needs_review"),
    "rejected": (gettext_lazy("Refused"), Q(outcome=Outcome.REJECTED), "rejected"),
    "new": (pgettext_lazy("ledger rows", "New"), Q(outcome=Outcome.ACCEPTED, change="new"), "new"),
    "changed": (
        pgettext_lazy("ledger rows", "Changed"),
        Q(outcome=Outcome.ACCEPTED, change="changed"),
        "changed",
    ),
    "unchanged": (
        pgettext_lazy("ledger rows", "Unchanged"),
        Q(outcome=Outcome.ACCEPTED, change="unchanged"),
        "unchanged",
    ),
    "all": (pgettext_lazy("ledger rows", "All"), Q(), ""),
}


@dataclass
class Question:
    """What a person decides in one cell of a row."""

    field: str
    kind: str  # date, enterprise, percent, state, category, name, as_read
    label: str
    raw: str
    candidates: list[tuple[str, str]]


@dataclass
class RowView:
    """One row of the preview."""

    row: LedgerRow
    reading: Reading
    #: Words by weight: what refuses, what asks, what is only said.
    refused: list[str]
    asked: list[str]
    said: list[str]
    differences: list[tuple[str, str, str]]
    questions: list[Question]

    @property
    def result(self) -> str:
        return RESULTS.get(self.row.result, "")


RESULTS: dict[str, Any] = {
    "created": gettext_lazy("taken in"),
    "changed": gettext_lazy("changed in the portal"),
    "unchanged": gettext_lazy("was the same"),
    "conflict": gettext_lazy("left out: somebody changed it meanwhile"),
    "left_out": gettext_lazy("left out"),
}


def ledger_context(ledger: LedgerImport, actor: User, query: Mapping[str, str]) -> dict[str, Any]:
    """The context of a ledger's page.

    Args:
        query: `show` and `page` of the address.
    """
    if ledger.state in (LedgerImport.State.READING, LedgerImport.State.CONFIRMING):
        return {"at_work": True}
    if not ledger.counts:
        return {"at_work": False}
    counts = ledger.counts
    total = sum(counts[outcome.value] for outcome in Outcome)
    first = next((key for key, (_l, _q, name) in SHOWN.items() if name and counts[name]), "all")
    show = query.get("show", "")
    show = show if show in SHOWN else first
    rows = LedgerRow.objects.visible_to(actor).filter(SHOWN[show][1], ledger=ledger).order_by("position")
    paginator = Paginator(rows, ROWS_PER_PAGE)
    paginator.count = counts[SHOWN[show][2]] if SHOWN[show][2] else total  # type: ignore[misc]
    page = paginator.get_page(query.get("page"))
    registers = Registers(actor, ledger.programme, ledger.as_of)
    return {
        "at_work": False,
        "show": show,
        "total": total,
        "filters": [
            (key, label, counts[name] if name else total) for key, (label, _q, name) in SHOWN.items()
        ],
        "page": page,
        "rows": [_view(row, registers, ledger) for row in page.object_list],
        "categories": [(pk, name) for name, pk in registers.categories.items()],
        "states": [(key, STATE_WORDS[key]) for key in STATES],
        "can_write": counts["new"] + counts["changed"],
        "left": counts["needs_review"] + counts["rejected"],
        "sheets": [
            {
                **sheet,
                "shown": [(at, head, sheet["columns"].get(at, "")) for at, head in sheet["headings"].items()],
            }
            for sheet in ledger.file_facts.get("sheets", [])
        ],
        "columns": [(column.key, column.aliases[0]) for column in COLUMNS],
    }


def _view(row: LedgerRow, registers: Registers, ledger: LedgerImport) -> RowView:
    reading = Reading.from_data(row)
    told: dict[str, list[str]] = {outcome.value: [] for outcome in Outcome}
    for found in reading.findings:
        told[MEANINGS[found.code].outcome].append(words(found))
    if reading.conflict:
        told[Outcome.NEEDS_REVIEW].append(reading.conflict)
    differences = [
        (label_of(key), registers.shown(key, old), registers.shown(key, new))
        for key, (old, new) in reading.differences.items()
    ]
    open_ones = ledger.state == LedgerImport.State.READY and row.outcome != Outcome.ACCEPTED
    return RowView(
        row=row,
        reading=reading,
        refused=told[Outcome.REJECTED],
        asked=told[Outcome.NEEDS_REVIEW],
        said=list(dict.fromkeys(told[Outcome.ACCEPTED])),
        differences=differences,
        questions=_questions(reading) if open_ones else [],
    )


def _questions(reading: Reading) -> list[Question]:
    found: dict[str, Question] = {}
    for finding in reading.findings:
        if MEANINGS[finding.code].outcome == Outcome.ACCEPTED or finding.code in (
            "DUPLICATE_IN_FILE",
            "NOT_CHANGEABLE",
        ):
            continue
        key = finding.field or "row"
        if key not in found:
            found[key] = _question(key, finding, reading)
        if finding.code == "STATUS_PROGRESS_CONFLICT" and "progress" not in found:
            # Either of the two may be the wrong one.
            raw = reading.raw.get("progress", "")
            found["progress"] = Question("progress", "percent", _("Progress"), raw, [])
    return list(found.values())


def _question(key: str, finding: Finding, reading: Reading) -> Question:
    raw = reading.raw.get(key, "")
    if finding.code in ("AMBIGUOUS_PERCENT", "INVALID_PERCENT"):
        options = [("1", "1%"), ("100", "100%")] if finding.code == "AMBIGUOUS_PERCENT" else []
        return Question(key, "percent", _("Progress"), raw, options)
    if finding.code in ("UNKNOWN_STATUS", "STATUS_PROGRESS_CONFLICT"):
        return Question(key, "state", _("State"), raw, [])
    if finding.code == "UNKNOWN_CATEGORY":
        return Question(key, "category", _("Category"), raw, [])
    if key == "deadline" or key == "start":
        part = reading.deadline if key == "deadline" else reading.start
        days = [(day, day) for day in part.get("candidates", [])]
        if not days and finding.code == "IMPLAUSIBLE_YEAR" and part.get("iso"):
            days = [(part["iso"], part["iso"])]
        return Question(key, "date", _("Deadline") if key == "deadline" else _("Start"), raw, days)
    if key == "enterprise" and finding.code not in ("FORMULA_CELL", "EXCEL_ERROR_VALUE"):
        offered = [(unit["code"], unit["name"]) for unit in reading.enterprise.get("candidates", [])]
        return Question(key, "enterprise", _("Responsible enterprise"), raw, offered)
    if key == "name" and finding.code in ("NAME_MISSING", "NAME_TOO_LONG"):
        return Question(key, "name", _("Project name"), raw, [])
    return Question(key, "as_read", raw or _("This row"), raw, [])
