"""A browser of sorts: one person's session over real HTTP, forms filled in as they were served."""

from __future__ import annotations

import http.client
import uuid
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlencode

from django.conf import settings
from django.middleware.csrf import CSRF_SECRET_LENGTH
from django.test import Client
from django.utils.crypto import get_random_string

from enterprises.models import User

#: The connection was there and ended without an answer.
BROKEN = (http.client.RemoteDisconnected, http.client.IncompleteRead, ConnectionResetError, BrokenPipeError)


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    location: str


class Browser:
    """Logged in by a session that is made in the database: passwords are not what is tried here."""

    def __init__(self, user: User, port: int) -> None:
        self.user, self.port = user, port
        client = Client(SERVER_NAME="localhost")
        client.force_login(user, backend="enterprises.authentication.AccountBackend")
        self._secret = get_random_string(CSRF_SECRET_LENGTH)
        cookies = {
            settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value,
            settings.CSRF_COOKIE_NAME: self._secret,
            settings.LANGUAGE_COOKIE_NAME: "en",
        }
        self._cookies = "; ".join(f"{name}={value}" for name, value in cookies.items())

    def get(self, path: str) -> Answer:
        """Raises: one of BROKEN, or ConnectionRefusedError while nobody listens."""
        return self._ask("GET", path, b"", {})

    def post(self, path: str, fields: list[tuple[str, str]]) -> Answer:
        body = urlencode([*fields, ("csrfmiddlewaretoken", self._secret)]).encode()
        return self._ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def upload(self, path: str, fields: list[tuple[str, str]], name: str, content: bytes) -> Answer:
        """Send a file in the field "file", beside other fields."""
        line = uuid.uuid4().hex
        parts = [
            f'--{line}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
            for field, value in (*fields, ("csrfmiddlewaretoken", self._secret))
        ]
        head = f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        parts.append(head.encode() + b"Content-Type: image/jpeg\r\n\r\n" + content + b"\r\n")
        body = b"".join(parts) + f"--{line}--\r\n".encode()
        return self._ask("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={line}"})

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.connect()
            connection.request(
                method, path, body, {**headers, "Cookie": self._cookies, "Connection": "close"}
            )
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            return Answer(answer.status, text, answer.headers.get("Location", ""))
        finally:
            connection.close()


class Form(HTMLParser):
    """What a browser would send back of the form with the field `having`, if nothing were touched."""

    def __init__(self, page: str, having: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._forms: list[list[tuple[str, str]]] = []
        self._names: list[set[str]] = []
        self._textarea = ""
        self.feed(page)
        for fields, names in zip(self._forms, self._names, strict=True):
            if having in names:
                self.fields = [pair for pair in fields if pair[0] != "csrfmiddlewaretoken"]
                return
        raise LookupError(f"the page has no form with a field {having}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._forms.append([])
            self._names.append(set())
        name = given.get("name", "")
        if not self._forms or not name or "form" in given:
            return
        kind = given.get("type", "text")
        if tag in ("input", "textarea", "select", "button"):
            self._names[-1].add(name)
        if tag == "textarea":
            self._textarea = name
            self._forms[-1].append((name, ""))
        elif tag == "input" and (kind not in ("checkbox", "radio", "submit", "file") or "checked" in given):
            self._forms[-1].append((name, given.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._textarea:
            name, before = self._forms[-1][-1]
            self._forms[-1][-1] = (name, before + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._textarea:
            name, text = self._forms[-1][-1]
            self._forms[-1][-1] = (name, text.removeprefix("\n"))  # the one that is not part of the text
            self._textarea = ""

    def filled(self, **values: str) -> list[tuple[str, str]]:
        """The fields with some of them replaced or added."""
        kept = [pair for pair in self.fields if pair[0] not in values]
        return [*kept, *values.items()]
