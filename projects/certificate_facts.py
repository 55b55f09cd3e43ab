"""What a certificate states, kept with the close-out as it was approved: a later edit rewrites no certificate."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from typing import Any

DATES = ("first_promised_on", "due_on", "completed_on", "asked_on", "verified_on", "approved_on")


@dataclass(frozen=True)
class LateMilestone:
    name: str
    days: int


@dataclass(frozen=True)
class CertificateFacts:
    """What the certificate states. Texts may have several lines; "" and None where nothing is known.

    Args:
        year, number: "〔2026〕第0001号".
        issuer: the unit that issues and seals it; "" leaves the line for the seal alone.
        first_promised_on, due_on: of the project; the date first approved and the one in force.
        extensions, extended_days: what was granted to its milestones in all.
        promised_reach, reached: beneficiaries with their unit ("320户").
    """

    year: int
    number: int
    programme: str
    project: str
    code: str
    enterprise: str
    issuer: str
    promised: str
    achieved: str
    promised_reach: str
    reached: str
    first_promised_on: datetime.date | None
    due_on: datetime.date | None
    completed_on: datetime.date | None
    late_milestones: list[LateMilestone]
    cancelled_milestones: list[str]
    extensions: int
    extended_days: int
    shortfall: str
    follow_up: str
    follow_up_owner: str
    asked_on: datetime.date | None
    verified_by: str
    verified_on: datetime.date | None
    approved_by: str
    approved_on: datetime.date
    is_demo: bool

    def as_json(self) -> dict[str, Any]:
        """For a JSON column: dates as ISO text."""
        return {
            name: value.isoformat() if isinstance(value, datetime.date) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> CertificateFacts:
        """What `as_json` made, read back."""
        values = dict(kept)
        for name in DATES:
            values[name] = datetime.date.fromisoformat(values[name]) if values[name] else None
        values["late_milestones"] = [LateMilestone(**row) for row in values["late_milestones"]]
        return cls(**values)

    @property
    def number_line(self) -> str:
        return f"〔{self.year}〕第{self.number:04}号"

    @property
    def days_late(self) -> int:
        """Days between the date in force and the completion; 0 when in time or without a date."""
        if self.due_on is None or self.completed_on is None:
            return 0
        return max(0, (self.completed_on - self.due_on).days)
