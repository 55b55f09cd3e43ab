"""Columns that state dates, progress, numbers and plans."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from projects.importing.cells import Mark, Value
from projects.importing.cleaning import shortened
from projects.importing.dates import DateContext, DateReading, read_deadline, read_start
from projects.importing.fields import most_characters
from projects.importing.findings import Finding
from projects.importing.numbers import read_amount
from projects.importing.progress import read_progress
from projects.importing.said import NOTHING, Said, text_of, words_of
from projects.importing.status import read_status
from projects.importing.steps_text import read_steps

#: What the column of the number holds: twelve digits before the point.
_MOST_PEOPLE = Decimal(10) ** 12


class StatedColumns:
    """One method per column; `Understanding` asks them."""

    dates: DateContext
    columns: Mapping[int, str]

    def _start(self, value: Value, mark: Mark) -> Said:
        read = read_start(value, self.dates)
        raw = text_of(value, mark)
        on = read.on.isoformat() if read.on else None
        values: dict[str, Any] = {"starts_on": on} if on else {}
        start: dict[str, Any] = {"raw": raw, "kind": read.kind, "iso": on}
        if read.candidates:
            start["candidates"] = offered_days(read)
        return Said(raw, values, read.findings, {"start": start})

    def _deadline(self, value: Value, mark: Mark) -> Said:
        read = read_deadline(value, self.dates)
        raw = text_of(value, mark)
        on = read.on.isoformat() if read.on else None
        values: dict[str, Any] = {}
        if on:
            values = {"due_on": on, "is_standing": False}
        elif read.kind == "open_ended":
            values = {"due_on": None, "is_standing": True}
        if read.starts_on and "start" not in self.columns.values():
            values["starts_on"] = read.starts_on.isoformat()
        deadline = {"raw": raw, "kind": read.kind, "iso": on, "candidates": offered_days(read)}
        return Said(raw, values, read.findings, {"deadline": deadline})

    def _progress(self, value: Value, mark: Mark) -> Said:
        read = read_progress(value, mark.is_percent)
        raw = text_of(value, mark)
        values = (
            {"status_text": raw[:200]}
            if read.pct is None and read.text and "progress_note" not in self.columns.values()
            else {}
        )
        return Said(
            raw, values, read.findings, {"progress_pct": None if read.pct is None else float(read.pct)}
        )

    def _status(self, value: Value, mark: Mark) -> Said:
        raw, text, found = words_of(value, mark)
        if not text:
            return Said(raw)
        read = read_status(text)
        attributes: dict[str, Any] = {"status": read.status}
        values = {} if "progress_note" in self.columns.values() else {"status_text": text[:200]}
        return Said(raw, values, (*found, *read.findings), attributes)

    def _beneficiaries(self, value: Value, mark: Mark) -> Said:
        raw, text, found = words_of(value, mark, most_characters("beneficiaries_text"))
        if text in NOTHING:
            return Said(raw)
        read = read_amount(value if isinstance(value, int | float) else text)
        values: dict[str, Any] = {"beneficiaries_text": text}
        number = None if read.value is None else round(read.value, 2)
        if number is not None and number >= _MOST_PEOPLE:
            # One such cell would keep the database from taking the whole ledger.
            return Said(raw, values, (*found, Finding("INVALID_NUMBER", {"value": shortened(raw)})))
        if number is not None:
            values |= {
                "beneficiaries_number": f"{number.normalize():f}",
                "beneficiaries_unit": (read.unit or "")[:20],
            }
        return Said(raw, values, (*found, *read.findings))

    def _milestones(self, value: Value, mark: Mark) -> Said:
        raw, text, found = words_of(value, mark)
        steps = read_steps(text, self.dates)
        plan = [
            {
                "name": step.name[:120],
                "starts_on": step.starts_on.isoformat() if step.starts_on else None,
                "due_on": step.due_on.isoformat() if step.due_on else None,
            }
            for step in steps
        ]
        told = [finding for step in steps for finding in step.findings]
        return Said(raw, {"steps": named_apart(plan)} if plan else {}, (*found, *told))


def named_apart(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps of a plan, each with a name of its own, as a project must have them; said twice is once."""
    kept: list[dict[str, Any]] = []
    names: set[str] = set()
    for step in steps:
        if step in kept:
            continue
        name, n = step["name"], 1
        while name in names:
            n += 1
            name = f"{step['name'][:112]}（{n}）"
        names.add(name)
        kept.append({**step, "name": name})
    return kept


def offered_days(read: DateReading) -> list[str]:
    return [candidate.on.isoformat() for candidate in read.candidates]
