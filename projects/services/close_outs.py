"""Verbs of the officer on close-outs (销号). The two decisions on them stand in `reviews`."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.plain_text import is_blank
from enterprises.scoping import may
from projects.models import CloseOut, ExtensionRequest, Milestone, Programme, ProgressReport, Project
from projects.services import milestones
from projects.services.extensions import shown
from projects.services.lights import refresh_lights
from projects.services.refusals import Refused
from projects.services.reports import wrong_completion_day
from projects.services.submissions import check, draft_among, hand_in, keep, next_round, take_back
from projects.states import CloseOutState, MilestoneState
from projects.workflow import UNDER_WAY, Subject, step_of

FIELDS = (
    "achieved",
    "completed_on",
    "beneficiaries_reached",
    "beneficiaries_unit",
    "shortfall",
    "follow_up",
    "follow_up_owner",
)
_SETTLED = (MilestoneState.ACCEPTED, MilestoneState.CANCELLED)


def cannot_ask(project: Project, actor: User, as_of: datetime.date) -> str:
    """Why `actor` cannot ask for the close-out of a project now, or "" (product rules, section 5)."""
    if not may(actor, "report", project):
        return _("Your role does not include this step.")
    if not project.programme.in_force(as_of):
        return _("The programme is archived or not in force; its milestones are history.")
    if project.status not in UNDER_WAY:
        return _("The project is “%(state)s”.") % {"state": project.get_status_display()}
    if not project.approved_on:
        return _("The dates are not approved yet: without a promise there is nothing to accept against.")
    return unsettled(project)


def unsettled(project: Project) -> str:
    """What still stands open in a project, so that it cannot be closed out, or ""."""
    rows = list(project.milestones.all())
    if not any(row.state == MilestoneState.ACCEPTED for row in rows):
        return _("No milestone was accepted yet: there is nothing that could be closed out.")
    if waiting := [row.name for row in rows if row.state not in _SETTLED]:
        return _(
            "Every milestone must be accepted, or cancelled with a reason, first. Not yet: %(names)s."
        ) % {"names": "、".join(waiting[:5])}
    if _awaited(project):
        return _("A report or an extension request of this project waits for its decision.")
    return ""


def _awaited(project: Project) -> bool:
    reports = ProgressReport.objects.waiting().filter(milestone__project=project)
    return reports.exists() or ExtensionRequest.objects.waiting().filter(milestone__project=project).exists()


def unsaved(project: Project) -> CloseOut:
    """The acceptance form as it would open now, filled with what is known; nothing is created."""
    last = CloseOut.objects.filter(project=project).order_by("-round").first()
    opening: dict[str, Any] = {name: getattr(last, name) for name in FIELDS} if last else _known(project)
    return CloseOut(
        project=project,
        programme=project.programme,
        round=next_round(project.close_outs),  # type: ignore[attr-defined]
        **opening,
    )


@transaction.atomic
def open_draft(*, project_id: int, actor: User, as_of: datetime.date) -> CloseOut:
    """The draft of a project's acceptance form, made when there is none, filled with what is known.

    Raises:
        Refused: the project cannot be closed out yet, or a close-out waits already.
    """
    project = _locked(project_id)
    rounds = CloseOut.objects.filter(project=project)
    draft = draft_among(rounds, _("A close-out waits for its decision already; withdraw it to write on."))
    if reason := cannot_ask(project, actor, as_of):
        raise Refused(reason)
    if draft is None:
        draft = unsaved(project)
        draft.save()
    draft.project = project
    return draft


def _known(project: Project) -> dict[str, Any]:
    """What the portal knows already and so does not ask for (product rules, section 6)."""
    done = project.milestones.filter(state=MilestoneState.ACCEPTED)
    return {
        "achieved": "\n".join(f"{row.name}：{shown(row.claimed_on)}" for row in done if row.claimed_on),
        "completed_on": max((row.claimed_on for row in done if row.claimed_on), default=None),
        "beneficiaries_unit": project.beneficiaries_unit,
        "follow_up_owner": str(project.coordinator or project.coordinator_text)[:80],
    }


@transaction.atomic
def save_draft(*, close_out_id: int, actor: User, texts: dict[str, Any]) -> CloseOut:
    """Keep what was typed so far.

    Raises:
        Refused: no draft any more, or not the actor's.
    """
    close_out = _locked_close_out(close_out_id)
    keep(close_out, actor, texts, FIELDS)
    return close_out


@transaction.atomic
def submit(*, close_out_id: int, actor: User, at: datetime.datetime) -> CloseOut:
    """Ask for the close-out: the project awaits acceptance from now on.

    Raises:
        Refused: something is missing, not possible, or not the actor's; nothing is changed.
    """
    close_out, as_of = _locked_close_out(close_out_id), timezone.localdate(at)
    project = close_out.project
    check(close_out, "submit", actor)
    if reason := cannot_ask(project, actor, as_of) or incomplete(close_out, as_of):
        raise Refused(reason)
    close_out.state, close_out.promised = CloseOutState.SUBMITTED, promise_of(project)
    hand_in(close_out, actor, at)
    close_out.save()
    move(project, "await")
    refresh_lights(as_of=as_of, project_ids=[project.pk])
    return close_out


def incomplete(close_out: CloseOut, as_of: datetime.date) -> str:
    """What a draft still lacks or gets wrong, or ""."""
    if is_blank(close_out.achieved):
        return _("Say what was achieved: it is set against what was promised.")
    if close_out.completed_on is None:
        return _("Give the day on which the project was completed.")
    if close_out.beneficiaries_reached is not None and close_out.beneficiaries_reached < 0:
        return _("The number of beneficiaries cannot be negative.")
    if close_out.beneficiaries_reached is not None and is_blank(close_out.beneficiaries_unit):
        return _("Give the unit of the beneficiaries: 120 of what.")
    if is_blank(close_out.follow_up_owner):
        return _("Name the follow-up owner: whom people turn to after the acceptance.")
    return wrong_completion_day(close_out.completed_on, close_out.programme.starts_on, as_of)


def promise_of(project: Project) -> str:
    """What was promised, in the words of the project's record: kept with the close-out as it read then."""
    number = project.beneficiaries_number
    reach = f"{number.normalize():f}{project.beneficiaries_unit}" if number is not None else ""
    lines = (
        project.measures.strip(),
        "，".join(part for part in (project.beneficiaries_text.strip(), reach) if part),
    )
    return "\n".join(line for line in lines if line)


