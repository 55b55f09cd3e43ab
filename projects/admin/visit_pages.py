"""What hangs on a project: its visits and action items on the project page, the two forms, the brief."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Prefetch
from django.http import HttpRequest, HttpResponse
from django.urls import path

from enterprises.models import User
from enterprises.scoped_admin import person
from enterprises.scoping import may
from projects.admin.brief import brief_page
from projects.admin.visit_forms import InstructionPage, VisitPage
from projects.deadlines import days_overdue, is_item_overdue
from projects.models import ActionItem, Project, SiteVisit
from projects.services.visits import cannot_record

VISITS_SHOWN = 5
ITEMS_SHOWN = 20


@dataclass(frozen=True)
class ItemRow:
    """An action item as a page shows it.

    Attributes:
        tone: of its badge: red when overdue, blue when done.
        days: past its date, 0 when in time.
    """

    item: ActionItem
    tone: str
    days: int


@dataclass(frozen=True)
class VisitsSection:
    """The section of the project page. `more_*`: older ones are in the lists."""

    items: list[ItemRow]
    visits: list[SiteVisit]
    more_items: bool
    more_visits: bool
    can_record: bool
    can_answer: bool
    can_change: bool


def item_row(item: ActionItem, today: datetime.date) -> ItemRow:
    if item.done_on:
        return ItemRow(item, "blue", item.days_late)
    if is_item_overdue(item, today):
        return ItemRow(item, "red", days_overdue(item.due_on, today))
    return ItemRow(item, "yellow", 0)


def _rows(project: Project, user: User) -> tuple[list[ActionItem], list[SiteVisit]]:
    """What the section shows, open items first, and one more of each."""
    items = (
        ActionItem.objects.visible_to(user)
        .filter(project=project)
        .select_related("leader", "responsible", "done_by", "visit")
        .order_by(F("done_on").desc(nulls_first=True), "due_on", "id")
    )
    visits = (
        SiteVisit.objects.visible_to(user)
        .filter(project=project)
        .select_related("leader")
        .prefetch_related(Prefetch("items", queryset=ActionItem.objects.visible_to(user), to_attr="given"))
    )
    return list(items[: ITEMS_SHOWN + 1]), list(visits[: VISITS_SHOWN + 1])


def section_of(project: Project, user: User, today: datetime.date) -> VisitsSection:
    """What the project page shows of visits and instructions."""
    items, visits = _rows(project, user)
    blank = ActionItem(project=project)
    return VisitsSection(
        items=[item_row(item, today) for item in items[:ITEMS_SHOWN]],
        visits=visits[:VISITS_SHOWN],
        more_items=len(items) > ITEMS_SHOWN,
        more_visits=len(visits) > VISITS_SHOWN,
        can_record=not cannot_record(project, user),
        can_answer=may(user, "answer", blank),
        can_change=may(user, "change", blank) and not project.programme.archived_on,
    )


class VisitPages:
    """Mixin of the admin of projects. Stands before `ScopedModelAdmin` among its bases."""

    admin_site: Any

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:object_id>/visit/", view(self.visit_view), name="projects_project_visit"),
            path("<int:object_id>/instruct/", view(self.instruct_view), name="projects_project_instruct"),
            path("<int:object_id>/brief/", view(self.brief_view), name="projects_project_brief"),
        ]
        return own + super().get_urls()  # type: ignore[misc]

    def visit_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._recording(VisitPage, request, object_id)

    def instruct_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._recording(InstructionPage, request, object_id)

    def _recording(self, page: Any, request: HttpRequest, object_id: int) -> HttpResponse:
        project = self._project(request, object_id)
        if project is None or not may(person(request), "add", SiteVisit(project=project)):
            return self.missing(request, object_id)  # type: ignore[attr-defined, no-any-return]
        return page(request, self, project).answer()  # type: ignore[no-any-return]

    def brief_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        project = self._project(request, object_id)
        if project is None:
            return self.missing(request, object_id)  # type: ignore[attr-defined, no-any-return]
        return brief_page(request, self, project)

    def _project(self, request: HttpRequest, object_id: int) -> Project | None:
        found: Project | None = self.get_object(request, str(object_id))  # type: ignore[attr-defined]
        allowed = found is not None and self.has_view_permission(request, found)  # type: ignore[attr-defined]
        return found if allowed else None
