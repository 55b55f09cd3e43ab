"""How a piece of evidence is captioned and linked, without a query of its own."""

from __future__ import annotations

import datetime
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone

from projects.evidence.files import MAX_BYTES
from projects.models import Evidence

register = template.Library()

#: What the file chooser of a phone or a computer offers. iPhones turn HEIC into JPEG by themselves where
#: HEIC is not among these.
_ACCEPTED = (
    "image/jpeg,image/png,image/webp,application/pdf,.doc,.docx,.xls,.xlsx,.ppt,.pptx,.wps,.et,.dps,.ofd"
)


@register.filter
def shown_on(row: Evidence) -> datetime.date:
    """The day to show: when it was taken, if the camera said so, else when it was uploaded."""
    return row.taken_on or timezone.localdate(row.uploaded_at)


@register.filter
def submission_page(row: Evidence) -> str:
    """Address of the page of the round that it belongs to."""
    for model, field in Evidence.OWNERS.items():
        if (pk := getattr(row, f"{field}_id")) is not None:
            return reverse(f"admin:projects_{model._meta.model_name}_page", args=[pk])
    return ""


@register.filter
def extension_of(row: Evidence) -> str:
    """ "PDF", "DOCX": what a tile shows in place of a picture."""
    return row.name.rpartition(".")[2].upper()[:4]


@register.simple_tag
def upload_terms() -> dict[str, Any]:
    """What the upload area offers: file types, the largest size, the stages."""
    return {"accept": _ACCEPTED, "most_bytes": MAX_BYTES, "stages": Evidence.Stage.choices}
