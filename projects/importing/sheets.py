"""A workbook as its readers hand it on: sheets, each a stream of rows in the order of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType

from projects.importing.cells import Row
from projects.importing.refusals import FileWarning

#: Cells right of this are not read: a ledger has a few dozen columns, and the last one possible is the 16,384th. A row
#: that has only such cells comes without values.
MOST_COLUMNS = 1024
#: Cells that one sheet may have, empty ones with a format included.
MOST_CELLS = 6_000_000


@dataclass(slots=True)
class Sheet:
    """One sheet.

    Attributes:
        name: as on its tab; for csv the name of the file.
        is_hidden: hidden in the workbook.
        year_1904: the workbook counts its days from 1904; dates are converted already.
    """

    name: str
    is_hidden: bool
    year_1904: bool
    source: Callable[[], Iterator[Row]]
    #: How many rows the file says that it has, 0 where it does not say; nothing but a progress bar believes it.
    announced: Callable[[], int] = field(default=lambda: 0)

    def rows(self) -> Iterator[Row]:
        """The rows in the order of the file; blank ones may be missing, numbers stay true.

        Raises:
            FileRefused: damage, or more than may be read, found on the way.
        """
        return self.source()


@dataclass(slots=True)
class Book:
    """An opened file. Close it, or use it in `with`.

    Attributes:
        format: "xlsx", "xls", "csv" or "tsv".
    """

    format: str
    sheets: list[Sheet]
    warnings: list[FileWarning] = field(default_factory=list)
    closing: Callable[[], None] | None = None

    def close(self) -> None:
        if self.closing is not None:
            self.closing()

    def __enter__(self) -> Book:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
