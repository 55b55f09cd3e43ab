"""What is typed above the journal, checked: nothing wrong reaches the database, and it stays in its field."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journal.reading import Search, fields_of
from journal.tracking import event_models, subject_of
from journal.words import ACTIONS, DOORS

#: How far back a text is looked for when no date is given; no index knows texts.
REACH = datetime.timedelta(days=30)
#: Around the time in a link to one act; a request has a minute, an import some more.
ACT = datetime.timedelta(minutes=10)


def kinds() -> list[tuple[str, str]]:
    """Label and name of every kind of record that entries tell of."""
    found = {subject_of(event)._meta.label_lower: subject_of(event) for event in event_models()}
    return sorted((label, capfirst(str(model._meta.verbose_name))) for label, model in found.items())


def _text(label: Any, length: int) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=length)


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(label=label, required=False, widget=widget, input_formats=["%Y-%m-%d", "%Y/%m/%d"])


class JournalFilter(forms.Form):
    """The filter of the journal and of its export. Days are days in Shanghai, both inclusive."""

    by = _text(gettext_lazy("Person"), 60)
    unit = _text(gettext_lazy("Unit"), 120)
    thing = _text(gettext_lazy("Name, code or #number"), 120)
    kind = forms.ChoiceField(label=gettext_lazy("Kind of record"), required=False)
    #: Of the kind that was searched for; without one a field would be many fields of one name.
    field = forms.ChoiceField(label=gettext_lazy("Changed field"), required=False)
    action = forms.ChoiceField(label=gettext_lazy("Action"), required=False)
    door = forms.ChoiceField(label=gettext_lazy("Door"), required=False)
    since = _day(gettext_lazy("From"))
    until = _day(gettext_lazy("Until"))
    #: Not typed: a link to everything that one act changed carries them.
    click = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    at = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any]) -> None:
        typed = {name: data.get(name, "") for name in self.base_fields}
        fields = fields_of(typed["kind"]) if typed["kind"] else {}
        if typed["field"] not in fields:
            # The kind was changed and the page had no list of its fields yet: it is searched without one.
            typed["field"] = ""
        super().__init__(typed)
        for name, choices in (
            ("kind", kinds()),
            ("field", sorted(fields.items(), key=lambda pair: pair[1])),
            ("action", ACTIONS.items()),
            ("door", DOORS.items()),
        ):
            field: Any = self.fields[name]
            field.choices = [("", _("All")), *((value, capfirst(str(text))) for value, text in choices)]
        if not fields:
            self.fields["field"].disabled = True
            self.fields["field"].choices = [("", _("Choose a kind of record first"))]  # type: ignore[attr-defined]

    def clean_at(self) -> datetime.datetime | None:
        text = self.cleaned_data["at"]
        if not text:
            return None
        try:
            at = parse_datetime(text)
            # Python knows displacements that PostgreSQL refuses; the first and last days have no UTC.
            at = at.astimezone(datetime.UTC) if at is not None and at.tzinfo is not None else None
        except (ValueError, OverflowError):
            at = None
        if at is None or not 1970 < at.year < 9000:
            raise forms.ValidationError(_("This is no time."))
        return at

    def clean(self) -> None:
        facts = self.cleaned_data
        for name in ("since", "until"):
            if facts.get(name) and not 1970 < facts[name].year < 9000:
                self.add_error(name, _("This is no day of the journal."))
        if facts.get("since") and facts.get("until") and facts["until"] < facts["since"]:
            self.add_error("until", _("The last day must not lie before the first."))
        if facts.get("click") and not facts.get("at"):
            self.add_error("click", _("A link to one act carries its time."))

    @property
    def filled(self) -> dict[str, str]:
        """What was typed, for links and for the record of an export."""
        return {name: str(value) for name, value in self.data.items() if value not in ("", None)}

    def search(self) -> Search:
        """The question that a valid filter asks."""
        facts = self.cleaned_data
        at = facts["at"]
        search = {
            name: facts[name] for name in ("by", "unit", "thing", "kind", "field", "action", "door", "click")
        }
        if facts["click"]:
            return Search(**search, since=at - ACT, until=at + ACT)
        after = facts["until"] and facts["until"] + datetime.timedelta(days=1)
        return Search(**search, since=_midnight(facts["since"]), until=_midnight(after))


def filter_of(data: Mapping[str, Any], today: datetime.date) -> JournalFilter:
    """The filter that was typed; a text without a day gets a first day, which is shown in its field."""
    typed = JournalFilter(data)
    if typed.is_valid() and typed.search().reads_far:
        first = (typed.cleaned_data["until"] or today) - REACH
        return JournalFilter({**typed.data, "since": first.isoformat()})
    return typed


def _midnight(day: datetime.date | None) -> datetime.datetime | None:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min)) if day else None
