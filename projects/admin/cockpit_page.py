"""The cockpit (驾驶舱): what leaders open before a meeting."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import User
from enterprises.scoped_admin import person
from projects.admin.cockpit_body import address, drawn
from projects.admin.cockpit_kept import keep_page, kept_page
from projects.cockpit.asking import Question, question
from projects.cockpit.comparing import compare
from projects.cockpit.reading import Days, cockpit_for, days_around
from projects.cockpit.snapshot import one_moment


def asked_question(request: HttpRequest, user: User) -> Question | None:
    """What the address asks for; the clock is read here.

    Raises:
        PermissionDenied: the person sees no projects.
    """
    if not user.has_perm("projects.view_project"):
        raise PermissionDenied
    asked = {name: value for name, value in request.GET.items() if isinstance(value, str)}
    return question(user, asked, timezone.localdate())


def cockpit_page(site: Any, request: HttpRequest) -> HttpResponse:
    """One page for a programme and a unit, of today or of a day of the past."""
    user = person(request)
    if not user.has_perm("projects.view_project"):
        raise PermissionDenied
    main = kept_page(user, request.GET, timezone.localdate())
    if main is None:
        with one_moment():
            main = _main(request, user)
    context = {**site.each_context(request), "title": _("Cockpit"), "main": main}
    return TemplateResponse(request, "projects/cockpit.html", context)


def _main(request: HttpRequest, user: User) -> SafeString:
    """All between the navigation and the foot of the page, put together anew."""
    wanted = asked_question(request, user)
    found = cockpit_for(user, wanted) if wanted else None
    context: dict[str, Any] = {"question": wanted, "cockpit": found}
    if wanted is not None:
        context |= _around(wanted, found.days if found else days_around(wanted))
    if found is None:
        return render_to_string("projects/cockpit_main.html", context)
    asked, against = found.question, found.question.against
    context["tools"] = _tools(asked)
    context["body"] = drawn(
        found,
        reviews=user.has_perm("projects.review_progressreport"),
        comparison=compare(user, asked, against, asked.on) if against else None,
    )
    main = render_to_string("projects/cockpit_main.html", context)
    keep_page(user, request.GET, found, main)
    return main


def _around(wanted: Question, days: Days) -> dict[str, Any]:
    before, after = days.before, days.after
    return {
        "missed": [_MISSED[name] for name in wanted.missed],
        "earlier": address(wanted.asked, on=before) if before else "",
        "later": address(wanted.asked, on=None if after == wanted.today else after) if after else "",
        "to_today": address(wanted.asked, on=None),
        "own": [
            (unit, address(wanted.asked, unit=unit.pk)) for unit in wanted.own if unit.pk != wanted.unit.pk
        ],
        "above": [(unit, address(wanted.asked, unit=unit.pk)) for unit in wanted.above],
        "here": address(wanted.asked),
    }


_MISSED = {
    "programme": gettext_lazy("There is no such programme; this is the newest one."),
    "unit": gettext_lazy("There is no such unit; this is your own."),
    "day": gettext_lazy("There is no such day, or it has not come yet; this is the latest."),
}


def _tools(wanted: Question) -> list[tuple[str, str]]:
    here = {"programme": wanted.programme.pk, "unit": wanted.unit.pk}
    return [
        (_("Wall chart"), f"{reverse('admin:wall')}?{urlencode(here)}"),
        (_("Large screen"), f"{reverse('admin:cockpit_screen')}?{urlencode(here)}"),
        (_("Bulletin (Word)"), address(wanted.asked, name="cockpit_file", args=("docx",))),
        (_("Workbook (Excel)"), address(wanted.asked, name="cockpit_file", args=("xlsx",))),
    ]
