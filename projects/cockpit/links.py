"""Which list a number counts: the address that shows exactly these rows.

A number without an entry here is not shown as a link; a test follows all the others and compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.urls import reverse
from django.utils.http import urlencode

from projects.lights import Light

#: Of a category: "-" stands for projects without one, None for all of them.
NO_CATEGORY = "-"

_PROJECTS, _MILESTONES = "projects_project", "projects_milestone"
_REPORTS, _EXTENSIONS, _CLOSE_OUTS = (
    "projects_progressreport",
    "projects_extensionrequest",
    "projects_closeout",
)

#: Name in `tallies.Counts` (or a property of it) → list, parameters.
_ASKED: dict[str, tuple[str, dict[str, str]]] = {
    "projects": (_PROJECTS, {}),
    **{light.value: (_PROJECTS, {"light__exact": light.value}) for light in Light},
    "on_plan": (_PROJECTS, {"look_at": "on_plan"}),
    "silent": (_PROJECTS, {"look_at": "silent"}),
    "with_evidence": (_PROJECTS, {"look_at": "evidence"}),
    "dated": (_PROJECTS, {"look_at": "planned"}),
    "overdue": (_MILESTONES, {"when": "overdue"}),
    "due_soon": (_MILESTONES, {"when": "soon"}),
    "no_date": (_MILESTONES, {"when": "no_date"}),
    "returned": (_MILESTONES, {"when": "returned"}),
    "submitted": (_MILESTONES, {"when": "submitted"}),
    "kept": (_MILESTONES, {"promise": "kept"}),
    "late": (_MILESTONES, {"promise": "late"}),
    "first_kept": (_MILESTONES, {"promise": "first_kept"}),
    "first_missed": (_MILESTONES, {"promise": "first_missed"}),
    "reports_waiting": (_REPORTS, {"waiting": "1"}),
    "extensions_waiting": (_EXTENSIONS, {"waiting": "1"}),
    "close_outs_waiting": (_CLOSE_OUTS, {"waiting": "1"}),
    "extensions": (_EXTENSIONS, {"state__exact": "approved"}),
}

#: The same with the parameters as they stand in an address.
LISTS = {name: (listed, f"&{urlencode(asked)}" if asked else "") for name, (listed, asked) in _ASKED.items()}

#: Lists that know categories.
_BY_CATEGORY = (_PROJECTS, _MILESTONES)


@dataclass(frozen=True)
class Place:
    """What the numbers are about: a programme, a unit with everything below it or alone, perhaps a category."""

    programme_id: int
    unit_id: int
    alone: bool = False
    category: str | None = None

    def link(self, name: str) -> str:
        """The list that the number `name` counts here; "" where there is none."""
        if name not in LISTS:
            return ""
        listed, asked = LISTS[name]
        unit = f"enterprise={self.unit_id}" if self.alone else f"within={self.unit_id}"
        query = f"programme={self.programme_id}&{unit}"
        if self.category is not None:
            if listed not in _BY_CATEGORY:
                return ""
            query += "&" + urlencode({"category_name": self.category})
        return f"{_address(listed)}?{query}{asked}"


@cache
def _address(listed: str) -> str:
    """Asked four hundred times for one page, and always the same."""
    return reverse(f"admin:{listed}_changelist")
