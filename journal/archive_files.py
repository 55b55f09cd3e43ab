"""The files that old entries of the journal go to: written, read back and verified without a database.

JSON Lines in gzip, one line for each entry, in Chinese words and with the raw values: whoever opens one in
ten years needs a text editor and not the portal.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from journal.entries import Entry

PATTERN = "journal-*.jsonl.gz"
#: A file that no row knows: renamed, never removed, because it may be somebody's only copy.
ORPHAN = ".orphan"


def as_line(entry: Entry) -> str:
    record = {
        "at": entry.at,
        "by": entry.by,
        "unit": entry.unit,
        "source": entry.source,
        "why": entry.why,
        "click": entry.click,
        "action": entry.action,
        "table": entry.key.table,
        "row": entry.key.row,
        "kind": entry.kind,
        "object": entry.object_id,
        "name": entry.name,
        "parent": entry.parent,
        "changes": [{k: v for k, v in asdict(change).items() if v} for change in entry.changes],
        "values": entry.values,
        "context": entry.context,
    }
    return json.dumps(record, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))


def write(path: Path, lines: Iterable[str]) -> int:
    """Write a file that is complete and on the disk when this returns, or not there at all.

    Returns:
        The number of lines.

    Raises:
        OSError: no space, no right to write.
    """
    draft = path.with_name(f".{path.name}.part")
    count = 0
    with draft.open("wb") as raw:
        # No time in the head: the same entries make the same file.
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
            for line in lines:
                packed.write(line.encode() + b"\n")
                count += 1
        raw.flush()
        os.fsync(raw.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return count


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of a file, one at a time.

    Raises:
        OSError, EOFError, ValueError: it cannot be read, is cut off, is no archive.
    """
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def set_aside(path: Path) -> Path:
    """Rename a file that no row knows, to a name that nothing has yet."""
    number = 0
    while True:
        target = path.with_name(f"{path.name}{ORPHAN}{number or ''}")
        if not target.exists():
            return path.rename(target)
        number += 1
