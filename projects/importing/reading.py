"""One row of a ledger as it was understood: the values, the words they came from, and what was found.

`Reading` is what the preview shows, what is kept until a person confirms, and what `preview_ledger` prints.
Dates in it are ISO strings and everything else is JSON already: a row is written and read back unchanged.
"""

from __future__ import annotations

from typing import Any

from projects.importing.findings import Finding, outcome_of, words

#: Shared by all rows that say nothing: nobody changes them in place, a row that says something has its own.
NO_START: dict[str, Any] = {"raw": "", "kind": "none", "iso": None}
NO_DEADLINE: dict[str, Any] = {**NO_START, "candidates": []}
NO_ENTERPRISE: dict[str, Any] = {"raw": "", "code": None, "candidates": []}
EMPTY: dict[str, Any] = {}


class Reading:
    """A row as understood.

    Not a dataclass: the parts that most rows leave empty are shared instead of made two hundred thousand times.

    Attributes:
        row: as the spreadsheet shows it.
        values: what would be written, by field (`projects.importing.fields`); only what the row states.
        raw: the text of each known column as the file has it, by column key.
        extra: columns that nobody knows: header → text.
        start, deadline: {"raw", "kind", "iso", "candidates"}.
        enterprise: {"raw", "code", "candidates"}; the id is `enterprise_id`.
        change: new, changed, unchanged, conflict.
        differences: field → [old, new], for what is there already.
        version: of the project that was compared with; `stated_version` as the file's locked column says.
        settled: codes that a person looked at and let stand.
    """

    __slots__ = (
        *(
            "sheet",
            "row",
            "name",
            "values",
            "raw",
            "extra",
            "start",
            "deadline",
            "enterprise",
            "enterprise_id",
        ),
        *("progress_pct", "status", "findings", "change", "project_id", "version", "stated_version"),
        *("differences", "conflict", "settled", "outcome"),
    )

    def __init__(self, sheet: str, row: int) -> None:
        self.sheet, self.row, self.name = sheet, row, ""
        self.values: dict[str, Any] = {}
        self.raw: dict[str, str] = {}
        self.extra: dict[str, str] = EMPTY
        self.start, self.deadline, self.enterprise = NO_START, NO_DEADLINE, NO_ENTERPRISE
        self.enterprise_id: int | None = None
        self.progress_pct: float | None = None
        self.status: str | None = None
        self.findings: list[Finding] = []
        self.change, self.conflict, self.outcome = "", "", "accepted"
        self.project_id: int | None = None
        self.version = 0
        self.stated_version: int | None = None
        self.differences: dict[str, list[Any]] = EMPTY
        self.settled: list[str] = []

    def settle(self) -> None:
        """The outcome that follows from what was found, and was not let stand by a person."""
        if self.settled:
            self.findings = [found for found in self.findings if found.code not in self.settled]
        self.outcome = outcome_of(self.findings)
        if self.change == "conflict" and self.outcome == "accepted":
            self.outcome = "needs_review"

    def as_data(self) -> dict[str, Any]:
        """What is kept of it as JSON; `from_data` reads it back. Empty parts are left out: there are many rows."""
        data: dict[str, Any] = {
            "values": self.values,
            "raw": self.raw,
            "start": self.start,
            "deadline": self.deadline,
            "enterprise": self.enterprise,
            "progress": self.progress_pct,
            "status": self.status,
        }
        if self.findings:
            data["findings"] = [[one.code, one.field, one.params] for one in self.findings]
        for key in ("extra", "differences", "stated_version", "conflict", "settled"):
            if value := getattr(self, key):
                data[key] = value
        return data

    @classmethod
    def from_data(cls, row: Any) -> Reading:
        """The reading that a stored row (`LedgerRow`) holds."""
        data = row.data
        one = cls(row.sheet, row.row)
        one.name, one.values, one.raw = row.name, dict(data["values"]), data["raw"]
        one.start, one.deadline = dict(data["start"]), dict(data["deadline"])
        one.enterprise, one.enterprise_id = dict(data["enterprise"]), row.enterprise_id
        one.progress_pct, one.status = data["progress"], data["status"]
        one.findings = [Finding(code, params, key) for code, key, params in data.get("findings", ())]
        one.change, one.project_id, one.version = row.change, row.project_id, row.version
        one.stated_version, one.conflict = data.get("stated_version"), data.get("conflict", "")
        one.extra, one.differences = data.get("extra", EMPTY), data.get("differences", EMPTY)
        one.settled, one.outcome = list(data.get("settled", ())), row.outcome
        return one

    def as_printed(self) -> dict[str, Any]:
        """One element of "rows" of `preview_ledger --json`."""
        return {
            "sheet": self.sheet,
            "row": self.row,
            "outcome": self.outcome,
            "change": self.change,
            "name": self.name,
            "enterprise": self.enterprise,
            "start": self.start,
            "deadline": self.deadline,
            "progress_pct": self.progress_pct,
            "status": self.status,
            "warnings": list(dict.fromkeys(one.code for one in self.findings)),
            "messages": self.messages,
            **({"extra": self.extra} if self.extra else {}),
            **({"differences": self.differences} if self.differences else {}),
        }

    @property
    def messages(self) -> list[str]:
        told = [words(one) for one in self.findings]
        return [*told, self.conflict] if self.conflict else told
