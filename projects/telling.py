"""The kinds of notices that are written about projects: their words, their links, and what is still so.

The words are made from the data that was kept with a notice, so a mail that is sent a second time says the
same as the first time; what is still so is asked of the rows as they are now.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from enterprises.scoping import may_each
from notices.kinds import Kind, everything_holds, register
from notices.ways import Group
from projects.deadlines import item_open_q, open_q
from projects.models import ActionItem, Milestone, Project
from projects.notice_names import ANSWER, DECISION, DUE, INSTRUCTION, ITEM_OVERDUE, OVERDUE, REMINDER
from projects.services.posts import POST_NAMES
from projects.states import RESTING_PROJECT_STATUSES

if TYPE_CHECKING:
    from notices.models import Notice


def register_kinds() -> None:
    """Called once, when the app is ready."""
    register(
        Kind(
            name=DUE,
            group=Group.DUE,
            label=_("Due soon"),
            title=_due_title,
            url=_project_url,
            still_true=_still_open,
            still_theirs=_still_theirs,
            tone="yellow",
        )
    )
    register(
        Kind(
            name=OVERDUE,
            group=Group.OVERDUE,
            label=_("Overdue"),
            title=_overdue_title,
            url=_project_url,
            still_true=_still_open,
            still_theirs=_still_theirs,
            tone="red",
        )
    )
    register(
        Kind(
            name=REMINDER,
            group=Group.REMINDER,
            label=_("Reminder"),
            title=_reminder_title,
            url=_project_url,
            still_true=_still_owed,
            still_theirs=_still_theirs,
            tone="red",
        )
    )
    register(
        Kind(
            name=DECISION,
            group=Group.DECISION,
            label=_("Decision"),
            title=_decision_title,
            url=_decision_url,
            still_true=everything_holds,
            still_theirs=_still_theirs,
        )
    )
    register(
        Kind(
            name=INSTRUCTION,
            group=Group.REMINDER,
            label=_("Instruction"),
            title=_instruction_title,
            url=_item_url,
            still_true=_still_to_do,
            still_theirs=_still_theirs,
            tone="red",
        )
    )
    register(
        Kind(
            name=ITEM_OVERDUE,
            group=Group.OVERDUE,
            label=_("Action item overdue"),
            title=_item_overdue_title,
            url=_item_url,
            still_true=_still_to_do,
            still_theirs=_still_theirs,
            tone="red",
        )
    )
    register(
        Kind(
            name=ANSWER,
            group=Group.DECISION,
            label=_("Answer"),
            title=_answer_title,
            url=_item_url,
            still_true=everything_holds,
            still_theirs=_still_theirs,
            tone="blue",
        )
    )


def day(iso: str) -> str:
    """ "2026-07-31" → "2026年7月31日" in the active language."""
    return formats.date_format(datetime.date.fromisoformat(iso), "DATE_FORMAT")


def _due_title(data: Mapping[str, Any]) -> str:
    left = -int(data["days"])
    said = ngettext(
        "“%(milestone)s” of “%(project)s” is due on %(due)s, within %(n)d working day",
        "“%(milestone)s” of “%(project)s” is due on %(due)s, within %(n)d working days",
        left,
    ) % {"milestone": data["milestone"], "project": data["project"], "due": day(data["due_on"]), "n": left}
    return said + _why_you(data)


def _overdue_title(data: Mapping[str, Any]) -> str:
    late = int(data["days"])  # of the rung: read a week later, or caught up, it is longer by then
    said = ngettext(
        "“%(milestone)s” of “%(project)s” was due on %(due)s: overdue for %(n)d working day or more",
        "“%(milestone)s” of “%(project)s” was due on %(due)s: overdue for %(n)d working days or more",
        late,
    ) % {"milestone": data["milestone"], "project": data["project"], "due": day(data["due_on"]), "n": late}
    if data.get("order"):
        orders = {
            "yellow": gettext("; a yellow supervision order is suggested"),
            "red": gettext("; a red supervision order is suggested"),
        }
        said += orders.get(data["order"], "")
    return said + _why_you(data)


def _why_you(data: Mapping[str, Any]) -> str:
    """Why it came to this person, where that is not plain: a vacant post, or acting for a colleague."""
    if data.get("acting_for"):
        return gettext(" (you act for %(name)s)") % {"name": data["acting_for"]}
    if data.get("instead"):
        return gettext(" (the post “%(post)s” is vacant, so it comes to %(instead)s)") % {
            "post": POST_NAMES.get(data["post"], data["post"]),
            "instead": POST_NAMES.get(data["instead"], data["instead"]),
        }
    return ""


def _reminder_title(data: Mapping[str, Any]) -> str:
    what = (
        gettext("“%(milestone)s” of “%(project)s”") % data
        if data.get("milestone")
        else gettext("“%(project)s”") % data
    )
    said = gettext("%(by)s reminds you of %(what)s") % {"by": data["by"], "what": what}
    if data.get("note"):
        said += gettext(": %(note)s") % {"note": data["note"]}
    return said + _why_you(data)


def _decision_title(data: Mapping[str, Any]) -> str:
    said = {
        "progressreport": {
            "accept": gettext("Your report on %(what)s passed the review"),
            "return": gettext("Your report on %(what)s was returned"),
        },
        "extensionrequest": {
            "approve": gettext("The extension of %(what)s was approved"),
            "return": gettext("The request to extend %(what)s was returned"),
            "reject": gettext("The extension of %(what)s was rejected"),
        },
        "closeout": {
            "verify": gettext("The close-out of %(what)s was verified and awaits its approval"),
            "approve": gettext("%(what)s is closed out"),
            "return": gettext("The close-out of %(what)s was returned"),
        },
    }
    words = said.get(data["of"], {}).get(data["action"], gettext("A decision on %(what)s"))
    what = (
        gettext("“%(milestone)s” of “%(project)s”") % data
        if data.get("milestone")
        else gettext("“%(project)s”") % data
    )
    comment = gettext(": %(note)s") % {"note": data["comment"]} if data.get("comment") else ""
    return words % {"what": what} + comment


def _instruction_title(data: Mapping[str, Any]) -> str:
    words = {**data, "due": day(data["due_on"])}
    if data.get("reason"):
        said = gettext("%(by)s, on “%(project)s”: not done yet, %(reason)s (“%(text)s”, by %(due)s)") % words
    else:
        said = gettext("%(by)s, on “%(project)s”: %(text)s (by %(due)s)") % words
    return said + _why_you(data)


def _item_overdue_title(data: Mapping[str, Any]) -> str:
    words = {**data, "due": day(data["due_on"])}
    said = gettext("“%(text)s” on “%(project)s” was to be done by %(due)s and is still open") % words
    return said + _why_you(data)


def _answer_title(data: Mapping[str, Any]) -> str:
    words = {**data, "done": day(data["done_on"])}
    return gettext("“%(text)s” on “%(project)s” was done on %(done)s: %(note)s (%(by)s)") % words


def _item_url(notice: Notice) -> str:
    return f"{_project_url(notice)}#item-{notice.subject_id}"


def _project_url(notice: Notice) -> str:
    project_id = notice.data.get("project_id")
    return reverse("admin:projects_project_page", args=[project_id]) if project_id else ""


def _decision_url(notice: Notice) -> str:
    return reverse(f"admin:projects_{notice.data['of']}_page", args=[notice.subject_id])


def _still_open(notices: Sequence[Notice]) -> set[int]:
    """The milestone still owes something, by the date that was told.

    Time alone cures no overdue date, so no day is asked for. "Due soon" of a date that has passed by now is
    no longer true: the notice that it is overdue says more.
    """
    today = timezone.localdate()
    due = dict(
        Milestone.objects.filter(open_q(), pk__in={n.subject_id for n in notices}).values_list("pk", "due_on")
    )
    return {
        n.pk
        for n in notices
        if (due_on := due.get(n.subject_id)) is not None  # type: ignore[arg-type]
        and str(due_on) == n.data["due_on"]
        and (n.kind == OVERDUE or due_on >= today)
    }


def _still_to_do(notices: Sequence[Notice]) -> set[int]:
    """The action item was not answered yet, and its date is the one that was told."""
    due = dict(
        ActionItem.objects.filter(item_open_q(), pk__in={n.subject_id for n in notices}).values_list(
            "pk", "due_on"
        )
    )
    return {
        n.pk
        for n in notices
        if n.subject_id in due and (n.kind == INSTRUCTION or str(due[n.subject_id]) == n.data["due_on"])
    }


def _still_owed(notices: Sequence[Notice]) -> set[int]:
    """What was reminded of is not done yet: the milestone is open, or the project not at rest."""
    about: dict[str, set[int]] = defaultdict(set)
    for notice in notices:
        about[notice.subject].add(notice.subject_id or 0)
    open_now = {
        "projects.milestone": set(
            Milestone.objects.filter(open_q(), pk__in=about["projects.milestone"]).values_list(
                "pk", flat=True
            )
        ),
        "projects.project": set(
            Project.objects.filter(pk__in=about["projects.project"])
            .exclude(status__in=RESTING_PROJECT_STATUSES)
            .values_list("pk", flat=True)
        ),
    }
    return {n.pk for n in notices if n.subject_id in open_now.get(n.subject, set())}


def _still_theirs(notices: Sequence[Notice], on: datetime.date) -> set[int]:
    """The project lies within reach of the person, or of the unit whose group it is.

    A project that was deleted is within nobody's.
    """
    projects = (
        Project.objects.filter(pk__in={n.data.get("project_id") for n in notices})
        .select_related("enterprise")
        .in_bulk()
    )
    told = [(n, project) for n in notices if (project := projects.get(n.data.get("project_id"))) is not None]
    people = [(n.recipient_id, project) for n, project in told if n.recipient_id is not None]
    seen = {(pk, project.pk) for pk, project in may_each("view", people, on=on)}
    return {
        n.pk
        for n, project in told
        if (n.recipient_id, project.pk) in seen
        or (n.robot is not None and Project.scope.covers(project, [n.robot.enterprise.path]))
    }
