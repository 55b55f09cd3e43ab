"""Small habits of every response."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import translation

Handler = Callable[[HttpRequest], HttpResponse]


class LanguageMiddleware:
    """Chinese unless the person switched: a browser set to English belongs to an official too.

    Django's LocaleMiddleware would follow the browser's Accept-Language.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        wanted = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = wanted if wanted in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
        with translation.override(language):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", language)
            return response


class PlainTextMiddleware:
    """Refuses the NUL character, which PostgreSQL cannot hold, once for every page and field."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", "") or "\x00" in request.path:
            raise SuspiciousOperation("NUL in the address")
        if request.method == "POST":
            try:
                fields = list(request.POST.lists())
            except UnreadablePostError:
                # The sender is gone. Read on, the form would be an empty one, and be saved as such.
                raise BadRequest("The form did not arrive in full.") from None
            if any("\x00" in v for values in fields for v in values[1]):
                raise SuspiciousOperation("NUL in a field")
        return self.get_response(request)


class PrivatePagesMiddleware:
    """Pages behind the login are kept by nobody on the way, and not by a shared computer."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response.headers["Cache-Control"] = "private, no-store"
        return response
