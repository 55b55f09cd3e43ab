"""The ladder of a programme: its rungs and quiet hours, tried out on tomorrow before they are saved."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.forms import BaseFormSet, formset_factory
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.scoped_admin import person
from enterprises.scoping import may
from projects.ladder import DEFAULT_LADDER, Order, Recipient, Rung
from projects.models import Programme
from projects.services.ladder_preview import LadderPreview, preview_ladder
from projects.services.ladders import MOST_RUNGS, Ladder, fault_in, ladder_of, set_ladder
from projects.services.posts import POST_NAMES
from projects.services.refusals import Refused
from projects.services.working_calendar import working_calendar

BEFORE, AFTER = "before", "after"
EMPTY_ROWS = 3


class RungForm(forms.Form):
    """One rung. A row without a number of days is no rung."""

    days = forms.IntegerField(
        label=gettext_lazy("Working days"),
        required=False,
        validators=[MinValueValidator(1), MaxValueValidator(250)],
        widget=forms.NumberInput(attrs={"min": 1, "max": 250, "inputmode": "numeric"}),
    )
    side = forms.ChoiceField(
        label=gettext_lazy("Before or after"),
        choices=[(BEFORE, gettext_lazy("before the due date")), (AFTER, gettext_lazy("overdue"))],
        initial=AFTER,
    )
    recipient = forms.ChoiceField(label=gettext_lazy("Told"), choices=Recipient.choices)
    order = forms.ChoiceField(
        label=gettext_lazy("Suggests"), choices=[("", "—"), *Order.choices], required=False
    )
    urgent = forms.BooleanField(label=gettext_lazy("At once"), required=False)
    mandatory = forms.BooleanField(label=gettext_lazy("Cannot be silenced"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("side") == BEFORE and (cleaned.get("days") or 0) > 60:
            self.add_error("days", _("At most 60 working days before the due date."))
        return cleaned

    @property
    def rung(self) -> Rung | None:
        given = self.cleaned_data
        if not given.get("days") or given.get("DELETE"):
            return None
        days = -given["days"] if given["side"] == BEFORE else given["days"]
        return Rung(days, given["recipient"], given["order"], given["urgent"], given["mandatory"])


class ClockForm(forms.Form):
    is_on = forms.BooleanField(label=gettext_lazy("The ladder is climbed"), required=False)
    quiet_from = forms.TimeField(
        label=gettext_lazy("Quiet from"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        label=gettext_lazy("Quiet until"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    seen = forms.CharField(widget=forms.HiddenInput, max_length=32)


RungFormSet: type[BaseFormSet] = formset_factory(
    RungForm, extra=EMPTY_ROWS, can_delete=True, max_num=MOST_RUNGS + EMPTY_ROWS, absolute_max=200
)


def ladder_page(request: HttpRequest, model_admin: Any, programme: Programme) -> HttpResponse:
    """Show, try out ("_preview") or save ("_save") the ladder; the caller has found it through the wall."""
    user = person(request)
    stored = ladder_of(programme)
    can_change = may(user, "change", programme) and not programme.archived_on
    if request.method != "POST" or not can_change:
        return _answer(request, model_admin, programme, stored, *_forms(stored), can_change=can_change)
    clock, rungs = ClockForm(request.POST), RungFormSet(request.POST, prefix="rung")
    # Both are asked, so that every fault is shown at once.
    if not all([clock.is_valid(), rungs.is_valid()]):
        error = _("Nothing was saved; see the notes at the fields.")
        return _answer(request, model_admin, programme, stored, clock, rungs, error=error)
    mine = _typed(clock, rungs)
    if fault := fault_in(mine.rungs):
        return _answer(request, model_admin, programme, stored, clock, rungs, error=fault)
    if "_save" not in request.POST:
        previews = [
            preview_ladder(programme=programme, ladder=mine, on=day, reader=user)
            for day in _days_ahead(timezone.localdate())
        ]
        return _answer(request, model_admin, programme, stored, clock, rungs, previews=previews)
    try:
        set_ladder(programme_id=programme.pk, ladder=mine, actor=user, seen=clock.cleaned_data["seen"])
    except Refused as refused:
        # What was typed stays; pressing again saves it over what is shown beside it as stored.
        programme.refresh_from_db()
        stored = ladder_of(programme)
        clock = ClockForm({**request.POST.dict(), "seen": stored.fingerprint})
        clock.is_valid()
        return _answer(
            request, model_admin, programme, stored, clock, rungs, error=str(refused), now=stored.rungs
        )
    model_admin.message_user(request, _("The ladder was saved; the next patrol climbs by it."))
    return HttpResponseRedirect(reverse("admin:projects_programme_ladder", args=[programme.pk]))


def _days_ahead(today: datetime.date) -> list[datetime.date]:
    """Tomorrow; and where that is free, the next working day, on which the ladder moves again."""
    calendar, tomorrow = working_calendar(), today + datetime.timedelta(days=1)
    return [tomorrow] if calendar.is_working(tomorrow) else [tomorrow, calendar.after(tomorrow, 1)]


def _forms(ladder: Ladder) -> tuple[ClockForm, BaseFormSet]:
    clock = ClockForm(
        initial={
            "is_on": ladder.is_on,
            "quiet_from": ladder.quiet_from,
            "quiet_until": ladder.quiet_until,
            "seen": ladder.fingerprint,
        }
    )
    rows = [
        {
            "days": abs(rung.days),
            "side": BEFORE if rung.days < 0 else AFTER,
            "recipient": rung.recipient,
            "order": rung.order,
            "urgent": rung.urgent,
            "mandatory": rung.mandatory,
        }
        for rung in ladder.rungs
    ]
    return clock, RungFormSet(initial=rows, prefix="rung")


def _typed(clock: ClockForm, rungs: BaseFormSet) -> Ladder:
    found = [rung for form in rungs if (rung := form.rung) is not None]
    given = clock.cleaned_data
    return Ladder(
        tuple(sorted(found, key=lambda rung: rung.days)),
        given["is_on"],
        given["quiet_from"],
        given["quiet_until"],
    )


def _answer(
    request: HttpRequest,
    model_admin: Any,
    programme: Programme,
    stored: Ladder,
    clock: ClockForm,
    rungs: BaseFormSet,
    *,
    can_change: bool = True,
    error: str = "",
    now: tuple[Rung, ...] = (),
    previews: Sequence[LadderPreview] = (),
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Escalation ladder"),
        "opts": model_admin.opts,
        "programme": programme,
        "ladder": stored,
        "is_default": stored.rungs == DEFAULT_LADDER,
        "clock": clock,
        "rungs": rungs,
        "can_change": can_change,
        "error": error,
        "now": now,
        "previews": [(preview, _vacant(preview)) for preview in previews],
    }
    return TemplateResponse(request, "projects/ladder.html", context, status=409 if error else 200)


def _vacant(preview: LadderPreview) -> list[tuple[Any, Any, int]]:
    return [
        (POST_NAMES[post], POST_NAMES[instead], n) for (post, instead), n in preview.instead.most_common()
    ]
