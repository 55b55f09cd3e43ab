"""The counters behind the cockpit, and what they were on each day.

Derived: nothing here is written by a person, and all of it can be counted again from the rows
(`projects.services.tallying`). Rows name units and programmes without a foreign key of the database, because
nothing that a clerk deletes may be held up, or be listed as lost, for the sake of a counter.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprises.models import Enterprise
from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import PortalWide, Within
from projects.models.programme import Category, Programme
from projects.models.tally_marks import marks_tree
from projects.tallies import NAMES, Counts


def _of(model: type[models.Model], *, null: bool = False) -> models.ForeignKey:
    """A row that is counted about; not held together by the database, see above."""
    return models.ForeignKey(
        model, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", null=null
    )


class Counted(models.Model):
    """Abstract: the columns of `tallies.Counts`."""

    projects = models.BigIntegerField(default=0)
    red = models.BigIntegerField(default=0)
    yellow = models.BigIntegerField(default=0)
    green = models.BigIntegerField(default=0)
    blue = models.BigIntegerField(default=0)
    grey = models.BigIntegerField(default=0)
    unjudged = models.BigIntegerField(default=0)
    with_evidence = models.BigIntegerField(default=0)
    silent = models.BigIntegerField(default=0)
    dated = models.BigIntegerField(default=0)
    planned = models.BigIntegerField(default=0)
    actual = models.BigIntegerField(default=0)
    milestones = models.BigIntegerField(default=0)
    overdue = models.BigIntegerField(default=0)
    due_soon = models.BigIntegerField(default=0)
    no_date = models.BigIntegerField(default=0)
    returned = models.BigIntegerField(default=0)
    submitted = models.BigIntegerField(default=0)
    kept = models.BigIntegerField(default=0)
    late = models.BigIntegerField(default=0)
    first_kept = models.BigIntegerField(default=0)
    first_missed = models.BigIntegerField(default=0)
    reports_waiting = models.BigIntegerField(default=0)
    extensions_waiting = models.BigIntegerField(default=0)
    close_outs_waiting = models.BigIntegerField(default=0)
    extensions = models.BigIntegerField(default=0)
    extension_days = models.BigIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def counts(self) -> Counts:
        return Counts(*(getattr(self, name) for name in NAMES))


class Tally(Counted):
    """What the projects of an enterprise in one category add up to now.

    `whole` rows hold the enterprise with everything below it, the others the enterprise alone. They are right
    but for the pairs of programme and enterprise that are marked (`TallyMark`), whoever reads knows how to mend these.
    """

    programme = _of(Programme)
    enterprise = _of(Enterprise)
    category = _of(Category, null=True)
    whole = models.BooleanField()

    objects = ScopedQuerySet.as_manager()
    scope = Within("enterprise")

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "enterprise", "whole", "category"],
                nulls_distinct=False,
                name="tally_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.programme_id} · {self.enterprise_id} · {self.category_id}"


class DailyTally(Counted):
    """An enterprise with everything below it at the end of a day; the latest day is today's, so far."""

    programme = _of(Programme)
    enterprise = _of(Enterprise)
    day = models.DateField(_("day"))

    objects = ScopedQuerySet.as_manager()
    scope = Within("enterprise")

    class Meta:
        verbose_name = _("daily tally")
        verbose_name_plural = _("daily tallies")
        constraints = [
            # In this order: the curve of one unit is one range of the index.
            models.UniqueConstraint(fields=["programme", "enterprise", "day"], name="daily_tally_once")
        ]

    def __str__(self) -> str:
        return f"{self.programme_id} · {self.enterprise_id} · {self.day}"


class TallyMark(models.Model):
    """ "Count this again": something of this enterprise changed in this programme. Written by triggers.

    Never updated, without a key on what it names, so that whoever saves waits for nobody. Without an enterprise:
    the tree was rearranged, every row of the programme may be wrong.
    """

    programme = _of(Programme)
    enterprise = _of(Enterprise, null=True)

    objects = ScopedQuerySet.as_manager()
    scope = PortalWide("A mark holds two numbers and no word of any unit; no page shows it.")

    class Meta:
        verbose_name = _("tally to be counted again")
        verbose_name_plural = _("tallies to be counted again")

    def __str__(self) -> str:
        return f"{self.programme_id} · {self.enterprise_id}"


class UnitInTree(Enterprise):
    """Where this room hangs its trigger on the tree of enterprises. It has no page."""

    class Meta:
        proxy = True
        verbose_name = _("enterprise")
        verbose_name_plural = _("enterprises")
        triggers = [marks_tree()]
