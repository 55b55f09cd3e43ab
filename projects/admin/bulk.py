"""Setting one value for many projects: tick rows, choose the value, see what became of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import User
from enterprises.scoped_admin import person
from projects.addresses import is_id
from projects.models import Category, Project
from projects.services.bulk_edits import (
    LONGEST_REASON,
    MOST_AT_ONCE,
    Change,
    Changed,
    change_many,
    judge,
    leaders,
    present,
)
from projects.services.refusals import Refused

TITLES = {
    Change.LIAISON_LEADER: gettext_lazy("Set the liaison leader"),
    Change.CATEGORY: gettext_lazy("Set the category"),
    Change.IS_KEY: gettext_lazy("Mark as key project, or not"),
}


class SetsForMany:
    """Mixin of the list of projects: an action for each `Change`, and the page that asks and tells."""

    admin_site: Any

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)  # type: ignore[misc]
        if request.user.has_perm("projects.change_project"):
            for change, title in TITLES.items():
                actions[f"set_{change}"] = (_action(change), f"set_{change}", title)
        return actions

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.set_view)
        own = path("set/<slug:what>/", view, name="projects_project_set")
        return [own, *super().get_urls()]  # type: ignore[misc]

    def set_view(self, request: HttpRequest, what: str) -> HttpResponse:
        """POST with `id`s and what was seen of each: sets the value and shows the outcome. GET `?id=7` asks."""
        change = next((one for one in Change if one == what), None)
        if change is None or not request.user.has_perm("projects.change_project"):
            return self.missing(request, what)  # type: ignore[attr-defined]
        given = request.POST if request.method == "POST" else request.GET
        ids = [int(text) for text in given.getlist("id")[: MOST_AT_ONCE + 1] if is_id(text)]
        chosen = Project.objects.visible_to(request.user).filter(pk__in=ids)
        if request.method != "POST":
            return asking(self, request, change, chosen)
        seen = {pk: given.get(f"was-{pk}", "?") for pk in chosen.values_list("pk", flat=True)}
        try:
            outcomes = change_many(
                change=change,
                value=_value(change, given.get("value", ""), person(request)),
                seen=seen,
                actor=person(request),
                reason=given.get("reason", "").strip(),
            )
        except Refused as refused:
            return asking(self, request, change, chosen, error=str(refused))
        return told(self, request, change, outcomes, missing=len(set(ids)) - len(seen))


def _action(change: Change) -> Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]:
    def action(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """From the ticked rows to the page that asks for the value. Nothing is changed yet."""
        ids = list(queryset.order_by().values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if len(ids) > MOST_AT_ONCE:
            said = _("At most %(most)d can be changed at once.") % {"most": MOST_AT_ONCE}
            model_admin.message_user(request, said, "error")
            return None
        return asking(
            model_admin, request, change, Project.objects.visible_to(request.user).filter(pk__in=ids)
        )

    return action


def _value(change: Change, text: str, actor: User) -> User | str | bool | None:
    """What was chosen.

    Raises:
        Refused: nothing, or nothing that was offered.
    """
    if change == Change.IS_KEY:
        if text not in ("yes", "no"):
            raise Refused(_("Choose one of the values."))
        return text == "yes"
    if text == "-":
        return None if change == Change.LIAISON_LEADER else ""
    if change == Change.CATEGORY:
        if not text:
            raise Refused(_("Choose one of the values."))
        return text[:200].replace("\0", "")
    found = leaders(actor).filter(pk=int(text)).first() if is_id(text) else None
    if found is None:
        raise Refused(_("Choose one of the leaders offered."))
    return found


def asking(
    model_admin: Any, request: HttpRequest, change: Change, chosen: QuerySet[Any], *, error: str = ""
) -> HttpResponse:
    """What is going to be changed, what cannot be and why, and a choice of the value."""
    related = ("enterprise", "programme", "category", "liaison_leader")
    judged = judge(list(chosen.select_related(*related).order_by("pk")), change, person(request))
    ready = [(project, present(project, change)) for project, refused in judged if not refused]
    context = {
        **_context(model_admin, request, TITLES[change]),
        "change": change,
        "ready": ready,
        "refused": [(project, refused) for project, refused in judged if refused],
        "choices": _choices(change, [project for project, _was in ready], person(request)),
        "error": error,
        # What was chosen and written stays on a page that comes back with a refusal.
        "chosen": request.POST.get("value", "") if error else "",
        "reason": request.POST.get("reason", "") if error else "",
        "longest": LONGEST_REASON,
        "post_to": reverse("admin:projects_project_set", args=[change.value]),
    }
    return TemplateResponse(request, "projects/set_for_many.html", context, status=409 if error else 200)


def _choices(change: Change, projects: list[Project], actor: User) -> list[tuple[str, Any]]:
    if change == Change.IS_KEY:
        return [("yes", _("Key project")), ("no", _("Not a key project"))]
    if change == Change.LIAISON_LEADER:
        return [*((str(one.pk), str(one)) for one in leaders(actor)), ("-", _("Nobody"))]
    programmes = {project.programme_id for project in projects}
    rows = Category.objects.visible_to(actor).filter(programme__in=programmes)
    names = rows.order_by("name").values_list("name", flat=True).distinct()
    return [*((name, name) for name in names), ("-", _("Without category"))]


def told(
    model_admin: Any, request: HttpRequest, change: Change, outcomes: list[Changed], *, missing: int
) -> HttpResponse:
    """What became of each project."""
    context = {
        **_context(model_admin, request, TITLES[change]),
        "outcomes": outcomes,
        "done": sum(not one.refused and not one.same for one in outcomes),
        "missing": missing,
    }
    return TemplateResponse(request, "projects/were_set.html", context)


def _context(model_admin: Any, request: HttpRequest, title: Any) -> dict[str, Any]:
    return {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
        "back": reverse("admin:projects_project_changelist"),
    }
