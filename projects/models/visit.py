"""SiteVisit (调研、现场推进会) and ActionItem (交办事项): what a leader saw, and what is to be done by when.

One row for each project that was visited: what was seen there, and who may read of it, is the project's own.
An action item without a visit is a written instruction (批示).
"""

from __future__ import annotations

import datetime
import hashlib
import json

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprises.querysets import ScopedQuerySet
from enterprises.scoping import Within
from journal.tracking import tracked
from projects.deadlines import is_item_overdue, item_open_q, item_untold_q
from projects.models.project import Project
from projects.querysets import ActionItemQuerySet


@tracked(exclude=["sent_from"], parent="project", named_by="visited_on")
class SiteVisit(models.Model):
    class Kind(models.TextChoices):
        VISIT = "visit", _("Site visit")
        MEETING = "meeting", _("On-site meeting")

    project = models.ForeignKey(
        Project,
        on_delete=models.PROTECT,
        related_name="visits",
        db_index=False,  # visit_by_project
        verbose_name=_("project"),
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.VISIT)
    visited_on = models.DateField(_("visited on"))
    place = models.CharField(_("place"), max_length=200, blank=True)
    leader = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="visits",
        verbose_name=_("visiting leader"),
    )
    companions = models.CharField(_("who came along"), max_length=300, blank=True)
    findings = models.TextField(_("findings"), max_length=2000)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        verbose_name=_("recorded by"),
    )
    recorded_at = models.DateTimeField(_("recorded at"), editable=False)
    #: The opened page it was sent from: a second click, or a repeat after a lost answer, is no second visit.
    sent_from = models.UUIDField(null=True, unique=True, editable=False)

    objects = ScopedQuerySet.as_manager()
    scope = Within("project__enterprise")

    class Meta:
        verbose_name = _("site visit")
        verbose_name_plural = _("site visits")
        ordering = ["-visited_on", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(findings=""), name="visit_found_something"),
        ]
        indexes = [
            # The last visit of each project.
            models.Index(fields=["project", "-visited_on", "-id"], name="visit_by_project"),
        ]

    def __str__(self) -> str:
        return gettext("%(kind)s of %(day)s") % {
            "kind": self.get_kind_display(),
            "day": self.visited_on.isoformat(),
        }


@tracked(exclude=["sent_from", "told_due_on"], parent="project", named_by="text")
class ActionItem(models.Model):
    project = models.ForeignKey(
        Project,
        on_delete=models.PROTECT,
        related_name="action_items",
        db_index=False,  # item_by_project
        verbose_name=_("project"),
    )
    visit = models.ForeignKey(
        SiteVisit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="items",
        verbose_name=_("site visit"),
        help_text=_("Blank: a written instruction."),
    )
    text = models.TextField(_("what is to be done"), max_length=500)
    leader = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("instructed by"),
    )
    responsible = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("responsible account"),
    )
    responsible_text = models.CharField(_("responsible (unit or person)"), max_length=80, blank=True)
    due_on = models.DateField(_("due on"))
    given_on = models.DateField(_("given on"), editable=False)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        verbose_name=_("recorded by"),
    )
    recorded_at = models.DateTimeField(_("recorded at"), editable=False)
    done_on = models.DateField(_("done on"), null=True, blank=True, editable=False)
    done_note = models.TextField(_("how it was done"), max_length=500, blank=True, editable=False)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("answered by"),
    )
    #: The patrol's claim: the date of which it has told that it passed.
    told_due_on = models.DateField(null=True, blank=True, editable=False)
    sent_from = models.UUIDField(null=True, unique=True, editable=False)

    objects = ActionItemQuerySet.as_manager()
    scope = Within("project__enterprise")

    class Meta:
        verbose_name = _("action item")
        verbose_name_plural = _("action items")
        ordering = ["due_on", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="item_says_something"),
            models.CheckConstraint(
                condition=Q(due_on__gte=F("given_on")),
                name="item_due_not_before_given",
                violation_error_message=_("The date lies before the day on which it was given."),
            ),
            models.CheckConstraint(
                condition=Q(done_on__isnull=True) | (Q(done_by__isnull=False) & ~Q(done_note="")),
                name="item_done_with_a_note",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="item_by_project"),
            # The list of what is open, by date.
            models.Index(fields=["due_on", "id"], condition=item_open_q(), name="item_open_by_due"),
            # The patrol: open, and its present date not yet told of.
            models.Index(fields=["due_on"], condition=item_open_q() & item_untold_q(), name="item_to_tell"),
        ]

    def __str__(self) -> str:
        return self.text if len(self.text) <= 60 else f"{self.text[:59]}…"

    def clean(self) -> None:
        super().clean()
        # A form leaves out `given_on`, and with it the constraint.
        if self.due_on and self.given_on and self.due_on < self.given_on:
            raise ValidationError({"due_on": _("The date lies before the day on which it was given.")})

    def is_overdue(self, as_of: datetime.date) -> bool:
        return is_item_overdue(self, as_of)

    @property
    def is_instruction(self) -> bool:
        """Written without a visit (批示)."""
        return self.visit_id is None

    @property
    def who(self) -> str:
        """Whoever has to see to it, as it was named; "" leaves it to the project's own people."""
        named = [str(self.responsible)] if self.responsible_id else []
        return " · ".join([*named, *([self.responsible_text] if self.responsible_text else [])])

    @property
    def state(self) -> str:
        """Words, date and answer as a short word: a page carries it, so that nobody answers to words unread."""
        said = [self.text, str(self.due_on), str(self.done_on), self.done_note]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

    @property
    def days_late(self) -> int:
        """Days between its date and the day it was done; 0 when in time or still open."""
        return max(0, (self.done_on - self.due_on).days) if self.done_on else 0
