"""The journal over all records: the audit administrator's page."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from enterprises.journal_scope import PERMISSION, entries_q
from enterprises.scoped_admin import person
from journal.reading import event_models, latest

PAGE = 50


def journal_response(site: Any, request: HttpRequest) -> HttpResponse:
    """Newest first, older ones by keyset: `before` is the time of the last entry shown."""
    reader = person(request)
    if not reader.has_perm(PERMISSION):
        raise PermissionDenied
    by, kind = request.GET.get("by", "").strip()[:60], request.GET.get("kind", "")
    try:
        before = parse_datetime(request.GET.get("before", ""))
    except ValueError:
        before = None
    entries = latest(
        reader=reader,
        allowed=lambda table: entries_q(table, reader),
        size=PAGE + 1,
        before=before,
        by=by,
        kind=kind,
    )
    kinds = [
        (model.pgh_tracked_model._meta.label_lower, model.pgh_tracked_model._meta.verbose_name)  # type: ignore[attr-defined]
        for model in event_models()
    ]
    context = {
        **site.each_context(request),
        "title": _("Journal"),
        "entries": entries[:PAGE],
        "older": entries[PAGE - 1].at if len(entries) > PAGE else None,
        "by": by,
        "kind": kind,
        "kinds": kinds,
        "filtered": bool(by or kind or before),
    }
    return TemplateResponse(request, "journal/journal.html", context)
