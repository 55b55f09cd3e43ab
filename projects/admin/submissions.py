"""The pages of reports, extension requests and close-outs, where they are read, decided and taken back."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import User
from enterprises.scoped_admin import person
from enterprises.scoped_export import ExportsList
from enterprises.scoped_views import KeepsViews
from enterprises.scoping import may, permitted_q
from journal.context import because
from journal.reading import history_of, history_response
from projects.admin.certificate_page import certificate_response
from projects.admin.counted_filters import (
    EnterpriseOfSubmissionFilter,
    ProgrammeOfProjectFilter,
    ProgrammeOfSubmissionFilter,
    WaitingFilter,
    WithinOfProjectFilter,
    WithinOfSubmissionFilter,
)
from projects.admin.desk_filters import chosen
from projects.admin.filters import EnterpriseOfMilestoneFilter, is_id
from projects.admin.oversight import ReadOnlyAdmin
from projects.admin.review_facts import close_out_facts, extension_facts, report_facts
from projects.admin.submission_rows import hidden_drafts, page_of
from projects.exporting.lists import CLOSE_OUTS, EXTENSIONS, REPORTS
from projects.models import CloseOut, Evidence, ExtensionRequest, ProgressReport, Submission
from projects.services import close_outs, extensions, reports
from projects.services.desk import next_waiting
from projects.services.evidence import look_alikes
from projects.services.refusals import Refused
from projects.services.reviews import decide
from projects.services.submissions import is_own, steps_for
from projects.workflow import transition

#: Steps of the person who handed it in; the others are decisions of the SASAC.
_BY_THE_AUTHOR = ("submit", "withdraw")


class SubmissionAdmin(KeepsViews, ExportsList, ReadOnlyAdmin):
    """What the three kinds share. A draft is answered as missing to everyone who does not write it."""

    more_columns = ("round", "decided_on", "comment")
    lasting_column = "title"
    columns_in_file: ClassVar[Any] = {
        "submitted_on": ("submitted_at",),
        "title": ("milestone", "project"),
        "state_badge": ("state",),
        "decided_on": ("decided_at",),
    }
    project_path: ClassVar[str] = "milestone__project"
    #: The module of verbs of this kind, and what its functions call the id.
    services: ClassVar[Any] = None
    id_name: ClassVar[str] = ""
    list_display_links = ("title",)
    ordering = ("-submitted_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        project = self.project_path
        related = [f"{project}__enterprise", f"{project}__programme", "submitted_by", "decided_by"]
        if "__" in project:
            related.append("milestone")
        rows = super().get_queryset(request).select_related(*related)
        # Not "may somewhere": who only reads here may well write for another group.
        return rows.filter(~Q(state="draft") | permitted_q(self.model, person(request), "change"))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        found = self._found(request, int(object_id)) if is_id(object_id) else None
        if found is None:
            return self.missing(request, object_id)
        return history_response(request, self, found, hidden_drafts(person(request), [found]))

    # -- the list -----------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("project"))
    def title(self, obj: Submission) -> Any:
        from projects.templatetags.submissions import submission_title

        return submission_title(obj)

    @admin.display(description=gettext_lazy("responsible enterprise"))
    def enterprise(self, obj: Submission) -> str:
        return str(obj.of_project.enterprise)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, obj: Submission) -> Any:
        from projects.templatetags.submissions import state_of

        return state_of(obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # written through its own form, decided on its own page

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        found = self.get_object(request, object_id)
        if found is None or not self.has_view_permission(request, found):
            return self.missing(request, object_id)
        return HttpResponseRedirect(page_of(found))

    # -- the page -----------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view, name = self.admin_site.admin_view, f"projects_{self.opts.model_name}"
        own = [
            path("<int:object_id>/", view(self.page_view), name=f"{name}_page"),
            path("<int:object_id>/step/<slug:action>/", view(self.step_view), name=f"{name}_step"),
            path("<int:object_id>/discard/", view(self.discard_view), name=f"{name}_discard"),
        ]
        return own + super().get_urls()

    def page_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        found = self._found(request, object_id)
        return self.missing(request, object_id) if found is None else self._page(request, found)

    def _found(self, request: HttpRequest, object_id: int) -> Any:
        found = self.get_object(request, str(object_id))
        if found is None or not self.has_view_permission(request, found):
            return None
        if found.state == "draft" and not may(person(request), "change", found):
            return None
        return found

    def _page(self, request: HttpRequest, found: Any, error: str = "", comment: str = "") -> HttpResponse:
        user = person(request)
        query = QueryDict(request.POST.get("queue", "")[:300]) if request.method == "POST" else request.GET
        queued = bool(query.get("queue"))
        evidence = list(Evidence.objects.visible_to(user).of(found).select_related("uploaded_by"))
        steps = steps_for(found, user)
        decisions = [step for step in steps if step.action not in _BY_THE_AUTHOR]
        reviews = may(user, "review", found)
        alike: dict[int, list[Any]] = {}
        for match in look_alikes(evidence, user) if reviews else []:
            alike.setdefault(match.photo_id, []).append(match)
        context = {
            **self.admin_site.each_context(request),
            "title": str(found),
            "opts": self.opts,
            "submission": found,
            "project": found.of_project,
            "decisions": decisions,
            "own_steps": [step for step in steps if step.action == "withdraw"],
            "reviews": reviews,
            "own": is_own(found, user),
            "photos": [(row, alike.get(row.pk, [])) for row in evidence if row.is_photo],
            "documents": [row for row in evidence if not row.is_photo],
            "queue": query.urlencode() if queued else "",
            "skip_url": self._queued(query, user, found, skip=True) if queued else "",
            "desk_url": reverse("admin:review") + chosen(query, user).url() if queued else "",
            "error": error,
            "comment": comment,
            "entries": history_of([found], user, limit=20, without=hidden_drafts(user, [found])),
            "form_url": self.form_url(found),
            **self.facts(found, user),
        }
        template = f"projects/{self.opts.model_name}.html"
        return TemplateResponse(request, template, context, status=409 if error else 200)

    def form_url(self, found: Any) -> str:
        """Address of the form in which a draft is written."""
        raise NotImplementedError

    def facts(self, found: Any, user: User) -> dict[str, Any]:
        """What the page of this kind shows besides what all kinds show."""
        raise NotImplementedError

    def step_view(self, request: HttpRequest, object_id: int, action: str) -> HttpResponse:
        """Decide, or take back. What cannot be done is said on the page, with what was typed."""
        found = self._found(request, object_id)
        if found is None or transition(self._subject, action) is None:
            return self.missing(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        comment, now, user = request.POST.get("comment", ""), timezone.now(), person(request)
        try:
            with because(comment):
                if action == "withdraw":
                    self.services.withdraw(**{self.id_name: found.pk}, actor=user, at=now)
                elif action == "submit":
                    self.services.submit(**{self.id_name: found.pk}, actor=user, at=now)
                else:
                    decide(kind=type(found), pk=found.pk, action=action, actor=user, at=now, comment=comment)
        except Refused as refused:
            fresh = self.get_object(request, str(object_id))
            return self._page(request, fresh or found, str(refused), comment)
        if action == "withdraw":
            done = _("Taken back. The content is kept as a draft; change it and hand it in again.")
        else:
            step = transition(self._subject, action)
            done = _("Done: %(step)s — %(name)s.") % {"step": step.label, "name": found}  # type: ignore[union-attr]
        self.message_user(request, done)
        return HttpResponseRedirect(self._after(request, found, action))

    @property
    def _subject(self) -> Any:
        from projects.services.submissions import SUBJECT_OF

        return SUBJECT_OF[self.model]  # type: ignore[index]

    def _after(self, request: HttpRequest, found: Any, action: str) -> str:
        """Back to the form to write on, on to the next item of the desk, or stay."""
        if action == "withdraw":
            return self.form_url(found)
        if queue := request.POST.get("queue", ""):
            return self._queued(QueryDict(queue[:300]), person(request), found)
        return page_of(found)

    def _queued(self, query: QueryDict, user: User, found: Any, *, skip: bool = False) -> str:
        """The next item of the desk as it was filtered; the desk itself when nothing is left."""
        choice = chosen(query, user)
        following = next_waiting(
            user=user, after=found, as_of=timezone.localdate(), filters=choice.filters, skip=skip
        )
        if following is None:
            return reverse("admin:review") + choice.url()
        return page_of(following) + choice.url(queue=1)

    def discard_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        found = self._found(request, object_id)
        if found is None:
            return self.missing(request, object_id)
        back = reverse("admin:projects_project_page", args=[found.of_project.pk])
        if request.method != "POST":
            return self.confirm(
                request,
                found,
                title=_("Throw the draft away"),
                consequence=_("Its text and its files are gone for good; nothing was handed in yet."),
                verb=_("Throw the draft away"),
                back=self.form_url(found),
                tone="danger",
            )
        try:
            self.services.discard(**{self.id_name: found.pk}, actor=person(request))
        except Refused as refused:
            return self._page(request, found, str(refused))
        self.message_user(request, _("The draft was thrown away."))
        return HttpResponseRedirect(back)


@admin.register(ProgressReport)
class ProgressReportAdmin(SubmissionAdmin):
    export_columns = REPORTS
    services: ClassVar[Any] = reports
    id_name = "report_id"
    list_display = (
        "submitted_on",
        "title",
        "enterprise",
        "percent",
        "state_badge",
        "submitted_by",
        "decided_by",
    )
    list_filter = (
        *("state", "no_change", WaitingFilter, ProgrammeOfSubmissionFilter),
        *(EnterpriseOfSubmissionFilter, WithinOfSubmissionFilter),
    )
    search_fields = ("milestone__name", "milestone__project__name", "milestone__project__enterprise__name")
    search_help_text = gettext_lazy("Milestone, project or enterprise")

    def form_url(self, found: Any) -> str:
        return reverse("admin:projects_milestone_report", args=[found.milestone_id])

    def facts(self, found: Any, user: User) -> dict[str, Any]:
        return report_facts(found, user)


@admin.register(ExtensionRequest)
class ExtensionRequestAdmin(SubmissionAdmin):
    export_columns = EXTENSIONS
    services: ClassVar[Any] = extensions
    id_name = "request_id"
    list_display = ("submitted_on", "title", "enterprise", "from_on", "to_on", "reason_class", "state_badge")
    list_filter = (
        *("state", "reason_class", "is_late", WaitingFilter),
        *(ProgrammeOfSubmissionFilter, EnterpriseOfSubmissionFilter, WithinOfSubmissionFilter),
    )
    search_fields = ("milestone__name", "milestone__project__name", "milestone__project__enterprise__name")
    search_help_text = gettext_lazy("Milestone, project or enterprise")

    def form_url(self, found: Any) -> str:
        return reverse("admin:projects_milestone_extension", args=[found.milestone_id])

    def facts(self, found: Any, user: User) -> dict[str, Any]:
        return extension_facts(found, user)


@admin.register(CloseOut)
class CloseOutAdmin(SubmissionAdmin):
    export_columns = CLOSE_OUTS
    project_path = "project"
    services: ClassVar[Any] = close_outs
    id_name = "close_out_id"
    list_display = ("submitted_on", "title", "enterprise", "completed_on", "state_badge", "submitted_by")
    list_filter = (
        *("state", WaitingFilter, ProgrammeOfProjectFilter),
        *(EnterpriseOfMilestoneFilter, WithinOfProjectFilter),
    )
    search_fields = ("project__name", "project__code", "project__enterprise__name")
    search_help_text = gettext_lazy("Project, code or enterprise")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("verified_by")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.certificate_view)
        own = [path("<int:object_id>/certificate/", view, name="projects_closeout_certificate")]
        return own + super().get_urls()

    def certificate_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        found = self._found(request, object_id)
        if found is None or found.state != "approved":
            return self.missing(request, object_id)
        return certificate_response(found)

    def form_url(self, found: Any) -> str:
        return reverse("admin:projects_project_close_out", args=[found.project_id])

    def facts(self, found: Any, user: User) -> dict[str, Any]:
        return close_out_facts(found, user)
