"""The journal over all records: the audit administrator's page, and what is taken out of it."""

from __future__ import annotations

import tempfile
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from enterprises.journal_scope import EXPORT, PERMISSION, entries_q
from enterprises.scoped_admin import person
from enterprises.services.journal_export import record_export
from journal.exporting import FORMATS, write
from journal.reading import Page, every, key_from_link, key_in_link, latest
from portal.journal_filter import JournalFilter, filter_of, kinds

PAGE = 50
#: Files up to this size stay in memory on their way out.
_SMALL = 1 << 20


def journal_response(site: Any, request: HttpRequest) -> HttpResponse:
    """Newest first, older ones by keyset: `before` is the key of the last entry shown."""
    reader = person(request)
    if not reader.has_perm(PERMISSION):
        raise PermissionDenied
    typed = filter_of(request.GET, timezone.localdate())
    after = key_from_link(request.GET.get("before", ""))
    page = Page([], None)
    if typed.is_valid():
        page = latest(
            reader=reader,
            allowed=partial(entries_q, reader=reader),
            size=PAGE,
            search=typed.search(),
            after=after,
        )
    older = {**typed.filled, "before": key_in_link(page.older)} if page.older else None
    context = {
        **site.each_context(request),
        "title": _("Journal"),
        "form": typed,
        "entries": page.entries,
        "older": urlencode(older) if older else "",
        "kinds": kinds(),
        "one_act": typed.is_valid() and bool(typed.cleaned_data["click"]),
        "filtered": bool(typed.filled or after),
        "may_export": reader.has_perm(EXPORT),
        "tab": "journal",
    }
    return TemplateResponse(request, "journal/journal.html", context)


def export_response(site: Any, request: HttpRequest) -> HttpResponseBase:
    """Everything that fits the filter on screen, as a file. Taking it out is written down first."""
    reader = person(request)
    if not reader.has_perm(EXPORT):
        raise PermissionDenied
    typed = filter_of(request.POST, timezone.localdate())
    form = request.POST.get("form", "")
    if request.method != "POST" or form not in FORMATS or not typed.is_valid():
        return HttpResponseRedirect(f"{reverse('admin:journal')}?{urlencode(typed.filled)}")
    allowed = partial(entries_q, reader=reader, permission=EXPORT)
    file = tempfile.SpooledTemporaryFile(max_size=_SMALL)  # noqa: SIM115  (the response closes it)
    count = write(file, every(reader=reader, allowed=allowed, search=typed.search()), form)
    record_export(actor=reader, form=form, filters=typed.filled, entries=count)
    file.seek(0)
    return FileResponse(
        file, as_attachment=True, filename=_file_name(typed, form), content_type=FORMATS[form]
    )


def _file_name(typed: JournalFilter, form: str) -> str:
    today = timezone.localdate()
    first, last = typed.cleaned_data["since"], typed.cleaned_data["until"] or today
    days = f"{first:%Y%m%d}-{last:%Y%m%d}" if first else f"{last:%Y%m%d}"
    return f"{_('Journal')}-{days}.{form}"
