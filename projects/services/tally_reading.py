"""Reads the tallies: what is kept, mended by what was marked since, so that a number is always that of now.

Read inside one snapshot (`cockpit.snapshot`), or a counting that ends between two of the questions is seen by one
of them only.
"""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from enterprises.models import Enterprise, User
from enterprises.scoping import outermost, prefixes, units_for
from projects.lights import Light
from projects.models import DailyTally, Programme, Project, Tally, TallyMark
from projects.services.tally_sql import counted
from projects.tallies import NAMES, Counts

#: Light of a project → the number of those that show it; a project that was never judged has none.
_LIGHTS = {**{light.value: light.value for light in Light}, "": "unjudged"}


@dataclass
class Tallied:
    """What a unit with everything below it adds up to.

    Attributes:
        by_category: id of the category (None without one) → counts; empty where nobody asked for it.
    """

    counts: Counts = field(default_factory=Counts)
    by_category: dict[int | None, Counts] = field(default_factory=dict)
    is_detailed: bool = True

    def add(self, category_id: int | None, counts: Counts) -> None:
        self.counts += counts
        if self.is_detailed:
            self.by_category[category_id] = self.by_category.get(category_id, Counts()) + counts


@dataclass(frozen=True)
class _Own:
    """One enterprise alone, in one category."""

    path: str
    category_id: int | None
    counts: Counts


def tallies_of(
    programme: Programme,
    units: Sequence[Enterprise],
    as_of: datetime.date,
    *,
    detailed: Collection[Enterprise] | None = None,
) -> Mapping[int, Tallied]:
    """What each unit with everything below it adds up to, now.

    Args:
        programme: one that the reader sees.
        units: within the reader's reach; the caller has asked the wall.
        as_of: today.
        detailed: of which of them the categories are wanted; None for all.

    Returns:
        id of each unit → what it adds up to; nothing counted twice where one unit stands below another.
    """
    wanted = {unit.pk for unit in (units if detailed is None else detailed)}
    found = {unit.pk: Tallied(is_detailed=unit.pk in wanted) for unit in units}
    marked = _marked(programme, units) if _is_kept(programme, as_of) else None
    if marked is None:
        _spread(_live(programme, _within(units), as_of), units, found, 1)
        return found
    kept = Tally.objects.filter(programme=programme, enterprise__in=wanted, whole=True)
    for enterprise_id, category_id, *numbers in kept.values_list("enterprise_id", "category_id", *NAMES):
        found[enterprise_id].add(category_id, Counts(*numbers))
    # The row of the day has the sum of the categories: one row a unit instead of ten.
    for enterprise_id, counts in day_of(programme, [u for u in units if u.pk not in wanted], as_of).items():
        found[enterprise_id].add(None, counts)
    if marked:
        _spread(_stored(programme, marked), units, found, -1)
        _spread(_live(programme, Q(enterprise__in=list(marked)), as_of), units, found, 1)
    return found


def lights_of(
    programme: Programme, units: Sequence[Enterprise], as_of: datetime.date, category: Q
) -> dict[str, int] | None:
    """How many projects of the units, with everything below them, show each light now; "" for never judged.

    A list may ask it at every turn of a page: of what was marked since, lights alone are counted anew.

    Args:
        programme, as_of: as for `tallies_of`.
        units: within the reader's reach, none of them below another.
        category: a condition on `category`, which projects and tallies both have; `Q()` for all.

    Returns:
        Lights that occur; None where no tallies of today are kept, and rows must be counted.
    """
    marked = _marked(programme, units) if _is_kept(programme, as_of) else None
    if marked is None:
        return None
    found: Counter[str] = Counter()
    kept = Tally.objects.filter(category, programme=programme)
    found.update(_summed(kept.filter(enterprise__in=units, whole=True)))
    if marked:
        found.subtract(_summed(kept.filter(enterprise__in=list(marked), whole=False)))
        rows = Project.objects.filter(category, programme=programme, enterprise__in=list(marked))
        found.update(dict(rows.order_by().values_list("light").annotate(n=Count("pk"))))
    return {light: n for light, n in found.items() if n}


