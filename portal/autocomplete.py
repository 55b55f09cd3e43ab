"""The answers of the search boxes in forms, through the wall."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from enterprises.scoping import permission_name


class ScopedAutocomplete(AutocompleteJsonView):
    """Offers what the person may see, and what a role may only name.

    The stock view asks for the right to *view* the register, which a security administrator has not:
    a unit could then not be chosen for a membership at all.
    """

    def has_perm(self, request: HttpRequest, obj: Any = None) -> bool:
        model = self.model_admin.model
        return any(request.user.has_perm(permission_name(model, action)) for action in ("view", "choose"))

    def process_request(self, request: HttpRequest) -> Any:
        try:
            return super().process_request(request)
        except AttributeError as error:
            raise PermissionDenied from error  # a name in the link that is no field with a choice

    def get_queryset(self) -> Any:
        rows = self.model_admin.model.objects.choosable_by(self.request.user)
        rows = rows.complex_filter(self.source_field.get_limit_choices_to())
        rows, twice = self.model_admin.get_search_results(self.request, rows, self.term)
        return (rows.distinct() if twice else rows).order_by(*self.model_admin.get_ordering(self.request))

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        full = getattr(obj, "full_label", str(obj))
        return {"id": str(getattr(obj, to_field_name)), "text": full}
