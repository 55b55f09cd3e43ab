"""All evidence of one project: before beside after, then by stage, then the documents."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from enterprises.scoped_admin import person
from projects.models import Evidence, Project

PER_PAGE = 60
#: Pairs and documents beyond these are still in the sections and in their submissions.
_MOST_PAIRS = 12
_MOST_CANDIDATES = 400
_MOST_DOCUMENTS = 200

_BY_STAGE = Case(
    *(When(stage=stage, then=Value(rank)) for rank, stage in enumerate(Evidence.Stage.values)),
    output_field=IntegerField(),
)


def gallery(request: HttpRequest, model_admin: Any, project: Project) -> HttpResponse:
    """Render the gallery; the caller has found `project` through the wall."""
    rows = (
        Evidence.objects.visible_to(person(request))
        .filter(project=project)
        .handed_in()
        .select_related("uploaded_by", "report__milestone", "extension__milestone", "close_out__project")
    )
    photos = rows.filter(kind=Evidence.Kind.PHOTO)
    pages = Paginator(photos.annotate(rank=_BY_STAGE).order_by("rank", "id"), PER_PAGE)
    page = pages.get_page(request.GET.get("p"))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Evidence"),
        "opts": model_admin.opts,
        "project": project,
        "pairs": _pairs(photos) if page.number == 1 else [],
        "sections": [
            (Evidence.Stage(stage), list(found))
            for stage, found in itertools.groupby(page.object_list, key=lambda row: row.stage)
        ],
        "page": page,
        "pages": list(pages.get_elided_page_range(page.number)) if pages.num_pages > 1 else [],
        "documents": list(rows.filter(kind=Evidence.Kind.DOCUMENT).order_by("-id")[:_MOST_DOCUMENTS])
        if page.number == 1
        else [],
    }
    return TemplateResponse(request, "projects/evidence/gallery.html", context)


def _pairs(photos: QuerySet[Evidence]) -> list[tuple[Evidence, Evidence]]:
    """Before and after of the same milestone (or of the close-out), oldest with oldest."""
    sides: dict[Any, dict[str, list[Evidence]]] = defaultdict(lambda: defaultdict(list))
    stages = (Evidence.Stage.BEFORE, Evidence.Stage.AFTER)
    for row in photos.filter(stage__in=stages).order_by("id")[:_MOST_CANDIDATES]:
        milestone = getattr(row.of, "milestone_id", None)
        sides[milestone][row.stage].append(row)
    pairs = [
        pair
        for found in sides.values()
        for pair in zip(found[Evidence.Stage.BEFORE], found[Evidence.Stage.AFTER], strict=False)
    ]
    return pairs[:_MOST_PAIRS]
