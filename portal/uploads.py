"""A bound on what one request may upload, before any of it is read.

Django bounds the fields of a form but not its files, gunicorn bounds neither, and the body is read for
the CSRF check, before anybody is asked who they are.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict


class BoundedUploads(FileUploadHandler):
    """Refuses a request above UPLOAD_MAX_TOTAL_SIZE with 400; below, the other handlers do the work."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],  # noqa: N803  Django's own name, passed by keyword
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> tuple[QueryDict, MultiValueDict[str, Any]] | None:
        if content_length > settings.UPLOAD_MAX_TOTAL_SIZE:
            raise RequestDataTooBig("The files of one request are larger than UPLOAD_MAX_TOTAL_SIZE.")
        return None

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
