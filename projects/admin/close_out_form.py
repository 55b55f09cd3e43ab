"""The acceptance form of a close-out: what was achieved, beside what was promised."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms

from projects.admin.draft_fields import DayInput, DraftForm
from projects.admin.draft_forms import DraftPage
from projects.models import CloseOut, Milestone, Project
from projects.services import close_outs
from projects.services.extensions import granted


class CloseOutForm(DraftForm):
    needed: ClassVar[tuple[str, ...]] = ("achieved", "completed_on", "follow_up_owner")

    class Meta:
        model = CloseOut
        fields = close_outs.FIELDS
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "completed_on": DayInput(),
            "beneficiaries_reached": forms.NumberInput(
                attrs={"min": 0, "step": "any", "inputmode": "decimal"}
            ),
            "follow_up_owner": forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        number = self.initial.get("beneficiaries_reached")
        if isinstance(number, Decimal):
            self.initial["beneficiaries_reached"] = f"{number.normalize():f}"

    def questionable(self) -> str:
        if (self.cleaned_data.get("beneficiaries_reached") or 0) < 0:
            return "beneficiaries_reached"
        return "completed_on"


class CloseOutPage(DraftPage):
    model = CloseOut
    form_class = CloseOutForm
    services: ClassVar[Any] = close_outs
    id_name = "close_out_id"
    subject_field = "project"
    template = "projects/close_out_form.html"

    @property
    def project(self) -> Project:
        return self.subject

    def cannot(self) -> str:
        return close_outs.cannot_ask(self.subject, self.user, self.today)

    def before(self, draft: Any) -> CloseOut | None:
        rows = self._rows().exclude(state="draft").filter(round__lt=draft.round)
        return rows.select_related("decided_by").order_by("-round").first()

    def facts(self, draft: Any, form: DraftForm) -> dict[str, Any]:
        form.fields["completed_on"].widget.attrs |= {
            "max": self.today.isoformat(),
            "min": self.project.programme.starts_on.isoformat(),
        }
        milestones = list(Milestone.objects.visible_to(self.user).filter(project=self.subject))
        extended = granted([row.pk for row in milestones])
        return {
            "promised": close_outs.promise_of(self.subject),
            "milestones": [(row, extended.get(row.pk)) for row in milestones],
            "late": sum(1 for row in milestones if row.days_late),
        }
