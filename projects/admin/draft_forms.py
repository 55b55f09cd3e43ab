"""The forms in which an officer writes a report, an extension request or a close-out.

Shown, a form creates nothing. Sent, it keeps the draft first and hands it in afterwards, so that a
refusal costs nothing that was typed. Two people, two tabs: see `opened_drafts`.
"""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from django import forms
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from enterprises.edits import Edit, edit_version
from enterprises.models import User
from enterprises.scoped_admin import person
from enterprises.scoping import may
from journal.context import from_page
from projects.admin import opened_drafts
from projects.admin.draft_fields import DraftForm, Entry, plain
from projects.admin.evidence_files import SentFile, judged_files, keep_files
from projects.admin.submission_rows import page_of
from projects.models import Evidence, Project, Submission
from projects.services.refusals import Refused

#: What `static/portal/draft.js` sends with a save by itself: it is answered in JSON.
BY_SCRIPT = "X-Requested-With"


class DraftPage:
    """One of the three forms in one request.

    Args:
        model_admin: of the subject; its site gives the frame of the page.
        subject: the milestone or project, found through the wall.
    """

    model: type[Submission]
    form_class: ClassVar[type[DraftForm]]
    services: ClassVar[Any] = None
    #: What the verbs call the ids of the submission and of its subject.
    id_name: ClassVar[str]
    subject_field: ClassVar[str] = "milestone"
    template: ClassVar[str]

    def __init__(self, model_admin: Any, request: HttpRequest, subject: Any) -> None:
        self.model_admin, self.request, self.subject = model_admin, request, subject
        self.user: User = person(request)
        self.now = timezone.now()
        self.today: datetime.date = timezone.localdate(self.now)
        self.page = opened_drafts.page_of_request(request)

    # -- what each kind says for itself -------------------------------------------------------

    def cannot(self) -> str:
        """Why nothing can be written now, or ""."""
        raise NotImplementedError

    def before(self, draft: Any) -> Any | None:
        """The round that the form opens with and is compared with."""
        raise NotImplementedError

    def then(self, before: Any, name: str) -> Any:
        """The value of a field with which the form opens after the round `before`."""
        return getattr(before, name)

    def facts(self, draft: Any, form: DraftForm) -> dict[str, Any]:
        """What the page of this kind shows besides its fields."""
        return {}

    def saved_facts(self, draft: Any) -> dict[str, Any]:
        """What the script has to learn after a save by itself, besides the version."""
        return {}

    def save(self, draft: Any, form: DraftForm) -> None:
        """Keep what was understood; problems that belong to a place in the form go into the form."""
        self.services.save_draft(**{self.id_name: draft.pk}, actor=self.user, texts=form.texts())

    @property
    def project(self) -> Project:
        return self.subject.project

    # -- the request --------------------------------------------------------------------------

    def answer(self) -> HttpResponse:
        return self._post() if self.request.method == "POST" else self._get()

    def _get(self) -> HttpResponse:
        draft, waiting = self._at_work()
        if reason := self._refusal(waiting):
            return self._refused(reason, waiting or draft, status=200)
        form = self.form_class(instance=draft or self.services.unsaved(self.subject))
        return self._shown(form, self._version_of(draft, form), draft, clean=True)

    def _post(self) -> HttpResponse:
        handing_in = "_submit" in self.request.POST
        by_script = self.request.headers.get(BY_SCRIPT) == "fetch"
        typed = self.request.POST
        if (done := opened_drafts.handed_in_from(self._rows(), self.page, self.user)) is not None:
            if by_script:
                return JsonResponse({"message": _("Handed in already.")}, status=409)
            return HttpResponseRedirect(page_of(done))
        form: Any = None
        try:
            files = [] if by_script else self._files()
            with transaction.atomic(), from_page(self.page):
                draft = self._open()
                opened_drafts.recognise(self.request, draft, self.subject, self.page, self.form_class)
                edit = Edit(self.request, draft, lambda data: self._bound(data, draft))
                if edit.in_conflict:
                    return self._conflict(edit, draft, files, by_script)
                form = edit.form
                form.is_valid()
                self.save(draft, form)
                if handing_in:
                    form.ask_for_missing()
                if not by_script:
                    for problem in keep_files(self.request, draft, files):
                        form.add_error(None, problem)
        except Refused as refused:
            return self._not_saved(form, typed, str(refused), by_script)
        draft.refresh_from_db()
        if by_script:
            return self._json(draft, form)
        if handing_in and not form.errors:
            try:
                with from_page(self.page):
                    self.services.submit(**{self.id_name: draft.pk}, actor=self.user, at=self.now)
            except Refused as refused:
                form.add_error(form.questionable() or None, str(refused))
        if form.errors:
            version = opened_drafts.token_of(self.request, draft, self.form_class)
            return self._shown(form, version, draft, status=409 if handing_in else 200)
        if handing_in:
            self.model_admin.message_user(
                self.request, _("Handed in; the SASAC decides next."), extra_tags="sent"
            )
            return HttpResponseRedirect(page_of(draft))
        self.model_admin.message_user(self.request, _("The draft was saved."))
        return HttpResponseRedirect(self.request.path)

    def _files(self) -> list[SentFile]:
        """Looked at before the project is locked, as pictures take seconds; not for a form in vain.

        Raises:
            Refused: nothing can be written now.
        """
        if not self.request.FILES:
            return []
        _draft, waiting = self._at_work()
        if reason := self._refusal(waiting):
            raise Refused(reason)
        return judged_files(self.request)

    def _open(self) -> Any:
        draft = self.services.open_draft(
            **{f"{self.subject_field}_id": self.subject.pk}, actor=self.user, as_of=self.today
        )
        locked = self.model._default_manager.select_for_update(of=("self",)).get(pk=draft.pk)
        setattr(locked, self.subject_field, getattr(draft, self.subject_field))
        return locked

    def _bound(self, data: QueryDict, draft: Any) -> DraftForm:
        return self.form_class(data, instance=draft)

    def _version_of(self, draft: Any | None, form: DraftForm) -> str:
        if draft is not None:
            return edit_version(self.request, form)
        return opened_drafts.unopened(self.request, self.model, self.subject, form.instance.round)

    # -- what stands there --------------------------------------------------------------------

    def _rows(self) -> Any:
        rows: Any = self.model._default_manager
        return rows.visible_to(self.user).filter(**{self.subject_field: self.subject})

    def _at_work(self) -> tuple[Any | None, Any | None]:
        """The draft, and the round that waits for its decision; at most one of the two is there."""
        row = self._rows().at_work().select_related("submitted_by").first()
        if row is None:
            return None, None
        setattr(row, self.subject_field, self.subject)
        return (None, row) if row.is_waiting else (row, None)

    def _refusal(self, waiting: Any | None) -> str:
        if waiting is not None and may(self.user, "report", self.subject):
            return _("Handed in already, it waits for its decision; withdraw it to write on.")
        return self.cannot()

    # -- the answers --------------------------------------------------------------------------

    def _conflict(self, edit: Edit, draft: Any, files: list[SentFile], by_script: bool) -> HttpResponse:
        if by_script:
            return JsonResponse(
                {
                    "conflict": True,
                    "message": _(
                        "Somebody else changed this draft. On saving you see both versions and choose."
                    ),
                },
                status=409,
            )
        # Files undo nobody's work, and the page of choices could not send them again.
        for problem in keep_files(self.request, draft, files):
            self.model_admin.message_user(self.request, problem, "error")
        return edit.response(self.model_admin.admin_site.each_context(self.request), back=self.request.path)

    def _not_saved(
        self, form: DraftForm | None, typed: QueryDict, reason: str, by_script: bool
    ) -> HttpResponse:
        """Nothing could be kept: say why, and show everything that was typed."""
        draft, waiting = self._at_work()
        if by_script:
            return JsonResponse({"message": reason}, status=409)
        if (done := opened_drafts.handed_in_from(self._rows(), self.page, self.user)) is not None:
            return HttpResponseRedirect(page_of(done))  # the first of two clicks came in between
        refusal = self._refusal(waiting)
        if refusal:
            form = form or self._bound(typed, self.model(**{self.subject_field: self.subject}))
            return self._refused(refusal, waiting or draft, status=409, typed=self.typed_words(form))
        form = form or self._bound(typed, draft or self.services.unsaved(self.subject))
        form.add_error(None, reason)
        return self._shown(form, typed.get("_version", ""), draft, status=409)

    def typed_words(self, form: DraftForm) -> list[tuple[str, str]]:
        """What was typed, to be copied from the page where there is no form to go on with."""
        found = []
        for bound in form:
            words = dict(getattr(bound.field, "choices", ()))
            value = words.get(bound.value(), bound.value())
            if value not in (None, ""):
                found.append((capfirst(str(bound.label)), str(value)))
        return found

    def _refused(
        self, reason: str, submission: Any | None, *, status: int, typed: list[tuple[str, str]] | None = None
    ) -> HttpResponse:
        writes = may(self.user, "report", self.subject)
        context = {
            **self._frame(),
            "reason": reason,
            "typed": typed or [],
            "submission_url": page_of(submission) if submission is not None and writes else "",
            "waiting": submission is not None and submission.is_waiting,
        }
        return TemplateResponse(self.request, "projects/form_refused.html", context, status=status)

    def _frame(self) -> dict[str, Any]:
        return {
            **self.model_admin.admin_site.each_context(self.request),
            "title": capfirst(str(self.model._meta.verbose_name)),
            "opts": self.model._meta,
            "subject": self.subject,
            "project": self.project,
            "back": reverse("admin:projects_project_page", args=[self.project.pk]),
            "today": self.today,
        }

    def _shown(
        self, form: DraftForm, version: str, draft: Any | None, *, status: int = 200, clean: bool = False
    ) -> HttpResponse:
        row = draft or form.instance
        before = self.before(row)
        stamp, by_page = opened_drafts.stamp_of(draft)
        context = {
            **self._frame(),
            "form": form,
            "entries": {name: self._entry(form[name], before) for name in form.fields},
            "before": before,
            "draft": draft,
            "round": row.round,
            "edit_version": version,
            "page_id": self.page,
            "stamp": stamp,
            "by_page": by_page,
            "clean": clean,
            "upload_kind": self.model._meta.model_name,
            "upload_subject": self.subject.pk,
            "evidence": list(Evidence.objects.visible_to(self.user).of(draft)) if draft is not None else [],
            **self.facts(row, form),
        }
        return TemplateResponse(self.request, self.template, context, status=status)

    def _entry(self, bound: forms.BoundField, before: Any | None) -> Entry:
        if before is None:
            return Entry(bound, None, False)
        then, now = plain(self.then(before, bound.name)), plain(bound.value())
        return Entry(bound, then, then != now)

    def _json(self, draft: Any, form: DraftForm) -> HttpResponse:
        stamp, _by = opened_drafts.stamp_of(draft)
        at = date_format(timezone.localtime(self.now), "H:i")
        unclear = [str(form.fields[name].label) for name in form.errors if name in form.fields]
        message = _("Draft saved at %(time)s") % {"time": at}
        if form.errors:
            message = _("Draft saved at %(time)s, except what needs a look: %(fields)s") % {
                "time": at,
                "fields": "、".join(unclear) or " ".join(map(str, form.non_field_errors())),
            }
        return JsonResponse(
            {
                "version": opened_drafts.token_of(self.request, draft, self.form_class),
                "stamp": stamp,
                "message": message,
                "unclear": bool(form.errors),
                **self.saved_facts(draft),
            }
        )


def draft_page(kind: type[DraftPage], model_admin: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """The view behind an address of a form: the subject through the wall, a foreign one like a missing one."""
    subject: models.Model | None = model_admin.get_object(request, str(object_id))
    if subject is None or not model_admin.has_view_permission(request, subject):
        return model_admin.missing(request, object_id)
    return kind(model_admin, request, subject).answer()
