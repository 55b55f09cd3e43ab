"""Verbs of the officer on extension requests (延期申请), and what an approval does to the dates."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.plain_text import is_blank
from enterprises.scoping import may
from projects.models import ExtensionRequest, ExtensionShift, Milestone
from projects.services import milestones
from projects.services.lights import refresh_lights
from projects.services.refusals import Refused
from projects.services.submissions import check, draft_among, hand_in, keep, next_round, take_back
from projects.states import OPEN_MILESTONE_STATES, ExtensionState, MilestoneState
from projects.workflow import UNDER_WAY

#: What a person fills in, besides the later milestones that move along.
FIELDS = ("to_on", "reason_class", "reason")


@dataclass(frozen=True)
class Extended:
    """What was granted to one milestone so far: 第 `times` 次, 累计 +`days` 天."""

    times: int = 0
    days: int = 0


def granted(milestone_ids: list[int]) -> dict[int, Extended]:
    """What was approved for each of these milestones; those without an extension are left out.

    A milestone that was shifted along with another one counts as extended as well.
    """
    found: dict[int, Extended] = {}
    own = ExtensionRequest.objects.filter(state=ExtensionState.APPROVED, milestone__in=milestone_ids)
    along = ExtensionShift.objects.filter(request__state=ExtensionState.APPROVED, milestone__in=milestone_ids)
    for rows in (own, along):
        counted = (
            rows.order_by()
            .values("milestone_id")
            .annotate(times=Count("pk"), length=Sum(F("to_on") - F("from_on")))
        )
        for row in counted:
            before = found.get(row["milestone_id"], Extended())
            found[row["milestone_id"]] = Extended(
                before.times + row["times"], before.days + row["length"].days
            )
    return found


def later_milestones(milestone: Milestone) -> Any:
    """Open milestones of the project that are due on the same day or later: what may move along."""
    rows = Milestone.objects.filter(
        project_id=milestone.project_id, state__in=OPEN_MILESTONE_STATES, due_on__gte=milestone.due_on
    )
    return rows.exclude(pk=milestone.pk).order_by("due_on", "order", "pk")


def overtaken(request: ExtensionRequest) -> list[Milestone]:
    """Open later milestones that would stand before the new date, because they do not move along.

    Possible, and often forgotten: whoever decides is told.
    """
    if request.to_on is None:
        return []
    moved = request.shifts.values("milestone_id")  # type: ignore[attr-defined]
    later = later_milestones(request.milestone).filter(order__gt=request.milestone.order)
    return list(later.exclude(pk__in=moved).filter(due_on__range=(request.from_on, request.to_on)))


def cannot_ask(milestone: Milestone, actor: User, as_of: datetime.date) -> str:
    """Why `actor` cannot ask for an extension of the milestone now, or ""."""
    if not may(actor, "report", milestone):
        return _("Your role does not include this step.")
    if milestone.due_on is None:
        return _("The milestone has no due date; there is nothing to extend.")
    if not milestone.project.approved_on:
        return _("The dates are not approved yet; change them in the project instead of asking.")
    if milestone.project.status not in UNDER_WAY:
        return _("The project is “%(state)s”.") % {"state": milestone.project.get_status_display()}
    if milestone.state not in OPEN_MILESTONE_STATES:
        return _("Extensions are asked for on open milestones; this one is “%(state)s”.") % {
            "state": milestone.get_state_display()
        }
    return milestones.standing_still(milestone, as_of)


def unsaved(milestone: Milestone) -> ExtensionRequest:
    """The draft as it would open now; after a return with the text returned. Nothing is created."""
    assert milestone.due_on is not None  # cannot_ask
    opening: dict[str, Any] = {}
    last = ExtensionRequest.objects.filter(milestone=milestone).order_by("-round").first()
    if last is not None and last.state == ExtensionState.RETURNED:
        opening = {name: getattr(last, name) for name in FIELDS}
    return ExtensionRequest(
        milestone=milestone,
        from_on=milestone.due_on,
        round=next_round(milestone.extensions),  # type: ignore[attr-defined]
        **opening,
    )


@transaction.atomic
def open_draft(*, milestone_id: int, actor: User, as_of: datetime.date) -> ExtensionRequest:
    """The draft on a milestone, made when there is none; after a return it opens with the text returned.

    Raises:
        Refused: nothing can be asked for, or a request waits already.
    """
    milestone = _locked(milestone_id)[milestone_id]
    if reason := cannot_ask(milestone, actor, as_of):
        raise Refused(reason)
    rounds = ExtensionRequest.objects.filter(milestone=milestone)
    draft = draft_among(rounds, _("A request waits for its decision already; withdraw it to write on."))
    if draft is None:
        draft = unsaved(milestone)
        draft.save()
    draft.milestone = milestone
    return draft


@transaction.atomic
def save_draft(
    *,
    request_id: int,
    actor: User,
    texts: dict[str, Any],
    shifts: Mapping[int, datetime.date] | None = None,
) -> ExtensionRequest:
    """Keep what was typed so far.

    Args:
        shifts: id of a later milestone → its new date; None leaves the list as it is.

    Raises:
        Refused: no draft any more, not the actor's, or a milestone that cannot move along.
    """
    request, all_milestones = _locked_request(request_id)
    keep(request, actor, texts, FIELDS)
    if shifts is not None:
        _set_shifts(request, all_milestones, shifts)
    return request


def _set_shifts(
    request: ExtensionRequest, all_milestones: dict[int, Milestone], shifts: Mapping[int, datetime.date]
) -> None:
    may_move = {row.pk for row in later_milestones(request.milestone)}
    for pk, to_on in sorted(shifts.items()):
        due_on = all_milestones[pk].due_on if pk in may_move else None
        if due_on is None:
            raise Refused(_("Only open later milestones of the same project move along."))
        if to_on <= due_on:
            raise Refused(_("“%(name)s” would not move to a later day.") % {"name": all_milestones[pk].name})
        ExtensionShift.objects.update_or_create(
            request=request, milestone_id=pk, defaults={"to_on": to_on, "from_on": due_on}
        )
    request.shifts.exclude(milestone_id__in=shifts).delete()  # type: ignore[attr-defined]


@transaction.atomic
def submit(*, request_id: int, actor: User, at: datetime.datetime) -> ExtensionRequest:
    """File a request. Filed on or before the due date it stops the milestone's clock; later it is marked.

    Raises:
        Refused: something is missing, not possible, or not the actor's; nothing is changed.
    """
    request, all_milestones = _locked_request(request_id)
    as_of, milestone = timezone.localdate(at), request.milestone
    check(request, "submit", actor)
    if reason := cannot_ask(milestone, actor, as_of):
        raise Refused(reason)
    assert milestone.due_on is not None  # cannot_ask
    shifts = list(request.shifts.all())  # type: ignore[attr-defined]
    if reason := incomplete(request, shifts, all_milestones):
        raise Refused(reason)
    request.from_on, request.is_late = milestone.due_on, as_of > milestone.due_on
    request.state = ExtensionState.SUBMITTED
    request.project_from_on, request.project_to_on = _project_dates(request, shifts)
    hand_in(request, actor, at)
    request.save()
    for shift in shifts:
        if due_on := all_milestones[shift.milestone_id].due_on:
            shift.from_on = due_on
            shift.save(update_fields=["from_on"])
    if not request.is_late:
        milestone.awaits_extension = True
        milestone.save(update_fields=["awaits_extension"])
    refresh_lights(as_of=as_of, project_ids=[milestone.project_id])
    return request


def incomplete(
    request: ExtensionRequest, shifts: list[ExtensionShift], all_milestones: dict[int, Milestone]
) -> str:
    """What a draft still lacks or gets wrong, or ""."""
    due_on = request.milestone.due_on
    assert due_on is not None
    if is_blank(request.reason) or not request.reason_class:
        return _("Give the kind of reason and the reason: the decision rests on them.")
    if request.to_on is None:
        return _("Give the new date.")
    if request.to_on <= due_on:
        return _("The new date must lie after the present one, %(day)s.") % {"day": shown(due_on)}
    may_move = {row.pk for row in later_milestones(request.milestone)}
    for shift in shifts:
        moved = all_milestones.get(shift.milestone_id)
        if moved is None or moved.pk not in may_move or moved.due_on is None or shift.to_on <= moved.due_on:
            return _("“%(name)s” cannot move along any more; take it off the list.") % {"name": shift}
    programme = request.milestone.project.programme
    latest = max([request.to_on, *(shift.to_on for shift in shifts)])
    if latest > programme.ends_on:
        return _("The programme ends on %(day)s; no date can lie beyond it.") % {
            "day": shown(programme.ends_on)
        }
    return ""


def _project_dates(
    request: ExtensionRequest, shifts: list[ExtensionShift]
) -> tuple[datetime.date | None, datetime.date | None]:
    """The project's own date before and after, where the new ones lie beyond it."""
    project = request.milestone.project
    latest = max(day for day in (request.to_on, *(shift.to_on for shift in shifts)) if day)
    if project.due_on is None or latest <= project.due_on:
        return None, None
    return project.due_on, latest


