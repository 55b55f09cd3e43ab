"""Reminding by hand (催办) from any list: tick rows, write a note, see for each what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.scoped_admin import person
from projects.admin.filters import is_id
from projects.models import Milestone, Project
from projects.services.refusals import Refused
from projects.services.reminders import LONGEST_NOTE, MOST_AT_ONCE, refusal, remind

Subject = Project | Milestone


class Reminding:
    """For admins whose rows lead to something that can be reminded of: an action of the list and its page."""

    #: What a row of this list is reminded as, and how to get there from the row ("" for the row itself).
    reminds: type[Project] | type[Milestone]
    reminded_by = ""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)  # type: ignore[misc]
        if request.user.has_perm("projects.remind_project"):
            actions["remind"] = (remind_action, "remind", remind_action.short_description)  # type: ignore[attr-defined]
        return actions

    def get_urls(self) -> list[Any]:
        if self.reminded_by:
            return super().get_urls()  # type: ignore[misc]
        name = f"projects_{self.reminds._meta.model_name}_remind"
        view = self.admin_site.admin_view(self.remind_view)  # type: ignore[attr-defined]
        return [path("remind/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def remind_view(self, request: HttpRequest) -> HttpResponse:
        """GET `?id=7` asks for a note; POST reminds of every `id` and shows what became of each."""
        if not request.user.has_perm("projects.remind_project"):
            return HttpResponseRedirect(reverse("admin:index"))
        given = request.POST if request.method == "POST" else request.GET
        ids = {int(text) for text in given.getlist("id") if is_id(text)}
        chosen = self.reminds.objects.visible_to(request.user).filter(pk__in=list(ids)[: MOST_AT_ONCE + 1])
        if request.method != "POST":
            return note_page(self, request, chosen)
        note = request.POST.get("note", "")
        found = set(chosen.values_list("pk", flat=True))
        key = "project_ids" if self.reminds is Project else "milestone_ids"
        try:
            outcomes = remind(actor=person(request), at=timezone.now(), note=note, **{key: found})  # type: ignore[arg-type]
        except Refused as refused:
            return note_page(self, request, chosen, note=note, error=str(refused))
        done = sum(not outcome.refused for outcome in outcomes)
        if len(outcomes) == 1 and done:
            (outcome,) = outcomes
            said = _("Reminded of “%(name)s”: %(n)d people will be told.") % {
                "name": outcome.subject,
                "n": outcome.people,
            }
            if outcome.instead_label:
                said += " " + _("The posts are vacant: told to %(who)s instead.") % {
                    "who": outcome.instead_label
                }
            self.message_user(request, said, "warning" if outcome.instead_label else "info")  # type: ignore[attr-defined]
            return HttpResponseRedirect(_page_of(outcome.subject))
        context = {
            **_context(self, request, _("Reminders")),
            "outcomes": outcomes,
            "done": done,
            "missing": len(ids - found),
        }
        return TemplateResponse(request, "projects/reminded.html", context)


@admin.action(description=gettext_lazy("Remind"))
def remind_action(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
    """From the ticked rows to the page that asks for the note. Nobody is told yet."""
    wanted = queryset.order_by()
    if model_admin.reminded_by:
        ids = set(wanted.values_list(f"{model_admin.reminded_by}_id", flat=True)[: MOST_AT_ONCE + 1])
    else:
        ids = set(wanted.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if len(ids) > MOST_AT_ONCE:
        model_admin.message_user(
            request,
            _("At most %(most)d can be reminded of at once. Narrow the list and remind in parts.")
            % {"most": MOST_AT_ONCE},
            "error",
        )
        return None
    return note_page(
        model_admin, request, model_admin.reminds.objects.visible_to(request.user).filter(pk__in=ids)
    )


def note_page(
    model_admin: Any, request: HttpRequest, chosen: QuerySet[Any], *, note: str = "", error: str = ""
) -> HttpResponse:
    """What is going to be reminded of, whom nobody can be reminded about, and a field for the note."""
    user, today = person(request), timezone.localdate()
    related = (
        ("enterprise", "programme")
        if model_admin.reminds is Project
        else ("project__enterprise", "project__programme")
    )
    rows: Iterable[Subject] = chosen.select_related(*related).order_by("pk")
    judged = [(subject, refusal(subject, user, today)) for subject in rows]
    context = {
        **_context(model_admin, request, _("Remind")),
        "ready": [subject for subject, refused in judged if not refused],
        "refused": [(subject, refused) for subject, refused in judged if refused],
        "note": note,
        "error": error,
        "longest": LONGEST_NOTE,
        "post_to": reverse(f"admin:projects_{model_admin.reminds._meta.model_name}_remind"),
    }
    return TemplateResponse(request, "projects/remind.html", context, status=409 if error else 200)


def _context(model_admin: Any, request: HttpRequest, title: str) -> dict[str, Any]:
    return {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
        "back": reverse(f"admin:projects_{model_admin.opts.model_name}_changelist"),
    }


def _page_of(subject: Subject) -> str:
    project_id = subject.pk if isinstance(subject, Project) else subject.project_id
    return reverse("admin:projects_project_page", args=[project_id])
