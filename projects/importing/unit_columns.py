"""Columns that name units: who answers, who supports, which party organisations; and the credit code."""

from __future__ import annotations

import re
from typing import Any

from projects.importing.cells import Mark, Value
from projects.importing.cleaning import shortened
from projects.importing.findings import Finding
from projects.importing.numbers import check_credit_code
from projects.importing.parties import split_units
from projects.importing.registers import Registers
from projects.importing.said import NOTHING, SILENT, Said, text_of, words_of

#: Between two names that are both in the register; within one name these are letters like any other.
_JOINED_UNITS = re.compile(r"[\s和及与]+")


class UnitColumns:
    """One method per column; `Understanding` asks them."""

    registers: Registers

    def _enterprise(self, value: Value, mark: Mark) -> Said:
        raw, text, found = words_of(value, mark)
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
        raw, text, found = words_of(value, mark)
        if text in NOTHING:
            return Said(raw)
        parties = split_units(text)
        known, lost = self._units((*parties.lead, *parties.supporting))
        found += [Finding("UNKNOWN_SUPPORTING", {"value": name}) for name in lost]
        return Said(raw, {"supporting_enterprises": known}, tuple(found))

    def _party_branches(self, value: Value, mark: Mark) -> Said:
        raw, text, found = words_of(value, mark)
        if text in NOTHING:
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
        if text in NOTHING:
            return SILENT
        return Said(text, {}, tuple(check_credit_code(text)))
