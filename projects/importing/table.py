"""From a sheet to a table: the header is found among the first rows, the body streams."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from projects.importing import headers, skipping
from projects.importing.cells import Row, Value
from projects.importing.columns import NEEDED, match
from projects.importing.headers import Header, MilestoneColumns
from projects.importing.refusals import FileWarning, header_not_found, hidden_sheet
from projects.importing.sheets import Book, Sheet
from projects.importing.skipping import Skipping, category_of
from projects.importing.titles import TableContext, context_of

#: Rows that are not blank among which a header is looked for.
LOOKED_AT = 40
#: Gaps between rows are told row by row up to this length.
_TOLD_BLANKS = 50
_NO_TABLE = re.compile(
    r"填表说明|填写说明|填报说明|使用说明|操作说明|填表须知|^说明$|^字典$|下拉|数据字典|^选项$|^示例$"
)
_NOTHING: Mapping[int, Value] = {}


@dataclass(slots=True)
class Body:
    """A row that states a project.

    Attributes:
        row: its cells; `Table.columns` says what they are.
        extra: cells of unknown columns, by position.
        category: of the category row above, without its number; "" for none.
    """

    row: Row
    extra: Mapping[int, Value]
    category: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that states none. `why` is one of the words of `skipping`."""

    row_number: int
    why: str


@dataclass(slots=True)
class Table:
    """The table of one sheet.

    Attributes:
        header_rows: numbers of its rows, as the spreadsheet shows them.
        columns: position to field (a key of `columns.COLUMNS`).
        unknown: position to heading; their cells are kept in `Body.extra`.
        claimed: position to field, for unknown columns whose field another column names better.
        milestones: columns that come in pairs of what and when.
    """

    sheet_name: str
    header_rows: list[int]
    columns: dict[int, str]
    unknown: dict[int, str]
    claimed: dict[int, str]
    milestones: list[MilestoneColumns]
    context: TableContext
    width: int
    _header: Header
    _sheet: Sheet
    _before: list[Row]
    _ahead: list[Row]
    _kinds: list[str]
    _rest: Iterator[Row] | None = field(default=None)

    def position(self, key: str) -> int | None:
        """Where a field stands, None if the table has no such column."""
        return next((position for position, found in self.columns.items() if found == key), None)

    def heading(self, position: int) -> str:
        """The words above a column, those of its groups first; "" for none."""
        return self._header.headings.get(position, "")

    def items(self) -> Iterator[Body | Skipped]:
        """Every row of the sheet but the header, in order. The file is read while iterating.

        Raises:
            FileRefused: damage found on the way.
        """
        rest, self._rest = self._rest, None
        if rest is None:  # asked a second time: the file is read again
            rest = itertools.islice(
                self._sheet.rows(), len(self._before) + len(self.header_rows) + len(self._ahead), None
            )
        return self._items(itertools.chain(self._ahead, rest))

    def _items(self, rows: Iterator[Row]) -> Iterator[Body | Skipped]:
        last = 0
        for row, kind in zip(self._before, self._kinds, strict=True):
            yield from _gap(last, row.number)
            last = row.number
            yield Skipped(last, skipping.HIDDEN_ROW if row.is_hidden else kind)
        if self.header_rows:
            yield from _gap(last, self.header_rows[0])
        for number in self.header_rows:
            yield Skipped(number, skipping.HEADER)
            last = number
        judge = Skipping(self._header, self.context.title).why
        unknown, category = sorted(self.unknown), ""
        width = self.width
        for row in rows:
            number = row.number
            if number - last > 1:
                yield from _gap(last, number)
            last = number
            why = judge(row)
            if why:
                if why == skipping.CATEGORY:
                    category = _category(row)
                yield Skipped(number, why)
                continue
            values = row.values
            extra = _NOTHING
            if unknown or len(values) > width:
                extra = {
                    at: values[at] for at in unknown if at < len(values) and values[at] not in (None, "")
                }
                for at in range(width, len(values)):
                    if values[at] not in (None, ""):
                        extra[at] = values[at]
            yield Body(row, extra, category)


@dataclass(slots=True)
class Tables:
    """The tables of a book, and what was noticed on the way."""

    tables: list[Table]
    warnings: list[FileWarning]


