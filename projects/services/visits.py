"""Site visits (调研), instructions (批示) and their action items: recorded, answered, opened again."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.plain_text import is_blank, tidy
from enterprises.roles import Role
from enterprises.scoping import may, users_who_may
from projects.models import ActionItem, Project, SiteVisit
from projects.services.extensions import shown
from projects.services.instruction_notices import settle_items, tell_answer, tell_instructions, tell_reopened
from projects.services.refusals import Refused

LONGEST_FINDINGS = 2000
LONGEST_TEXT = 500
#: Items that one visit may give; more are written as instructions afterwards.
MOST_ITEMS = 10
#: What is found years later is no record of a visit but a mistyped year.
RECORDED_WITHIN = datetime.timedelta(days=366)
#: A date further away than this is a mistyped year.
DUE_WITHIN = datetime.timedelta(days=3 * 366)

Recorded = TypeVar("Recorded", SiteVisit, ActionItem)


@dataclass(frozen=True, kw_only=True)
class NewItem:
    """An action item as it was typed.

    Args:
        due_on: inclusive.
        responsible_id: an account that may answer (`answerers`), None for the project's own people.
    """

    text: str
    due_on: datetime.date | None
    responsible_id: int | None = None
    responsible_text: str = ""


def cannot_record(project: Project, actor: User) -> str:
    """Why `actor` may record neither visits nor instructions on the project, or ""."""
    if not may(actor, "add", SiteVisit(project=project)):
        return _("Your role does not include this step.")
    return _archived(project)


def _archived(project: Project) -> str:
    if project.programme.archived_on:
        return _("The programme is archived: it is history, and nothing is added to it.")
    return ""


def cannot_answer(item: ActionItem, actor: User) -> str:
    """Why `actor` may not say that the item is done, or ""."""
    if not may(actor, "answer", item):
        return _("Your role does not include this step.")
    if item.done_on:
        return _("Answered already, on %(day)s.") % {"day": shown(item.done_on)}
    return _archived(item.project)


def cannot_reopen(item: ActionItem, actor: User) -> str:
    """Why `actor` may not open an answered item again, or ""."""
    if not may(actor, "change", item):
        return _("Your role does not include this step.")
    if not item.done_on:
        return _("It is open already.")
    return _archived(item.project)


def leaders_for(project: Project, actor: User, on: datetime.date) -> QuerySet[User]:
    """The accounts that `actor` may name as visiting or instructing leader of a project."""
    known: QuerySet[User] = User.objects.choosable_by(actor)
    can = users_who_may("add", SiteVisit(project=project), on=on)
    return known.filter(
        Q(pk=actor.pk) | Q(memberships__role=Role.LEADER) | Q(pk=project.liaison_leader_id), pk__in=can
    ).distinct()


def answerers(project: Project, actor: User, on: datetime.date) -> QuerySet[User]:
    """The accounts that may answer an item of the project, as far as `actor` may name them."""
    known: QuerySet[User] = User.objects.choosable_by(actor)
    return known.filter(pk__in=users_who_may("answer", ActionItem(project=project), on=on)).distinct()


@transaction.atomic
def record_visit(
    *,
    project_id: int,
    actor: User,
    at: datetime.datetime,
    visited_on: datetime.date,
    leader_id: int,
    findings: str,
    kind: str = SiteVisit.Kind.VISIT,
    place: str = "",
    companions: str = "",
    items: Sequence[NewItem] = (),
    sent_from: uuid.UUID | None = None,
) -> SiteVisit:
    """Write down a visit with what is to follow from it; those who have to act are told at once.

    Args:
        leader_id: one of `leaders_for`.
        items: at most `MOST_ITEMS`.
        sent_from: the opened page; what came from it before is returned, and nothing is written twice.

    Raises:
        Refused: nothing was written.
    """
    project = _locked(project_id)
    findings = _said(findings, LONGEST_FINDINGS, _("Say what was found; a line is enough."))
    if sent_from is not None and (done := SiteVisit.objects.filter(sent_from=sent_from).first()) is not None:
        return _same(done, done.findings == findings and done.visited_on == visited_on)
    as_of = timezone.localdate(at)
    if refused := cannot_record(project, actor):
        raise Refused(refused)
    if not as_of - RECORDED_WITHIN <= visited_on <= as_of:
        raise Refused(_("The day of the visit lies in the future, or more than a year back."))
    if kind not in SiteVisit.Kind.values:
        raise Refused(_("There is no such step."))
    if len(items) > MOST_ITEMS:
        raise Refused(_("At most %(n)d action items go with one visit.") % {"n": MOST_ITEMS})
    leader = _leader(project, actor, leader_id, as_of)
    visit = SiteVisit.objects.create(
        project=project,
        kind=kind,
        visited_on=visited_on,
        place=tidy(place)[:200],
        leader=leader,
        companions=_whole(companions, 300),
        findings=findings,
        recorded_by=actor,
        recorded_at=at,
        sent_from=sent_from,
    )
    made = [_made(project, item, leader, actor, at, visit=visit) for item in items]
    tell_instructions(made, actor=actor, at=at, as_of=as_of)
    return visit


@transaction.atomic
def instruct(
    *,
    project_id: int,
    actor: User,
    at: datetime.datetime,
    leader_id: int,
    item: NewItem,
    sent_from: uuid.UUID | None = None,
) -> ActionItem:
    """Write an instruction (批示) on a project; those who have to act are told at once.

    Args and Raises: as `record_visit`.
    """
    project = _locked(project_id)
    if sent_from is not None and (done := ActionItem.objects.filter(sent_from=sent_from).first()) is not None:
        return _same(done, done.text == tidy(item.text) and done.due_on == item.due_on)
    as_of = timezone.localdate(at)
    if refused := cannot_record(project, actor):
        raise Refused(refused)
    leader = _leader(project, actor, leader_id, as_of)
    made = _made(project, item, leader, actor, at, sent_from=sent_from)
    tell_instructions([made], actor=actor, at=at, as_of=as_of)
    return made


@transaction.atomic
def answer(
    *,
    item_id: int,
    actor: User,
    at: datetime.datetime,
    done_on: datetime.date,
    note: str,
    seen: str | None = None,
) -> ActionItem:
    """Say that an item is done, and how; the leader and the reviewers are told.

    Args:
        done_on: from the day it was given until today.
        seen: `ActionItem.state` of what the person read; None where nobody read anything.

    Raises:
        Refused: nothing was changed.
    """
    item = _locked_item(item_id)
    as_of = timezone.localdate(at)
    if refused := cannot_answer(item, actor):
        raise Refused(refused)
    _unchanged(item, seen)
    if not item.given_on <= done_on <= as_of:
        raise Refused(
            _("It was given on %(given)s: it was done on a day from then until today.")
            % {"given": shown(item.given_on)}
        )
    item.done_note = _said(note, LONGEST_TEXT, _("Say how it was done; a line is enough."))
    item.done_on, item.done_by = done_on, actor
    item.save(update_fields=["done_on", "done_note", "done_by"])
    settle_items([item.pk], at=at)
    tell_answer(item, actor=actor, at=at, as_of=as_of)
    return item


@transaction.atomic
def reopen(
    *, item_id: int, actor: User, at: datetime.datetime, reason: str, seen: str | None = None
) -> ActionItem:
    """The answer does not hold: the item is open again, by its own date; those who have to act are told.

    Args:
        seen: as in `answer`.

    Raises:
        Refused: nothing was changed.
    """
    item = _locked_item(item_id)
    if refused := cannot_reopen(item, actor):
        raise Refused(refused)
    _unchanged(item, seen)
    reason = _said(reason, LONGEST_TEXT, _("Say what is still missing: whoever has to act reads it."))
    item.done_on, item.done_note, item.done_by, item.told_due_on = None, "", None, None
    item.save(update_fields=["done_on", "done_note", "done_by", "told_due_on"])
    tell_reopened(item, actor=actor, at=at, as_of=timezone.localdate(at), reason=reason)
    return item


def _unchanged(item: ActionItem, seen: str | None) -> None:
    """An answer is given to the words and the date that were read, and to no others."""
    if seen is not None and seen != item.state:
        raise Refused(
            _("Somebody changed the item after you opened this page. Read it as it is now, and send again.")
        )


def _same(done: Recorded, same: bool) -> Recorded:
    """What came from this page before: sent a second time it is the same thing, changed it is not lost."""
    if not same:
        raise Refused(_("This was recorded from this page already; change it on the project's page."))
    return done


def _made(
    project: Project,
    item: NewItem,
    leader: User,
    actor: User,
    at: datetime.datetime,
    *,
    visit: SiteVisit | None = None,
    sent_from: uuid.UUID | None = None,
) -> ActionItem:
    as_of = timezone.localdate(at)
    text = _said(item.text, LONGEST_TEXT, _("Say what is to be done."))
    if item.due_on is None or not as_of <= item.due_on <= as_of + DUE_WITHIN:
        raise Refused(
            _("Give “%(item)s” a date: from today on, and within three years.") % {"item": text[:40]}
        )
    responsible = None
    if item.responsible_id is not None:
        responsible = answerers(project, actor, as_of).filter(pk=item.responsible_id).first()
        if responsible is None:
            raise Refused(_("This account cannot answer for the project; choose another one."))
    return ActionItem.objects.create(
        project=project,
        visit=visit,
        text=text,
        leader=leader,
        responsible=responsible,
        responsible_text=_whole(item.responsible_text, 80),
        due_on=item.due_on,
        given_on=as_of,
        recorded_by=actor,
        recorded_at=at,
        sent_from=sent_from,
    )


def _leader(project: Project, actor: User, leader_id: int, as_of: datetime.date) -> User:
    leader = leaders_for(project, actor, as_of).filter(pk=leader_id).first()
    if leader is None:
        raise Refused(_("Choose the leader from the list."))
    return leader


def _said(text: str, most: int, missing: str) -> str:
    if is_blank(text):
        raise Refused(missing)
    return _whole(text, most)


def _whole(text: str, most: int) -> str:
    text = tidy(text)
    if len(text) > most:
        raise Refused(
            _("The text has %(n)d characters; %(most)d is the limit.") % {"n": len(text), "most": most}
        )
    return text


def _locked(project_id: int) -> Project:
    rows = Project.objects.select_related("enterprise", "programme")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=project_id)


def _locked_item(item_id: int) -> ActionItem:
    rows = ActionItem.objects.select_related("project__enterprise", "project__programme", "leader")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=item_id)
