"""The columns of the lists of projects' things in a file: what is read for each, and how it becomes a cell."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from enterprises.scoped_export import Listed, choices_of, yes_no
from projects.models import ExtensionRequest, OverdueEpisode, SiteVisit
from projects.states import CloseOutState, ExtensionState, MilestoneState, ReportState


def _who_answers(*named: Any) -> str:
    """The highest of three who is named: account (its name, else its login) or text; as `Project.who_answers`."""
    for name, username, text in zip(named[0::3], named[1::3], named[2::3], strict=True):
        if found := name or username or text:
            return str(found)
    return ""


def _person(path: str) -> tuple[str, str]:
    return f"{path}__name", f"{path}__username"


def _named(name: Any, username: Any) -> str:
    return str(name or username or "")


def _who(prefix: str) -> tuple[str, ...]:
    found: list[str] = []
    for level in ("accountable_lead", "direct_lead", "coordinator"):
        found += [*_person(f"{prefix}{level}"), f"{prefix}{level}_text"]
    return tuple(found)


def _of_project(prefix: str) -> tuple[Listed, ...]:
    return (
        Listed("project", _("project"), (f"{prefix}name",), width=40),
        Listed("code", _("code"), (f"{prefix}code",), width=14),
        Listed("enterprise", _("responsible enterprise"), (f"{prefix}enterprise__name",), width=30),
    )


def _days_late(due_on: datetime.date | None, closed_on: datetime.date | None, days: int | None) -> int | None:
    """Days of an episode: those that were kept when it closed, else those until today."""
    if closed_on is not None or due_on is None:
        return days
    return max(0, (timezone.localdate() - due_on).days)


MILESTONES: Sequence[Listed] = (
    *_of_project("project__"),
    Listed("milestone", _("milestone"), ("name",), width=36),
    Listed("order", _("order"), ("order",), "number", 8),
    Listed("weight", _("weight"), ("weight",), "number", 8),
    Listed("who", _("who answers"), _who("project__"), width=24, make=_who_answers),
    Listed("starts_on", _("starts on"), ("starts_on",), "date", 12),
    Listed("baseline_due_on", _("date first promised"), ("baseline_due_on",), "date", 12),
    Listed("due_on", _("due on"), ("due_on",), "date", 12),
    Listed("percent", _("progress"), ("percent",), "percent", 10),
    Listed("state", _("state"), ("state",), width=12, choices=choices_of(MilestoneState)),
    Listed("suspended", _("suspended"), ("is_suspended",), width=8, make=yes_no),
    Listed("claimed_on", _("claimed completion"), ("claimed_on",), "date", 12),
    Listed("accepted_on", _("accepted on"), ("accepted_on",), "date", 12),
    Listed("programme", _("programme"), ("project__programme__name",), width=30),
)
EPISODES: Sequence[Listed] = (
    *_of_project("milestone__project__"),
    Listed("milestone", _("milestone"), ("milestone__name",), width=36),
    Listed("who", _("who answers"), _who("milestone__project__"), width=24, make=_who_answers),
    Listed("due_on", _("due date breached"), ("due_on",), "date", 12),
    Listed("opened_on", _("overdue from"), ("opened_on",), "date", 12),
    Listed("closed_on", _("closed on"), ("closed_on",), "date", 12),
    Listed("cause", _("how closed"), ("cause",), width=14, choices=choices_of(OverdueEpisode.Cause)),
    Listed("late", _("days late"), ("due_on", "closed_on", "days_late"), "number", 10, make=_days_late),
    Listed("programme", _("programme"), ("milestone__project__programme__name",), width=30),
)


def _submission(prefix: str, states: Any) -> tuple[tuple[Listed, ...], tuple[Listed, ...]]:
    before = (
        Listed("submitted_at", _("submitted at"), ("submitted_at",), "datetime", 18),
        *_of_project(prefix),
    )
    after = (
        Listed("round", _("round"), ("round",), "number", 8),
        Listed("state", _("state"), ("state",), width=14, choices=choices_of(states)),
        Listed("submitted_by", _("submitted by"), _person("submitted_by"), width=14, make=_named),
        Listed("decided_by", _("decided by"), _person("decided_by"), width=14, make=_named),
        Listed("decided_at", _("decided at"), ("decided_at",), "datetime", 18),
        Listed("comment", _("reviewer's comment"), ("comment",), width=40),
    )
    return before, after


_BEFORE, _AFTER = _submission("milestone__project__", ReportState)
REPORTS: Sequence[Listed] = (
    *_BEFORE,
    Listed("milestone", _("milestone"), ("milestone__name",), width=36),
    Listed("percent_before", _("progress before (%)"), ("percent_before",), "percent", 10),
    Listed("percent", _("progress (%)"), ("percent",), "percent", 10),
    Listed("no_change", _("no change this period"), ("no_change",), width=10, make=yes_no),
    Listed("done", _("what was done"), ("done",), width=44),
    Listed("problems", _("problems"), ("problems",), width=36),
    Listed("needs", _("needs coordination"), ("needs",), width=36),
    Listed("next_step", _("next step"), ("next_step",), width=36),
    Listed("claimed_on", _("completed on"), ("claimed_on",), "date", 12),
    *_AFTER,
)
_BEFORE, _AFTER = _submission("milestone__project__", ExtensionState)
EXTENSIONS: Sequence[Listed] = (
    *_BEFORE,
    Listed("milestone", _("milestone"), ("milestone__name",), width=36),
    Listed("from_on", _("present date"), ("from_on",), "date", 12),
    Listed("to_on", _("new date"), ("to_on",), "date", 12),
    Listed("reason_class", _("kind of reason"), ("reason_class",), width=18, choices=choices_of(ExtensionRequest.ReasonClass)),
    Listed("reason", _("reason"), ("reason",), width=44),
    Listed("is_late", _("filed after the date"), ("is_late",), width=10, make=yes_no),
    *_AFTER,
)  # fmt: skip
_BEFORE, _AFTER = _submission("project__", CloseOutState)
CLOSE_OUTS: Sequence[Listed] = (
    *_BEFORE,
    Listed("achieved", _("what was achieved"), ("achieved",), width=44),
    Listed("completed_on", _("completed on"), ("completed_on",), "date", 12),
    Listed("reached", _("beneficiaries reached"), ("beneficiaries_reached",), "number", 14),
    Listed("unit", _("unit of beneficiaries"), ("beneficiaries_unit",), width=10),
    Listed("shortfall", _("not achieved, and why"), ("shortfall",), width=36),
    Listed("follow_up", _("follow-up after acceptance"), ("follow_up",), width=36),
    Listed("follow_up_owner", _("follow-up owner"), ("follow_up_owner",), width=14),
    Listed("verified_by", _("verified by"), _person("verified_by"), width=14, make=_named),
    Listed("number", _("certificate number"), ("number",), "number", 12),
    *_AFTER,
)
REMINDERS: Sequence[Listed] = (
    Listed("sent_at", _("reminded at"), ("sent_at",), "datetime", 18),
    Listed("project", _("project"), ("project__name",), width=40),
    Listed("milestone", _("milestone"), ("milestone__name",), width=36),
    Listed("enterprise", _("enterprise reminded"), ("enterprise__name",), width=30),
    Listed("note", _("note"), ("note",), width=44),
    Listed("sent_by", _("reminded by"), _person("sent_by"), width=14, make=_named),
    Listed("told", _("people told"), ("told",), "number", 10),
)

VISITS: Sequence[Listed] = (
    *_of_project("project__"),
    Listed("visited_on", _("visited on"), ("visited_on",), "date", 12),
    Listed("kind", _("kind"), ("kind",), width=12, choices=choices_of(SiteVisit.Kind)),
    Listed("place", _("place"), ("place",), width=24),
    Listed("leader", _("visiting leader"), _person("leader"), width=14, make=_named),
    Listed("companions", _("who came along"), ("companions",), width=30),
    Listed("findings", _("findings"), ("findings",), width=60),
    Listed("programme", _("programme"), ("project__programme__name",), width=30),
)
ACTION_ITEMS: Sequence[Listed] = (
    *_of_project("project__"),
    Listed("text", _("what is to be done"), ("text",), width=60),
    Listed("leader", _("instructed by"), _person("leader"), width=14, make=_named),
    Listed("given_on", _("given on"), ("given_on",), "date", 12),
    Listed("responsible", _("responsible account"), _person("responsible"), width=14, make=_named),
    Listed("responsible_text", _("responsible (unit or person)"), ("responsible_text",), width=24),
    Listed("due_on", _("due on"), ("due_on",), "date", 12),
    Listed("done_on", _("done on"), ("done_on",), "date", 12),
    Listed("done_note", _("how it was done"), ("done_note",), width=60),
    Listed("programme", _("programme"), ("project__programme__name",), width=30),
)
