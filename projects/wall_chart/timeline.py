"""The stretch of days that a chart shows, and where on it a day lies. Pure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from babel.dates import format_skeleton
from django.utils.formats import date_format
from django.utils.translation import get_language

DAY = datetime.timedelta(days=1)

#: Zoom → months shown. The widest first.
ZOOMS = {"year": 12, "half": 6, "quarter": 3, "month": 1}
DEFAULT_ZOOM = "year"

#: No chart begins before or after these; a year of four digits is all that dates have.
EARLIEST, LATEST = datetime.date(1990, 1, 1), datetime.date(2190, 1, 1)


@dataclass(frozen=True)
class Span:
    """A labelled stretch of the head: a year, a month, or a week."""

    label: str
    x: float
    width: float
    is_now: bool = False


@dataclass(frozen=True)
class Timeline:
    """Days from `first` to `last`, both shown, drawn over `width` units.

    Args:
        today: the day of the today line; it may lie outside.
        zoom: one of `ZOOMS`; it decides which lines and labels there are.
    """

    first: datetime.date
    last: datetime.date
    width: float
    today: datetime.date
    zoom: str = DEFAULT_ZOOM

    @property
    def day_width(self) -> float:
        return self.width / ((self.last - self.first).days + 1)

    def x(self, day: datetime.date) -> float:
        """Where `day` begins; below 0 or above `width` when it is not shown."""
        return (day - self.first).days * self.day_width

    def middle(self, day: datetime.date) -> float:
        return self.x(day) + self.day_width / 2

    def shows(self, day: datetime.date) -> bool:
        return self.first <= day <= self.last

    @property
    def today_x(self) -> float | None:
        return self.middle(self.today) if self.shows(self.today) else None

    @property
    def months(self) -> list[Span]:
        return [
            self._span(month_name(day), day, next_month(day))
            for day in _months_between(self.first, self.last)
        ]

    @property
    def years(self) -> list[Span]:
        """The upper line of the head: years over months, or months with their year over weeks."""
        if self.zoom in ("quarter", "month"):
            return [
                self._span(date_format(day, "YEAR_MONTH_FORMAT"), day, next_month(day))
                for day in _months_between(self.first, self.last)
            ]
        years = range(self.first.year, self.last.year + 1)
        return [
            self._span(year_name(year), datetime.date(year, 1, 1), datetime.date(year + 1, 1, 1))
            for year in years
        ]

    @property
    def weeks(self) -> list[Span]:
        """Weeks by their Monday. Labelled where there is room; the year has lines of months only."""
        if self.zoom == "year":
            return []
        monday = self.first - DAY * self.first.weekday()
        spans = []
        while monday <= self.last:
            label = f"{monday.month}/{monday.day}" if self.zoom != "half" and monday >= self.first else ""
            spans.append(self._span(label, monday, monday + DAY * 7))
            monday += DAY * 7
        return spans

    @property
    def month_lines(self) -> list[float]:
        return [span.x for span in self.months if span.x > 0]

    @property
    def week_lines(self) -> list[float]:
        months = set(self.month_lines)
        return [span.x for span in self.weeks if span.x > 0 and span.x not in months]

    def _span(self, label: str, begins: datetime.date, ends: datetime.date) -> Span:
        """From `begins` to the day before `ends`, as far as it is shown."""
        left, right = max(0.0, self.x(begins)), min(self.width, self.x(ends))
        return Span(label, left, right - left, begins <= self.today < ends)


def timeline(first: datetime.date, *, zoom: str, width: float, today: datetime.date) -> Timeline:
    """The chart that begins with the month of `first` and shows as many months as `zoom` says."""
    first = min(max(first, EARLIEST), LATEST).replace(day=1)
    return Timeline(first, months_later(first, ZOOMS[zoom]) - DAY, width, today, zoom)


def first_shown(
    begins: datetime.date, ends: datetime.date, *, zoom: str, today: datetime.date
) -> datetime.date:
    """Where a chart begins when nobody says: the stretch of the programme, counted from its start, with today.

    Before the programme it is the first stretch, after it the last one.
    """
    begins = begins.replace(day=1)
    at = min(max(today, begins), ends)
    months = (at.year - begins.year) * 12 + at.month - begins.month
    return months_later(begins, months - months % ZOOMS[zoom])


def next_month(day: datetime.date) -> datetime.date:
    return months_later(day, 1)


def months_later(day: datetime.date, months: int) -> datetime.date:
    """The first of the month that lies `months` after (or before) that of `day`."""
    number = day.year * 12 + day.month - 1 + months
    return datetime.date(number // 12, number % 12 + 1, 1)


def _months_between(first: datetime.date, last: datetime.date) -> list[datetime.date]:
    months, month = [], first.replace(day=1)
    while month <= last:
        months.append(month)
        month = next_month(month)
    return months


def month_name(day: datetime.date) -> str:
    """ "6月", "Jun"."""
    return str(format_skeleton("MMM", day, locale=_locale()))


def year_name(year: int) -> str:
    """ "2026年", "2026"."""
    return str(format_skeleton("y", datetime.date(year, 1, 1), locale=_locale()))


def _locale() -> str:
    return "zh_Hans_CN" if (get_language() or "").startswith("zh") else "en"
