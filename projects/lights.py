"""Planned progress and lights: pure rules, no clock, no database (product rules 3.6 and 3.7).

Facts about a project go in, a colour with its reason comes out. The reason is kept as a rule and
numbers, not as a sentence, so that it reads in the reader's language.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypedDict

from django.db import models
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from projects.states import ProjectStatus


class Light(models.TextChoices):
    RED = "red", _("Red")
    YELLOW = "yellow", _("Yellow")
    GREEN = "green", _("Green")
    GREY = "grey", _("Grey")
    BLUE = "blue", _("Blue")


class Reason(TypedDict, total=False):
    """Why a light shows: the rule's name and the numbers it met."""

    rule: str
    n: int
    days: int
    planned: int
    actual: int
    gap: int


@dataclass(frozen=True)
class LightPolicy:
    """Thresholds of a programme. Defaults are those of the product rules.

    Attributes:
        warning_days: due within so many days counts as due soon.
        yellow_gap: behind plan by at least so many percentage points is yellow.
        red_gap: behind plan by more than so many percentage points is red.
    """

    warning_days: int = 7
    yellow_gap: int = 10
    red_gap: int = 30


@dataclass(frozen=True)
class ProjectFacts:
    """What the light of one project on one day depends on.

    Attributes:
        planned, actual: percent, 0 to 100; None where no milestone has a date.
        overdue: number of overdue milestones; `days` by how many days the worst one is late.
        project_days: days by which the project's own date has passed, 0 if it has not.
        due_soon: number of milestones in the warning window; `next_days` until the first of them.
        awaits: number of milestones for which an extension, filed in time, waits for its decision.
    """

    status: str
    planned: float | None = None
    actual: float = 0.0
    overdue: int = 0
    days: int = 0
    project_days: int = 0
    due_soon: int = 0
    next_days: int = 0
    awaits: int = 0
    started: bool = False


@dataclass(frozen=True)
class PlannedStep:
    """A milestone as the plan sees it. `percent` is what was reported, 0 to 100.

    While an extension awaits its decision the plan asks for no more than was reported: the date that it
    would be measured by is the one in question.
    """

    weight: int
    starts_on: datetime.date | None
    due_on: datetime.date | None
    percent: float
    accepted: bool
    awaits_extension: bool = False


def judge(facts: ProjectFacts, policy: LightPolicy) -> tuple[Light, Reason]:
    """The light of a project and the reason for it: the first rule that fits, worst first."""
    if facts.status == ProjectStatus.CLOSED_OUT:
        return Light.BLUE, {"rule": "closed_out"}
    if facts.status == ProjectStatus.TERMINATED:
        return Light.GREY, {"rule": "terminated"}
    if facts.status == ProjectStatus.SUSPENDED:
        return Light.GREY, {"rule": "suspended"}
    if facts.overdue:
        return Light.RED, {"rule": "overdue", "n": facts.overdue, "days": facts.days}
    if facts.project_days:
        return Light.RED, {"rule": "project_overdue", "days": facts.project_days}
    behind = _behind(facts)
    if behind["gap"] > policy.red_gap:
        return Light.RED, {"rule": "behind", **behind}  # type: ignore[typeddict-item]
    if facts.awaits:
        return Light.YELLOW, {"rule": "extension", "n": facts.awaits}
    if facts.due_soon:
        return Light.YELLOW, {"rule": "due_soon", "n": facts.due_soon, "days": facts.next_days}
    if behind["gap"] >= policy.yellow_gap:
        return Light.YELLOW, {"rule": "behind", **behind}  # type: ignore[typeddict-item]
    if not facts.started:
        return Light.GREY, {"rule": "not_started"}
    if facts.planned is None:
        return Light.GREEN, {"rule": "no_date"}
    return Light.GREEN, {"rule": "on_plan", **behind}  # type: ignore[typeddict-item]


def _behind(facts: ProjectFacts) -> dict[str, int]:
    """Planned, actual and their gap, rounded as they are shown: 62 − 25 must read 37."""
    planned, actual = round(facts.planned or 0), round(facts.actual)
    gap = max(0, planned - actual) if facts.planned is not None else 0
    return {"planned": planned, "actual": actual, "gap": gap}


def reason_text(reason: Reason | dict[str, Any]) -> str:
    """The sentence that a person reads beside the light, in the active language."""
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
    if rule == "overdue":
        return ngettext(
            "%(n)d milestone overdue, by %(days)d days",
            "%(n)d milestones overdue, the worst by %(days)d days",
            reason["n"],
        ) % {"n": reason["n"], "days": reason["days"]}
    if rule == "project_overdue":
        return gettext("The project's date has passed by %(days)d days") % {"days": reason["days"]}
    if rule == "extension":
        return ngettext(
            "%(n)d extension awaits its decision", "%(n)d extensions await their decision", reason["n"]
        ) % {"n": reason["n"]}
    if rule == "due_soon":
        if reason["days"] == 0:
            return gettext("%(n)d due soon, the first today") % {"n": reason["n"]}
        return gettext("%(n)d due soon, the first in %(days)d days") % {
            "n": reason["n"],
            "days": reason["days"],
        }
    if rule == "behind":
        return gettext("Planned %(planned)d%%, actual %(actual)d%%, behind by %(gap)d points") % reason
    if reason.get("gap"):
        return (
            gettext("Planned %(planned)d%%, actual %(actual)d%%, %(gap)d points behind, within tolerance")
            % reason
        )
    return gettext("Planned %(planned)d%%, actual %(actual)d%%, on plan") % reason


def planned_share(step: PlannedStep, as_of: datetime.date) -> float:
    """How much of a step the plan expects at the end of `as_of`, 0 to 1: linear from start to due.

    Without a start the plan expects nothing before the due day and everything on it: inventing a
    start would accuse an enterprise of being behind a plan that nobody made.
    """
    if step.due_on is None:
        return 0.0
    if as_of >= step.due_on:
        return 1.0
    if step.starts_on is None or as_of < step.starts_on:
        return 0.0
    days = (step.due_on - step.starts_on).days + 1
    return ((as_of - step.starts_on).days + 1) / days


def progress(steps: Iterable[PlannedStep], as_of: datetime.date) -> tuple[float | None, float]:
    """Planned and actual progress of a project in percent.

    Planned is None when no step has a date: there is no plan to be behind of. Steps without a date
    count in what was achieved, never in what was planned.
    """
    weights = planned = actual = dated = 0.0
    for step in steps:
        weights += step.weight
        actual += step.weight * (100.0 if step.accepted else step.percent)
        if step.due_on is not None:
            dated += step.weight
            share = planned_share(step, as_of)
            if step.awaits_extension:
                share = min(share, step.percent / 100)
            planned += step.weight * share
    if not weights:
        return None, 0.0
    return (100.0 * planned / weights if dated else None), actual / weights
