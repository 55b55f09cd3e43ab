"""Rows into a table by COPY: the quickest road there is, for rows that were checked before."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.db import connection, models

#: Rows handed over at a time: enough to be fast, few enough to keep memory flat.
CHUNK = 20_000
_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPED = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows; columns that are not named get the model's own default.

    A column that is added to a model later is filled here as a form would fill it.

    Returns:
        The number of rows written.
    """
    rest = [field for field in model._meta.concrete_fields if field.column not in columns]
    rest = [field for field in rest if not field.primary_key]
    tail = "".join(f"\t{_text(field.get_prep_value(field.get_default()))}" for field in rest) + "\n"
    return _copy(model._meta.db_table, [*columns, *(str(field.column) for field in rest)], rows, tail)


def copy_into(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows into a table that has no model: a temporary one. Other columns get the table's defaults."""
    return _copy(table, columns, rows, "\n")


def copy_text(table: str, columns: Sequence[str], text: str) -> None:
    """Write rows that `text_of` put into text before, perhaps in another thread."""
    quoted = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        # In large bites: for each of them this thread waits for its turn, if another one is putting rows into text.
        cursor.copy_expert(f'COPY "{table}" ({quoted}) FROM STDIN', io.StringIO(text), size=1024 * 1024)


def text_of(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as COPY reads them. Asks no database."""
    return "".join(_lines(rows, "\n"))


def _copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], tail: str) -> int:
    lines = _lines(rows, tail)
    written = 0
    while chunk := list(islice(lines, CHUNK)):
        copy_text(table, columns, "".join(chunk))
        written += len(chunk)
    return written


def _lines(rows: Iterable[Sequence[Any]], tail: str) -> Iterator[str]:
    for row in rows:
        yield "\t".join([_text(value) for value in row]) + tail


def _text(value: Any) -> str:
    if value is None:
        return r"\N"
    if value is True:
        return "t"
    if value is False:
        return "f"
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    elif not isinstance(value, str):
        return str(value)
    if _SPECIAL.search(value):
        # COPY reads these as its own signs: a line break in a cell would become a row of the table.
        return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], value)
    return value
