"""The certificate of an approved close-out, as a file."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from projects.certificate import certificate
from projects.certificate_facts import CertificateFacts
from projects.models import CloseOut

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def certificate_response(close_out: CloseOut) -> HttpResponse:
    """The file; the caller has found an approved close-out through the wall."""
    facts = CertificateFacts.from_json(close_out.facts)
    name = f"民生项目销号证明{facts.number_line}.docx"
    response = HttpResponse(certificate(facts), content_type=_DOCX)
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response
