"""The search box of a list: the same matching as the search over everything."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest

from enterprises.search import terms


class SearchesWords:
    """Mixin of a `ScopedModelAdmin` whose rows have words kept beside them. Stands before it among the bases.

    `search_fields` stays set: by it a list knows that it has a box.
    """

    #: The table of words; its primary key is the row's.
    words: ClassVar[Any]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        asked = terms(search_term)
        if asked:
            return queryset.filter(pk__in=self.words.objects.holding(asked).values("pk")), False
        # What folds to nothing (control signs alone) is found nowhere; an empty box asks nothing.
        return (queryset.none() if search_term.strip() else queryset), False
