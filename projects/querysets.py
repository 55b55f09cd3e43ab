"""The questions that are asked of programmes, projects and milestones."""

from __future__ import annotations

import datetime
from typing import Self, TypeVar

from django.db import models
from django.db.models import Exists, OuterRef, Q

from enterprises.querysets import ScopedQuerySet
from projects import deadlines
from projects.states import ProjectStatus
from projects.tallies import SILENT_AFTER_DAYS

M = TypeVar("M", bound=models.Model)


def in_force_q(as_of: datetime.date, prefix: str = "") -> Q:
    """Programmes that are patrolled on a day: begun, not wound up, not archived by then.

    An archived programme is history: by today's clock nothing in it becomes overdue, while for a day
    of its own time (`patrol --on`) it answers as it would have then.
    """
    return (
        Q((f"{prefix}starts_on__lte", as_of))
        & Q((f"{prefix}patrolled_until__gte", as_of))
        & (Q((f"{prefix}archived_on__isnull", True)) | Q((f"{prefix}archived_on__gt", as_of)))
    )


def silent_q(as_of: datetime.date) -> Q:
    """Projects under way for `SILENT_AFTER_DAYS` of which nothing was handed in for as long.

    A report that was withdrawn is none; "no change" is one: somebody looked.
    """
    from projects.models import ProgressReport

    since = as_of - datetime.timedelta(days=SILENT_AFTER_DAYS)
    heard = ProgressReport.objects.filter(milestone__project=OuterRef("pk"), submitted_on__gt=since)
    begun = Q(starts_on__isnull=True) | Q(starts_on__lte=since)
    return Q(status=ProjectStatus.IN_PROGRESS.value) & begun & ~Q(Exists(heard))


def with_evidence_q() -> Q:
    """Projects with a photo or document that was handed in; drafts belong to their writers."""
    from projects.models import Evidence

    return Q(Exists(Evidence.objects.filter(project=OuterRef("pk")).handed_in()))


class ProgrammeQuerySet(ScopedQuerySet[M]):
    def in_force(self, as_of: datetime.date) -> Self:
        return self.filter(in_force_q(as_of))


class ProjectQuerySet(ScopedQuerySet[M]):
    def in_force(self, as_of: datetime.date) -> Self:
        return self.filter(in_force_q(as_of, "programme__"))

    def silent(self, as_of: datetime.date) -> Self:
        """Under way, and nobody has reported on any milestone for `SILENT_AFTER_DAYS`."""
        return self.filter(silent_q(as_of))

    def with_evidence(self) -> Self:
        return self.filter(with_evidence_q())


class MilestoneQuerySet(ScopedQuerySet[M]):
    def in_force(self, as_of: datetime.date) -> Self:
        return self.filter(in_force_q(as_of, "project__programme__"))

    def overdue(self, as_of: datetime.date) -> Self:
        return self.filter(deadlines.overdue_q(as_of))

    def due_soon(self, as_of: datetime.date) -> Self:
        """Due within the warning window of their programme; programmes not in force warn of nothing."""
        from projects.models import Programme

        found = Q(pk__in=[])
        for pk, days in Programme.objects.in_force(as_of).values_list("pk", "warning_days"):
            found |= Q(project__programme_id=pk) & deadlines.due_soon_q(as_of, days)
        return self.filter(found)

    def without_date(self) -> Self:
        return self.filter(deadlines.no_date_q())


class SubmissionQuerySet(ScopedQuerySet[M]):
    """Reports, extension requests and close-outs."""

    def waiting(self) -> Self:
        """Somebody at the SASAC owes a decision."""
        return self.filter(state__in=self.model.WAITING)  # type: ignore[attr-defined]

    def at_work(self) -> Self:
        """The one round per subject that is not decided yet: a draft, or waiting."""
        return self.filter(state__in=("draft", *self.model.WAITING))  # type: ignore[attr-defined]


class EvidenceQuerySet(ScopedQuerySet[M]):
    def of(self, submission: models.Model) -> Self:
        """The evidence of one report, extension request or close-out."""
        return self.filter(**{self.model.owner_field(submission): submission})  # type: ignore[attr-defined]

    def handed_in(self) -> Self:
        """Without the evidence of drafts, which belongs to their writers alone."""
        return self.exclude(
            Q(report__state="draft") | Q(extension__state="draft") | Q(close_out__state="draft")
        )


class ActionItemQuerySet(ScopedQuerySet[M]):
    def open(self) -> Self:
        return self.filter(deadlines.item_open_q())

    def overdue(self, as_of: datetime.date) -> Self:
        return self.filter(deadlines.item_overdue_q(as_of))


class EpisodeQuerySet(ScopedQuerySet[M]):
    def open(self) -> Self:
        return self.filter(closed_on__isnull=True)
