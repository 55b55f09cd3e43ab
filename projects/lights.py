"""Lights: pure rules, no clock, no database (product rule 3.7).

Facts about a project go in, a colour with its reason comes out. The reason is kept as a rule and
numbers, not as a sentence, so that it reads in the reader's language.

`RULES` is the only definition. `judge` reads it for facts in hand, `projects.services.light_sql` makes
SQL of it for 200,000 projects at once; a test holds the two together over a grid of facts.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypedDict

from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from projects.periods import DAY, Cycle, period_of
from projects.planned_progress import whole
from projects.states import ProjectStatus


class Light(models.TextChoices):
    RED = "red", _("Red")
    YELLOW = "yellow", _("Yellow")
    GREEN = "green", _("Green")
    GREY = "grey", _("Grey")
    BLUE = "blue", _("Blue")


class Reason(TypedDict, total=False):
    """Why a light shows: the rule's name and what it met.

    Dates, not days: a number of days would have every overdue project written anew each night.
    """

    rule: str
    n: int
    due_on: str
    planned: int
    actual: int
    gap: int
    on: str


@dataclass(frozen=True)
class LightPolicy:
    """Thresholds of a programme. Defaults are those of the product rules.

    Attributes:
        warning_days: due within so many days counts as due soon.
        yellow_gap: behind plan by at least so many percentage points is yellow.
        red_gap: behind plan by more than so many percentage points is red.
        red_fades: a red of this period that was made up is yellow until the period ends.
        cycle: the period, one of `periods.Cycle`.
    """

    warning_days: int = 7
    yellow_gap: int = 10
    red_gap: int = 30
    red_fades: bool = True
    cycle: str = Cycle.MONTH.value


@dataclass(frozen=True)
class ProjectFacts:
    """What the light of one project on one day depends on.

    Attributes:
        planned, actual: percent, 0 to 100; None where no milestone has a date.
        overdue: number of overdue milestones; `worst_on` the due date of the one that is longest late.
        missed_on: the project's own due date, where it has passed.
        due_soon: number of milestones in the warning window; `next_on` the due date of the first of them.
        awaits: number of milestones for which an extension, filed in time, waits for its decision.
        started: whether anything was begun; a blank status says nothing and counts as not begun.
        red_on: the latest day on which it was red, where that still counts (`red_counts_from`).
    """

    status: str
    planned: float | None = None
    actual: float = 0.0
    overdue: int = 0
    worst_on: datetime.date | None = None
    missed_on: datetime.date | None = None
    due_soon: int = 0
    next_on: datetime.date | None = None
    awaits: int = 0
    started: bool = False
    red_on: datetime.date | None = None

    def shown(self) -> dict[str, Any]:
        """The facts as rules read them: percents rounded as they are shown, so that 62 − 25 reads 37."""
        planned = None if self.planned is None else whole(self.planned)
        actual = whole(self.actual)
        gap = None if planned is None else max(0, planned - actual)
        return {**vars(self), "planned": planned, "actual": actual, "gap": gap}


Operator = Literal["=", ">", ">=", "known", "unknown"]


@dataclass(frozen=True)
class Threshold:
    """A number that the programme's policy gives."""

    name: Literal["warning_days", "yellow_gap", "red_gap"]


@dataclass(frozen=True)
class Test:
    """One condition on one fact. What is not known is neither equal to anything nor above it, as in SQL."""

    __test__ = False  # the name means something to pytest

    fact: str
    operator: Operator
    bound: int | str | bool | Threshold | None = None

    def limit(self, policy: LightPolicy) -> Any:
        return getattr(policy, self.bound.name) if isinstance(self.bound, Threshold) else self.bound

    def holds(self, facts: Mapping[str, Any], policy: LightPolicy) -> bool:
        value, limit = facts[self.fact], self.limit(policy)
        match self.operator:
            case "=":
                return bool(value == limit)
            case ">":
                return value is not None and bool(value > limit)
            case ">=":
                return value is not None and bool(value >= limit)
            case "known":
                return value is not None
        return value is None


@dataclass(frozen=True)
class Rule:
    """A light and when it shows.

    Attributes:
        name: kept in the reason, and what its sentence is found by.
        when: all of these hold.
        keeps: names in the reason → facts that they are filled from.
        flag: a switch of the policy that must be on.
    """

    name: str
    light: Light
    when: tuple[Test, ...] = ()
    keeps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    flag: Literal["red_fades"] | None = None

    def is_asked(self, policy: LightPolicy) -> bool:
        return self.flag is None or bool(getattr(policy, self.flag))

    def fits(self, facts: Mapping[str, Any], policy: LightPolicy) -> bool:
        return self.is_asked(policy) and all(test.holds(facts, policy) for test in self.when)


#: Percents in a reason. A project does not keep them there (`kept`): they move with every day.
NUMBERS = MappingProxyType({"planned": "planned", "actual": "actual", "gap": "gap"})

#: In this order; the first that fits decides. The last one always fits.
RULES: tuple[Rule, ...] = (
    Rule("closed_out", Light.BLUE, (Test("status", "=", ProjectStatus.CLOSED_OUT.value),)),
    Rule("terminated", Light.GREY, (Test("status", "=", ProjectStatus.TERMINATED.value),)),
    Rule("suspended", Light.GREY, (Test("status", "=", ProjectStatus.SUSPENDED.value),)),
    Rule("overdue", Light.RED, (Test("overdue", ">", 0),), {"n": "overdue", "due_on": "worst_on"}),
    Rule("project_overdue", Light.RED, (Test("missed_on", "known"),), {"due_on": "missed_on"}),
    Rule("behind", Light.RED, (Test("gap", ">", Threshold("red_gap")),), NUMBERS),
    Rule("extension", Light.YELLOW, (Test("awaits", ">", 0),), {"n": "awaits"}),
    Rule("due_soon", Light.YELLOW, (Test("due_soon", ">", 0),), {"n": "due_soon", "due_on": "next_on"}),
    Rule("behind", Light.YELLOW, (Test("gap", ">=", Threshold("yellow_gap")),), NUMBERS),
    # Only what would be green, or grey for want of a beginning, comes as far as this.
    Rule("made_up", Light.YELLOW, (Test("red_on", "known"),), {"on": "red_on"}, flag="red_fades"),
    Rule("not_started", Light.GREY, (Test("started", "=", False),)),
    Rule("no_date", Light.GREEN, (Test("planned", "unknown"),)),
    Rule("on_plan", Light.GREEN, (), NUMBERS),
)

