"""Evidence is kept in a private folder or in an object store, behind the same five functions."""

from __future__ import annotations

import datetime
import hashlib
import re
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.test import Client, RequestFactory

from portal.evidence_storage import evidence_storage
from projects.evidence import storage
from projects.evidence.files import MAX_BYTES

NO_BUCKET = {"bucket": "", "endpoint": "", "region": "", "access_key": "", "secret_key": ""}
DAY = datetime.date(2026, 11, 3)


class Bucket:
    """What a store of objects does, over HTTP on this machine: path-style, a page of two names."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def answer(
                self, status: int, body: bytes = b"", kind: str = "application/xml", **more: str
            ) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", kind)
                self.send_header("Last-Modified", "Tue, 03 Nov 2026 01:02:03 GMT")
                for name, value in more.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def key(self) -> str:
                bucket.requests.append(
                    (self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
                )
                path = unquote(urlsplit(self.path).path)
                assert path.startswith("/evidence"), path
                return path.removeprefix("/evidence").removeprefix("/")

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                key = self.key()
                bucket.objects[key] = (body, self.headers["Content-Type"])
                self.answer(200, ETag=f'"{hashlib.md5(body).hexdigest()}"')

            def do_GET(self) -> None:
                key = self.key()
                if not key:
                    self.answer(200, bucket.page(parse_qs(urlsplit(self.path).query)))
                elif key in bucket.objects:
                    self.answer(200, *bucket.objects[key], ETag='"x"')
                else:
                    self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

            do_HEAD = do_GET  # noqa: N815

            def do_DELETE(self) -> None:
                bucket.objects.pop(self.key(), None)
                self.answer(204)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def page(self, query: dict[str, list[str]]) -> bytes:
        assert query["list-type"] == ["2"]
        after = query.get("continuation-token", [""])[0]
        left = [key for key in sorted(self.objects) if key > after]
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-03T01:02:03.000Z</LastModified>"
            f"<Size>{len(self.objects[key][0])}</Size></Contents>"
            for key in left[:2]
        )
        more = len(left) > 2
        token = f"<NextContinuationToken>{escape(left[1])}</NextContinuationToken>" if more else ""
        cut = str(more).lower()
        return f"<ListBucketResult><IsTruncated>{cut}</IsTruncated>{token}{rows}</ListBucketResult>".encode()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    running = Bucket()
    yield running
    running.close()


@pytest.fixture
def in_the_folder(settings: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "media" / "evidence"
    settings.STORAGES = {**settings.STORAGES, "evidence": evidence_storage(folder, **NO_BUCKET)}
    return folder


@pytest.fixture
def in_the_bucket(settings: Any, tmp_path: Path, bucket: Bucket) -> Bucket:
    entry = evidence_storage(
        tmp_path,
        bucket="evidence",
        endpoint=bucket.endpoint,
        region="cn-north-1",
        access_key="KEY",
        secret_key="SECRET",
    )
    settings.STORAGES = {**settings.STORAGES, "evidence": entry}
    return bucket


@pytest.fixture(params=["in_the_folder", "in_the_bucket"])
def anywhere(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue(request.param)
    return str(request.param)


@pytest.mark.usefixtures("anywhere")
def test_what_was_written_is_read_listed_and_deleted() -> None:
    assert list(storage.listing()) == []
    folder = storage.new_folder(DAY)
    names = [
        storage.write(f"{folder}/{name}", name.encode() * 1000)
        for name in ("preview.jpg", "thumb.jpg", "original.jpg")
    ]
    assert names == [f"{folder}/{name}" for name in ("preview.jpg", "thumb.jpg", "original.jpg")]
    with storage.open_read(names[1]) as file:
        assert file.read() == b"thumb.jpg" * 1000
    listed = dict(storage.listing())
    assert set(listed) == set(names)
    assert all(written.tzinfo is not None for written in listed.values())
    for name in names:
        storage.delete(name)
        storage.delete(name)
    assert list(storage.listing()) == []
    with pytest.raises(FileNotFoundError):
        storage.open_read(names[1]).read()


@pytest.mark.usefixtures("anywhere")
def test_nothing_is_written_over() -> None:
    first = storage.write("2026/11/a/preview.jpg", b"first")
    second = storage.write("2026/11/a/preview.jpg", b"second")
    assert first != second
    assert storage.open_read(first).read() == b"first"
    assert storage.open_read(second).read() == b"second"


def test_a_folder_is_named_by_month_and_chance() -> None:
    assert re.fullmatch(r"2026/11/[0-9a-f]{32}", storage.new_folder(DAY))
    assert storage.new_folder(DAY) != storage.new_folder(DAY)


def test_the_folder_is_closed_to_other_accounts(in_the_folder: Path) -> None:
    name = storage.write("2026/11/a/preview.jpg", b"x")
    path = in_the_folder / name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent, in_the_folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.usefixtures("in_the_folder")
@pytest.mark.parametrize("name", ["../outside.txt", "/etc/outside.txt", "2026/../../outside.txt"])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    with pytest.raises(Exception, match=r"(?i)traversal|located outside|outside of"):
        storage.write(name, b"x")


def test_requests_to_the_store_are_signed_path_style_and_publish_nothing(in_the_bucket: Bucket) -> None:
    storage.write("2026/11/a/preview.jpg", b"x" * 100)
    method, path, headers = next(request for request in in_the_bucket.requests if request[0] == "PUT")
    assert (method, path) == ("PUT", "/evidence/2026/11/a/preview.jpg")
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=KEY/")
    assert "cn-north-1/s3/aws4_request" in headers["authorization"]
    assert not [name for name in headers if name.startswith(("x-amz-acl", "x-amz-checksum", "x-amz-trailer"))]
    assert in_the_bucket.objects["2026/11/a/preview.jpg"] == (b"x" * 100, "image/jpeg")


@pytest.mark.parametrize(
    "given",
    [
        {"access_key": "KEY"},
        {"bucket": "evidence", "secret_key": "SECRET"},
        {"endpoint": "https://store.example"},
    ],
)
def test_half_of_the_settings_of_a_bucket_refuse_to_start(given: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="EVIDENCE_S3_BUCKET"):
        evidence_storage(tmp_path, **{**NO_BUCKET, **given})


# -- on the way in ------------------------------------------------------------------------------------


def test_uploads_are_received_on_the_disk_of_the_data_folder() -> None:
    folder = Path(configured.FILE_UPLOAD_TEMP_DIR)
    assert folder.parent == configured.LAYOUT.data_dir
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    request = RequestFactory().post("/", {"file": _upload(21 * 1024 * 1024)})
    file = request.FILES["file"]
    assert isinstance(file, TemporaryUploadedFile)
    assert Path(file.temporary_file_path()).parent == folder
    assert file.size == 21 * 1024 * 1024
    file.close()


def test_a_request_above_the_bound_is_refused_before_it_is_read(settings: Any) -> None:
    assert 10 * MAX_BYTES < settings.UPLOAD_MAX_TOTAL_SIZE < 11 * MAX_BYTES
    settings.UPLOAD_MAX_TOTAL_SIZE = 50_000
    assert Client().post("/language/", {"file": _upload(60_000)}).status_code == 400
    assert Client().post("/language/", {"file": _upload(40_000)}).status_code != 400


def _upload(size: int) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("x.pdf", b"x" * size)
