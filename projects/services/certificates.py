"""The facts of a certificate, gathered at the moment of the approval."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone

from enterprises.models import Enterprise
from enterprises.scoping import prefixes
from projects.certificate_facts import CertificateFacts, LateMilestone
from projects.models import CloseOut, Milestone
from projects.services.extensions import granted
from projects.states import MilestoneState


def facts_of(close_out: CloseOut) -> CertificateFacts:
    """What the certificate of a close-out states; called when everything but this is set."""
    project, programme = close_out.project, close_out.programme
    milestones = list(Milestone.objects.filter(project=project))
    extended = granted([row.pk for row in milestones]).values()
    assert close_out.number is not None  # a constraint: approved is complete
    assert close_out.decided_on is not None
    return CertificateFacts(
        year=programme.year,
        number=close_out.number,
        programme=programme.name,
        project=project.name,
        code=project.code,
        enterprise=project.enterprise.name,
        issuer=_issuer(close_out),
        promised=close_out.promised,
        achieved=close_out.achieved,
        promised_reach=_reach(project.beneficiaries_number, project.beneficiaries_unit)
        or project.beneficiaries_text,
        reached=_reach(close_out.beneficiaries_reached, close_out.beneficiaries_unit),
        first_promised_on=project.baseline_due_on,
        due_on=project.due_on,
        completed_on=close_out.completed_on,
        late_milestones=[LateMilestone(row.name, row.days_late) for row in milestones if row.days_late],
        cancelled_milestones=[row.name for row in milestones if row.state == MilestoneState.CANCELLED],
        extensions=sum(one.times for one in extended),
        extended_days=sum(one.days for one in extended),
        shortfall=close_out.shortfall,
        follow_up=close_out.follow_up,
        follow_up_owner=close_out.follow_up_owner,
        asked_on=close_out.submitted_on,
        verified_by=str(close_out.verified_by or ""),
        verified_on=timezone.localdate(close_out.verified_at) if close_out.verified_at else None,
        approved_by=str(close_out.decided_by),
        approved_on=close_out.decided_on,
        is_demo=project.is_demo,
    )


def _reach(number: Decimal | None, unit: str) -> str:
    return f"{number.normalize():f}{unit}" if number is not None else ""


def _issuer(close_out: CloseOut) -> str:
    """Who issued the programme; else the top of the enterprise's tree."""
    if close_out.programme.owner is not None:
        return close_out.programme.owner.name
    top = Enterprise.objects.filter(path=prefixes(close_out.project.enterprise.path)[0]).first()
    return top.name if top is not None else ""
