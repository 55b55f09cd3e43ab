"""The page of the search over everything: first rows of each kind, and the way to the list of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.scoped_admin import person
from enterprises.search import LONGEST, terms, too_short
from projects.services.search import Found, find


@dataclass(frozen=True)
class Hit:
    title: str
    url: str
    code: str = ""
    small: str = ""


@dataclass(frozen=True)
class Group:
    """One kind on the page.

    Attributes:
        more: address of the list of all of it, "" where there is none.
    """

    key: str
    title: Any
    hits: list[Hit]
    count: int
    is_capped: bool
    more: str = ""


def search_response(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """GET `?q=`. Reading only: what was looked for is written down nowhere."""
    query = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    asked = terms(query)
    groups = [_group(found, query) for found in find(query=query, reader=person(request))]
    context = {
        **site.each_context(request),
        "title": _("Search"),
        "query": query,
        "words": asked,
        "too_short": bool(query) and too_short(asked),
        "groups": groups,
    }
    return TemplateResponse(request, "portal/search.html", context)


def _group(found: Found, query: str) -> Group:
    title, hit, more = _KINDS[found.kind]
    return Group(
        found.kind,
        title,
        [hit(row) for row in found.rows],
        found.count,
        found.is_capped,
        more(query) if more else "",
    )


def _list(name: str, **fixed: str) -> Callable[[str], str]:
    return lambda query: f"{reverse(f'admin:{name}_changelist')}?{urlencode({'q': query, **fixed})}"


def _project(row: Any) -> Hit:
    place = f"{row.enterprise} · {row.programme}"
    return Hit(
        row.name,
        reverse("admin:projects_project_page", args=[row.pk]),
        row.code,
        f"{row.place} · {place}" if row.place else place,
    )


def _milestone(row: Any) -> Hit:
    return Hit(
        row.name,
        reverse("admin:projects_project_page", args=[row.project_id]) + f"#m{row.pk}",
        "",
        f"{row.project} · {row.project.enterprise}",
    )


def _enterprise(row: Any) -> Hit:
    return Hit(
        row.name, reverse("admin:enterprises_enterprise_change", args=[row.pk]), row.code, row.short_name
    )


def _branch(row: Any) -> Hit:
    return Hit(
        row.name,
        reverse("admin:enterprises_partybranch_change", args=[row.pk]),
        row.code,
        str(row.enterprise),
    )


def _person(name: str) -> Hit:
    return Hit(name, _list("projects_project", programme="all")(name))


def _programme(row: Any) -> Hit:
    return Hit(
        row.name,
        f"{reverse('admin:projects_project_changelist')}?{urlencode({'programme': row.pk})}",
        row.code,
        str(row.year),
    )


_KINDS: dict[str, tuple[Any, Callable[[Any], Hit], Callable[[str], str] | None]] = {
    "project": (gettext_lazy("Projects"), _project, _list("projects_project", programme="all")),
    "milestone": (
        gettext_lazy("Milestones"),
        _milestone,
        lambda query: (
            f"{reverse('admin:projects_milestone_changelist')}?{urlencode({'named': query, 'programme': 'all'})}"
        ),
    ),
    "enterprise": (gettext_lazy("Enterprises"), _enterprise, _list("enterprises_enterprise")),
    "partybranch": (gettext_lazy("Party organisations"), _branch, _list("enterprises_partybranch")),
    "person": (gettext_lazy("People on projects"), _person, None),
    "programme": (gettext_lazy("Programmes"), _programme, None),
}
