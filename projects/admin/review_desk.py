"""The review desk (审核台): one inbox of what waits for the SASAC, and how long decisions took."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from enterprises.models import Enterprise, User
from enterprises.scoped_admin import person
from journal.context import because
from projects.addresses import is_id
from projects.admin.desk_filters import chosen
from projects.models import ProgressReport
from projects.services.desk import (
    COUNT_CAP,
    MEASURED_OVER,
    desk,
    reviewer_times,
    units_with_waiting,
)
from projects.services.refusals import Refused
from projects.services.reviews import Outcome, decide_many
from projects.services.submissions import KIND_OF

#: More than a page; a form that names more was not made by the page.
MOST_AT_ONCE = 500


@dataclass(frozen=True)
class Choice:
    """A filter as the page offers it."""

    label: str
    url: str
    count: int | None
    here: bool


def review_desk(site: Any, request: HttpRequest) -> HttpResponse:
    """The inbox; a POST accepts the ticked reports and shows what became of each."""
    user = person(request)
    if not user.has_perm("projects.review_progressreport"):
        raise PermissionDenied
    outcomes: list[Outcome] = []
    error = ""
    if request.method == "POST":
        outcomes, error = _accept(request, user)
    today = timezone.localdate()
    choice = chosen(request.GET, user)
    page = int(number) if is_id(number := request.GET.get("page", "1")) else 1
    page = min(max(page, 1), 200)
    found = desk(user=user, filters=choice.filters, as_of=today, page=page)
    total = sum(found.counts.values())
    kinds = [(kind, model._meta.verbose_name_plural) for kind, model in KIND_OF.items()]
    context = {
        **site.each_context(request),
        "title": _("Review desk"),
        "desk": found,
        "can_tick": any(row.kind == "progressreport" and not row.own for row in found.rows),
        "tabs": [
            Choice(_("All"), choice.url(kind=""), total, not choice.kind),
            *(
                Choice(str(label), choice.url(kind=kind), found.counts.get(kind, 0), choice.kind == kind)
                for kind, label in kinds
            ),
        ],
        "only": [
            Choice(_("Everything"), choice.url(only=""), None, not choice.only),
            Choice(_("Claims of completion"), choice.url(only="claims"), None, choice.only == "claims"),
            Choice(_("No change"), choice.url(only="unchanged"), None, choice.only == "unchanged"),
            Choice(_("Waiting too long"), choice.url(only="late"), found.late, choice.only == "late"),
        ],
        "count_cap": COUNT_CAP,
        "units": _units(user),
        "unit": choice.unit,
        "query": choice.query,
        "queue": choice.url(queue=1),
        "previous": choice.url(page=page - 1) if page > 1 else "",
        "next": choice.url(page=page + 1) if found.has_more else "",
        "times": reviewer_times(user=user, as_of=today),
        "measured_days": MEASURED_OVER.days,
        "calendar_unknown": _unknown_year(found.calendar, today),
        "outcomes": outcomes,
        "accepted": sum(not outcome.refused for outcome in outcomes),
        "error": error,
        "comment": request.POST.get("comment", ""),
    }
    return TemplateResponse(request, "projects/review_desk.html", context)


def _accept(request: HttpRequest, user: User) -> tuple[list[Outcome], str]:
    """Accept the ticked reports. Ids beyond the wall are passed over like ids that do not exist."""
    ticked = [int(text) for text in request.POST.getlist("report") if is_id(text)][:MOST_AT_ONCE]
    pks = list(ProgressReport.objects.visible_to(user).filter(pk__in=ticked).values_list("pk", flat=True))
    if not pks:
        return [], _("Tick the reports that are to be accepted.")
    comment = request.POST.get("comment", "")
    try:
        with because(comment):
            outcomes = decide_many(
                kind=ProgressReport, pks=pks, action="accept", actor=user, at=timezone.now(), comment=comment
            )
    except Refused as refused:
        return [], str(refused)
    return outcomes, ""


def _units(user: User) -> list[tuple[int, str, int]]:
    """The enterprises that have something waiting, under the names that the rows of the desk show."""
    listed = units_with_waiting(user)
    shown = Enterprise.objects.visible_to(user).in_bulk([pk for pk, _name, _n in listed])
    return [(pk, str(shown.get(pk, name)), n) for pk, name, n in listed]


def _unknown_year(calendar: Any, today: datetime.date) -> int | None:
    """A year whose working days are only guessed as Monday to Friday; the page says so."""
    return None if calendar.covers(today.year) else today.year
