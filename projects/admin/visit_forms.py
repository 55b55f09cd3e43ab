"""The forms in which a visit is recorded and an instruction written: few fields, made for a phone on site."""

from __future__ import annotations

import datetime
import uuid
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import User
from enterprises.scoped_admin import person
from projects.admin.draft_forms import BY_SCRIPT
from projects.admin.opened_drafts import page_of_request
from projects.models import ActionItem, Project, SiteVisit
from projects.services.refusals import Refused
from projects.services.visits import (
    DUE_WITHIN,
    LONGEST_FINDINGS,
    LONGEST_TEXT,
    RECORDED_WITHIN,
    NewItem,
    answerers,
    cannot_record,
    instruct,
    leaders_for,
    record_visit,
)

#: Items that the form of a visit offers; more are written as instructions afterwards.
ITEM_ROWS = 3
#: With which date an item opens: two weeks are the usual time to answer an instruction.
USUAL_DAYS = 14


def _day_field(
    label: Any, first: datetime.date, last: datetime.date, *, required: bool = True
) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "min": str(first), "max": str(last)})
    return forms.DateField(label=label, widget=widget, required=required)


class ItemForm(forms.Form):
    """What is to be done, by whom and by when. Left without a text, it says nothing."""

    text = forms.CharField(
        label=gettext_lazy("what is to be done"),
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    responsible = forms.ModelChoiceField(
        label=gettext_lazy("responsible account"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("the project's coordinator and direct lead"),
    )
    responsible_text = forms.CharField(
        label=gettext_lazy("or a unit or person by name"), max_length=80, required=False
    )

    def __init__(self, *args: Any, people: Any, today: datetime.date, needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.needed = needed
        self.fields["due_on"] = _day_field(_("due on"), today, today + DUE_WITHIN, required=needed)
        self.fields["due_on"].initial = today + datetime.timedelta(days=USUAL_DAYS)
        self.fields["text"].required = needed
        self.fields["responsible"].queryset = people  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if self.needed or not found.get("text"):
            return found
        if not found.get("due_on") and "due_on" not in self.errors:
            self.add_error("due_on", _("An action item needs a date."))
        return found

    def item(self) -> NewItem:
        chosen = self.cleaned_data["responsible"]
        return NewItem(
            text=self.cleaned_data["text"],
            due_on=self.cleaned_data["due_on"],
            responsible_id=chosen.pk if chosen else None,
            responsible_text=self.cleaned_data["responsible_text"],
        )


class _LedForm(forms.Form):
    """A form that names a leader."""

    def __init__(self, *args: Any, leaders: Any, today: datetime.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["leader"].queryset = leaders  # type: ignore[attr-defined]


class VisitForm(_LedForm):
    kind = forms.ChoiceField(
        label=gettext_lazy("kind"), choices=SiteVisit.Kind.choices, widget=forms.RadioSelect
    )
    findings = forms.CharField(
        label=gettext_lazy("findings"),
        max_length=LONGEST_FINDINGS,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    leader = forms.ModelChoiceField(
        label=gettext_lazy("visiting leader"), queryset=User.objects.none(), empty_label=None
    )
    place = forms.CharField(label=gettext_lazy("place"), max_length=200, required=False)
    companions = forms.CharField(label=gettext_lazy("who came along"), max_length=300, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first = self.today - RECORDED_WITHIN
        self.fields["visited_on"] = _day_field(_("visited on"), first, self.today)


class LeaderForm(_LedForm):
    leader = forms.ModelChoiceField(
        label=gettext_lazy("instructed by"), queryset=User.objects.none(), empty_label=None
    )


class _RecordPage:
    """One of the two forms in one request. The caller has found `project` through the wall."""

    template: ClassVar[str]
    form_class: ClassVar[type[_LedForm]]
    item_rows: ClassVar[int]

    def __init__(self, request: HttpRequest, model_admin: Any, project: Project) -> None:
        self.request, self.model_admin, self.project = request, model_admin, project
        self.user, self.now = person(request), timezone.now()
        self.today = timezone.localdate(self.now)
        self.page = page_of_request(request)
        self.back = reverse("admin:projects_project_page", args=[project.pk])

    # -- what each says for itself --------------------------------------------------------------

    title: Any

    def initial(self) -> dict[str, Any]:
        return {}

    def recorded(self) -> int:
        """How many this person has recorded: what was kept on the device for an earlier one is over."""
        raise NotImplementedError

    def save(self, form: forms.Form, items: list[NewItem]) -> Any:
        raise NotImplementedError

    def done(self, made: Any) -> str:
        raise NotImplementedError

    # -- the request ------------------------------------------------------------------------------

    def answer(self) -> HttpResponse:
        if self.request.headers.get(BY_SCRIPT) == "fetch":
            # The script of the drafts saves by itself; here "unclear" makes it keep what was typed, on the
            # device only: half a visit is no visit.
            kept = {"version": "", "stamp": "", "message": _("Kept on this device"), "unclear": True}
            return JsonResponse(kept)
        posted = self.request.POST if self.request.method == "POST" else None
        leaders = leaders_for(self.project, self.user, self.today)
        form = self.form_class(
            posted, leaders=leaders, today=self.today, initial={"leader": self._leader(), **self.initial()}
        )
        people = answerers(self.project, self.user, self.today)
        rows = [
            ItemForm(posted, prefix=f"item-{n}", people=people, today=self.today, needed=self.item_rows == 1)
            for n in range(self.item_rows)
        ]
        refused = cannot_record(self.project, self.user)
        if posted is not None and not refused and all([form.is_valid(), *(row.is_valid() for row in rows)]):
            items = [row.item() for row in rows if row.cleaned_data["text"]]
            try:
                made = self.save(form, items)
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                self.model_admin.message_user(self.request, self.done(made), extra_tags="sent")
                return HttpResponseRedirect(f"{self.back}#h-visits")
        return self._shown(form, rows, refused, sent=posted is not None)

    def _leader(self) -> int:
        """Who writes it down, unless somebody of the staff does so for the project's liaison leader."""
        if self.user.has_perm("projects.review_progressreport") and self.project.liaison_leader_id:
            return self.project.liaison_leader_id
        return self.user.pk

    def _shown(self, form: Any, rows: list[ItemForm], refused: str, *, sent: bool) -> HttpResponse:
        context = {
            **self.model_admin.admin_site.each_context(self.request),
            "title": self.title,
            "opts": self.model_admin.opts,
            "project": self.project,
            "back": self.back,
            "form": form,
            "items": rows,
            "first_item": rows[0],
            "more_items": rows[1:],
            "more_open": any(row.has_changed() and row["text"].value() for row in rows[1:]),
            "faulty": [one for one in (form, *rows) if one.errors],
            "refused": refused,
            "page_id": self.page,
            "round": self.recorded(),
            "clean": not sent,
            "today": self.today,
        }
        status = 409 if sent and (refused or form.non_field_errors()) else 200
        return TemplateResponse(self.request, self.template, context, status=status)


class VisitPage(_RecordPage):
    template = "projects/visit_form.html"
    form_class = VisitForm
    item_rows = ITEM_ROWS
    title = gettext_lazy("Record a visit")

    def initial(self) -> dict[str, Any]:
        return {"kind": SiteVisit.Kind.VISIT, "visited_on": self.today, "place": self.project.place}

    def recorded(self) -> int:
        return SiteVisit.objects.filter(project=self.project, recorded_by=self.user).count()

    def save(self, form: forms.Form, items: list[NewItem]) -> SiteVisit:
        typed = form.cleaned_data
        return record_visit(
            project_id=self.project.pk,
            actor=self.user,
            at=self.now,
            kind=typed["kind"],
            visited_on=typed["visited_on"],
            leader_id=typed["leader"].pk,
            place=typed["place"],
            companions=typed["companions"],
            findings=typed["findings"],
            items=items,
            sent_from=uuid.UUID(self.page),
        )

    def done(self, made: SiteVisit) -> str:
        return _("Recorded: the visit stands on the page of the project.")


class InstructionPage(_RecordPage):
    template = "projects/instruction_form.html"
    form_class = LeaderForm
    item_rows = 1
    title = gettext_lazy("Write an instruction")

    def recorded(self) -> int:
        rows = ActionItem.objects.filter(project=self.project, recorded_by=self.user, visit=None)
        return rows.count()

    def save(self, form: forms.Form, items: list[NewItem]) -> ActionItem:
        return instruct(
            project_id=self.project.pk,
            actor=self.user,
            at=self.now,
            leader_id=form.cleaned_data["leader"].pk,
            item=items[0],
            sent_from=uuid.UUID(self.page),
        )

    def done(self, made: ActionItem) -> str:
        return _("The instruction was given; those who have to act are told.")