@transaction.atomic
def withdraw(*, close_out_id: int, actor: User, at: datetime.datetime) -> CloseOut:
    """Take a close-out back before it was verified; it is a draft again.

    Raises:
        Refused: verified or decided already, or not the actor's.
    """
    close_out = _locked_close_out(close_out_id)
    check(close_out, "withdraw", actor)
    if not close_out.programme.in_force(timezone.localdate(at)):
        raise Refused(_("The programme is archived or not in force; its milestones are history."))
    close_out.state = CloseOutState.DRAFT
    take_back(close_out)
    close_out.save()
    move(close_out.project, "continue")
    refresh_lights(as_of=timezone.localdate(at), project_ids=[close_out.project_id])
    return close_out


@transaction.atomic
def discard(*, close_out_id: int, actor: User) -> Project:
    """Throw a draft away with its evidence.

    Raises:
        Refused: no draft any more, or not the actor's.
    """
    close_out = _locked_close_out(close_out_id)
    check(close_out, "submit", actor)
    project = close_out.project
    close_out.delete()
    return project


def move(project: Project, action: str) -> None:
    """Change the status of a locked project along `projects.workflow`.

    Raises:
        Refused: the project is not where the step begins.
    """
    step = step_of(Subject.PROJECT, action)
    if project.status not in step.from_states:
        raise Refused(_("The project is “%(state)s”.") % {"state": project.get_status_display()})
    project.status = step.to_state
    project.save(update_fields=["status"])


def next_number(programme: Programme) -> int:
    """The next certificate number of the year at the unit that issues it.

    〔2026〕第0001号 names year and unit, not the programme: two programmes of one year share the count, and
    their rows are locked until the end.
    """
    counted = Programme.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
    ids = [row.pk for row in counted.filter(year=programme.year, owner_id=programme.owner_id)]
    last = CloseOut.objects.filter(programme__in=ids).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def _locked(project_id: int) -> Project:
    rows = milestones.locked([project_id])
    first: Milestone | None = next(iter(rows.values()), None)
    return first.project if first else Project.objects.select_related("programme").get(pk=project_id)


def _locked_close_out(close_out_id: int) -> CloseOut:
    """The close-out under lock, after its project.

    Raises:
        Refused: it is gone (a draft that a colleague discarded).
    """
    project_id = CloseOut.objects.filter(pk=close_out_id).values_list("project_id", flat=True).first()
    if project_id is None:
        raise Refused(_("This draft was discarded meanwhile."))
    project = _locked(project_id)
    close_out = CloseOut.objects.select_for_update(of=("self",), no_key=True).filter(pk=close_out_id).first()
    if close_out is None:
        raise Refused(_("This draft was discarded meanwhile."))
    close_out.project = project
    return close_out
