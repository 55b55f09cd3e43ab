"""Fields of forms that survive whatever was sent to them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple

from enterprises.plain_text import tidy


class _IdsOnly:
    """Shows a form again after a wrong value: the stock widget asks the database for it as it is."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        known = [one for one in value if str(one).isascii() and str(one).isdigit() and len(str(one)) < 19]
        return super().optgroups(name, known, attrs)  # type: ignore[misc]


class PlainAutocomplete(_IdsOnly, AutocompleteSelect):
    pass


class PlainAutocompleteMultiple(_IdsOnly, AutocompleteSelectMultiple):
    pass


class TidyText(forms.CharField):
    """A name or a text: what nobody sees in it (control and direction marks) is not kept.

    A direction mark pasted along with a name turns the letters after it around, on the page and on paper.
    """

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return (tidy(text) or self.empty_value) if isinstance(text, str) else text
