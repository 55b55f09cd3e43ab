"""How a person wants to be told, where the programme leaves the choice."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import Personal
from journal.tracking import tracked
from notices.ways import Group, Way


@tracked(parent="user", named_by="group")
class Preference(models.Model):
    """One choice; without a row the way of the notice itself holds."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="preferences",
        verbose_name=_("account"),
    )
    group = models.CharField(_("notices"), max_length=10, choices=Group.choices)
    way = models.CharField(_("way"), max_length=8, choices=Way.choices)

    objects = ScopedQuerySet.as_manager()
    scope = Personal("user")

    class Meta:
        verbose_name = _("personal notice setting")
        verbose_name_plural = _("personal notice settings")
        constraints = [models.UniqueConstraint(fields=["user", "group"], name="preference_once")]

    def __str__(self) -> str:
        return f"{self.user} · {self.group} · {self.way}"
