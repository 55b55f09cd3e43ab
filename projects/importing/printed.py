"""What `preview_ledger --json` prints: a preview as data, saved nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from projects.importing.preview import Preview


def as_json(preview: Preview) -> Iterator[str]:
    """The document in pieces: 200,000 rows need not stand in memory to be printed.

    The file's own facts come last, because its sheets are known only when they have been read.
    """
    yield '{"rows": ['
    comma = ""
    for chunk in preview.chunks():
        for one in chunk:
            yield comma + _dump(one.as_printed())
            comma = ",\n"
    yield '],\n"skipped": '
    yield _dump(preview.skipped)
    yield ',\n"file": '
    yield _dump(preview.file_facts())
    yield ',\n"counts": '
    counts = preview.counts()
    yield _dump({key: counts[key] for key in ("accepted", "needs_review", "rejected", "skipped")})
    yield "}\n"


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
