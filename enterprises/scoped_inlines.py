"""Rows in inlines whose relations lead beyond the wall: neither named nor lost.

`ScopedModelAdmin` leaves such a field out of its form. A row of an inline has its place in a table, so the field
stays, says nothing, and takes nothing.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.utils.html import format_html
from django.utils.translation import gettext as _


class _Unnamed(forms.Widget):
    """Stands where a value is that the reader may not know."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        return format_html('<span class="quiet">{}</span>', _("Beyond your units; stays as it is"))


class KeepsWhatLiesBeyond(BaseInlineFormSet):
    """Mixed into the form sets of scoped inlines.

    Offered as a choice, a value beyond the wall could not be kept: it is not among the choices, so saving any other
    field of the row was refused, or took it away.
    """

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for name, field in list(form.fields.items()):
            if not _leads_to_one_row(field) or name not in self.form.base_fields:
                continue
            value = form.initial.get(name) if form.instance.pk else None
            if value is not None and value not in self._known(name, field):
                rows = field.queryset.model._base_manager.filter(pk=value)
                form.fields[name] = forms.ModelChoiceField(
                    rows, disabled=True, required=False, label=field.label, widget=_Unnamed
                )

    def _known(self, name: str, field: Any) -> set[Any]:
        """Values of a field that lie within reach, asked once for all rows."""
        held: dict[str, set[Any]] = self.__dict__.setdefault("_known_values", {})
        if name not in held:
            column = self.form._meta.model._meta.get_field(name).attname
            values = {getattr(row, column) for row in self.get_queryset()} - {None}
            held[name] = set(field.queryset.filter(pk__in=values).values_list("pk", flat=True))
        return held[name]


def _leads_to_one_row(field: Any) -> bool:
    return isinstance(field, forms.ModelChoiceField) and not isinstance(field, forms.ModelMultipleChoiceField)
