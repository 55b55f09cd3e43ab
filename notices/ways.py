"""How a notice leaves the portal, and the groups of notices for which a person may choose."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    """What carries a message. Every notice stands in the portal's inbox as well."""

    EMAIL = "email", _("E-mail")
    WECOM = "wecom", _("WeCom group robot")
    DINGTALK = "dingtalk", _("DingTalk group robot")
    FEISHU = "feishu", _("Feishu group robot")


class Way(models.TextChoices):
    AT_ONCE = "at_once", _("at once")
    DIGEST = "digest", _("with the morning digest")
    INBOX = "inbox", _("in the portal only")


class Group(models.TextChoices):
    """What a person chooses a way for."""

    DUE = "due", _("Due dates that come near")
    OVERDUE = "overdue", _("Overdue milestones")
    REMINDER = "reminder", _("Reminders by hand")
    DECISION = "decision", _("Decisions on what I handed in")
    SYSTEM = "system", _("The portal itself")
