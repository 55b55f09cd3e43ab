"""From the cells of a row to what they say: one method per kind of column, each asked once per distinct cell.

A ledger repeats itself: a dozen units, forty dates, five states in 200,000 rows. What a cell says depends on the
cell and on the ledger around it only, so it is kept; names and measures differ in every row and go straight through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from projects.importing.cells import PERCENT, PLAIN, Mark, Row, Value
from projects.importing.cleaning import is_clean, matching_key, shortened
from projects.importing.dates import DateContext
from projects.importing.fields import most_characters
from projects.importing.findings import Finding
from projects.importing.parties import read_person
from projects.importing.reading import Reading
from projects.importing.registers import Registers
from projects.importing.said import (
    NOTHING,
    SIGNS,
    UNSTORABLE,
    Said,
    joined,
    looks_like_formula,
    storable,
    text_of,
    words_of,
)
from projects.importing.stated_columns import StatedColumns
from projects.importing.unit_columns import UnitColumns
from projects.models import Project

#: How the sample row of our own template begins; whoever types over it has a row of their own.
SAMPLE = "【示例】"
_TRUE = frozenset({"是", "重点", "y", "yes", "1", "true", "√", "✓", "✔", "☑", "■", "●"})
_FALSE = frozenset({"否", "非重点", "n", "no", "0", "false", "×", "✗", "☐", "□", "○"})
#: Keep no more distinct cells than this per column; a column of unique texts would keep the file in memory.
_MOST_KEPT = 20_000


_BLANK = re.compile(r"\s")
_NAME_LENGTH = most_characters("name") or 0


TEXTS = {
    "place": "place",
    "content_class": "content_class",
    "measures": "measures",
    "investment": "investment_text",
    "progress_note": "status_text",
    "note": "note",
}
PERSONS = {
    "accountable_lead": "accountable_lead_text",
    "direct_lead": "direct_lead_text",
    "coordinator": "coordinator_text",
}

#: Columns whose texts mostly differ from row to row, and the field that they become as they stand.
_STRAIGHT = {"name": "name", "measures": "measures", "note": "note", "place": "place"}
_LENGTHS = {key: most_characters(name) or 1_000_000 for key, name in _STRAIGHT.items()}


def _is_straight(text: Any, key: str) -> bool:
    return (
        0 < len(text) <= _LENGTHS[key]
        and text[0] not in SIGNS
        and text not in NOTHING
        and is_clean(text)
        and not (key == "name" and _BLANK.search(text))
        and not UNSTORABLE.search(text)
    )


@dataclass
class Understanding(UnitColumns, StatedColumns):
    """Reads the rows of one table.

    Args:
        columns: position → column key.
        dates: the years that the ledger states.
    """

    registers: Registers
    sheet: str
    columns: Mapping[int, str]
    dates: DateContext
    _plan: list[tuple[int, str, Callable[[Value, Mark], Said], dict[Any, Said] | None, bool, str]] = field(
        default_factory=list
    )
    _has_version: bool = False
    _has_deadline: bool = True

    def __post_init__(self) -> None:
        for position, key in sorted(self.columns.items()):
            kept: dict[Any, Said] | None = None if key in ("name", "measures", "serial") else {}
            speaks = key in ("name", "deadline", "enterprise")
            self._plan.append((position, key, self._method(key), kept, speaks, _STRAIGHT.get(key, "")))
        keys = set(self.columns.values())
        self._has_version, self._has_deadline = "version" in keys, "deadline" in keys

    def read(self, row: Row, extra: Mapping[str, str] | None = None, category: str = "") -> Reading:
        """What one row says. Never raises, whatever the cells hold."""
        one = Reading(self.sheet, row.number)
        values, raws, findings = one.values, one.raw, one.findings
        cells, marks, width = row.values, row.marks, len(row.values)
        for position, key, method, kept, speaks_when_blank, straight in self._plan:
            value = cells[position] if position < width else None
            said: Said | None = None
            known_as: Any = None
            mark = marks[position] if marks and position in marks else PLAIN
            if mark is PLAIN:
                if value is None or value == "":
                    if not speaks_when_blank:
                        continue
                elif value.__class__ is str:
                    if straight and _is_straight(value, key):
                        # A text that differs in every row and has nothing about it: the shortest road.
                        raws[key] = values[straight] = value
                        if key == "name":
                            one.name = value
                        continue
                    known_as = value
                else:
                    # A number and a truth value may be equal to a dictionary; texts are equal to nothing else.
                    known_as = (value, value.__class__)
            elif mark is PERCENT:
                known_as = (value, "%")
            if kept is not None and known_as is not None:
                said = kept.get(known_as)
            if said is None:
                said = self._marked(key, method, value, mark)
                if kept is not None and known_as is not None and len(kept) < _MOST_KEPT:
                    kept[known_as] = said
            raw, said_values, said_findings, attributes = said
            if raw:
                raws[key] = raw
            if said_values:
                values.update(said_values)
            if said_findings:
                findings.extend(said_findings)
            if attributes:
                for name, attribute in attributes.items():
                    setattr(one, name, attribute)
        self._complete(one, category)
        if extra:
            one.extra = {header: storable(text)[:500] for header, text in extra.items()}
        return one

    def _complete(self, one: Reading, category: str) -> None:
        """What follows from several cells, and from cells that are not there."""
        if one.name.startswith(SAMPLE):
            one.findings = [Finding("SAMPLE_ROW")]
            return
        if not one.name:
            one.findings.append(Finding("NAME_MISSING", {}, "name"))
        if not self._has_deadline:
            one.findings.append(Finding("DEADLINE_MISSING", {}, "deadline"))
        if one.enterprise_id is None and (
            not one.enterprise["raw"] or any(found.code == "ENTERPRISE_MISSING" for found in one.findings)
        ):
            self._enterprise_by_code(one)
        if category and "category_id" not in one.values and "category" not in one.raw:
            known = self.registers.categories.get(category)
            if known is not None:
                one.values["category_id"] = known
        if one.status == "ongoing" and one.deadline["kind"] == "none":
            one.values["is_standing"] = True
        if self._has_version and one.stated_version:
            code = one.values.get("code", "")
            if code not in self.registers.by_code:
                # Exported from another programme, or removed since: as a new project it would be a double.
                one.findings.append(Finding("NOT_OF_PROGRAMME", {"value": code}, "code"))
            self._blanks_are_meant(one)

    def _enterprise_by_code(self, one: Reading) -> None:
        known = self.registers.with_credit_code(one.raw.get("credit_code", ""))
        if known is not None:
            unit = self.registers.units[known]
            one.enterprise_id = known
            one.enterprise = {"raw": "", "code": unit.code, "candidates": []}
            one.findings = [found for found in one.findings if found.code != "ENTERPRISE_MISSING"]
        elif not any(found.code == "ENTERPRISE_MISSING" for found in one.findings):
            one.findings.append(Finding("ENTERPRISE_MISSING", {}, "enterprise"))

    def _blanks_are_meant(self, one: Reading) -> None:
        """In a ledger that the portal wrote, an emptied cell empties the field; elsewhere a blank is silence."""
        for key in self.columns.values():
            if key in one.raw:
                continue
            for name, empty in _EMPTY.get(key, {}).items():
                one.values.setdefault(name, empty)

    # -- cells with something particular about them ----------------------------------------------

    def _marked(self, key: str, method: Callable[[Value, Mark], Said], value: Value, mark: Mark) -> Said:
        if mark is PLAIN:
            said = method(value, mark)
            if key in _NO_WORDS and isinstance(value, str) and looks_like_formula(value):
                more = (Finding("FORMULA_LIKE_TEXT", {"value": shortened(value)}),)
                said = joined(said, Said("", {}, more))
        elif mark.error:
            said = Said(mark.error, {}, (Finding("EXCEL_ERROR_VALUE", {"value": mark.error}, key),))
            said = joined(method(None, PLAIN), said)
        elif mark.is_image:
            said = joined(method(None, PLAIN), Said("", {}, (Finding("EMBEDDED_IMAGE_IGNORED", {}, key),)))
        else:
            said = method(value, mark)
            also = []
            if mark.is_filled_down:
                also.append(Finding("MERGED_FILL_DOWN", {}, key))
            if mark.formula and key not in _COMPUTED:
                params = {"value": shortened("=" + mark.formula.lstrip("=")), "read": shortened(said.raw)}
                also.append(Finding("FORMULA_CELL", params, key))
            said = joined(said, Said("", {}, tuple(also)))
        if all(found.field for found in said.findings):
            return said
        # A finding names its column, so that a person can decide it right there.
        return said._replace(
            findings=tuple(f if f.field else Finding(f.code, f.params, key) for f in said.findings)
        )

    def _method(self, key: str) -> Callable[[Value, Mark], Said]:
        if key in TEXTS:
            return self._text_into(TEXTS[key])
        if key in PERSONS:
            return self._person_into(PERSONS[key])
        return getattr(self, f"_{key}", self._kept_aside)

    def _kept_aside(self, value: Value, mark: Mark) -> Said:
        return Said(text_of(value, mark).strip())

    _serial = _kept_aside

    # -- texts -----------------------------------------------------------------------------------

    def _text_into(self, name: str) -> Callable[[Value, Mark], Said]:
        limit = most_characters(name)

        def method(value: Value, mark: Mark) -> Said:
            raw, text, found = words_of(value, mark, limit)
            return Said(raw, {name: text} if text else {}, tuple(found))

        return method

    def _name(self, value: Value, mark: Mark) -> Said:
        raw, text, found = words_of(value, mark)
        if _BLANK.search(text):
            text = " ".join(text.split())
        if len(text) > _NAME_LENGTH:
            found.append(Finding("NAME_TOO_LONG", {"length": len(text), "most": _NAME_LENGTH}))
        if text in NOTHING:
            text = ""
        return Said(raw, {"name": text} if text else {}, tuple(found), {"name": text})

    def _code(self, value: Value, mark: Mark) -> Said:
        raw, text, found = words_of(value, mark, most_characters("code"))
        return Said(raw, {"code": text} if text not in NOTHING else {}, tuple(found))

    def _version(self, value: Value, mark: Mark) -> Said:
        text = text_of(value, mark).strip()
        stated = int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None
        return Said(text, {}, (), {"stated_version": stated})

    def _person_into(self, name: str) -> Callable[[Value, Mark], Said]:
        limit = most_characters(name)

        def method(value: Value, mark: Mark) -> Said:
            raw, text, found = words_of(value, mark, limit)
            if text in NOTHING:
                return Said(raw)
            return Said(raw, {name: text}, (*found, *read_person(text).findings))

        return method

    # -- choices ---------------------------------------------------------------------------------

    def _category(self, value: Value, mark: Mark) -> Said:
        raw, text, found = words_of(value, mark)
        if text in NOTHING:
            return Said(raw)
        known = self.registers.categories.get(text, self.registers.categories.get(raw))
        if known is None:
            return Said(raw, {}, (*found, Finding("UNKNOWN_CATEGORY", {"value": shortened(raw)})))
        return Said(raw, {"category_id": known}, tuple(found))

    def _audience(self, value: Value, mark: Mark) -> Said:
        words = {
            "对内": "internal",
            "内部": "internal",
            "职工": "internal",
            "对外": "external",
            "外部": "external",
            "群众": "external",
        }
        return self._one_of(value, mark, "audience", {**words, **_labels(Project.Audience)})

    def _phase(self, value: Value, mark: Mark) -> Said:
        words = {"筹划部署": "planning", "组织实施": "execution", "检查验收": "inspection"}
        return self._one_of(value, mark, "phase", {**words, **_labels(Project.Phase)})

    def _is_key(self, value: Value, mark: Mark) -> Said:
        words: dict[str, Any] = {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}
        return self._one_of(value, mark, "is_key", words)

    def _one_of(self, value: Value, mark: Mark, name: str, words: Mapping[str, Any]) -> Said:
        raw, text, found = words_of(value, mark)
        if text in NOTHING and matching_key(text) not in words:
            return Said(raw)
        known = words.get(text, words.get(matching_key(text)))
        if known is None:
            return Said(raw, {}, (*found, Finding("UNKNOWN_CHOICE", {"value": shortened(raw)})))
        return Said(raw, {name: known}, tuple(found))

    def _liaison_leader(self, value: Value, mark: Mark) -> Said:
        raw, text, found = words_of(value, mark)
        if text in NOTHING:
            return Said(raw)
        known = self.registers.leaders.get(text.replace(" ", ""), self.registers.leaders.get(text, ()))
        if len(known) != 1:
            return Said(raw, {}, (*found, Finding("UNKNOWN_CHOICE", {"value": shortened(raw)})))
        return Said(raw, {"liaison_leader_id": known[0]}, tuple(found))


#: What an emptied cell of the portal's own ledger writes.
_EMPTY: dict[str, dict[str, Any]] = {
    **{key: {name: ""} for key, name in (TEXTS | PERSONS).items()},
    "category": {"category_id": None},
    "audience": {"audience": ""},
    "phase": {"phase": ""},
    "supporting": {"supporting_enterprises": []},
    "party_branches": {"party_branches": []},
    "beneficiaries": {"beneficiaries_text": "", "beneficiaries_number": None, "beneficiaries_unit": ""},
    "liaison_leader": {"liaison_leader_id": None},
    "is_key": {"is_key": False},
    "start": {"starts_on": None},
    "deadline": {"due_on": None, "is_standing": False},
}
#: Columns in which a formula is arithmetic that people do; elsewhere its result is asked about.
_COMPUTED = frozenset({"serial", "progress", "start", "deadline", "version"})


#: Columns that are not read as words, so that `_words` does not look at them.
_NO_WORDS = frozenset({"serial", "credit_code", "start", "deadline", "progress", "version"})


def _labels(choices: Any) -> dict[str, str]:
    return {str(label): value for value, label in choices.choices}
