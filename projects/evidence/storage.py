"""Where evidence is kept: the storage called "evidence" in the settings, a folder or an object store.

Nothing is served from there by address. A view asks who may see a file, then reads it from here.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import storages


def _storage() -> Any:
    return storages["evidence"]


def new_folder(day: datetime.date) -> str:
    """A folder for the files of one piece of evidence, "2026/11/<32 hexadecimal digits>"."""
    return f"{day.year:04}/{day.month:02}/{uuid4().hex}"


def write(name: str, content: bytes) -> str:
    """Keep `content` and return the name that it was kept under: another one if `name` was taken."""
    stored: str = _storage().save(name, ContentFile(content))
    return stored


def open_read(name: str) -> File[bytes]:
    """Raises:
    FileNotFoundError: there is none of that name.
    """
    file: File[bytes] = _storage().open(name, "rb")
    return file


def delete(name: str) -> None:
    """One that is gone already is deleted."""
    _storage().delete(name)


def listing() -> Iterator[tuple[str, datetime.datetime]]:
    """Every stored name and when it was written (aware). Of a folder that was never used, nothing."""
    storage = _storage()
    # Object stores tell the time with the name; asking for it one by one is a request for each file.
    if hasattr(storage, "bucket_name"):
        pages = storage.connection.meta.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=storage.bucket_name):
            for entry in page.get("Contents", ()):
                yield entry["Key"], entry["LastModified"]
        return
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            folders, files = storage.listdir(folder)
        except FileNotFoundError:
            continue
        waiting += [f"{folder}{name}/" for name in folders]
        for name in files:
            try:
                yield f"{folder}{name}", storage.get_modified_time(f"{folder}{name}")
            except FileNotFoundError:  # deleted by somebody else in between
                continue
