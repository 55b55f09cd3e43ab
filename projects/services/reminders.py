"""Reminders by hand (催办): a nudge to those who answer for something, with a note, once a day for one thing."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.plain_text import tidy
from enterprises.scoping import may
from notices.services.telling import Tell, tell
from projects.deadlines import is_open
from projects.ladder import Recipient, leaves_at
from projects.models import Milestone, Project, Reminder
from projects.notice_names import REMINDER
from projects.services.posts import POST_NAMES, Found, Holder, Posts
from projects.services.refusals import Refused
from projects.states import RESTING_PROJECT_STATUSES

LONGEST_NOTE = 500
MOST_AT_ONCE = 500

#: Who is reminded: who works on it and who answers for the work.
REMINDED = (Recipient.COORDINATOR.value, Recipient.DIRECT_LEAD.value)


@dataclass(frozen=True)
class Reminded:
    """What became of one item. `refused` says why nobody was reminded, "" when somebody was.

    Attributes:
        people: how many were told.
        instead: name of the post that stood in for vacant ones, "" when one of them was filled.
    """

    subject: Project | Milestone
    refused: str
    people: int = 0
    instead: str = ""

    @property
    def instead_label(self) -> str:
        return str(POST_NAMES[self.instead]) if self.instead else ""


@transaction.atomic
def remind(
    *,
    project_ids: Iterable[int] = (),
    milestone_ids: Iterable[int] = (),
    actor: User,
    at: datetime.datetime,
    note: str = "",
) -> list[Reminded]:
    """Remind those who answer for some projects or milestones. Each is judged on its own.

    Args:
        project_ids, milestone_ids: found through the wall by the caller.
        at: the moment; its day in Asia/Shanghai is the day of the reminder.
        note: what the reminded read, at most `LONGEST_NOTE` characters.

    Returns:
        One outcome for each that exists, projects first, by id.

    Raises:
        Refused: the note is too long to be kept whole, or too many at once; nobody was reminded.
    """
    note = tidy(note)
    if len(note) > LONGEST_NOTE:
        raise Refused(
            _("The note has %(n)d characters; %(most)d is the limit.")
            % {"n": len(note), "most": LONGEST_NOTE}
        )
    projects, milestones = sorted(set(project_ids)), sorted(set(milestone_ids))
    if len(projects) + len(milestones) > MOST_AT_ONCE:
        raise Refused(
            _("At most %(most)d can be reminded of at once. Narrow the list and remind in parts.")
            % {"most": MOST_AT_ONCE}
        )
    subjects: list[Project | Milestone] = [
        *Project.objects.filter(pk__in=projects).select_related("enterprise", "programme").order_by("pk"),
        *Milestone.objects.filter(pk__in=milestones)
        .select_related("project__enterprise", "project__programme")
        .order_by("pk"),
    ]
    reminding = _Reminding(subjects, actor, at, note)
    return [reminding.remind(subject) for subject in subjects]


def refusal(subject: Project | Milestone, actor: User, as_of: datetime.date) -> str:
    """Why `actor` may not remind anyone of this now, or ""."""
    project = _project(subject)
    if not may(actor, "remind", project):
        return _("Your role does not include this step.")
    if not project.programme.in_force(as_of):
        return _("The programme is archived or not in force; its milestones are history.")
    if project.status in RESTING_PROJECT_STATUSES:
        return _("The project is “%(status)s”: there is nothing to remind of.") % {
            "status": project.get_status_display()
        }
    if isinstance(subject, Milestone) and not is_open(subject):
        if subject.awaits_extension:
            return _("An extension awaits your side's decision; decide on it first.")
        return _("The milestone is “%(state)s”: there is nothing to remind of.") % {
            "state": subject.get_state_display()
        }
    return ""


class _Reminding:
    """One click of one person: everything that is the same for all its items is asked once."""

    def __init__(
        self, subjects: Sequence[Project | Milestone], actor: User, at: datetime.datetime, note: str
    ) -> None:
        self.actor, self.at, self.note = actor, timezone.localtime(at), note
        self.as_of = self.at.date()
        self.posts = Posts([_project(subject) for subject in subjects], on=self.as_of)

    def remind(self, subject: Project | Milestone) -> Reminded:
        if refused := refusal(subject, self.actor, self.as_of):
            return Reminded(subject, refused)
        project = _project(subject)
        found = self._found(project)
        if not found.people:
            return Reminded(
                subject,
                _(
                    "Nobody can be reminded: no person and no officer of the enterprise has an account in force."
                ),
            )
        milestone = subject if isinstance(subject, Milestone) else None
        reminder, made = Reminder.objects.get_or_create(
            project=project,
            milestone=milestone,
            sent_on=self.as_of,
            defaults={
                "enterprise_id": project.enterprise_id,
                "note": self.note,
                "sent_by": self.actor,
                "sent_at": self.at,
                "told": len(found.people),
            },
        )
        if not made:
            return Reminded(
                subject,
                _("Already reminded today by %(name)s at %(time)s.")
                % {"name": reminder.sent_by, "time": timezone.localtime(reminder.sent_at).strftime("%H:%M")},
            )
        tell(self._notices(reminder, project, milestone, found), at=self.at)
        return Reminded(subject, "", len(found.people), found.instead)

    def _found(self, project: Project) -> Found:
        """Everybody of `REMINDED` who can be told; where all those posts are vacant, the next in line."""
        found = [self.posts.find(project, post) for post in REMINDED]
        filled = [one for one in found if not one.instead]
        people = {holder.user_id: holder for one in filled or found[-1:] for holder in one.people}
        return Found(tuple(people.values()), "" if filled else found[-1].instead)

    def _notices(
        self, reminder: Reminder, project: Project, milestone: Milestone | None, found: Found
    ) -> Iterable[Tell]:
        programme = project.programme
        data: dict[str, Any] = {
            "project": project.name,
            "project_id": project.pk,
            "enterprise": project.enterprise.short_name or project.enterprise.name,
            "programme": programme.name,
            "milestone": milestone.name if milestone else "",
            "due_on": str(milestone.due_on) if milestone and milestone.due_on else "",
            "by": str(self.actor),
            "note": self.note,
            "post": REMINDED[-1],
            "instead": found.instead,
        }
        subject: Project | Milestone = milestone or project

        def to(holder: Holder) -> Tell:
            return Tell(
                recipient_id=holder.user_id,
                kind=REMINDER,
                cause=f"reminder:{reminder.pk}",
                data={**data, "acting_for": holder.acting_for},
                subject=subject._meta.label_lower,
                subject_id=subject.pk,
                enterprise_id=project.enterprise_id,
                on=self.as_of,
                urgent=True,
                mandatory=True,
                leaves_at=leaves_at(self.at, programme.quiet_from, programme.quiet_until),
            )

        return map(to, found.people)


def _project(subject: Project | Milestone) -> Project:
    return subject.project if isinstance(subject, Milestone) else subject
