"""The fields of the forms in which an officer writes: see `draft_forms` for what becomes of them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms


class DayInput(forms.DateInput):
    """The browser's own picker of a day."""

    input_type = "date"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class DraftForm(forms.ModelForm):
    """A draft may be incomplete, so no field is required; what is missing is said on handing in."""

    #: Fields that may not be null in the table: a blank one leaves the draft as it is.
    never_blank: ClassVar[tuple[str, ...]] = ()
    #: Fields that may not be blank on handing in.
    needed: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.required = False
            limit = getattr(field, "max_length", None)
            field.widget.attrs.setdefault("id", f"id_{name}")
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs |= {"rows": 3, "class": "vLargeTextField", "maxlength": limit}

    def texts(self) -> dict[str, Any]:
        """What can be kept: every field that was understood."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name in self.fields and not (value is None and name in self.never_blank)
        }

    def ask_for_missing(self) -> None:
        """All at once at their fields, instead of one refusal after the other."""
        for name in self.needed:
            if name not in self.errors and not str(self.cleaned_data.get(name) or "").strip():
                self.add_error(name, self.fields[name].error_messages["required"])

    def questionable(self) -> str:
        """The field that a refusal to take the form is most likely about, "" where none can be named."""
        return ""


@dataclass(frozen=True)
class Entry:
    """A field with what the round before said.

    Attributes:
        before: in the words of the form's own input, None where there was no round before.
        changed: whether the field differs from it.
    """

    bound: forms.BoundField
    before: str | None
    changed: bool


def plain(value: Any) -> str:
    """A value as an input of the form holds it, with the line ends that browsers send made one."""
    if value is None:
        return ""
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value).replace("\r\n", "\n").strip()
