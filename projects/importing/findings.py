"""What reading a ledger may find, and what each finding means for its row: the one table of codes.

The codes are the portal's language between file, preview, workbook of faults and command; the words that a
person reads stand beside them. Rule source: the ledger rules, docs/ledgers.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Outcome(TextChoices):
    ACCEPTED = "accepted", pgettext_lazy("ledger row", "accepted")
    NEEDS_REVIEW = "needs_review", pgettext_lazy("ledger row", "needs review")
    REJECTED = "rejected", pgettext_lazy("ledger row", "rejected")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in one cell or row.

    Attributes:
        code: a key of `MEANINGS`.
        params: what the words name: mostly `value` (as the file has it) and `read` (what was made of it).
        field: key of the column, "" when it concerns the whole row.
    """

    code: str
    params: dict[str, Any] = field(default_factory=dict, hash=False)
    field: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means: the outcome of a row that has it, and the words (what, and the cure)."""

    outcome: Outcome
    words: Any


_A, _R, _X = Outcome.ACCEPTED, Outcome.NEEDS_REVIEW, Outcome.REJECTED

#: Warnings and refusals of rows. Those of whole files are in `opening` (`FileRefused`).
MEANINGS: dict[str, Meaning] = {
    # reading of text
    "FULLWIDTH_NORMALISED": Meaning(_A, _("“%(value)s”: full-width characters were read as %(read)s.")),
    "INVISIBLE_REMOVED": Meaning(_A, _("“%(value)s”: invisible characters were left out.")),
    "WHITESPACE_TRIMMED": Meaning(_A, _("“%(value)s”: blanks around the text were left out.")),
    "TRADITIONAL_CONVERTED": Meaning(_A, _("“%(value)s”: traditional characters were read as “%(read)s”.")),
    "TEXT_NOISE_CLEANED": Meaning(_A, _("“%(value)s” was read as “%(read)s”.")),
    "MERGED_FILL_DOWN": Meaning(_A, _("The value comes from a merged cell above.")),
    # dates
    "YEAR_INFERRED": Meaning(_A, _("“%(value)s” names no year; it was read as %(read)s.")),
    "NUMERIC_MONTH": Meaning(_A, _("The number %(value)s was read as a month: %(read)s.")),
    "SERIAL_DATE": Meaning(_A, _("The number %(value)s was read as a date of the spreadsheet: %(read)s.")),
    "COMPACT_DATE": Meaning(_A, _("“%(value)s” was read as %(read)s.")),
    "TWO_DIGIT_YEAR": Meaning(_A, _("“%(value)s”: the year has two digits; it was read as %(read)s.")),
    "TIME_DROPPED": Meaning(_A, _("“%(value)s”: the time of day was left out.")),
    "DEADLINE_MISSING": Meaning(_A, _("There is no deadline. It will be listed under “no date”.")),
    "AMBIGUOUS_DEADLINE": Meaning(
        _R, _("The deadline “%(value)s” can be read in several ways. Choose the date.")
    ),
    "AMBIGUOUS_START": Meaning(_R, _("The start “%(value)s” can be read in several ways. Choose the date.")),
    "MULTI_DATE": Meaning(_R, _("“%(value)s” holds several dates. Choose the one that is meant.")),
    "INVALID_DATE": Meaning(_X, _("“%(value)s” is no date of the calendar. Correct it in the ledger.")),
    "DEADLINE_BEFORE_START": Meaning(
        _X, _("The deadline %(due)s lies before the start %(start)s. Correct one of them.")
    ),
    "IMPLAUSIBLE_YEAR": Meaning(_R, _("The year of “%(value)s” lies far from the programme. Check it.")),
    # progress and status
    "PERCENT_FRACTION": Meaning(_A, _("%(value)s was read as %(read)s%%.")),
    "AMBIGUOUS_PERCENT": Meaning(_R, _("“%(value)s” may mean 1%% or 100%%. Choose.")),
    "PROGRESS_APPROX": Meaning(_A, _("“%(value)s” was read as %(read)s%%.")),
    "PROGRESS_FROM_RATIO": Meaning(_A, _("“%(value)s” was read as %(read)s%%.")),
    "PROGRESS_FROM_TEXT": Meaning(_A, _("In “%(value)s” a progress of %(read)s%% was found.")),
    "PROGRESS_TEXT_ONLY": Meaning(_A, _("“%(value)s” is kept as text; it holds no percentage.")),
    "PERCENT_OVER_100": Meaning(_A, _("“%(value)s” is above 100%% and was read as 100%%.")),
    "INVALID_PERCENT": Meaning(_R, _("“%(value)s” is no percentage. Enter a number from 0 to 100.")),
    "STATUS_SYMBOL": Meaning(_A, _("The sign “%(value)s” was read as “%(read)s”.")),
    "STATUS_PROGRESS_CONFLICT": Meaning(
        _R, _("The state “%(value)s” does not fit a progress of %(read)s%%. Choose.")
    ),
    "SELF_REPORTED_DELAY": Meaning(_A, _("The ledger itself speaks of a delay: “%(value)s”.")),
    "UNKNOWN_STATUS": Meaning(_R, _("The state “%(value)s” is not known. Choose one.")),
    # names, persons, numbers
    "NAME_MISSING": Meaning(_X, _("The project has no name. Enter it in the ledger.")),
    "NAME_TOO_LONG": Meaning(_X, _("The name has %(length)s characters; %(most)s are possible. Shorten it.")),
    "TEXT_TOO_LONG": Meaning(_R, _("The text has %(length)s characters; %(most)s are possible. Shorten it.")),
    "PHONE_IN_PERSON": Meaning(
        _A, _("The cell of the person holds a phone number; it is kept with the name.")
    ),
    "INVALID_NUMBER": Meaning(_A, _("“%(value)s” is no number; it is kept as text.")),
    "NUMBER_APPROX": Meaning(_A, _("“%(value)s” is an approximate number; it was read as %(read)s.")),
    "INVALID_USCC": Meaning(_R, _("“%(value)s” is no valid credit code (GB 32100-2015). Check the digits.")),
    # enterprises and registers
    "NEAR_MISS_ENTERPRISE": Meaning(
        _R, _("“%(value)s” is not in the register, but there are similar names. Choose.")
    ),
    "UNKNOWN_ENTERPRISE": Meaning(
        _R, _("“%(value)s” is not among the enterprises you work for. Choose one.")
    ),
    "NOT_YOUR_ENTERPRISE": Meaning(
        _X, _("“%(value)s” is not among the enterprises you work for. The row is not taken.")
    ),
    "MULTIPLE_ENTERPRISES": Meaning(
        _R, _("“%(value)s” names several enterprises. Choose the one that answers for it.")
    ),
    "ENTERPRISE_MISSING": Meaning(_R, _("No responsible enterprise is named. Choose one.")),
    "UNKNOWN_BRANCH": Meaning(
        _A, _("The party organisation “%(value)s” is not in the register and was left out.")
    ),
    "UNKNOWN_SUPPORTING": Meaning(
        _A, _("The supporting unit “%(value)s” is not in the register and was left out.")
    ),
    "UNKNOWN_CATEGORY": Meaning(
        _R, _("The category “%(value)s” does not belong to the programme. Choose one.")
    ),
    "UNKNOWN_CHOICE": Meaning(_A, _("“%(value)s” is none of the values of this column and was left out.")),
    # identity
    "DUPLICATE_IN_FILE": Meaning(
        _R, _("The same project stands in row %(row)s already. Keep one of the two.")
    ),
    "SAMPLE_ROW": Meaning(
        _X, _("This is the sample row of the template. It is left out; write your projects below it.")
    ),
    "NOT_OF_PROGRAMME": Meaning(
        _X,
        _(
            "The ledger says that “%(value)s” is in the portal, but this programme has no such project. Choose the programme that the ledger was exported from."
        ),
    ),
    "DUPLICATE_SERIAL": Meaning(_A, _("The serial number %(value)s stands in row %(row)s already.")),
    "EXISTS_IN_SYSTEM": Meaning(_A, _("The project is in the portal already (%(read)s).")),
    "SIMILAR_NAME": Meaning(
        _A, _("The portal has a project of this enterprise with a similar name: “%(read)s”.")
    ),
    "SAME_NAME_OTHER_ENTERPRISE": Meaning(
        _A, _("Another enterprise has a project with this name: %(read)s.")
    ),
    "CODE_GIVEN_BY_PORTAL": Meaning(
        _A, _("The code “%(value)s” was left out: the portal gives the codes of new projects.")
    ),
    "FIXED_BY_APPROVAL": Meaning(
        _A, _("“%(field)s” stays “%(old)s”: it was approved. Dates move by a request for extension only.")
    ),
    "GONE_MEANWHILE": Meaning(
        _A,
        _(
            "“%(field)s”: what the row names was removed from the portal after the preview. The row was not taken; hand it in again."
        ),
    ),
    "NOT_CHANGEABLE": Meaning(
        _X, _("The project is in the portal and cannot be changed by you now (%(read)s).")
    ),
    "PROGRESS_BY_REPORT": Meaning(
        _A,
        _("Progress %(value)s%% was not taken over: the portal has %(read)s%%. Hand in a progress report."),
    ),
    # cells and rows
    "FORMULA_LIKE_TEXT": Meaning(_A, _("“%(value)s” begins like a formula; it is kept as text.")),
    "FORMULA_CELL": Meaning(_R, _("The cell holds a formula (%(value)s). Check its result “%(read)s”.")),
    "EXCEL_ERROR_VALUE": Meaning(
        _R, _("The cell holds an error of the spreadsheet (%(value)s). Enter the value.")
    ),
    "EMBEDDED_IMAGE_IGNORED": Meaning(_A, _("A picture in the cell was left out. Upload it as evidence.")),
    "COLUMN_COUNT_MISMATCH": Meaning(
        _R, _("The row has %(cells)s cells, the header %(columns)s. Check where they belong.")
    ),
    "OVERDUE_AT_IMPORT": Meaning(
        _A, _("The deadline %(read)s has passed: the project will be overdue at once.")
    ),
    "MILESTONE_UNREAD": Meaning(_R, _("Of the milestones, “%(value)s” could not be read. Enter its date.")),
}


#: How the states that a ledger may name are called. What was found keeps their keys, for any language.
STATE_WORDS: dict[str, Any] = {
    "not_started": _("not begun"),
    "in_progress": _("under way"),
    "done": _("done"),
    "ongoing": _("standing duty"),
    "suspended": _("suspended"),
}

#: As plain words: they are compared for each of hundreds of thousands of findings.
_OUTCOMES: dict[str, str] = {code: meaning.outcome.value for code, meaning in MEANINGS.items()}


def outcome_of(findings: list[Finding]) -> str:
    """The worst of what was found (a value of `Outcome`): refused before asked about before taken."""
    worst = "accepted"
    for found in findings:
        outcome = _OUTCOMES[found.code]
        if outcome == "rejected":
            return outcome
        if outcome == "needs_review":
            worst = outcome
    return worst


def words(found: Finding) -> str:
    """What was found, in the language of the reader."""
    params = found.params
    if found.code == "STATUS_SYMBOL":
        params = {**params, "read": STATE_WORDS.get(params["read"], params["read"])}
    return str(MEANINGS[found.code].words) % params
