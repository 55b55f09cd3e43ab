"""The working calendar: days on which the week does not hold (节假日与调休)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import PortalWide
from journal.tracking import tracked


@tracked(named_by="day")
class CalendarDay(models.Model):
    """A weekday that is free, or a Saturday or Sunday that is worked; every other day follows the week."""

    day = models.DateField(_("day"), unique=True)
    is_working = models.BooleanField(_("working day"))
    name = models.CharField(_("occasion"), max_length=40, blank=True)
    source = models.CharField(_("source"), max_length=200, blank=True)

    objects = ScopedQuerySet.as_manager()
    scope = PortalWide(
        "The State Council's calendar holds for everyone; it is no unit's data.", changed_from_the_top=True
    )

    class Meta:
        verbose_name = _("day of the working calendar")
        verbose_name_plural = _("working calendar")
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day} {self.name}".strip()
