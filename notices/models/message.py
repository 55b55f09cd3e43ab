"""Message: one row of the outbox, for one recipient and one channel."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from enterprises.models import Membership
from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import Personal, Scope, Within
from notices.models.channel import Robot
from notices.ways import Channel


@dataclass(frozen=True)
class AddressedWithin(Scope):
    """Messages to accounts with a membership inside the units, and to robots of those units."""

    def q(self, model: type[models.Model], unit_paths: list[str]) -> Q:
        people = Membership._base_manager.filter(Within("unit").q(Membership, unit_paths))
        return Q(recipient__in=people.values("user_id")) | Within("robot__enterprise").q(model, unit_paths)

    def unit_paths_of(self, obj: models.Model) -> list[str]:
        if obj.robot_id:  # type: ignore[attr-defined]
            return [obj.robot.enterprise.path]  # type: ignore[attr-defined]
        held = Membership._base_manager.filter(user_id=obj.recipient_id)  # type: ignore[attr-defined]
        return list(held.values_list("unit__path", flat=True))


class Message(models.Model):
    """What leaves the portal once: a digest of a morning, or something urgent.

    At least once, and never twice for one cause: `key` is made with the row and goes out with every
    attempt (as the Message-ID of an e-mail), so a receiver that saw it before can tell.
    """

    class Kind(models.TextChoices):
        DIGEST = "digest", _("Digest")
        AT_ONCE = "at_once", _("At once")
        TEST = "test", _("Test")

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("of a message", "Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed for good")
        #: Nothing in it was true any more when its turn came.
        DROPPED = "dropped", _("No longer true")
        #: It never left; what it carried went into a later digest.
        MERGED = "merged", _("Merged into a later digest")

    key = models.UUIDField(_("key"), unique=True, default=uuid.uuid4, editable=False)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="messages",
        verbose_name=_("recipient"),
    )
    robot = models.ForeignKey(
        Robot,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="messages",
        verbose_name=_("group robot"),
    )
    #: The working morning of a digest, the day of anything else.
    on = models.DateField(_("for the day"))
    #: Where it went, as it was at the last attempt (never the address of a robot, which is a key).
    address = models.CharField(_("address"), max_length=254, blank=True)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField(_("written at"))
    next_try_at = models.DateTimeField(_("next try at"))
    #: Taken by a worker until then; a worker that was killed gives it back by doing nothing.
    leased_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    first_tried_at = models.DateTimeField(_("first try at"), null=True, blank=True)
    last_tried_at = models.DateTimeField(_("last try at"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    #: Staff read the log of their accounts' deliveries ("log"); what the messages said stays with people.
    scope = Personal("recipient", within=AddressedWithin(), also=("log",))

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("delivery log")
        ordering = ["-id"]
        indexes = [
            # services.outbox: what is due, oldest first.
            models.Index(fields=["next_try_at"], condition=Q(state="waiting"), name="message_due"),
            models.Index(fields=["recipient", "-id"], name="message_of_recipient"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(recipient__isnull=False, robot__isnull=True)
                | Q(recipient__isnull=True, robot__isnull=False),
                name="message_to_one",
            ),
            models.UniqueConstraint(
                fields=["recipient", "on"],
                condition=Q(kind="digest", recipient__isnull=False),
                name="message_one_digest_a_day",
            ),
            models.UniqueConstraint(
                fields=["robot", "on"],
                condition=Q(kind="digest", robot__isnull=False),
                name="message_one_robot_digest_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} · {self.channel} · {self.state}"
