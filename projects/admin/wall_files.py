"""The wall chart as files: for the wall, for slides, to keep."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from projects.admin.wall_choice import chosen, programmes_of
from projects.admin.wall_page import asked_for, caption_of, reader_of, timeline_of, total_of, wall_page
from projects.cockpit.snapshot import one_moment
from projects.wall_chart import files
from projects.wall_chart.reading import counts_by_light, read_groups
from projects.wall_chart.sheets import PAPERS, sheets

_TYPES = {
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "png": "image/png",
}


def wall_file(site: Any, request: HttpRequest) -> HttpResponse:
    """GET /wall/file/?form=svg|pdf|png: all chosen projects on sheets of paper."""
    user, today = reader_of(request), timezone.localdate()
    form = form if (form := request.GET.get("form", "")) in _TYPES else "svg"
    # Only what is read needs one moment: drawing takes seconds, and keeps no transaction open.
    with one_moment():
        choice = chosen(request.GET, user, programmes_of(user), today)
        if choice is None:
            return wall_page(site, request)
        total, most = total_of(counts_by_light(user, choice.filters, today), choice), choice.most_in(form)
        back = reverse("admin:wall") + choice.tail()
        if total > most:
            return _no_file(site, request, back, total=total, most=most)
        groups = read_groups(
            user,
            choice.filters,
            group=choice.group,
            as_of=today,
            limit=most,
            opened=choice.opened,
            all_open=choice.milestones,
            base=settings.PORTAL_URL.rstrip("/"),
        )
        caption = caption_of(choice, asked_for(choice, user), today)
    paper = PAPERS[choice.sheet]
    drawn = sheets(groups, timeline_of(choice, today), paper, caption)
    name = f"wall-chart-{today:%Y-%m-%d}"
    try:
        if form == "pdf":
            made = [files.write_pdf(drawn, paper, title=caption.title, folders=_font_folders())]
        elif form == "png":
            made = [
                files.write_png(
                    sheet, paper, title=caption.title, folders=_font_folders(), dpi=files.DPI[choice.sheet]
                )
                for sheet in drawn
            ]
        else:
            made = [sheet.encode() for sheet in drawn]
    except files.NoChineseFontError:
        return _no_file(site, request, back, svg=reverse("admin:wall_file") + choice.tail(form="svg"))
    return _answer(made, name, form)


def _answer(made: list[bytes], name: str, form: str) -> HttpResponse:
    """One file, or a folder of them where the chart needs several sheets."""
    kind = _TYPES[form]
    if len(made) == 1:
        content, suffix = made[0], form
    else:
        folder = io.BytesIO()
        with zipfile.ZipFile(folder, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, content in enumerate(made, 1):
                archive.writestr(f"{name}-{number:03}.{form}", content)
        content, suffix, kind = folder.getvalue(), "zip", "application/zip"
    response = HttpResponse(content, content_type=kind)
    # Always kept, never shown: an SVG in a window of its own would be a page of our address.
    response["Content-Disposition"] = f'attachment; filename="{name}.{suffix}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _no_file(site: Any, request: HttpRequest, back: str, **why: Any) -> HttpResponse:
    context = {**site.each_context(request), "title": _("No file was made"), "back": back, **why}
    return TemplateResponse(request, "projects/wall_no_file.html", context, status=409)


def _font_folders() -> tuple[str, ...]:
    return tuple(settings.WALL_CHART_FONTS)
