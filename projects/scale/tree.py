"""The units: one SASAC, groups of very different size below it, their companies below those."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from projects.scale import names

ROOT_NAME = "国务院国资委（基准测试数据）"
ROOT_CODE = "BENCH"
#: Units to one group, about as many as a provincial group has.
UNITS_PER_GROUP = 40


@dataclass(frozen=True)
class Unit:
    """A unit to be written. Ids count from 1; a parent always has a lower id than its children."""

    id: int
    parent_id: int | None
    kind: str
    code: str
    name: str
    short_name: str
    sort_key: str
    group: int  # number of its group, -1 for the root


def units(count: int) -> list[Unit]:
    """A tree of `count` units, the root among them, the units of one group next to each other.

    Args:
        count: at least 3: a SASAC and two groups.
    """
    root = names.joined(ROOT_NAME)
    found = [Unit(1, None, "sasac", ROOT_CODE, root.text, "国资委", root.key, -1)]
    groups = max(2, (count - 1) // UNITS_PER_GROUP)
    for group, size in enumerate(_sizes(groups, count - 1)):
        found.extend(_group(group, size, first_id=found[-1].id + 1))
    return found


def mid_size_group(tree: list[Unit]) -> Unit:
    """The group in the middle by size: what an ordinary officer answers for."""
    sizes: dict[int, int] = {}
    for unit in tree:
        sizes[unit.group] = sizes.get(unit.group, 0) + 1
    sizes.pop(-1)
    middle = sorted(sizes, key=lambda group: (sizes[group], group))[len(sizes) // 2]
    return next(unit for unit in tree if unit.group == middle)


def _sizes(groups: int, units_to_share: int) -> list[int]:
    """Sizes that fall with the rank, as those of real groups do, and add up exactly."""
    weights = [1 / (rank + 2) ** 0.5 for rank in range(groups)]
    free = units_to_share - groups  # every group has itself
    sizes = [1 + int(free * weight / sum(weights)) for weight in weights]
    for n in range(units_to_share - sum(sizes)):
        sizes[n % groups] += 1
    return sizes


def _group(group: int, size: int, first_id: int) -> Iterator[Unit]:
    name = names.group_name(group)
    stem = name.text.removesuffix("集团有限公司")
    code = f"G{group + 1:04d}"
    yield Unit(first_id, 1, "group", code, name.text, f"{stem}集团", name.key, group)
    for n in range(1, size):
        # Of five companies one is a subsidiary of the group and four are branches of that one: a
        # third level, without which a list by prefix would be no test of the tree.
        is_branch = (n - 1) % 5 != 0
        parent = first_id + n - (n - 1) % 5 if is_branch else first_id
        own = names.unit_name(n - 1, stem)
        kind = "branch" if is_branch else "subsidiary"
        short = own.text.removesuffix("有限公司")
        yield Unit(first_id + n, parent, kind, f"{code}-{n:04d}", own.text, short, own.key, group)
