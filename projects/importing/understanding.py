"""From the cells of a row to what they say: one method per kind of column, each asked once per distinct cell.

A ledger repeats itself: a dozen units, forty dates, five states in 200,000 rows. What a cell says depends on the
cell and on the ledger around it only, so it is kept; names and measures differ in every row and go straight through.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from projects.importing.cells import PERCENT, PLAIN, Mark, Row, Value
from projects.importing.cleaning import clean, is_clean, matching_key, shortened
from projects.importing.dates import DateContext, DateReading, read_deadline, read_start
from projects.importing.fields import most_characters
from projects.importing.findings import Finding
from projects.importing.numbers import check_credit_code, read_amount
from projects.importing.parties import read_person, split_units
from projects.importing.progress import read_progress
from projects.importing.reading import Reading
from projects.importing.registers import Registers
from projects.importing.status import read_status
from projects.importing.steps_text import read_steps
from projects.models import Project

_FORMULA_LIKE = re.compile(r"[=+\-@\t＝＋－＠]")
#: Our own files put an apostrophe before what a spreadsheet would run; it is taken off again here.
_GUARDED = re.compile(r"'+(?:\s*[=+\-@＝＋－＠]|[\t\r\n])")
#: How the sample row of our own template begins; whoever types over it has a row of their own.
SAMPLE = "【示例】"
_SIGNS = frozenset("=+-@\t＝＋－＠'")
#: What PostgreSQL refuses in a text.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TRUE = frozenset({"是", "重点", "y", "yes", "1", "true", "√", "✓", "✔", "☑", "■", "●"})
_FALSE = frozenset({"否", "非重点", "n", "no", "0", "false", "×", "✗", "☐", "□", "○"})
#: Keep no more distinct cells than this per column; a column of unique texts would keep the file in memory.
_MOST_KEPT = 20_000
_NOTHING = frozenset({"", "/", "／", "—", "-", "——", "--", "无", "暂无"})

#: Between two names that are both in the register; within one name these are letters like any other.
_JOINED_UNITS = re.compile(r"[\s和及与]+")

_BLANK = re.compile(r"\s")
#: What the column of the number holds: twelve digits before the point.
_MOST_PEOPLE = Decimal(10) ** 12
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
        and text[0] not in _SIGNS
        and text not in _NOTHING
        and is_clean(text)
        and not (key == "name" and _BLANK.search(text))
        and not _UNSTORABLE.search(text)
    )


class Said(NamedTuple):
    """What one cell says: values by field, findings, and what belongs to the row itself."""

    raw: str
    values: Mapping[str, Any] = {}
    findings: tuple[Finding, ...] = ()
    attributes: Mapping[str, Any] = {}


SILENT = Said("")


@dataclass
class Understanding:
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
            one.extra = {header: _storable(text)[:500] for header, text in extra.items()}
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
            if key in _NO_WORDS and isinstance(value, str) and _looks_like_formula(value):
                more = (Finding("FORMULA_LIKE_TEXT", {"value": shortened(value)}),)
                said = _joined(said, Said("", {}, more))
        elif mark.error:
            said = Said(mark.error, {}, (Finding("EXCEL_ERROR_VALUE", {"value": mark.error}, key),))
            said = _joined(method(None, PLAIN), said)
        elif mark.is_image:
            said = _joined(method(None, PLAIN), Said("", {}, (Finding("EMBEDDED_IMAGE_IGNORED", {}, key),)))
        else:
            said = method(value, mark)
            also = []
            if mark.is_filled_down:
                also.append(Finding("MERGED_FILL_DOWN", {}, key))
            if mark.formula and key not in _COMPUTED:
                params = {"value": shortened("=" + mark.formula.lstrip("=")), "read": shortened(said.raw)}
                also.append(Finding("FORMULA_CELL", params, key))
            said = _joined(said, Said("", {}, tuple(also)))
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

    def _words(self, value: Value, mark: Mark, limit: int | None = None) -> tuple[str, str, list[Finding]]:
        """(raw, cleaned, findings) of a cell that holds words."""
        raw = text_of(value, mark)
        is_guarded = raw[:1] == "'" and _GUARDED.match(raw) is not None
        text, codes = clean(raw[1:] if is_guarded else raw)
        found = [Finding(code, {"value": shortened(raw), "read": shortened(text)}) for code in codes]
        if text and text[0] in _SIGNS and isinstance(value, str):
            if not is_guarded and text[0] == "'" and _GUARDED.match(text):
                text = text[1:]
            if len(text) > 1 and _FORMULA_LIKE.match(text):
                found.append(Finding("FORMULA_LIKE_TEXT", {"value": shortened(raw)}))
        elif text and raw[0] == "\t":
            found.append(Finding("FORMULA_LIKE_TEXT", {"value": shortened(raw)}))
        if limit is not None and len(text) > limit:
            found.append(Finding("TEXT_TOO_LONG", {"length": len(text), "most": limit}))
            text = text[:limit]
        return raw, text, found

    def _text_into(self, name: str) -> Callable[[Value, Mark], Said]:
        limit = most_characters(name)

        def method(value: Value, mark: Mark) -> Said:
            raw, text, found = self._words(value, mark, limit)
            return Said(raw, {name: text} if text else {}, tuple(found))

        return method

    def _name(self, value: Value, mark: Mark) -> Said:
        raw, text, found = self._words(value, mark)
        if _BLANK.search(text):
            text = " ".join(text.split())
        if len(text) > _NAME_LENGTH:
            found.append(Finding("NAME_TOO_LONG", {"length": len(text), "most": _NAME_LENGTH}))
        if text in _NOTHING:
            text = ""
        return Said(raw, {"name": text} if text else {}, tuple(found), {"name": text})

    def _code(self, value: Value, mark: Mark) -> Said:
        raw, text, found = self._words(value, mark, most_characters("code"))
        return Said(raw, {"code": text} if text not in _NOTHING else {}, tuple(found))

    def _version(self, value: Value, mark: Mark) -> Said:
        text = text_of(value, mark).strip()
        stated = int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None
        return Said(text, {}, (), {"stated_version": stated})

    def _person_into(self, name: str) -> Callable[[Value, Mark], Said]:
        limit = most_characters(name)

        def method(value: Value, mark: Mark) -> Said:
            raw, text, found = self._words(value, mark, limit)
            if text in _NOTHING:
                return Said(raw)
            return Said(raw, {name: text}, (*found, *read_person(text).findings))

        return method

    # -- choices ---------------------------------------------------------------------------------

    def _category(self, value: Value, mark: Mark) -> Said:
        raw, text, found = self._words(value, mark)
        if text in _NOTHING:
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
        raw, text, found = self._words(value, mark)
        if text in _NOTHING and matching_key(text) not in words:
            return Said(raw)
        known = words.get(text, words.get(matching_key(text)))
        if known is None:
            return Said(raw, {}, (*found, Finding("UNKNOWN_CHOICE", {"value": shortened(raw)})))
        return Said(raw, {name: known}, tuple(found))

    def _liaison_leader(self, value: Value, mark: Mark) -> Said:
        raw, text, found = self._words(value, mark)
        if text in _NOTHING:
            return Said(raw)
        known = self.registers.leaders.get(text.replace(" ", ""), self.registers.leaders.get(text, ()))
        if len(known) != 1:
            return Said(raw, {}, (*found, Finding("UNKNOWN_CHOICE", {"value": shortened(raw)})))
        return Said(raw, {"liaison_leader_id": known[0]}, tuple(found))

    # -- units -----------------------------------------------------------------------------------

    def _enterprise(self, value: Value, mark: Mark) -> Said:
        raw, text, found = self._words(value, mark)
        parties = split_units(text)
        lead = list(parties.lead)
        answer: dict[str, Any] = {"raw": raw, "code": None, "candidates": []}
        values: dict[str, Any] = {}
        if parties.supporting:
            known, lost = self._units(parties.supporting)
            values["supporting_enterprises"] = known
            found += [Finding("UNKNOWN_SUPPORTING", {"value": name}) for name in lost]
        # A name with a sign in it may be in the register as it stands.
        whole = self.registers.called(text)
        names = [text] if whole else lead
        if not names:
            found.append(Finding("ENTERPRISE_MISSING"))
            return Said(raw if text else "", values, tuple(found), {"enterprise": answer})
        if len(names) == 1 and not whole and not self.registers.called(names[0]):
            pieces = _JOINED_UNITS.split(names[0])
            names = pieces if len(pieces) > 1 and all(map(self.registers.called, pieces)) else names
            lead = names
        pks = whole or tuple(dict.fromkeys(pk for name in lead for pk in self.registers.called(name)))
        params = {"value": shortened(raw)}
        if len(names) > 1 or len(pks) > 1:
            answer["candidates"] = self._offered(pks)
            found.append(Finding("MULTIPLE_ENTERPRISES", params))
            return Said(raw, values, tuple(found), {"enterprise": answer})
        if pks:
            answer["code"] = self.registers.units[pks[0]].code
            return Said(raw, values, tuple(found), {"enterprise": answer, "enterprise_id": pks[0]})
        near = self.registers.near(names[0])
        answer["candidates"] = self._offered(tuple(unit.pk for unit in near))
        found.append(Finding("NEAR_MISS_ENTERPRISE" if near else "UNKNOWN_ENTERPRISE", params))
        if not near and not self.registers.is_whole:
            # Whoever works for a part of the tree is told the same of a foreign unit and of one that does not exist.
            found.append(Finding("NOT_YOUR_ENTERPRISE", params))
        return Said(raw, values, tuple(found), {"enterprise": answer})

    def _offered(self, pks: tuple[int, ...]) -> list[dict[str, str]]:
        return [{"code": self.registers.units[pk].code, "name": self.registers.units[pk].name} for pk in pks]

    def _units(self, names: tuple[str, ...]) -> tuple[list[int], list[str]]:
        known: set[int] = set()
        lost = []
        for name in names:
            pks = self.registers.called(name)
            if len(pks) == 1:
                known.update(pks)
            else:
                lost.append(shortened(name))
        return sorted(known), lost

    def _supporting(self, value: Value, mark: Mark) -> Said:
        raw, text, found = self._words(value, mark)
        if text in _NOTHING:
            return Said(raw)
        parties = split_units(text)
        known, lost = self._units((*parties.lead, *parties.supporting))
        found += [Finding("UNKNOWN_SUPPORTING", {"value": name}) for name in lost]
        return Said(raw, {"supporting_enterprises": known}, tuple(found))

    def _party_branches(self, value: Value, mark: Mark) -> Said:
        raw, text, found = self._words(value, mark)
        if text in _NOTHING:
            return Said(raw)
        parties = split_units(text)
        known: set[int] = set()
        for name in (*parties.lead, *parties.supporting):
            pks = self.registers.branches.get(name, ())
            if len(pks) == 1:
                known.update(pks)
            else:
                found.append(Finding("UNKNOWN_BRANCH", {"value": shortened(name)}))
        return Said(raw, {"party_branches": sorted(known)}, tuple(found))

    def _credit_code(self, value: Value, mark: Mark) -> Said:
        text = text_of(value, mark).strip()
        if text in _NOTHING:
            return SILENT
        return Said(text, {}, tuple(check_credit_code(text)))

    # -- dates, progress, numbers ------------------------------------------------------------------

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
        raw, text, found = self._words(value, mark)
        if not text:
            return Said(raw)
        read = read_status(text)
        attributes: dict[str, Any] = {"status": read.status}
        values = {} if "progress_note" in self.columns.values() else {"status_text": text[:200]}
        return Said(raw, values, (*found, *read.findings), attributes)

    def _beneficiaries(self, value: Value, mark: Mark) -> Said:
        raw, text, found = self._words(value, mark, most_characters("beneficiaries_text"))
        if text in _NOTHING:
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
        raw, text, found = self._words(value, mark)
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


def _looks_like_formula(text: str) -> bool:
    bare = text.strip(" ")
    return len(bare) > 1 and bare not in _NOTHING and _FORMULA_LIKE.match(bare) is not None


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


def text_of(value: Value, mark: Mark = PLAIN) -> str:
    """A cell as a person sees it, fit to be stored."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float | int):
        if mark.is_percent:
            return f"{round(value * 100, 6):.12g}%"
        return f"{value:.15g}"
    if isinstance(value, datetime.datetime):
        return (
            value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "seconds")
        )
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def offered_days(read: DateReading) -> list[str]:
    return [candidate.on.isoformat() for candidate in read.candidates]


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("", text) if _UNSTORABLE.search(text) else text


def _labels(choices: Any) -> dict[str, str]:
    return {str(label): value for value, label in choices.choices}


def _joined(one: Said, other: Said) -> Said:
    return Said(
        one.raw or other.raw,
        {**one.values, **other.values},
        (*one.findings, *other.findings),
        {**one.attributes, **other.attributes},
    )
