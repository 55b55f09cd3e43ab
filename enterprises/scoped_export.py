"""Taking a list out: the rows that the filter on screen shows, all pages of it, and nothing beyond the wall.

The rows come from the very list of the request, so search, filters, order and wall are one and the same on screen
and in the file. Whoever may read a list may take it out; that somebody did is written down.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, ClassVar
from urllib.parse import urlencode

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import ExportLayout
from enterprises.scoped_admin import person
from enterprises.services.list_exports import record_list_export
from enterprises.spreadsheets import FORMATS, OutColumn, OutSheet, write_csv, write_xlsx

#: Query names of ours, which are no filters of the list.
LAYOUT, PAGE = "_layout", "p"
#: Stands in the place of a layout: the columns that the list shows, of the view that is open or its own.
ON_SCREEN = "screen"
_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Listed:
    """A column of a list in a file.

    Attributes:
        key: its name in saved layouts.
        heading: its name for people.
        paths: what is read for it, in the words of `values_list`.
        make: makes the cell of these values; without it there is one value, which is the cell.
        choices: value → word.
    """

    key: str
    heading: Any
    paths: tuple[str, ...] = ()
    kind: str = "text"
    width: float = 16
    make: Callable[..., Any] | None = None
    choices: Mapping[str, Any] | None = None


class ExportsList:
    """Mixin of a `ScopedModelAdmin` whose list may be taken out. Stands before it among the bases."""

    model: Any
    opts: Any
    admin_site: Any
    export_columns: ClassVar[Sequence[Listed]] = ()
    #: What the file with every column is called in the menu.
    whole_export: ClassVar[Any] = gettext_lazy("All columns")
    #: Column of the list → columns of the file that hold the same, where their names differ; () where none does.
    columns_in_file: ClassVar[Mapping[str, Sequence[str]]] = {}

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = self.admin_site.admin_view
        own = [path(f"export/{form}/", view(self._view_of(form)), name=f"{name}_{form}") for form in FORMATS]
        return own + super().get_urls()  # type: ignore[misc]

    def _view_of(self, form: str) -> Callable[[HttpRequest], HttpResponseBase]:
        def view(request: HttpRequest) -> HttpResponseBase:
            return self.export_view(request, form)

        return view

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        extra = {"exports": self.export_links(request), **(extra_context or {})}
        return super().changelist_view(request, extra)  # type: ignore[misc]

    # -- columns ------------------------------------------------------------------------------------

    def columns_out(self, request: HttpRequest) -> list[OutColumn]:
        """Every column that the list has to give, in its own order."""
        return [
            OutColumn(one.key, str(one.heading), one.kind, one.width, wraps=one.width > 30)
            for one in self.export_columns
        ]

    def columns_on_screen(self, request: HttpRequest) -> list[OutColumn]:
        """The columns of the file that hold what the list of the request shows, in its order."""
        known = {column.key: column for column in self.columns_out(request)}
        shown = self.get_list_display(request)  # type: ignore[attr-defined]
        keys = [key for name in shown for key in self.columns_in_file.get(name, (name,))]
        return [known[key] for key in dict.fromkeys(keys) if key in known]

    def layouts(self, request: HttpRequest) -> Any:
        return ExportLayout.objects.visible_to(request.user).filter(listed=self.opts.label_lower)

    def export_links(self, request: HttpRequest) -> dict[str, Any]:
        """What the menu over the list offers; each link carries the query string of the list."""
        query = request.GET.copy()
        query.pop(PAGE, None)

        def links(**more: str) -> list[tuple[str, str]]:
            return [
                (form, f"{self._url(form)}?{urlencode([*query.lists(), *more.items()], doseq=True)}")
                for form in FORMATS
            ]

        offered: list[dict[str, Any]] = [
            {"name": self.whole_export, "links": links()},
            {"name": _("Columns as on screen"), "links": links(**{LAYOUT: ON_SCREEN})},
        ]
        offered += [
            {"name": layout.name, "links": links(**{LAYOUT: str(layout.pk)})}
            for layout in self.layouts(request)[:20]
        ]
        add = reverse("admin:enterprises_exportlayout_add") + f"?list={self.opts.label_lower}"
        may_add = request.user.has_perm("enterprises.add_exportlayout")  # type: ignore[union-attr]
        return {"offered": offered, "add": add if may_add else ""}

    def _url(self, form: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export_{form}")

    def _chosen(self, request: HttpRequest) -> list[OutColumn]:
        """The columns of the layout that was asked for, or those on screen, else all."""
        columns = self.columns_out(request)
        wanted = request.GET.get(LAYOUT, "")
        if wanted == ON_SCREEN:
            return self.columns_on_screen(request) or columns
        if not (wanted.isascii() and wanted.isdecimal() and len(wanted) <= 18):
            return columns
        layout = self.layouts(request).filter(pk=wanted).first()
        return columns if layout is None else in_layout(columns, layout)

    # -- the file -----------------------------------------------------------------------------------

    def export_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """The list of the query string as a file."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        columns = self._chosen(request)
        query = request.GET.copy()
        query.pop(LAYOUT, None)
        query.pop(PAGE, None)
        request.GET = query  # type: ignore[assignment]  # a list takes every other name for a look-up
        changelist = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        try:
            rows = self.get_changelist_instance(request).queryset  # type: ignore[attr-defined]
        except IncorrectLookupParameters:
            return HttpResponseRedirect(changelist)
        file = tempfile.TemporaryFile()  # noqa: SIM115  (the response closes it)
        try:
            count = self.write_out(request, rows, file, form, columns)
            record_list_export(
                actor=person(request),
                listed=self.opts.label_lower,
                form=form,
                filters=filters_of(query),
                rows=count,
            )
        except BaseException:
            file.close()
            raise
        file.seek(0)
        name = f"{self.opts.verbose_name_plural}-{timezone.localdate():%Y%m%d}.{form}"
        return FileResponse(file, as_attachment=True, filename=name, content_type=FORMATS[form])

    def write_out(
        self, request: HttpRequest, rows: Any, file: IO[bytes], form: str, columns: Sequence[OutColumn]
    ) -> int:
        """Write the rows of a list to a file.

        Args:
            rows: the queryset of the list, filtered and in order.
            form: "xlsx" or "csv".

        Returns:
            The number of rows.
        """
        cells = self.cells_of(request, rows, [column.key for column in columns])
        if form == "csv":
            return write_csv(file, columns, cells)
        name = str(self.opts.verbose_name_plural)
        return write_xlsx(file, [OutSheet(name, columns, cells, rows.order_by().count())])[0]

    def cells_of(self, request: HttpRequest, rows: Any, keys: Sequence[str]) -> Iterator[list[Any]]:
        """The cells of each row. Read as values by a cursor of the server: no object a row, no page in memory."""
        known = {one.key: one for one in self.export_columns}
        chosen = [known[key] for key in keys if key in known]
        paths = list(dict.fromkeys(name for one in chosen for name in one.paths))
        places = {name: at for at, name in enumerate(paths)}
        makers = [_maker(one, [places[name] for name in one.paths]) for one in chosen]
        for values in rows.values_list(*paths).iterator(_CHUNK):
            yield [make(values) for make in makers]


