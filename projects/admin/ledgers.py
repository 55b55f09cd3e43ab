"""Ledgers in: hand a file in, look at what was understood, decide the rest, confirm, take back."""

from __future__ import annotations

import contextlib
import tempfile
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from enterprises.scoped_admin import ScopedModelAdmin, person
from enterprises.spreadsheets import FORMATS
from projects.admin.ledger_preview import SHOWN, ledger_context
from projects.exporting.template import write_template
from projects.importing.columns import KEYS
from projects.importing.confirming import ask_to_confirm
from projects.importing.deciding import decide
from projects.importing.faults import faults_workbook
from projects.importing.intake import LARGEST, hand_in, read_anew
from projects.importing.undoing import undo
from projects.importing.working import work_on
from projects.models import LedgerImport, Programme
from projects.services.refusals import Refused
from projects.tasks import work_on_ledgers

#: Files up to this size are read while the person waits, and so are confirmations of so few rows.
AT_ONCE_BYTES = 150 * 1024
AT_ONCE_ROWS = 500
MOST_FILES = 10


@admin.register(LedgerImport)
class LedgerImportAdmin(ScopedModelAdmin):
    list_display = ("file", "programme", "uploaded_at", "state", "result")
    list_display_links = None
    list_filter = (("state", admin.ChoicesFieldListFilter),)
    add_label = gettext_lazy("Take in a ledger")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("programme")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a ledger has no form; each step of it is a button of its page

    @admin.display(description=gettext_lazy("file"), ordering="file_name")
    def file(self, obj: LedgerImport) -> Any:
        url = reverse("admin:projects_ledgerimport_page", args=[obj.pk])
        return format_html('<a class="row-title" href="{}">{}</a>', url, obj.file_name)

    @admin.display(description=gettext_lazy("result"))
    def result(self, obj: LedgerImport) -> str:
        if obj.receipt:
            return _("%(created)s taken in, %(changed)s changed, %(left)s left out") % {
                "created": obj.receipt["created"],
                "changed": obj.receipt["changed"],
                "left": obj.receipt["left_out"] + obj.receipt["conflict"],
            }
        if error := obj.file_facts.get("error"):
            return str(error["message"])
        if obj.counts:
            return _("%(accepted)s certain, %(open)s to be decided, %(rejected)s refused") % {
                "accepted": obj.counts["accepted"],
                "open": obj.counts["needs_review"],
                "rejected": obj.counts["rejected"],
            }
        return "—"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view

        def of(name: str, method: Any) -> Any:
            return path(f"<int:object_id>/{name}/", view(method), name=f"projects_ledgerimport_{name}")

        return [
            path("<int:object_id>/", view(self.page_view), name="projects_ledgerimport_page"),
            path(
                "template/<int:programme_id>/",
                view(self.template_view),
                name="projects_ledgerimport_template",
            ),
            of("progress", self.progress_view),
            of("columns", self.columns_view),
            of("decide", self.decide_view),
            of("confirm", self.confirm_view),
            of("undo", self.undo_view),
            of("faults", self.faults_view),
            *super().get_urls(),
        ]

    # -- handing in ---------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            return super().add_view(request, form_url, extra_context)  # refuses in the admin's own way
        programmes = Programme.objects.visible_to(request.user).filter(archived_on=None)
        error = ""
        if request.method == "POST":
            wanted = request.POST.get("programme", "")
            chosen = programmes.filter(pk=wanted[:18]).first() if wanted.isdecimal() else None
            files = request.FILES.getlist("files")
            if chosen is None:
                error = _("Choose the programme that the ledger belongs to.")
            elif not files:
                error = _("Choose a file first.")
            elif len(files) > MOST_FILES:
                error = _("Hand in at most %(most)s files at a time.") % {"most": MOST_FILES}
            else:
                try:
                    return self._take(request, chosen, files)
                except Refused as refusal:
                    error = str(refusal)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Hand in a ledger"),
            "opts": self.opts,
            "programmes": programmes,
            "chosen": request.POST.get("programme") or request.GET.get("programme", ""),
            "error": error,
            "largest": LARGEST // 1024 // 1024,
            "most_files": MOST_FILES,
        }
        return TemplateResponse(request, "projects/ledger_add.html", context, status=400 if error else 200)

    def template_view(self, request: HttpRequest, programme_id: int) -> HttpResponseBase:
        """The empty ledger of a programme, with the lists as this person sees them."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        programmes = Programme.objects.visible_to(request.user).filter(archived_on=None)
        programme = programmes.filter(pk=programme_id).first() if programme_id < 1 << 63 else None
        if programme is None:
            return self.missing(request, programme_id)
        file = tempfile.TemporaryFile()  # noqa: SIM115  (the response closes it)
        write_template(file, programme, actor=person(request), as_of=timezone.localdate())
        file.seek(0)
        name = _("%(programme)s – ledger.xlsx") % {"programme": programme.name}
        return FileResponse(file, as_attachment=True, filename=name, content_type=FORMATS["xlsx"])

    def _take(self, request: HttpRequest, programme: Programme, files: list[Any]) -> HttpResponse:
        with (
            transaction.atomic()
        ):  # several files: all are kept or none is, and the message says which was wrong
            ledgers = [
                hand_in(
                    programme=programme,
                    actor=person(request),
                    name=file.name or "",
                    chunks=file.chunks(),
                    as_of=timezone.localdate(),
                    at=timezone.now(),
                )
                for file in files
            ]
        for ledger in ledgers:
            self._go_on(ledger, at_once=ledger.file_size <= AT_ONCE_BYTES and len(ledgers) == 1)
        if len(ledgers) == 1:
            return self._to_page(ledgers[0].pk)
        self.message_user(
            request, _("%(n)s files were handed in. They are read one after the other.") % {"n": len(ledgers)}
        )
        return HttpResponseRedirect(reverse("admin:projects_ledgerimport_changelist"))

    def _go_on(self, ledger: LedgerImport, *, at_once: bool) -> None:
        """Work now where that is a moment; else ring for a worker, who would come within seconds anyway."""
        if at_once:
            work_on(ledger_id=ledger.pk, as_of=timezone.localdate(), now=timezone.now)
        else:
            transaction.on_commit(ring)

    def _to_page(self, object_id: int, query: str = "") -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:projects_ledgerimport_page", args=[object_id]) + query)

    # -- the page -----------------------------------------------------------------------------

    def _found(self, request: HttpRequest, object_id: int) -> LedgerImport | None:
        found: LedgerImport | None = self.get_queryset(request).filter(pk=object_id).first()
        return found

    def page_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        ledger = self._found(request, object_id)
        if ledger is None:
            return self.missing(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": ledger.file_name,
            "opts": self.opts,
            "ledger": ledger,
            **ledger_context(ledger, person(request), request.GET),
        }
        return TemplateResponse(request, "projects/ledger_page.html", context)

    def progress_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        ledger = self._found(request, object_id)
        if ledger is None:
            return self.missing(request, object_id)
        return JsonResponse({"state": ledger.state, "rows": ledger.rows_read, "of": ledger.rows_expected})

    def faults_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        ledger = self._found(request, object_id)
        if ledger is None:
            return self.missing(request, object_id)
        return faults_workbook(ledger)

    # -- steps --------------------------------------------------------------------------------

    def columns_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Read once more, with sheets and columns as the person says."""
        ledger = self._found(request, object_id)
        if ledger is None or request.method != "POST":
            return self.missing(request, object_id) if ledger is None else self._to_page(object_id)
        choices = chosen_columns(request.POST, ledger)
        try:
            ledger = read_anew(ledger_id=object_id, actor=person(request), choices=choices)
        except Refused as refusal:
            self.message_user(request, str(refusal), "error")
        else:
            self._go_on(ledger, at_once=ledger.file_size <= AT_ONCE_BYTES)
        return self._to_page(object_id)

    def decide_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        ledger = self._found(request, object_id)
        if ledger is None or request.method != "POST":
            return self.missing(request, object_id) if ledger is None else self._to_page(object_id)
        row = request.POST.get("row", "")
        posted = {key: str(value) for key, value in request.POST.items()}
        given = {key[2:]: value for key, value in posted.items() if key.startswith("d-")}
        # What is typed goes before what is ticked.
        given |= {key[2:]: value for key, value in posted.items() if key.startswith("t-") and value.strip()}
        try:
            n = decide(
                ledger_id=object_id,
                row_id=int(row) if row.isascii() and row.isdecimal() and len(row) < 18 else 0,
                actor=person(request),
                decisions=given,
                everywhere="everywhere" in request.POST,
                as_of=ledger.as_of,
            )
        except Refused as refusal:
            self.message_user(request, str(refusal), "error")
        else:
            self.message_user(
                request, ngettext("Decided for %(n)s row.", "Decided for %(n)s rows.", n) % {"n": n}
            )
        show = request.POST.get("show", "")
        return self._to_page(object_id, f"?show={show}" if show in SHOWN else "")

    def confirm_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        ledger = self._found(request, object_id)
        if ledger is None or request.method != "POST":
            return self.missing(request, object_id) if ledger is None else self._to_page(object_id)
        number = request.POST.get("reading", "")
        try:
            ledger = ask_to_confirm(
                ledger_id=object_id,
                actor=person(request),
                reading_number=int(number)
                if number.isascii() and number.isdecimal() and len(number) < 9
                else 0,
                at=timezone.now(),
            )
        except Refused as refusal:
            self.message_user(request, str(refusal), "error")
        else:
            self._go_on(ledger, at_once=ledger.counts["accepted"] <= AT_ONCE_ROWS)
        return self._to_page(object_id)

    def undo_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        ledger = self._found(request, object_id)
        if ledger is None:
            return self.missing(request, object_id)
        if request.method != "POST":
            return self.confirm(
                request,
                ledger,
                title=_("Take this ledger back"),
                consequence=_(
                    "The projects that it made are removed, and what it changed is put back. This is possible only "
                    "as long as nobody worked on them since."
                ),
                verb=_("Take it back"),
                back=reverse("admin:projects_ledgerimport_page", args=[object_id]),
                tone="danger",
            )
        try:
            undo(ledger_id=object_id, actor=person(request), as_of=timezone.localdate(), at=timezone.now())
        except Refused as refusal:
            self.message_user(request, str(refusal), "error")
        else:
            self.message_user(request, _("The ledger was taken back."))
        return self._to_page(object_id)


def ring() -> None:
    """Call a worker. The periodic task comes by itself when the broker is away."""
    # Whatever the fault of the broker: the save stands, and the clock rings within seconds.
    with contextlib.suppress(Exception):
        work_on_ledgers.apply_async(retry=False)


def chosen_columns(posted: Any, ledger: LedgerImport) -> dict[str, Any]:
    """What a person said about sheets and columns: {sheet: {"left_out": bool, "columns": {letter: key}}}."""
    choices: dict[str, Any] = {}
    for number, sheet in enumerate(ledger.file_facts.get("sheets", [])):
        letters = list(sheet["headings"])
        chosen = {letter: posted.get(f"c-{number}-{letter}", "") for letter in letters}
        choices[sheet["name"]] = {
            "left_out": f"out-{number}" in posted,
            "columns": {letter: key if key in KEYS else "" for letter, key in chosen.items()},
        }
    return choices
