"""What an enterprise hands in and the SASAC decides on: the columns that all three kinds share.

One row is one round. What was returned stays as it was, with its evidence; the next try is a new row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from projects.models.project import Project


def decided_stays(*states: str) -> pgtrigger.Trigger:
    """No road changes a round that was decided: not a form, not a script, not raw SQL."""
    return pgtrigger.Protect(
        name="decided_stays", operation=pgtrigger.Update, condition=pgtrigger.Q(old__state__in=states)
    )


class Submission(models.Model):
    """Abstract. The reviewer's clock runs from `submitted_on`, counted in working days."""

    round = models.PositiveSmallIntegerField(_("round"), default=1, editable=False)
    created_at = models.DateTimeField(_("begun at"), auto_now_add=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("submitted by"),
    )
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True, editable=False)
    submitted_on = models.DateField(_("submitted on"), null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True, editable=False)
    decided_on = models.DateField(_("decided on"), null=True, blank=True, editable=False)
    #: Kept when the decision is made: the calendar may be corrected later, what was measured stays.
    waited_days = models.PositiveSmallIntegerField(
        _("working days until the decision"), null=True, blank=True, editable=False
    )
    #: Everybody who wrote on it: none of them decides on it, whoever pressed the button.
    writer_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, editable=False)
    comment = models.CharField(_("reviewer's comment"), max_length=500, blank=True, editable=False)

    #: States in which somebody at the SASAC owes a decision; each kind names its own.
    WAITING: tuple[str, ...] = ()

    class Meta:
        abstract = True

    @property
    def of_project(self) -> Project:
        raise NotImplementedError

    @property
    def is_waiting(self) -> bool:
        return self.state in self.WAITING  # type: ignore[attr-defined]
