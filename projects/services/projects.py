"""Verbs on projects: taking one in, approving it."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from enterprises.models import PartyBranch, User
from enterprises.scoping import may
from projects.models import Category, Milestone, Programme, Project
from projects.services.lights import refresh_lights
from projects.services.refusals import Refused
from projects.states import ProjectStatus
from projects.workflow import UNDER_WAY

#: Statuses in which the form of a project may be saved.
EDITABLE = (*UNDER_WAY, ProjectStatus.SUSPENDED)

#: What was approved is the promise: its dates, and for who gave it its words as well.
_DATES = ("starts_on", "due_on", "is_standing")
_WORDS = (
    *("name", "enterprise", "is_key", "measures"),
    *("beneficiaries_text", "beneficiaries_number", "beneficiaries_unit"),
)

#: The milestone that carries a project's own date where no finer plan was given.
COMPLETION = "项目完成"


@transaction.atomic
def take_in(
    *,
    programme: Programme,
    code: str,
    category: str = "",
    party_branches: list[PartyBranch] | None = None,
    milestones: list[dict[str, Any]] | None = None,
    **facts: Any,
) -> tuple[Project, bool]:
    """Take a project into a programme, as a ledger row or a data file gives it.

    Found by programme and code; a project that is there already stays as it is, so that taking in
    the same file twice changes nothing. A project with a date but no milestones gets one milestone
    for its completion: the date is a promise, and promises are what the patrol watches.

    Args:
        category: name; made in the programme when it is new.
        milestones: field values of `Milestone`, in order.
        facts: field values of `Project`. Unknown facts are left out, not guessed.

    Returns:
        The project, and whether it was made now.

    Raises:
        django.core.exceptions.ValidationError: a fact breaks a rule of the model.
    """
    found = Project.objects.filter(programme=programme, code=code).first()
    if found is not None:
        return found, False
    kind = Category.objects.get_or_create(programme=programme, name=category)[0] if category else None
    project = Project(programme=programme, code=code, category=kind, **facts)
    project.full_clean()
    project.save()
    project.party_branches.set(party_branches or [])
    plan = milestones
    if plan is None:
        plan = (
            [{"name": COMPLETION, "starts_on": project.starts_on, "due_on": project.due_on}]
            if project.due_on
            else []
        )
    for order, step in enumerate(plan, start=1):
        milestone = Milestone(project=project, order=order, **step)
        milestone.full_clean()
        milestone.save()
    return project, True


def fixed_fields(*, approved: bool, approver: bool) -> tuple[str, ...]:
    """The fields of a project that its form, or a ledger, must leave as they are.

    Args:
        approved: the dates were approved; from then on only an extension moves them.
        approver: the person may approve the project.
    """
    fixed: tuple[str, ...] = ("programme",)  # a project stays in its programme
    if approved:
        fixed += _DATES
    if approved and not approver:
        # What was approved is the promise; its words do not change under the hands of who gave it.
        fixed += _WORDS
    # A code that is taken would tell that a project exists which the person may not see.
    return fixed if approver else (*fixed, "code")


def next_code(project: Project) -> str:
    """A code for a project whose author gave none: the enterprise's code and the next free number."""
    stem = f"{project.enterprise.code}-"[:34]
    taken = set(
        Project.objects.filter(programme=project.programme, code__startswith=stem).values_list(
            "code", flat=True
        )
    )
    return next(code for n in itertools.count(1) if (code := f"{stem}{n:02}") not in taken)


@transaction.atomic
def approve(*, project_id: int, actor: User, as_of: datetime.date) -> Project:
    """Approve a project: from now on its first dates stand as the baseline and only extensions move dates.

    Raises:
        Refused: already approved, or not the actor's to approve.
    """
    project = Project.objects.select_for_update(of=("self",)).get(pk=project_id)
    if not may(actor, "approve", project):
        raise Refused(_("Your role does not include this step."))
    if project.approved_on:
        raise Refused(_("Approved already on %(day)s.") % {"day": project.approved_on.isoformat()})
    if project.programme.archived_on:
        raise Refused(_("The programme is archived or not in force; its milestones are history."))
    late = project.milestones.filter(due_on__gt=project.due_on).first() if project.due_on else None
    if late is not None:
        raise Refused(
            _("The milestone “%(name)s” is due after the project itself. Mend one of the two dates first.")
            % {"name": late}
        )
    project.approved_on = as_of
    project.save(update_fields=["approved_on"])
    refresh_lights(as_of=as_of, project_ids=[project.pk])
    return project
