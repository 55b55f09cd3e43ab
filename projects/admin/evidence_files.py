"""Evidence: taken in one file at a time, shown through the wall only, taken out again while it is a draft."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.files import File
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import User
from enterprises.scoped_admin import person
from enterprises.scoping import may
from projects.admin.oversight import ReadOnlyAdmin
from projects.admin.submission_rows import page_of
from projects.evidence import storage
from projects.evidence.files import Judged, Unreadable, clean_name, judge
from projects.models import Evidence, Milestone, Project, Submission
from projects.services import close_outs, extensions, reports
from projects.services.evidence import MOST_PER_SUBMISSION, add_evidence, remove_evidence, set_stage
from projects.services.refusals import Refused

logger = logging.getLogger(__name__)

#: What the browser runs of a file, whatever is in it: nothing.
_FILE_POLICY = "default-src 'none'; sandbox"


@dataclass(frozen=True)
class _Kind:
    """One kind of submission as uploads see it: whose it is, why not, and its draft (made if there is none)."""

    subject: type[Milestone] | type[Project]
    refusal: Callable[[Any, User, datetime.date], str]
    draft: Callable[[int, User, datetime.date], Submission]


_KINDS = {
    "progressreport": _Kind(
        Milestone,
        reports.cannot_report,
        lambda pk, actor, as_of: reports.open_draft(milestone_id=pk, actor=actor, as_of=as_of),
    ),
    "extensionrequest": _Kind(
        Milestone,
        extensions.cannot_ask,
        lambda pk, actor, as_of: extensions.open_draft(milestone_id=pk, actor=actor, as_of=as_of),
    ),
    "closeout": _Kind(
        Project,
        close_outs.cannot_ask,
        lambda pk, actor, as_of: close_outs.open_draft(project_id=pk, actor=actor, as_of=as_of),
    ),
}


# -- taking in ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SentFile:
    """A file of a form after the look at it.

    Attributes:
        judged: without its body, which is read again when it is kept: thirty are too much for the
            memory; None where the file is not taken.
        problem: why it is not.
    """

    file: File[bytes]
    judged: Judged | None = None
    problem: str = ""


def judged_files(request: HttpRequest) -> list[SentFile]:
    """Look at the `files` of a form. Pictures take seconds: call it while nothing is locked.

    What is more than one submission may hold is refused without a look.
    """
    found = []
    for index, file in enumerate(request.FILES.getlist("files")):
        if index >= MOST_PER_SUBMISSION:
            most = _("At most %(n)d files for one submission.") % {"n": MOST_PER_SUBMISSION}
            found.append(SentFile(file, problem=most))
            continue
        try:
            found.append(SentFile(file, replace(judge(file, file.name or ""), body=b"")))
        except Unreadable as problem:
            found.append(SentFile(file, problem=str(problem)))
    return found


def _put(judged: Judged, submission: Submission, stage: str, actor: User, on: datetime.date) -> Evidence:
    return add_evidence(
        submission=submission,
        judged=judged,
        stage=stage,
        actor=actor,
        on=on,
        keep_original=settings.EVIDENCE_KEEP_ORIGINALS,
    )


def _stage(request: HttpRequest) -> str:
    """The stage chosen for new files; what a form does not offer counts as "during"."""
    stage = request.POST.get("stage", "")
    return stage if stage in Evidence.Stage.values else Evidence.Stage.DURING.value


def keep_files(request: HttpRequest, submission: Submission, files: list[SentFile]) -> list[str]:
    """What the form around the upload area sends without scripts: files, stages and removals.

    Read from the form: `stage` for the files, `evidence_stage_<id>`, `evidence_remove` (ids).

    Args:
        files: from `judged_files`.

    Returns:
        A sentence for each file that could not be taken; everything else was done.
    """
    actor, today = person(request), timezone.localdate()
    problems = []
    removed = set(request.POST.getlist("evidence_remove"))
    for row in Evidence.objects.visible_to(actor).of(submission):
        stage = request.POST.get(f"evidence_stage_{row.pk}", row.stage)
        try:
            if str(row.pk) in removed:
                remove_evidence(evidence=row, actor=actor)
            elif stage != row.stage:
                set_stage(evidence=row, stage=stage, actor=actor)
        except Refused as refused:
            problems.append(_about(row.name, refused))
    for sent in files:
        name = clean_name(sent.file.name or "")
        if sent.judged is None:
            problems.append(_about(name, sent.problem))
            continue
        try:
            sent.file.seek(0)
            judged = replace(sent.judged, body=sent.file.read())
            _put(judged, submission, _stage(request), actor, today)
        except Refused as refused:
            problems.append(_about(name, refused))
    return problems


def _about(name: str, problem: Exception | str) -> str:
    return _("“%(name)s”: %(problem)s") % {"name": name, "problem": problem}


# -- answers to the upload script -----------------------------------------------------------------


def _error(message: str, status: int) -> JsonResponse:
    return JsonResponse({"error": message}, status=status, json_dumps_params={"ensure_ascii": False})


def _no_such() -> JsonResponse:
    """The one answer for an id that does not exist and for one behind the wall."""
    return _error(_("There is no such record, or it belongs to another unit."), 404)


def _as_json(row: Evidence) -> JsonResponse:
    def address(size: str) -> str:
        return reverse("admin:projects_evidence_file", args=[row.pk, size])

    return JsonResponse(
        {
            "id": row.pk,
            "name": row.name,
            "kind": row.kind,
            "stage": row.stage,
            "thumb": address("thumb") if row.is_photo else "",
            "view": address("preview" if row.is_photo else "original"),
        },
        json_dumps_params={"ensure_ascii": False},
    )


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    list_display = ("uploaded_at", "name", "project_name", "kind", "stage", "uploaded_by")
    list_filter = ("kind", "stage")
    search_fields = ("name", "project__name", "project__code", "project__enterprise__name")
    search_help_text = gettext_lazy("File, project, code or enterprise")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).handed_in()  # type: ignore[attr-defined]
        return rows.select_related("project", "uploaded_by")

    @admin.display(description=gettext_lazy("project"))
    def project_name(self, obj: Evidence) -> str:
        return str(obj.project)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        found = self.get_object(request, object_id)
        if found is None or not self.has_view_permission(request, found):
            return self.missing(request, object_id)
        return HttpResponseRedirect(page_of(found.of))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("add/<slug:kind>/<int:subject_id>/", view(self.add_file_view), name="projects_evidence_add"),
            path("<int:object_id>/remove/", view(self.remove_view), name="projects_evidence_remove"),
            path("<int:object_id>/stage/", view(self.stage_view), name="projects_evidence_stage"),
            path("<int:object_id>/<slug:size>/", view(self.file_view), name="projects_evidence_file"),
        ]
        # Behind the stock pages: `<slug:size>` would answer for "history" and "change" as well.
        *stock, catch_all = super().get_urls()
        return [*stock, *own, catch_all]

    def _found(self, request: HttpRequest, object_id: int) -> Evidence | None:
        """One piece through the wall; of a draft only for those who may write the draft."""
        user = person(request)
        rows = Evidence.objects.visible_to(user).select_related("project", "report", "extension", "close_out")
        found: Evidence | None = rows.filter(pk=object_id).first()
        if found is None or (found.of.state == "draft" and not may(user, "change", found.of)):  # type: ignore[attr-defined]
            return None
        return found

    # -- the file -----------------------------------------------------------------------------

    def file_view(self, request: HttpRequest, object_id: int, size: str) -> HttpResponse | FileResponse:
        """preview or thumb of a photo, original of a document (of a photo where originals are kept)."""
        found = self._found(request, object_id)
        sizes = {"preview": "preview", "thumb": "thumbnail", "original": "original"}
        name = getattr(found, sizes[size]) if found is not None and size in sizes else ""
        if found is None or not name or request.method not in ("GET", "HEAD"):
            raise Http404
        try:
            file = storage.open_read(name)
        except FileNotFoundError:
            logger.error("Evidence %s has no file %s in the storage", found.pk, name)
            raise Http404 from None
        made = size != "original"
        response = FileResponse(
            file,
            # A picture made here may be looked at; of what came from outside only a PDF.
            as_attachment=not made and found.content_type != "application/pdf",
            filename=f"{PurePosixPath(found.name).stem}.jpg" if made else found.name,
            content_type="image/jpeg" if made else found.content_type,
        )
        response.headers["Content-Security-Policy"] = _FILE_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        if request.method == "HEAD":
            # The server would send a streamed body all the same, and the next answer would begin with it.
            file.close()
            return HttpResponse(headers=response.headers)
        return response

    # -- while it is a draft ------------------------------------------------------------------

    def add_file_view(self, request: HttpRequest, kind: str, subject_id: int) -> JsonResponse:
        """Take one file (`file`) into the draft about a milestone or project; one request per file, so
        that a lost connection costs one photo."""
        user, today = person(request), timezone.localdate()
        found = _KINDS.get(kind)
        subject: Any = None
        if found is not None:
            path_to = "" if found.subject is Project else "project__"
            rows = found.subject.objects.visible_to(user).filter(pk=subject_id)
            subject = rows.select_related(f"{path_to}programme", f"{path_to}enterprise").first()
        if found is None or subject is None:
            return _no_such()
        if request.method != "POST":
            return _error(_("Files are sent by the form."), 405)
        if reason := found.refusal(subject, user, today):
            return _error(reason, 409)  # before the costly look at the file
        file, draft = request.FILES.get("file"), found.draft
        if file is None:
            return _error(_("The file did not arrive in full. Try again."), 400)
        try:
            judged = judge(file, file.name or "")  # before the draft: a refused file opens none
            row = _put(judged, draft(subject_id, user, today), _stage(request), user, today)
        except Unreadable as problem:
            return _error(str(problem), 422)
        except Refused as refused:
            return _error(str(refused), 409)
        return _as_json(row)

    def remove_view(self, request: HttpRequest, object_id: int) -> JsonResponse:
        return self._change(request, object_id, lambda row, user: remove_evidence(evidence=row, actor=user))

    def stage_view(self, request: HttpRequest, object_id: int) -> JsonResponse:
        stage = request.POST.get("stage", "")
        return self._change(
            request, object_id, lambda row, user: set_stage(evidence=row, stage=stage, actor=user)
        )

    def _change(
        self, request: HttpRequest, object_id: int, change: Callable[[Evidence, User], None]
    ) -> JsonResponse:
        found = self._found(request, object_id)
        if found is None:
            return _no_such()
        if request.method != "POST":
            return _error(_("Files are sent by the form."), 405)
        try:
            change(found, person(request))
        except Refused as refused:
            return _error(str(refused), 409)
        return JsonResponse({"id": object_id})