def _summed(tallies: QuerySet[Tally]) -> dict[str, int]:
    sums = tallies.aggregate(**{f"n_{name}": Sum(name, default=0) for name in _LIGHTS.values()})
    return {light: sums[f"n_{name}"] for light, name in _LIGHTS.items()}


def all_in_force(user: User, as_of: datetime.date) -> dict[int, Counts]:
    """What a person sees of each programme in force: its id → counts."""
    units = list(Enterprise.objects.filter(path__in=outermost(units_for(user, "projects.view_project"))))
    programmes = Programme.objects.visible_to(user).in_force(as_of)
    return {
        programme.pk: sum(
            (tallied.counts for tallied in tallies_of(programme, units, as_of, detailed=()).values()),
            Counts(),
        )
        for programme in programmes
    }


class Day(NamedTuple):
    """One point of the curves: sums over the projects with a plan, and how many are red."""

    day: datetime.date
    dated: int
    planned: int
    actual: int
    red: int


def days_of(programme: Programme, unit: Enterprise, first: datetime.date, last: datetime.date) -> list[Day]:
    """The snapshots of a unit with everything below it, from the earliest; days without one are left out."""
    rows = DailyTally.objects.filter(programme=programme, enterprise=unit, day__range=(first, last))
    return [Day(*row) for row in rows.order_by("day").values_list(*Day._fields)]


def day_of(programme: Programme, units: Iterable[Enterprise], day: datetime.date) -> Mapping[int, Counts]:
    """The snapshots of one day: id of the unit → counts; units that had no project are left out."""
    ids = [unit.pk for unit in units]
    if not ids:
        return {}
    rows = DailyTally.objects.filter(programme=programme, enterprise__in=ids, day=day)
    return {pk: Counts(*numbers) for pk, *numbers in rows.values_list("enterprise_id", *NAMES)}


def _is_kept(programme: Programme, as_of: datetime.date) -> bool:
    return programme.tallied_on == as_of and programme.in_force(as_of)


def _marked(programme: Programme, units: Sequence[Enterprise]) -> dict[int, str] | None:
    """Enterprises within the units that must be counted again, with their paths; None: all of them."""
    marks = set(
        TallyMark.objects.filter(programme=programme).values_list("enterprise_id", flat=True).distinct()
    )
    if None in marks:
        return None
    if not marks:
        return {}
    return dict(
        Enterprise.objects.filter(_within(units, ""), pk__in=marks).values_list("pk", "path")  # type: ignore[misc]
    )


def _within(units: Sequence[Enterprise], prefix: str = "enterprise__") -> Q:
    inside = Q(pk__in=[])
    for unit in units:
        inside |= Q((f"{prefix}path__startswith", unit.path))
    return inside


def _stored(programme: Programme, paths: Mapping[int, str]) -> list[_Own]:
    rows = Tally.objects.filter(programme=programme, enterprise__in=list(paths), whole=False)
    return [_Own(paths[row.enterprise_id], row.category_id, row.counts) for row in rows]


def _live(programme: Programme, where: Q, as_of: datetime.date) -> list[_Own]:
    rows, params = counted(Project.objects.filter(where, programme=programme), programme, as_of)
    names = ", ".join(f"c.{name}" for name in NAMES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.path, c.category_id, {names} FROM ({rows}) c"
            " JOIN enterprises_enterprise e ON e.id = c.enterprise_id",
            params,
        )
        return [_Own(path, category, Counts(*values)) for path, category, *values in cursor.fetchall()]


def _spread(
    rows: Collection[_Own], units: Sequence[Enterprise], found: dict[int, Tallied], sign: int
) -> None:
    """Add (or take away) rows of single enterprises to all of `units` that stand above them."""
    by_path = {unit.path: unit.pk for unit in units}
    sums: dict[tuple[int, int | None], Counts] = defaultdict(Counts)
    for row in rows:
        for path in prefixes(row.path):
            if path in by_path:
                sums[by_path[path], row.category_id] += row.counts
    for (unit, category), counts in sums.items():
        found[unit].add(category, counts if sign > 0 else Counts() - counts)