def _maker(one: Listed, at: list[int]) -> Callable[[tuple[Any, ...]], Any]:
    make, first = one.make, at[0]
    if one.choices is not None:
        words = {value: str(word) for value, word in one.choices.items()}
        return lambda values: words.get(values[first], values[first])
    if make is None:
        return lambda values: values[first]
    return lambda values: make(*[values[place] for place in at])


def in_layout(columns: Sequence[OutColumn], layout: ExportLayout) -> list[OutColumn]:
    """The columns of a layout with its headings; those that the list does not have any more are left out."""
    known = {column.key: column for column in columns}
    chosen = [
        OutColumn(
            key, heading or known[key].heading, known[key].kind, known[key].width, wraps=known[key].wraps
        )
        for key, heading in layout.chosen()
        if key in known
    ]
    return chosen or list(columns)


def filters_of(query: QueryDict) -> dict[str, Any]:
    """The query string of a list as it is written down: short, and texts only."""
    return {name[:60]: "、".join(query.getlist(name))[:200] for name in list(query)[:20]}


def choices_of(kind: Any) -> dict[str, Any]:
    """Value → word of an enumeration of Django's."""
    return {str(value): label for value, label in kind.choices}


def yes_no(value: Any) -> str:
    return _("yes") if value else _("no")