@transaction.atomic
def withdraw(*, request_id: int, actor: User, at: datetime.datetime) -> ExtensionRequest:
    """Take a request back before its decision: a draft again, and the clock runs as if never filed.

    Raises:
        Refused: decided already, or not the actor's.
    """
    request, _all = _locked_request(request_id)
    check(request, "withdraw", actor)
    if reason := milestones.standing_still(request.milestone, timezone.localdate(at)):
        raise Refused(reason)
    request.state, request.is_late = ExtensionState.DRAFT, False
    take_back(request)
    request.save()
    release(request.milestone)
    refresh_lights(as_of=timezone.localdate(at), project_ids=[request.milestone.project_id])
    return request


@transaction.atomic
def discard(*, request_id: int, actor: User) -> Milestone:
    """Throw a draft away with its evidence.

    Raises:
        Refused: no draft any more, or not the actor's.
    """
    request, _all = _locked_request(request_id)
    check(request, "submit", actor)
    milestone = request.milestone
    request.delete()
    return milestone


def release(milestone: Milestone) -> None:
    """Let the clock of a milestone run again: overdue, if at all, as from its original date."""
    if milestone.awaits_extension:
        milestone.awaits_extension = False
        milestone.save(update_fields=["awaits_extension"])


def grant(request: ExtensionRequest, all_milestones: dict[int, Milestone]) -> None:
    """Move the dates of a request that is being approved: exactly those that it lists, or none.

    Args:
        request: locked, with its locked milestone.
        all_milestones: the locked milestones of its project.

    Raises:
        Refused: a listed milestone is not any more where the request found it.
    """
    shifts = list(request.shifts.all())  # type: ignore[attr-defined]
    for moved, from_on in (
        (request.milestone, request.from_on),
        *((all_milestones[shift.milestone_id], shift.from_on) for shift in shifts),
    ):
        closed = moved.state in (MilestoneState.ACCEPTED, MilestoneState.CANCELLED)
        if closed or moved.due_on != from_on:
            raise Refused(
                _("“%(name)s” has changed since the request was filed; return it, so that it is filed anew.")
                % {"name": moved.name}
            )
    project = request.milestone.project
    if request.project_to_on and (project.due_on is None or request.project_to_on > project.due_on):
        project.due_on = request.project_to_on
        project.save(update_fields=["due_on"])
    request.milestone.due_on = request.to_on
    request.milestone.save(update_fields=["due_on"])
    for shift in shifts:
        moved = all_milestones[shift.milestone_id]
        moved.due_on = shift.to_on
        moved.save(update_fields=["due_on"])


def shown(day: datetime.date) -> str:
    """A date as the pages write it, in the active language."""
    return date_format(day, "DATE_FORMAT")


def _locked(milestone_id: int) -> dict[int, Milestone]:
    project_id = Milestone.objects.values_list("project_id", flat=True).get(pk=milestone_id)
    return milestones.locked([project_id])


def _locked_request(request_id: int) -> tuple[ExtensionRequest, dict[int, Milestone]]:
    """The request under lock, after its project and all of the project's milestones.

    Raises:
        Refused: it is gone (a draft that a colleague discarded).
    """
    milestone_id = (
        ExtensionRequest.objects.filter(pk=request_id).values_list("milestone_id", flat=True).first()
    )
    if milestone_id is None:
        raise Refused(_("This draft was discarded meanwhile."))
    all_milestones = _locked(milestone_id)
    request = (
        ExtensionRequest.objects.select_for_update(of=("self",), no_key=True).filter(pk=request_id).first()
    )
    if request is None:
        raise Refused(_("This draft was discarded meanwhile."))
    request.milestone = all_milestones[milestone_id]
    return request, all_milestones
