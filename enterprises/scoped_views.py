"""Saved views: a list opened with the filters, columns and order that somebody kept under a name.

A view is a query string, and goes the way of every query string: names that the list does not accept are dropped,
values that lie beyond the wall find nothing. `?_view=7` beside it names the view, for its columns and its heading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.text import capfirst

from enterprises.models import SavedView, User
from enterprises.scoped_admin import person
from enterprises.scoped_lists import VIEW_VAR
from enterprises.scoping import may, prefixes

#: No menu is longer; the others stand on the page of all views.
MOST_OFFERED = 30
_LONGEST_VALUE, _MOST_VALUES, LONGEST_QUERY = 300, 40, 2000
_NO_FILTERS = frozenset(
    {PAGE_VAR, ORDER_VAR, VIEW_VAR, "e", "all", "_popup", "_to_field", "_facets", "_layout"}
)


class KeepsViews:
    """Mixin of a `ScopedModelAdmin` whose list can be kept as a view. Stands before it among the bases."""

    model: Any
    opts: Any
    admin_site: Any
    list_display: Any
    #: Columns that the list has to give beside those that it shows by itself.
    more_columns: ClassVar[Sequence[str]] = ()
    #: The column that leads to the row's page: no view is without it.
    lasting_column: ClassVar[str]

    # -- columns ------------------------------------------------------------------------------------

    def columns_offered(self, request: HttpRequest) -> dict[str, str]:
        """Key → heading of every column that a view of this list may have, in the list's own order."""
        keys = [*self.list_display, *self.more_columns]
        return {key: capfirst(str(label_for_field(key, self.model, self))) for key in keys}  # type: ignore[call-overload]

    def get_list_display(self, request: HttpRequest) -> Any:
        view = self.opened_view(request)
        return list(self.list_display) if view is None else self.columns_of(view)

    def columns_of(self, view: SavedView) -> list[str]:
        known = {*self.list_display, *self.more_columns}
        chosen = [key for key in dict.fromkeys(view.chosen()) if key in known]
        if not chosen:
            return list(self.list_display)
        return chosen if self.lasting_column in chosen else [self.lasting_column, *chosen]

    # -- the view that is open ------------------------------------------------------------------------

    def opened_view(self, request: HttpRequest) -> SavedView | None:
        """The view that the address names, if the person may see it. Asked once a request."""
        wanted = request.GET.get(VIEW_VAR, "")
        known = request.__dict__.setdefault("_opened_views", {})
        key = (self.opts.label_lower, wanted)
        if key not in known:
            is_id = wanted.isascii() and wanted.isdecimal() and len(wanted) <= 18
            rows = SavedView.objects.visible_to(request.user).filter(listed=self.opts.label_lower)
            known[key] = rows.filter(pk=int(wanted)).first() if is_id else None
        return known[key]  # type: ignore[no-any-return]

    def accepted(self, query: QueryDict, request: HttpRequest) -> tuple[list[tuple[str, str]], list[str]]:
        """The pairs of a query string that the list takes, and the names of those that it does not know.

        Long values are no filters of any list; they are dropped as well.
        """
        kept: list[tuple[str, str]] = []
        dropped: list[str] = []
        for name, values in query.lists():
            if name in _NO_FILTERS:
                continue
            for value in values:
                known = name == SEARCH_VAR or self.lookup_allowed(name, value, request)  # type: ignore[attr-defined]
                if not known or len(value) > _LONGEST_VALUE or "\0" in value or len(kept) >= _MOST_VALUES:
                    dropped.append(name[:60])
                elif value:
                    kept.append((name, value))
        return kept, dropped

    def order_of(self, request: HttpRequest) -> list[str]:
        """Keys of the columns by which the list of the request is sorted: the address has their places only."""
        shown = self._places(request, self.get_list_display(request))
        keys: list[str] = []
        for part in request.GET.get(ORDER_VAR, "").split(".")[:_MOST_VALUES]:
            minus, place = part.startswith("-"), part.lstrip("-")
            if place.isascii() and place.isdecimal() and len(place) < 4 and int(place) < len(shown):
                keys.append(f"-{shown[int(place)]}" if minus else shown[int(place)])
        return keys

    def _places(self, request: HttpRequest, columns: Sequence[str]) -> list[str]:
        """The columns as the list counts them: a box to tick is a column."""
        ticks = ["action_checkbox"] if self.get_actions(request) else []  # type: ignore[attr-defined]
        return [*ticks, *columns]

    def address_of(self, view: SavedView, request: HttpRequest) -> str:
        """The address that opens a view."""
        pairs, _dropped = self.accepted(QueryDict(view.query), request)
        places = self._places(request, self.columns_of(view))
        numbers = [
            f"{'-' if key.startswith('-') else ''}{places.index(key.lstrip('-'))}"
            for key in view.sorted_by()
            if key.lstrip("-") in places
        ]
        if numbers:
            pairs = [*pairs, (ORDER_VAR, ".".join(numbers))]
        return f"{self._list_url()}?{urlencode([*pairs, (VIEW_VAR, str(view.pk))])}"

    def _list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    # -- the menu -------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        keeps = person(request).has_perm("enterprises.view_savedview")
        extra = {"views": self.views_menu(request) if keeps else None, **(extra_context or {})}
        return super().changelist_view(request, extra)  # type: ignore[misc]

    def views_menu(self, request: HttpRequest) -> dict[str, Any]:
        """What the menu over the list offers, and how the list stands to the view that is open."""
        reader = person(request)
        views = list(offered(reader, self.opts.label_lower)[: MOST_OFFERED + 1])
        opened = self.opened_view(request)
        pairs, _dropped = self.accepted(request.GET, request)
        now = {"query": urlencode(pairs)[:LONGEST_QUERY], "order": ".".join(self.order_of(request))}
        entries = [
            {"view": view, "url": self.address_of(view, request), "here": opened == view}
            for view in views[:MOST_OFFERED]
        ]
        add = reverse("admin:enterprises_savedview_add")
        return {
            "own": [one for one in entries if one["view"].unit_id is None],
            "shared": [one for one in entries if one["view"].unit_id is not None],
            "all": reverse("admin:enterprises_savedview_changelist"),
            "plain": self._list_url(),
            "add": f"{add}?{urlencode({'list': self.opts.label_lower, **now, **({'from': opened.pk} if opened else {})})}",
            **({} if opened is None else self._standing(opened, request, now)),
        }

    def _standing(self, view: SavedView, request: HttpRequest, now: dict[str, str]) -> dict[str, Any]:
        """Whether the list is still as the view keeps it, and what of the view is no more."""
        stored, gone = self.accepted(QueryDict(view.query), request)
        known = {*self.list_display, *self.more_columns}
        gone_columns = [key for key in view.chosen() if key not in known]
        pairs, _dropped = self.accepted(request.GET, request)
        order = [key for key in view.sorted_by() if key.lstrip("-") in self.columns_of(view)]
        changed = sorted(stored) != sorted(pairs) or order != self.order_of(request)
        return {
            "opened": view,
            "changed": changed,
            "gone": [*gone, *gone_columns],
            "may_change": may(person(request), "change", view),
            "back": self.address_of(view, request),
            "now": {**now, "seen": view.state},
        }


def offered(reader: User, listed: str) -> Any:
    """The views of a list that stand in a person's menu: one's own, and those that one's units share from above."""
    chain = {path for grant in reader.grants for path in prefixes(grant.unit_path)}
    rows = SavedView.objects.visible_to(reader).filter(listed=listed)
    own = Q(owner_id=reader.pk, unit__isnull=True)
    return rows.filter(own | Q(unit__path__in=chain)).order_by("name", "id")


def sanitised_order(keys: Iterable[str], known: Iterable[str]) -> list[str]:
    columns = set(known)
    return [key for key in dict.fromkeys(keys) if key.lstrip("-") in columns][:_MOST_VALUES]
