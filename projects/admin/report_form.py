"""The progress report as a form, and 本期无变化 in one click."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from enterprises.scoped_admin import person
from projects.admin.draft_fields import DayInput, DraftForm
from projects.admin.draft_forms import DraftPage
from projects.deadlines import is_overdue
from projects.models import ProgressReport
from projects.services import reports
from projects.services.extensions import granted
from projects.services.refusals import Refused


class ReportForm(DraftForm):
    never_blank: ClassVar[tuple[str, ...]] = ("percent",)
    needed: ClassVar[tuple[str, ...]] = ("done",)

    class Meta:
        model = ProgressReport
        fields = ("percent", *ProgressReport.TEXTS, "claimed_on")
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "percent": forms.NumberInput(attrs={"min": 0, "max": 100, "step": 1, "inputmode": "numeric"}),
            "claimed_on": DayInput(),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("claimed_on"):
            data["percent"] = 100  # claimed as completed
        return data

    def questionable(self) -> str:
        return "claimed_on"


class ReportPage(DraftPage):
    model = ProgressReport
    form_class = ReportForm
    services: ClassVar[Any] = reports
    id_name = "report_id"
    template = "projects/report_form.html"

    def cannot(self) -> str:
        return reports.cannot_report(self.subject, self.user, self.today)

    def before(self, draft: Any) -> ProgressReport | None:
        return reports.last_report(self.subject, before=draft)

    def then(self, before: ProgressReport, name: str) -> Any:
        if name == "percent":
            return reports.opening_percent(self.subject, before)
        return getattr(before, name)

    def facts(self, draft: Any, form: DraftForm) -> dict[str, Any]:
        form.fields["claimed_on"].widget.attrs |= {
            "max": self.today.isoformat(),
            "min": self.project.programme.starts_on.isoformat(),
        }
        return {
            "milestone": self.subject,
            "is_late": is_overdue(self.subject, self.today),
            "extended": granted([self.subject.pk]).get(self.subject.pk),
        }


def no_change(model_admin: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """本期无变化: handed in by the click, said on the project's page."""
    milestone = model_admin.get_object(request, str(object_id))
    if milestone is None or not model_admin.has_view_permission(request, milestone):
        return model_admin.missing(request, object_id)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        reports.report_no_change(milestone_id=milestone.pk, actor=person(request), at=timezone.now())
    except Refused as refused:
        model_admin.message_user(request, str(refused), "error")
    else:
        model_admin.message_user(request, _("“%(name)s”: reported as unchanged.") % {"name": milestone})
    return HttpResponseRedirect(reverse("admin:projects_project_page", args=[milestone.project_id]))
