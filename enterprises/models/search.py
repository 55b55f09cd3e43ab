"""The words by which rows are found, kept beside them.

They stand in tables of their own: the rows themselves are written often (lights, flags), and every index on them is
paid for each time; their names hardly ever change. Triggers of the database keep the words (migration
`search_words`), so that COPY and raw SQL cannot forget them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from enterprises.models.enterprise import Enterprise
from enterprises.models.party import PartyBranch
from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import Within
from enterprises.search import BigramsOf, holds

#: Kilobytes of new entries that an index keeps aside. A ledger of 200,000 projects is taken in three times as fast as
#: with none; a question reads them one by one, so they stay few.
PENDING = 1024

W = TypeVar("W", bound=models.Model)


class WordsQuerySet(ScopedQuerySet[W]):
    def holding(self, words: Sequence[str]) -> WordsQuerySet[W]:
        """Rows that hold each of the words.

        Ids only, for `filter(pk__in=...)` on rows that come through the wall: what is found here is not yet shown.
        """
        found = self
        for word in words:
            found = found.filter(holds("words", word))
        return found


class SearchWords(models.Model):
    """Written by triggers only.

    Attributes:
        code: folded; what is typed in full stands first.
        words: folded texts, one a line: code, names, places, people, and their pinyin initials.
    """

    code = models.TextField(db_collation="C")
    words = models.TextField()

    class Meta:
        abstract = True
        default_permissions = ()
        indexes = [
            models.Index(fields=["code"], name="%(class)s_by_code"),
            GinIndex(BigramsOf("words"), name="%(class)s_grams", gin_pending_list_limit=PENDING),
        ]


class EnterpriseWords(SearchWords):
    # No constraint: a trigger takes the words away with their row, also where SQL deletes it.
    enterprise = models.OneToOneField(
        Enterprise, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+"
    )

    objects = WordsQuerySet.as_manager()
    scope = Within("enterprise")

    class Meta(SearchWords.Meta):
        pass

    def __str__(self) -> str:
        return self.words


class PartyBranchWords(SearchWords):
    branch = models.OneToOneField(
        PartyBranch, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+"
    )

    objects = WordsQuerySet.as_manager()
    scope = Within("branch__enterprise")

    class Meta(SearchWords.Meta):
        pass

    def __str__(self) -> str:
        return self.words
