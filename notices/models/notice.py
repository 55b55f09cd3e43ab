"""Notice: something one person or one group has to know, once."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from enterprises.models import Enterprise
from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import Personal
from notices.models.channel import Robot
from notices.models.message import Message
from notices.ways import Way


class Notice(models.Model):
    """A row of the inbox. Its words are made when it is read, from `kind` and `data`, in the reader's
    language; `cause` is what it is told about, and one cause is told to one recipient once.
    """

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="notices",
        verbose_name=_("recipient"),
    )
    robot = models.ForeignKey(
        Robot,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="notices",
        verbose_name=_("group robot"),
    )
    kind = models.CharField(_("kind"), max_length=40)
    cause = models.CharField(_("cause"), max_length=120)
    data = models.JSONField(default=dict)
    #: What it is about: "projects.milestone" and its id, for the link and for what is still true.
    subject = models.CharField(max_length=60, blank=True)
    subject_id = models.BigIntegerField(null=True, blank=True)
    enterprise = models.ForeignKey(
        Enterprise,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("enterprise"),
    )
    #: The true day of what it tells, whenever it was written.
    on = models.DateField(_("day"))
    at = models.DateTimeField(_("told at"))
    urgent = models.BooleanField(_("urgent"), default=False)
    way = models.CharField(_("way"), max_length=8, choices=Way.choices)
    #: Not before this moment does an urgent one leave the portal (quiet hours).
    leaves_at = models.DateTimeField(_("leaves at"))
    #: The message that carries it; none while it waits for its digest, and for the portal only.
    message = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="notices"
    )
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    #: What it tells is no longer so: it stays in the inbox as history and is not counted as unread.
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    scope = Personal("recipient")

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["recipient", "-id"], name="notice_of_recipient"),
            # The number in the header of every page.
            models.Index(
                fields=["recipient"],
                condition=Q(read_at__isnull=True, settled_at__isnull=True),
                name="notice_unread",
            ),
            # services.packing: what still has to be put into a message.
            models.Index(
                fields=["leaves_at"],
                condition=Q(message__isnull=True, settled_at__isnull=True) & ~Q(way="inbox"),
                name="notice_to_pack",
            ),
            # Settling: everything that was told about one thing.
            models.Index(
                fields=["subject", "subject_id"], condition=Q(settled_at__isnull=True), name="notice_about"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(recipient__isnull=False, robot__isnull=True)
                | Q(recipient__isnull=True, robot__isnull=False),
                name="notice_to_one",
            ),
            models.UniqueConstraint(
                fields=["recipient", "cause"],
                condition=Q(recipient__isnull=False),
                name="notice_once_per_person",
            ),
            models.UniqueConstraint(
                fields=["robot", "cause"], condition=Q(robot__isnull=False), name="notice_once_per_robot"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} · {self.kind}"