def tables_of(
    book: Book,
    columns: Mapping[str, Mapping[int, str]] | None = None,
    header_rows: Mapping[str, Sequence[int]] | None = None,
) -> Tables:
    """The table of each sheet that has one. Hidden sheets are told, not read.

    Args:
        columns: by sheet, position to field where a person decided ("" for: no field).
        header_rows: by sheet, numbers of the header's rows where a person decided.

    Raises:
        FileRefused: HEADER_NOT_FOUND when no sheet has a table.
    """
    found: list[Table] = []
    warnings: list[FileWarning] = []
    seen: list[str] = []
    for sheet in book.sheets:
        if sheet.is_hidden:
            warnings.append(hidden_sheet(sheet.name))
            continue
        is_asked = sheet.name in (columns or {}) or sheet.name in (header_rows or {})
        if _NO_TABLE.search(sheet.name) and not is_asked and book.format in ("xlsx", "xls"):
            continue
        table, headings = read_table(
            sheet, (columns or {}).get(sheet.name), (header_rows or {}).get(sheet.name)
        )
        if table is not None:
            found.append(table)
        else:
            seen.extend(heading for heading in headings if heading not in seen)
    if not found:
        raise header_not_found(seen, list(NEEDED))
    return Tables(found, warnings)


def read_table(
    sheet: Sheet, columns: Mapping[int, str] | None = None, header_rows: Sequence[int] | None = None
) -> tuple[Table | None, list[str]]:
    """The table of a sheet; without one, None and the headings that came nearest to a header.

    Args:
        columns: position to field where a person decided ("" for: no field).
        header_rows: numbers of the header's rows where a person decided.
    """
    rows = sheet.rows()
    looked = LOOKED_AT if not header_rows else max(LOOKED_AT, min(max(header_rows), 1000))
    ahead = list(itertools.islice(rows, looked))
    header = _header(ahead, columns, header_rows)
    if header is None or (header_rows is None and columns is None and _is_explanation(ahead, header)):
        return None, _nearest(ahead)
    before = ahead[: header.first]
    context, kinds = context_of(before, sheet.name)
    behind = header.first + header.count
    numbers = [row.number for row in ahead[header.first : behind]]
    positions = [*header.columns, *header.unknown, *header.texts]
    table = Table(
        sheet_name=sheet.name,
        header_rows=numbers,
        columns=dict(sorted(header.columns.items())),
        unknown=dict(sorted(header.unknown.items())),
        claimed=header.claimed,
        milestones=header.milestones,
        context=context,
        width=max(positions, default=-1) + 1,
        _header=header,
        _sheet=sheet,
        _before=before,
        _ahead=ahead[behind:],
        _kinds=kinds,
        _rest=rows,
    )
    return table, []


def _header(
    ahead: list[Row], columns: Mapping[int, str] | None, header_rows: Sequence[int] | None
) -> Header | None:
    if header_rows:
        inside = [at for at, row in enumerate(ahead) if row.number in header_rows]
        if inside:
            return headers.judged(ahead, inside[0], inside[-1] - inside[0] + 1, columns or {})
    header = headers.find(ahead)
    if columns is None:
        return header
    if header is None:
        # The person says what the columns are: the first row that has as many cells is the header.
        wide = [at for at, row in enumerate(ahead) if all(row.value(p) not in (None, "") for p in columns)]
        return headers.judged(ahead, wide[0], 1, columns) if wide else None
    return headers.judged(ahead, header.first, header.count, columns)


def _is_explanation(ahead: list[Row], header: Header) -> bool:
    """Whether the names stand below each other: a list of what the columns mean, not a table."""
    position = next(at for at, key in header.columns.items() if key == "name")
    behind = ahead[header.first + header.count :][:12]
    below = [row.value(position) for row in behind]
    keys = {
        found.key for text in below if isinstance(text, str) and (found := match([text])) and found.score > 70
    }
    return len(header.columns) <= 3 and len(keys - {"name"}) >= 2


def _nearest(ahead: list[Row]) -> list[str]:
    best: list[str] = []
    for row in ahead:
        texts = [
            " ".join(value.split())[:30]
            for at, value in enumerate(row.values)
            if isinstance(value, str) and value.strip() and not row.mark(at).is_filled_down
        ]
        if len(texts) > len(best):
            best = texts
    return best


def _gap(last: int, number: int) -> Iterator[Skipped]:
    if 1 < number - last <= _TOLD_BLANKS + 1:
        for blank in range(last + 1, number):
            yield Skipped(blank, skipping.BLANK)


def _category(row: Row) -> str:
    texts = [
        value for at, value in enumerate(row.values)
        if isinstance(value, str) and value.strip() and not row.mark(at).is_filled_down
    ]  # fmt: skip
    return category_of(texts[-1]) if texts else ""
