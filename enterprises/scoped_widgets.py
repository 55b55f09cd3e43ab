"""Search boxes in forms that survive whatever was sent to them."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple


class _IdsOnly:
    """Shows a form again after a wrong value: the stock widget asks the database for it as it is."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        known = [one for one in value if str(one).isascii() and str(one).isdigit() and len(str(one)) < 19]
        return super().optgroups(name, known, attrs)  # type: ignore[misc]


class PlainAutocomplete(_IdsOnly, AutocompleteSelect):
    pass


class PlainAutocompleteMultiple(_IdsOnly, AutocompleteSelectMultiple):
    pass