_NUMBERED = {rule.name for rule in RULES if rule.keeps is NUMBERS}


def rule_that_fits(facts: ProjectFacts, policy: LightPolicy) -> int:
    """Position in `RULES` of the first rule that fits."""
    values = facts.shown()
    return next(n for n, rule in enumerate(RULES) if rule.fits(values, policy))


def judge(facts: ProjectFacts, policy: LightPolicy) -> tuple[Light, Reason]:
    """The light of a project and the reason for it: the first rule that fits, worst first."""
    rule, values = RULES[rule_that_fits(facts, policy)], facts.shown()
    kept = {name: values[fact] for name, fact in rule.keeps.items()}
    reason = {
        n: value.isoformat() if isinstance(value, datetime.date) else value for n, value in kept.items()
    }
    return rule.light, {"rule": rule.name, **reason}  # type: ignore[typeddict-item]


def kept(reason: Reason) -> Reason:
    """The reason as a project keeps it: what stays as it is from one day to the next."""
    return {name: value for name, value in reason.items() if name not in NUMBERS}  # type: ignore[return-value]


def with_numbers(reason: Mapping[str, Any], planned: int | None, actual: int) -> Mapping[str, Any]:
    """A kept reason with the percents that its sentence names."""
    if planned is None or reason.get("rule") not in _NUMBERED:
        return reason
    return {**reason, "planned": planned, "actual": actual, "gap": max(0, planned - actual)}


def red_counts_from(policy: LightPolicy, as_of: datetime.date, since: datetime.date | None) -> datetime.date:
    """The first day from which a red still fades on `as_of`: of this period, and under these thresholds.

    Args:
        since: the day on which the thresholds were last changed; None when they never were. What was red
            on that day or before it may have been so under the old ones, and is not held against anyone.
    """
    first = period_of(as_of, policy.cycle).first
    return first if since is None else max(first, since + DAY)


def reason_text(reason: Reason | Mapping[str, Any], as_of: datetime.date | None = None) -> str:
    """The sentence that a person reads beside the light, in the active language.

    Args:
        as_of: the day from which days are counted; without one the date is named instead.
    """
    rule = reason.get("rule", "")
    texts = {
        "closed_out": gettext("Closed out"),
        "terminated": gettext("Terminated"),
        "suspended": gettext("Suspended, no light for now"),
        "not_started": gettext("Not begun, nothing due yet"),
        "no_date": gettext("Under way, no date set"),
        "archived": gettext("Archived programme, no light any more"),
        "": gettext("Not judged yet"),
    }
    if rule in texts:
        return texts[rule]
    if rule in ("overdue", "project_overdue", "due_soon"):
        return _dated_text(reason, as_of)
    if rule == "extension":
        return ngettext(
            "%(n)d extension awaits its decision", "%(n)d extensions await their decision", reason["n"]
        ) % {"n": reason["n"]}
    if rule == "made_up":
        return gettext("Was red in this period (%(day)s) and made up: yellow until the period ends") % {
            "day": _short(reason["on"])
        }
    if rule == "behind":
        return gettext("Planned %(planned)d%%, actual %(actual)d%%, behind by %(gap)d points") % reason
    if reason.get("gap"):
        return (
            gettext("Planned %(planned)d%%, actual %(actual)d%%, %(gap)d points behind, within tolerance")
            % reason
        )
    return gettext("Planned %(planned)d%%, actual %(actual)d%%, on plan") % reason


def _dated_text(reason: Mapping[str, Any], as_of: datetime.date | None) -> str:
    """A reason about a due date. Those stored before dates were kept have `days` instead."""
    rule, n, due_on = reason["rule"], reason.get("n", 0), reason.get("due_on")
    days = reason.get("days")
    if due_on and as_of is not None:
        passed = (as_of - datetime.date.fromisoformat(due_on)).days
        days = max(0, -passed if rule == "due_soon" else passed)
    if rule == "overdue":
        if days is not None:
            return ngettext(
                "%(n)d milestone overdue, by %(days)d days",
                "%(n)d milestones overdue, the worst by %(days)d days",
                n,
            ) % {"n": n, "days": days}
        return ngettext(
            "%(n)d milestone overdue, due on %(day)s",
            "%(n)d milestones overdue, the earliest due on %(day)s",
            n,
        ) % {"n": n, "day": _short(due_on)}
    if rule == "project_overdue":
        if days is not None:
            return gettext("The project's date has passed by %(days)d days") % {"days": days}
        return gettext("The project's date, %(day)s, has passed") % {"day": _short(due_on)}
    if days is None:
        return gettext("%(n)d due soon, the first on %(day)s") % {"n": n, "day": _short(due_on)}
    if days == 0:
        return gettext("%(n)d due soon, the first today") % {"n": n}
    return gettext("%(n)d due soon, the first in %(days)d days") % {"n": n, "days": days}


def _short(day: str | None) -> str:
    return date_format(datetime.date.fromisoformat(day), "MONTH_DAY_FORMAT") if day else "—"
