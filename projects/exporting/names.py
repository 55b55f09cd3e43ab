"""Names as a ledger may hold them: each one that the importer reads back as the very row it stands for.

A short name that two units share, a branch called 第一党支部, a name with a comma in it: there the code is written.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from functools import cached_property

from enterprises.models import Enterprise, PartyBranch, User
from projects.importing.cleaning import clean
from projects.importing.parties import split_units
from projects.importing.registers import Registers
from projects.models import Programme


class Names:
    """The names that one reader may see, as texts of cells. What lies beyond the wall has no text.

    Args:
        reader: the account for which a ledger leaves.
        programme: any programme; categories are asked for elsewhere.
        on: the day on which aliases must be valid.
    """

    def __init__(self, reader: User, programme: Programme, on: datetime.date) -> None:
        self.registers = Registers(reader, programme, on)
        self._reader = reader
        self._units: dict[int, str] = {}
        self._listed_units: dict[int, str] = {}
        self._branches: dict[int, str] = {}

    @cached_property
    def _enterprises(self) -> dict[int, tuple[str, str]]:
        rows = Enterprise.objects.visible_to(self._reader).values_list("pk", "name", "code")
        return {pk: (name, code) for pk, name, code in rows}

    @cached_property
    def _organisations(self) -> dict[int, tuple[str, str]]:
        rows = PartyBranch.objects.visible_to(self._reader).values_list("pk", "name", "code")
        return {pk: (name, code) for pk, name, code in rows}

    @cached_property
    def _leaders(self) -> dict[int, str]:
        return {pk: name for name, pks in self.registers.leaders.items() for pk in pks}

    def unit(self, pk: int) -> str:
        """The responsible enterprise; "" beyond the wall."""
        if pk not in self._units:
            name, code = self._enterprises.get(pk, ("", ""))
            found = self.registers.called(clean(name).text)
            self._units[pk] = name if found in ((), (pk,)) else code
        return self._units[pk]

    def units(self, pks: Iterable[int]) -> str:
        """Several enterprises in one cell, without those beyond the wall."""
        return "、".join(filter(None, (self._unit_in_list(pk) for pk in pks)))

    def _unit_in_list(self, pk: int) -> str:
        if pk not in self._listed_units:
            text = self.unit(pk)
            is_read = split_units(text).lead == (text,)
            self._listed_units[pk] = text if is_read else self._enterprises.get(pk, ("", ""))[1]
        return self._listed_units[pk]

    def branches(self, pks: Iterable[int]) -> str:
        """Several party organisations in one cell, without those beyond the wall."""
        return "、".join(filter(None, (self._branch(pk) for pk in pks)))

    def _branch(self, pk: int) -> str:
        if pk not in self._branches:
            name, code = self._organisations.get(pk, ("", ""))
            is_read = self.registers.branches.get(name, ()) == (pk,) and split_units(name).lead == (name,)
            self._branches[pk] = name if is_read else code
        return self._branches[pk]

    def leader(self, pk: int | None) -> str:
        """The liaison leader; "" for one whom the reader may not name."""
        return self._leaders.get(pk, "") if pk is not None else ""
