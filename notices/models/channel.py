"""What carries messages, and how well each does: the mail server, and group robots (群机器人)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprises.models import Enterprise
from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import PortalWide, Within
from journal.tracking import tracked
from notices.reasons import in_words
from notices.ways import Channel

#: Kept by the delivery itself: no decision of a person, so not in the journal.
HEALTH = ["failures", "failing_since", "last_error", "last_error_at", "last_ok_at"]


class Health(models.Model):
    """Abstract. A channel that fails for good is switched off and shown, instead of failing for ever."""

    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True, editable=False)
    last_error_at = models.DateTimeField(_("last error at"), null=True, blank=True, editable=False)
    last_ok_at = models.DateTimeField(_("last success"), null=True, blank=True, editable=False)
    #: Set by the portal when the channel failed for good; cleared by a person who mended it.
    switched_off_at = models.DateTimeField(_("switched off at"), null=True, blank=True, editable=False)
    switched_off_because = models.CharField(
        _("switched off because"), max_length=500, blank=True, editable=False
    )

    class Meta:
        abstract = True

    @property
    def works(self) -> bool:
        return self.switched_off_at is None

    @property
    def last_error_in_words(self) -> str:
        return in_words(self.last_error)

    @property
    def off_in_words(self) -> str:
        """Why it was switched off, in the language of the reader."""
        return in_words(self.switched_off_because)


@tracked(exclude=HEALTH, named_by="name")
class MailServer(Health):
    """How well the mail server of the settings does: one row. The server itself is a setting."""

    name = models.CharField(max_length=10, unique=True, default="email", editable=False)

    objects = ScopedQuerySet.as_manager()
    scope = PortalWide("The portal has one mail server; the row holds how well it does, no unit's data.")

    class Meta:
        verbose_name = _("mail server")
        verbose_name_plural = _("mail server")

    def __str__(self) -> str:
        return str(_("Mail server"))


@tracked(exclude=[*HEALTH, "address", "secret"])
class Robot(Health):
    """A robot in a group chat of a unit. It tells the group about projects of the unit and below it.

    `address` holds the key to the group and `secret` signs: neither is shown again nor kept in the journal.
    """

    class Kind(models.TextChoices):
        WECOM = Channel.WECOM.value, Channel.WECOM.label
        DINGTALK = Channel.DINGTALK.value, Channel.DINGTALK.label
        FEISHU = Channel.FEISHU.value, Channel.FEISHU.label

    enterprise = models.ForeignKey(
        Enterprise, on_delete=models.PROTECT, related_name="robots", verbose_name=_("unit")
    )
    name = models.CharField(_("name of the group"), max_length=60)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    address = models.CharField(_("webhook address"), max_length=500)
    secret = models.CharField(_("signing secret"), max_length=200, blank=True)
    is_on = models.BooleanField(_("in use"), default=True)
    set_at = models.DateTimeField(_("address set at"), null=True, blank=True, editable=False)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("address set by"),
    )

    objects = ScopedQuerySet.as_manager()
    scope = Within("enterprise")

    class Meta:
        verbose_name = _("group robot")
        verbose_name_plural = _("group robots")
        ordering = ["enterprise", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["enterprise", "name"],
                name="robot_once_per_unit",
                violation_error_message=_("The unit already has a robot with this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name
