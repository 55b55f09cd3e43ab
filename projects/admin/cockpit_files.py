"""The cockpit as a file: a bulletin for the meeting, a workbook for whoever goes on with the numbers."""

from __future__ import annotations

import tempfile
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from enterprises.scoped_admin import person
from enterprises.services.list_exports import record_list_export
from projects.admin.cockpit_body import address
from projects.admin.cockpit_page import asked_question
from projects.cockpit.bulletin import bulletin, title_of
from projects.cockpit.reading import cockpit_for
from projects.cockpit.red_list import red_list
from projects.cockpit.snapshot import one_moment
from projects.cockpit.workbook import write_workbook

#: A bulletin with more is read by nobody; a workbook with more is the exported list of red projects.
RED_IN_BULLETIN, RED_IN_WORKBOOK = 60, 2_000

_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def cockpit_file(site: Any, request: HttpRequest, form: str) -> HttpResponse | FileResponse:
    """Write what the page shows. A day without a snapshot goes back to the page, which says so."""
    if form not in _TYPES:
        raise Http404
    user = person(request)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    with one_moment():
        wanted = asked_question(request, user)
        found = cockpit_for(user, wanted) if wanted else None
        if wanted is None or found is None:
            file.close()
            return HttpResponseRedirect(address(wanted.asked) if wanted else reverse("admin:cockpit"))
        most = RED_IN_BULLETIN if form == "docx" else RED_IN_WORKBOOK
        red = red_list(
            user,
            wanted.programme,
            wanted.unit,
            wanted.on,
            red=found.counts.red,
            is_past=wanted.is_past,
            shown=most,
        )
        if form == "docx":
            file.write(bulletin(found, red))
        else:
            write_workbook(file, found, red)
    filters = {
        "cockpit": True,
        "programme": wanted.programme.pk,
        "unit": wanted.unit.pk,
        "on": wanted.on.isoformat(),
    }
    record_list_export(
        actor=user, listed="projects.project", form=form, filters=filters, rows=found.counts.projects
    )
    file.seek(0)
    name = title_of(found) if form == "docx" else f"{_('Cockpit')}_{wanted.unit}_{wanted.programme.name}"
    return FileResponse(
        file, as_attachment=True, filename=f"{name}_{wanted.on:%Y%m%d}.{form}", content_type=_TYPES[form]
    )
