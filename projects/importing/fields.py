"""What a ledger may say of a project, field by field: one table for reading, comparing, writing and export.

A field is a column of `Project` unless it says otherwise. Which of them may still be changed is the rule of the
form (`projects.services.projects.fixed_fields`): a ledger is a second form, never a way around the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from projects.models import Project


@dataclass(frozen=True, slots=True)
class Field:
    """Attributes:
    key: as in `Reading.values` and in `Project`.
    column: the column key of the ledger that a person would correct.
    kind: text, date, number, flag, id, ids (many-to-many).
    """

    key: str
    column: str
    kind: str = "text"


FIELDS: tuple[Field, ...] = (
    Field("name", "name"),
    Field("place", "place"),
    Field("category_id", "category", "id"),
    Field("content_class", "content_class"),
    Field("audience", "audience"),
    Field("phase", "phase"),
    Field("measures", "measures"),
    Field("beneficiaries_text", "beneficiaries"),
    Field("beneficiaries_number", "beneficiaries", "number"),
    Field("beneficiaries_unit", "beneficiaries"),
    Field("investment_text", "investment"),
    Field("starts_on", "start", "date"),
    Field("due_on", "deadline", "date"),
    Field("is_standing", "deadline", "flag"),
    Field("is_key", "is_key", "flag"),
    Field("accountable_lead_text", "accountable_lead"),
    Field("direct_lead_text", "direct_lead"),
    Field("coordinator_text", "coordinator"),
    Field("liaison_leader_id", "liaison_leader", "id"),
    Field("status_text", "progress_note"),
    Field("note", "note"),
)
MANY: tuple[Field, ...] = (
    Field("supporting_enterprises", "supporting", "ids"),
    Field("party_branches", "party_branches", "ids"),
)
BY_KEY: Mapping[str, Field] = {field.key: field for field in (*FIELDS, *MANY)}

#: Said once, when a project is taken in; afterwards they move by reports, reviews and decisions only.
ONLY_WHEN_NEW = frozenset({"status", "percent", "steps", "start_text", "due_text"})


def label_of(key: str) -> str:
    """The name of a field as the forms have it."""
    found: Any = Project._meta.get_field(key.removesuffix("_id"))
    return str(found.verbose_name)


def choices_of(key: str) -> list[tuple[str, Any]]:
    """The values that a field may have, with their words."""
    found: Any = Project._meta.get_field(key)
    return list(found.choices or ())


def most_characters(key: str) -> int | None:
    """How long a text may be; None when there is no limit."""
    found: Any = Project._meta.get_field(key)
    return getattr(found, "max_length", None)
