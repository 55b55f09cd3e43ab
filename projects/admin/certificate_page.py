"""The certificate of an approved close-out, made from what the portal knows at the moment of asking."""

from __future__ import annotations

from decimal import Decimal

from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from enterprises.models import Enterprise, User
from enterprises.scoping import prefixes
from projects.certificate import CertificateFacts, LateMilestone, certificate
from projects.models import CloseOut, Milestone
from projects.services.close_outs import promise_of
from projects.services.extensions import granted
from projects.states import MilestoneState

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def certificate_response(close_out: CloseOut, reader: User) -> HttpResponse:
    """The file; the caller has found an approved close-out through the wall."""
    facts = certificate_facts(close_out, reader)
    name = f"民生项目销号证明{facts.number_line}.docx"
    response = HttpResponse(certificate(facts), content_type=_DOCX)
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response


def certificate_facts(close_out: CloseOut, reader: User) -> CertificateFacts:
    project, programme = close_out.project, close_out.programme
    milestones = list(Milestone.objects.visible_to(reader).filter(project=project))
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
        issuer=_issuer(close_out, reader),
        promised=close_out.promised or promise_of(project),
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


def _issuer(close_out: CloseOut, reader: User) -> str:
    """Who issued the programme; else the top of the enterprise's tree, where the reader may see it."""
    owner = close_out.programme.owner
    if owner is not None:
        return owner.name
    top = prefixes(close_out.project.enterprise.path)[0]
    root = Enterprise.objects.visible_to(reader).filter(path=top).first()
    return root.name if root is not None else ""
