"""Beside the journal: who came in, who took entries out, and the files that hold the old ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from enterprises.journal_scope import EXPORT, PERMISSION, reads_everything
from enterprises.models import JournalArchive, JournalExport, SignIn, User
from enterprises.scoped_admin import person
from enterprises.services.journal_export import partly_beyond
from journal.reading import fields_of
from journal.words import ACTIONS, DOORS
from portal.journal_filter import JournalFilter, kinds

PAGE = 100


def _reader(request: HttpRequest) -> User:
    reader = person(request)
    if not reader.has_perm(PERMISSION):
        raise PermissionDenied
    return reader


def _answer(
    site: Any, request: HttpRequest, rows: QuerySet[Any], *, tab: str, title: str, **more: Any
) -> HttpResponse:
    """A page of rows, newest first; `before` is the id of the last row shown."""
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.order_by("-pk")[: PAGE + 1])
    context = {
        **site.each_context(request),
        "title": title,
        "tab": tab,
        "rows": found[:PAGE],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "turned": bool(before),
        **more,
    }
    return TemplateResponse(request, f"journal/{tab}.html", context)


def sign_ins_response(site: Any, request: HttpRequest) -> HttpResponse:
    rows = SignIn.objects.visible_to(_reader(request)).select_related("user", "unit")
    outcome = request.GET.get("outcome", "")
    if outcome in SignIn.Outcome.values:
        rows = rows.filter(outcome=outcome)
    return _answer(
        site,
        request,
        rows,
        tab="sign_ins",
        title=_("Sign-ins"),
        outcome=outcome,
        outcomes=[(value, capfirst(str(text))) for value, text in SignIn.Outcome.choices],
    )


def exports_response(site: Any, request: HttpRequest) -> HttpResponse:
    rows = JournalExport.objects.visible_to(_reader(request)).select_related("unit")
    answer: Any = _answer(site, request, rows, tab="exports", title=_("Exports of the journal"))
    shown = answer.context_data["rows"]
    beyond = partly_beyond(exports=shown, reader=_reader(request))
    for row in shown:
        row.partly_beyond = row.pk in beyond
        row.filter_words = "" if row.partly_beyond else _in_words(row.filters)
    return answer


def _in_words(filters: dict[str, str]) -> str:
    """ "人员：张三；类别：项目", from what was typed."""
    chosen: dict[str, Any] = {
        "kind": dict(kinds()),
        "field": fields_of(filters.get("kind", "")),
        "action": ACTIONS,
        "door": DOORS,
    }
    parts = []
    for name, field in JournalFilter.base_fields.items():
        if (value := filters.get(name)) and field.label:
            parts.append(f"{field.label}：{chosen.get(name, {}).get(value, value)}")
    return "；".join(parts)


def archives_response(site: Any, request: HttpRequest) -> HttpResponse:
    """The files. They hold entries of all units, so only who reads everything sees them."""
    reader = _reader(request)
    rows = JournalArchive.objects.visible_to(reader)
    if not reads_everything(reader):
        rows = rows.none()
    return _answer(
        site,
        request,
        rows,
        tab="archives",
        title=_("Archives of the journal"),
        everything=reads_everything(reader),
        may_download=reads_everything(reader, EXPORT),
        days=settings.JOURNAL_RETENTION_DAYS,
    )


def archive_file_response(site: Any, request: HttpRequest, number: int) -> HttpResponseBase:
    reader = _reader(request)
    row = JournalArchive.objects.visible_to(reader).filter(number=number).first()
    if row is None or not reads_everything(reader, EXPORT):
        raise Http404
    try:
        file = (Path(settings.JOURNAL_ARCHIVE_DIR) / row.file_name).open("rb")
    except OSError as error:
        raise Http404 from error
    return FileResponse(file, as_attachment=True, filename=row.file_name, content_type="application/gzip")
