"""Reports, extension requests and close-outs of one project in one list, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Model, Q
from django.urls import reverse

from enterprises.models import User
from enterprises.scoping import may
from projects.models import CloseOut, ExtensionRequest, ProgressReport, Project, Submission


@dataclass(frozen=True)
class SubmissionRow:
    """One round. `about` is the milestone's name, "" for the project itself."""

    submission: Submission
    kind: str
    about: str
    url: str


def submissions_of(project: Project, user: User, limit: int) -> list[SubmissionRow]:
    """The latest rounds that were handed in; drafts belong to their writers and are left out."""
    found: list[Submission] = []
    for model, path in (
        (ProgressReport, "milestone__project"),
        (ExtensionRequest, "milestone__project"),
        (CloseOut, "project"),
    ):
        rows = model.objects.visible_to(user).filter(**{path: project}).exclude(state="draft")
        rows = rows.select_related(f"{path}__enterprise", "submitted_by", "decided_by")
        found += rows.order_by("-submitted_at", "-pk")[:limit]
    found.sort(key=lambda row: (row.submitted_at is not None, row.submitted_at), reverse=True)
    return [_row(row) for row in found[:limit]]


def _row(submission: Submission) -> SubmissionRow:
    meta = submission._meta
    return SubmissionRow(
        submission=submission,
        kind=str(meta.verbose_name),
        about=str(getattr(submission, "milestone", "")),
        url=page_of(submission),
    )


def hidden_drafts(reader: User, submissions: Iterable[Submission]) -> dict[type[Model], Q]:
    """Entries that `reader` is not shown: what stood in a draft before it was handed in is its writers' own."""
    return {type(row): Q(state="draft") for row in submissions if not may(reader, "change", row)}


def page_of(submission: Submission) -> str:
    """Address of the page of one round."""
    return reverse(f"admin:projects_{submission._meta.model_name}_page", args=[submission.pk])
