"""Rows into a table by COPY."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.db import connection, models

#: Rows handed over at a time: enough to be fast, few enough to keep memory flat.
CHUNK = 20_000


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows; columns that are not named get the model's own default.

    A column that is added to a model later is filled here as a form would fill it.

    Returns:
        The number of rows written.
    """
    rest = [field for field in model._meta.concrete_fields if field.column not in columns]
    rest = [field for field in rest if not field.primary_key]
    tail = "".join(f"\t{_text(field.get_prep_value(field.get_default()))}" for field in rest) + "\n"
    quoted = ", ".join(f'"{name}"' for name in [*columns, *(field.column for field in rest)])
    statement = f'COPY "{model._meta.db_table}" ({quoted}) FROM STDIN'
    lines = _lines(rows, tail)
    written = 0
    with connection.cursor() as cursor:
        while chunk := list(islice(lines, CHUNK)):
            cursor.copy_expert(statement, io.StringIO("".join(chunk)))
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
    # Nothing that is generated here holds a backslash, a tab or a line break.
    return "{}" if value == {} else str(value)
