"""The words by which projects and milestones are found (see `enterprises.models.search`)."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from enterprises.models.search import PENDING, SearchWords, WordsQuerySet
from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import PortalWide, Within
from enterprises.search import BigramsOf
from projects.models.project import Project


class ProjectWords(SearchWords):
    """Name, place, responsible enterprise, people and their initials.

    Attributes:
        people: the people alone: a name is asked for by itself, too, and few projects hold it.
    """

    project = models.OneToOneField(
        Project, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+"
    )
    people = models.TextField()

    objects = WordsQuerySet.as_manager()
    scope = Within("project__enterprise")

    class Meta(SearchWords.Meta):
        indexes = [
            *SearchWords.Meta.indexes,
            GinIndex(BigramsOf("people"), name="%(class)s_people", gin_pending_list_limit=PENDING),
        ]

    def __str__(self) -> str:
        return self.words


#: Set to "on" for a transaction whose new projects are many: their words are taken up after it (`WordsDue`).
WORDS_LATER = "portal.words_later"


class WordsDue(models.Model):
    """A new project whose words are still to be taken up. Written by a trigger where `WORDS_LATER` says so."""

    project_id = models.BigIntegerField(primary_key=True)

    objects = ScopedQuerySet.as_manager()
    scope = PortalWide("Ids that wait for a worker; nobody is shown them.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.project_id)


class MilestoneName(models.Model):
    """A name that milestones have. A million milestones share some thousand names.

    Names stay when the last milestone that had them is gone: they find nothing then. Two may be the same, if two
    people gave it in the same moment; nobody waits for anybody here.

    Attributes:
        name: as it is written.
        words: folded.
    """

    name = models.CharField(max_length=120)
    words = models.TextField()

    objects = ScopedQuerySet.as_manager()
    scope = PortalWide(
        "A list of words without rows; it is joined to milestones, which come through the wall."
    )

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["name"], name="milestonename_by_name"),
            GinIndex(BigramsOf("words"), name="milestonename_grams", gin_pending_list_limit=PENDING),
        ]

    def __str__(self) -> str:
        return self.name
