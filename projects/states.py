"""The words for where a project or a milestone stands. Rules about them live in the rule modules."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class MilestoneState(models.TextChoices):
    NOT_STARTED = "not_started", _("Not started")
    IN_PROGRESS = "in_progress", _("In progress")
    SUBMITTED = "submitted", _("Awaiting review")
    RETURNED = "returned", _("Returned")
    ACCEPTED = "accepted", _("Accepted")
    CANCELLED = "cancelled", _("Cancelled")


class ProjectStatus(models.TextChoices):
    """Lifecycle of a project (product rules 3.8); the light is a separate thing."""

    NOT_STARTED = "not_started", _("Not begun")
    IN_PROGRESS = "in_progress", _("Under way")
    AWAITING_ACCEPTANCE = "awaiting", _("Awaiting acceptance")
    CLOSED_OUT = "closed_out", _("Closed out")
    SUSPENDED = "suspended", _("Suspended")
    TERMINATED = "terminated", _("Terminated")


class ReportState(models.TextChoices):
    """Where a progress report stands: one round from the officer to the reviewer."""

    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Awaiting review")
    ACCEPTED = "accepted", _("Review passed")
    RETURNED = "returned", _("Returned")


class ExtensionState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Awaiting decision")
    APPROVED = "approved", _("Approved")
    RETURNED = "returned", _("Returned")
    REJECTED = "rejected", _("Rejected")


class CloseOutState(models.TextChoices):
    """Striking a project off the list (销号) takes two people: one verifies, another approves."""

    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Awaiting verification")
    VERIFIED = "verified", _("Verified, awaiting approval")
    APPROVED = "approved", _("Closed out")
    RETURNED = "returned", _("Returned")


#: Somebody at the SASAC owes a decision; the reviewer's clock runs.
WAITING_REPORT = (ReportState.SUBMITTED.value,)
WAITING_EXTENSION = (ExtensionState.SUBMITTED.value,)
WAITING_CLOSE_OUT = (CloseOutState.SUBMITTED.value, CloseOutState.VERIFIED.value)

#: A milestone in one of these still owes something (product rules 3.3).
OPEN_MILESTONE_STATES = (
    MilestoneState.NOT_STARTED.value,
    MilestoneState.IN_PROGRESS.value,
    MilestoneState.RETURNED.value,
)
#: The others: claimed, done, or given up. Stored as the complement so that neither can be forgotten.
CLOSED_MILESTONE_STATES = tuple(
    state.value for state in MilestoneState if state.value not in OPEN_MILESTONE_STATES
)
#: A project in one of these owes nothing any more, or nothing for now.
RESTING_PROJECT_STATUSES = (
    ProjectStatus.CLOSED_OUT.value,
    ProjectStatus.SUSPENDED.value,
    ProjectStatus.TERMINATED.value,
)
