"""The working calendar: a year at a glance, its days edited one by one, or taken over from a sheet."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from enterprises.scoped_admin import ScopedModelAdmin, person
from journal.context import because
from projects.calendar_file import Unreadable, cells_of
from projects.calendar_sheet import Fault, SheetDay, read_sheet
from projects.models import CalendarDay
from projects.services.calendar_days import CalendarPlan, may_keep, month_rows, plan, take_over, years_known
from projects.services.working_calendar import working_calendar
from projects.working_days import WorkingCalendar

#: What was read waits in the page itself, signed, until it is confirmed: nothing is kept for an upload that nobody confirms.
SALT = "projects.calendar"
CONFIRM_WITHIN = 3600
FAULTS_SHOWN = 50
#: The headings and kinds that a sheet is read by, for the page's own explanation.
WORDS = {
    "day": "日期",
    "first": "开始日期",
    "last": "结束日期",
    "kind": "类型",
    "free": "放假",
    "worked": "上班",
    "name": "名称",
}


@dataclass(frozen=True)
class DayCell:
    """One day of the year's picture. `row` is its exception, None where the week holds."""

    day: datetime.date
    is_working: bool
    row: CalendarDay | None
    is_today: bool


@admin.register(CalendarDay)
class CalendarDayAdmin(ScopedModelAdmin):
    fields = ("day", "is_working", "name", "source")
    ordering = ("day",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_keep(person(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_keep(person(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("day",) if obj is not None else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        day = _day(request.GET.get("day", ""))
        return {"day": day, "is_working": day.weekday() >= 5} if day else {}

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_view), name="projects_calendarday_import"),
            *super().get_urls(),
        ]

    # -- the year -----------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)  # refuses in the admin's own way
        today = timezone.localdate()
        year = _year(request.GET.get("year", ""), today.year)
        calendar = working_calendar()
        rows = {row.day: row for row in CalendarDay.objects.visible_to(request.user).filter(day__year=year)}
        working = [n for n in range(_length(year)) if calendar.is_working(_nth(year, n))]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Working calendar"),
            "opts": self.opts,
            "year": year,
            "years": sorted({*years_known(), today.year, today.year + 1, year}),
            "covered": calendar.covers(year),
            "months": [(month, _cells(year, month, rows, calendar, today)) for month in range(1, 13)],
            "weekdays": [
                pgettext("calendar", "Mon"),
                pgettext("calendar", "Tue"),
                pgettext("calendar", "Wed"),
                pgettext("calendar", "Thu"),
                pgettext("calendar", "Fri"),
                pgettext("calendar", "Sat"),
                pgettext("calendar", "Sun"),
            ],
            "rows": sorted(rows.values(), key=lambda row: row.day),
            "working_days": len(working),
            "can_change": self.has_change_permission(request),
        }
        return TemplateResponse(request, "projects/calendar.html", context)

    # -- the sheet ----------------------------------------------------------------------------

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Upload, look at what was understood, confirm."""
        if not may_keep(person(request)):
            return HttpResponseRedirect(reverse("admin:projects_calendarday_changelist"))
        if request.method != "POST":
            return self._import_page(request)
        if "confirm" in request.POST:
            return self._confirm(request)
        upload = request.FILES.get("sheet")
        if upload is None:
            return self._import_page(request, error=_("Choose a file first."))
        try:
            sheet = read_sheet(cells_of(upload.read()))
        except Unreadable as unreadable:
            return self._import_page(request, error=str(unreadable))
        todo = plan(sheet.days)
        return self._import_page(
            request,
            todo=todo,
            faults=sheet.faults,
            ordinary=sheet.ordinary,
            held=_held(sheet.days, upload.name or ""),
        )

    def _confirm(self, request: HttpRequest) -> HttpResponse:
        try:
            kept = signing.loads(request.POST.get("held", ""), salt=SALT, max_age=CONFIRM_WITHIN)
        except signing.BadSignature:
            error = _("This page is too old to be confirmed. Nothing was changed; upload the sheet again.")
            return self._import_page(request, error=error)
        days = [
            SheetDay(datetime.date.fromisoformat(day), is_working, name, row)
            for day, is_working, name, row in kept["days"]
        ]
        with because(_("Sheet “%(name)s”") % {"name": kept["name"]}):
            done = take_over(
                days=days,
                drop_missing="drop" in request.POST,
                source=_("Sheet “%(name)s”") % {"name": kept["name"]},
                actor=person(request),
            )
        n = len(done.new) + len(done.changed)
        self.message_user(
            request,
            ngettext("%(n)d day was taken over.", "%(n)d days were taken over.", n) % {"n": n},
        )
        year = days[0].day.year if days else timezone.localdate().year
        return HttpResponseRedirect(f"{reverse('admin:projects_calendarday_changelist')}?year={year}")

    def _import_page(
        self,
        request: HttpRequest,
        *,
        error: str = "",
        todo: CalendarPlan | None = None,
        faults: list[Fault] | None = None,
        ordinary: int = 0,
        held: str = "",
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Take over a calendar"),
            "words": WORDS,
            "opts": self.opts,
            "error": error,
            "todo": todo,
            "faults": (faults or [])[:FAULTS_SHOWN],
            "more_faults": max(0, len(faults or []) - FAULTS_SHOWN),
            "ordinary": ordinary,
            "held": held,
        }
        return TemplateResponse(
            request, "projects/calendar_import.html", context, status=409 if error else 200
        )

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return self._to_year(request, obj, super().response_add(request, obj, post_url_continue))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._to_year(request, obj, super().response_change(request, obj))

    def _to_year(self, request: HttpRequest, obj: CalendarDay, response: HttpResponse) -> HttpResponse:
        if "_continue" in request.POST or "_addanother" in request.POST:
            return response
        return HttpResponseRedirect(f"{reverse('admin:projects_calendarday_changelist')}?year={obj.day.year}")


def _held(days: list[SheetDay], name: str) -> str:
    rows = [(day.day.isoformat(), day.is_working, day.name, day.row) for day in days]
    return signing.dumps({"name": name[:100], "days": rows}, salt=SALT, compress=True)


def _cells(
    year: int,
    month: int,
    rows: dict[datetime.date, CalendarDay],
    calendar: WorkingCalendar,
    today: datetime.date,
) -> list[list[DayCell | None]]:
    return [
        [
            DayCell(day, calendar.is_working(day), rows.get(day), day == today) if day is not None else None
            for day in week
        ]
        for week in month_rows(year, month)
    ]


def _length(year: int) -> int:
    return (datetime.date(year, 12, 31) - datetime.date(year, 1, 1)).days + 1


def _nth(year: int, n: int) -> datetime.date:
    return datetime.date(year, 1, 1) + datetime.timedelta(days=n)


def _year(text: str, otherwise: int) -> int:
    return (
        int(text)
        if text.isascii() and text.isdecimal() and len(text) == 4 and 2000 <= int(text) <= 2100
        else otherwise
    )


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None
