"""The extension request as a form: the new date, the reason, and the later milestones that move along."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from projects.admin import opened_drafts
from projects.admin.draft_fields import DayInput, DraftForm
from projects.admin.draft_forms import DraftPage
from projects.models import ExtensionRequest, Milestone
from projects.services import extensions
from projects.services.extensions import Extended, granted, shown

#: Hidden input: the milestones that moved along when the form was opened.
OPENED = "shifts_opened"
#: Far more than the milestones of a project fill.
_LONGEST_OPENED = 50_000


class ExtensionForm(DraftForm):
    needed: ClassVar[tuple[str, ...]] = ("to_on", "reason_class", "reason")

    class Meta:
        model = ExtensionRequest
        fields = extensions.FIELDS
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "to_on": DayInput(),
            "reason_class": forms.RadioSelect(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason_class"].choices = ExtensionRequest.ReasonClass.choices  # type: ignore[attr-defined]

    def questionable(self) -> str:
        return "to_on"


@dataclass
class ShiftRow:
    """A later milestone as the form shows it.

    Attributes:
        to_on: what stands in its date field; blank moves it by as many days as the milestone itself.
        error: what is wrong with it.
    """

    milestone: Milestone
    ticked: bool = False
    to_on: str = ""
    error: str = ""

    @property
    def day(self) -> datetime.date | None:
        try:
            return parse_date(self.to_on)
        except ValueError:  # the 31st of a short month
            return None


class ExtensionPage(DraftPage):
    model = ExtensionRequest
    form_class = ExtensionForm
    services: ClassVar[Any] = extensions
    id_name = "request_id"
    template = "projects/extension_form.html"

    def __init__(self, model_admin: Any, request: HttpRequest, subject: Any) -> None:
        super().__init__(model_admin, request, subject)
        #: Set by a save: what was typed, with what is wrong with it.
        self.typed: list[ShiftRow] | None = None

    def cannot(self) -> str:
        return extensions.cannot_ask(self.subject, self.user, self.today)

    def before(self, draft: Any) -> ExtensionRequest | None:
        rows = self._rows().exclude(state="draft").filter(round__lt=draft.round)
        last = rows.select_related("decided_by").order_by("-round").first()
        return last if last is not None and last.state in ("returned", "rejected") else None

    def facts(self, draft: Any, form: DraftForm) -> dict[str, Any]:
        due_on: datetime.date = self.subject.due_on
        ends_on = self.project.programme.ends_on
        form.fields["to_on"].widget.attrs |= {
            "min": (due_on + datetime.timedelta(days=1)).isoformat(),
            "max": ends_on.isoformat(),
        }
        so_far = granted([self.subject.pk]).get(self.subject.pk, Extended())
        to_on = _day(form["to_on"].value())
        asked = max(0, (to_on - due_on).days) if to_on else 0
        present = self._present(draft)
        rows = self.typed
        if rows is None:
            rows = self._posted(self.request.POST, form) if form.is_bound else self._listed(present)
        return {
            "milestone": self.subject,
            "ends_on": ends_on,
            "late": self.today > due_on,
            "so_far": so_far,
            "after": Extended(so_far.times + 1, so_far.days + asked),
            "asked": asked,
            "shifts": rows,
            "shifts_opened": _as_text(present),
        }

    def typed_words(self, form: DraftForm) -> list[tuple[str, str]]:
        found = super().typed_words(form)
        if self.subject.due_on:
            rows = self.typed or self._posted(self.request.POST, form)
            found += [(row.milestone.name, row.to_on) for row in rows if row.ticked]
        return found

    def saved_facts(self, draft: Any) -> dict[str, Any]:
        return {"shifts": _as_text(self._present(draft))}

    # -- what moves along ---------------------------------------------------------------------

    def save(self, draft: Any, form: DraftForm) -> None:
        """Keep the text and every shift that can be kept; the others are shown again with their mistake."""
        present = self._present(draft)
        rows = self.typed = self._posted(self.request.POST, form)
        wanted = self._merged(draft, rows, present)
        extensions.save_draft(request_id=draft.pk, actor=self.user, texts=form.texts(), shifts=wanted)
        if any(row.error for row in rows):
            form.add_error(None, _("Look at the milestones that move along."))

    def _merged(
        self, draft: Any, rows: list[ShiftRow], present: dict[int, datetime.date]
    ) -> dict[int, datetime.date]:
        """What is to be kept: three states, as for the fields: opened, now, mine.

        What only a colleague changed stays theirs; what both changed stays as it is and is said at its row.
        """
        opened = self._opened(present)
        mine = {row.milestone.pk: row.day for row in rows if row.ticked and not row.error and row.day}
        disputed = [
            pk
            for pk in (row.milestone.pk for row in rows)
            if present.get(pk) != opened.get(pk) and mine.get(pk) not in (present.get(pk), opened.get(pk))
        ]
        own = opened_drafts.own_shifts(draft.pk, disputed, self.page, self.user) if disputed else set()
        wanted = {}
        for row in rows:
            pk = row.milestone.pk
            now, taken = present.get(pk), mine.get(pk)
            if row.error:
                taken = now
            elif now != opened.get(pk) and pk not in own and taken != now:
                if taken == opened.get(pk):
                    row.ticked, row.to_on = now is not None, now.isoformat() if now else ""
                else:
                    row.error = _(
                        "A colleague has entered meanwhile: %(what)s. Check the date and save again."
                    ) % {"what": shown(now) if now else _("does not move along")}
                taken = now
            if taken is not None:
                wanted[pk] = taken
        return wanted

    def _opened(self, present: dict[int, datetime.date]) -> dict[int, datetime.date]:
        sent = self.request.POST.get(OPENED, "")
        try:
            found = json.loads(sent if len(sent) <= _LONGEST_OPENED else "")
            return {int(pk): day for pk, text in found.items() if (day := parse_date(text)) is not None}
        except (ValueError, TypeError, AttributeError, RecursionError):
            return present

    def _present(self, draft: Any) -> dict[int, datetime.date]:
        return dict(draft.shifts.values_list("milestone_id", "to_on")) if draft.pk else {}

    def _listed(self, present: dict[int, datetime.date]) -> list[ShiftRow]:
        return [
            ShiftRow(row, row.pk in present, present[row.pk].isoformat() if row.pk in present else "")
            for row in extensions.later_milestones(self.subject)
        ]

    def _posted(self, data: QueryDict, form: DraftForm) -> list[ShiftRow]:
        to_on = _day(form["to_on"].value())
        delta = to_on - self.subject.due_on if to_on else None
        rows = []
        for milestone in extensions.later_milestones(self.subject):
            text = data.get(f"shift_to-{milestone.pk}", "").strip()[:20]
            row = ShiftRow(milestone, f"shift-{milestone.pk}" in data, text)
            rows.append(row)
            if not row.ticked:
                continue
            if not text and delta is not None and delta.days > 0:
                row.to_on = _moved(milestone.due_on, delta).isoformat()
            if row.day is None:
                row.error = _("Give the new date.")
            elif row.day <= milestone.due_on:
                row.error = _("The new date must lie after the present one, %(day)s.") % {
                    "day": shown(milestone.due_on)
                }
            elif row.day > self.project.programme.ends_on:
                row.error = _("The programme ends on %(day)s; no date can lie beyond it.") % {
                    "day": shown(self.project.programme.ends_on)
                }
        return rows


def _as_text(shifts: dict[int, datetime.date]) -> str:
    return json.dumps({str(pk): day.isoformat() for pk, day in shifts.items()})


def _moved(day: datetime.date, delta: datetime.timedelta) -> datetime.date:
    try:
        return day + delta
    except OverflowError:  # beyond the calendar: its last day lies behind every programme too
        return datetime.date.max


def _day(value: Any) -> datetime.date | None:
    if isinstance(value, datetime.date):
        return value
    try:
        return parse_date(str(value or ""))
    except ValueError:
        return None
