"""What a cockpit is asked for: programme, unit, day, order. Read from an address through the wall."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from enterprises.models import Enterprise, User
from enterprises.scoping import outermost, units_for
from projects.addresses import day_in, is_id
from projects.models import Programme

#: Columns by which the units are put in order; the first is the default.
ORDERS = ("overdue", "name", "projects", "red", "on_plan", "on_time", "silent", "waiting", "gap")


@dataclass(frozen=True)
class Asked:
    """What an address says, in values only: equal ones are equal in all that they hold.

    Attributes:
        starts_on, ends_on: first and last day of the programme.
    """

    programme_id: int
    starts_on: datetime.date
    ends_on: datetime.date
    unit_id: int
    on: datetime.date
    today: datetime.date
    against: datetime.date | None
    order: str
    reverse: bool
    everything: bool

    @property
    def is_past(self) -> bool:
        return self.on < self.today


@dataclass(frozen=True)
class Question:
    """One view of the cockpit.

    Attributes:
        programmes: those that the person may choose from, newest first.
        own: the highest units at which the person sees projects.
        unit: with everything below it; `above` are the units over it within the person's reach, from the top.
        on: the day that is shown; `today` unless a day of the past was asked for.
        against: an earlier day that is compared with; None for the usual week before.
        order, reverse: how the units below are put in order; `everything` shows all of them, not the first.
        missed: what was asked for and cannot be shown, as "programme", "unit" or "day".
    """

    programme: Programme
    programmes: list[Programme]
    unit: Enterprise
    above: list[Enterprise]
    own: list[Enterprise]
    on: datetime.date
    today: datetime.date
    against: datetime.date | None = None
    order: str = ORDERS[0]
    reverse: bool = False
    everything: bool = False
    missed: tuple[str, ...] = ()

    @property
    def is_past(self) -> bool:
        return self.on < self.today

    @property
    def asked(self) -> Asked:
        return Asked(
            programme_id=self.programme.pk,
            starts_on=self.programme.starts_on,
            ends_on=self.programme.ends_on,
            unit_id=self.unit.pk,
            on=self.on,
            today=self.today,
            against=self.against,
            order=self.order,
            reverse=self.reverse,
            everything=self.everything,
        )


def question(user: User, asked: Mapping[str, str], today: datetime.date) -> Question | None:
    """Understand an address; what makes no sense is left at its default, and named in `missed`.

    Args:
        user: sees the programme and the unit, or gets another one: a foreign one is like none.
        asked: `programme`, `unit` (ids), `on`, `against` (ISO dates), `sort` ("-" before it turns it round).
        today: the day of the asking.

    Returns:
        None where the person sees no programme or holds no unit.
    """
    missed: list[str] = []
    programmes = list(Programme.objects.visible_to(user).select_related("owner").order_by("-year", "code"))
    own = _own_units(user)
    if not programmes or not own:
        return None
    programme = _chosen(programmes, asked.get("programme", ""), missed) or _usual(programmes, today)
    unit = _at_home(own, programme)
    if wanted := asked.get("unit", ""):
        found = Enterprise.objects.visible_to(user).filter(pk=int(wanted)).first() if is_id(wanted) else None
        if found is None:
            missed.append("unit")
        else:
            unit = found
    on = _day(asked.get("on", ""), today, missed) or today
    against = _day(asked.get("against", ""), on, missed)
    order = asked.get("sort", "")
    name = order.removeprefix("-")
    return Question(
        programme=programme,
        programmes=programmes,
        unit=unit,
        own=own,
        above=[] if unit in own else list(Enterprise.objects.visible_to(user).above(unit).order_by("path")),  # type: ignore[attr-defined]
        on=on,
        today=today,
        against=against if against != on else None,
        order=name if name in ORDERS else ORDERS[0],
        reverse=order.startswith("-"),
        everything=asked.get("all") == "1",
        missed=tuple(missed),
    )


def _own_units(user: User) -> list[Enterprise]:
    """The units at which the person may see projects, without those below another one of them."""
    paths = outermost(units_for(user, "projects.view_project"))
    return list(Enterprise.objects.filter(path__in=paths).order_by("path"))


def _at_home(units: list[Enterprise], programme: Programme) -> Enterprise:
    """Of several own units the one that the programme is about."""
    issued_by = programme.owner.path if programme.owner else ""
    near = (u for u in units if u.path.startswith(issued_by) or issued_by.startswith(u.path))
    return next(near, units[0])


def _chosen(programmes: list[Programme], wanted: str, missed: list[str]) -> Programme | None:
    if not wanted:
        return None
    found = next((p for p in programmes if str(p.pk) == wanted), None)
    if found is None:
        missed.append("programme")
    return found


def _usual(programmes: list[Programme], today: datetime.date) -> Programme:
    """The newest one in force, otherwise the newest."""
    return next((p for p in programmes if p.in_force(today)), programmes[0])


def _day(text: str, latest: datetime.date, missed: list[str]) -> datetime.date | None:
    if not text:
        return None
    day = day_in(text)
    if day is None or day > latest:
        missed.append("day")
        return None
    return day
