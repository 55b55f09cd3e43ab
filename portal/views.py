"""Pages that are there when something is not: faults, lock-outs, refusals."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token

#: Never sent back into a page, whatever fault shows it.
SECRET_FIELDS = frozenset(
    {
        "csrfmiddlewaretoken",
        "password",
        "password1",
        "password2",
        "old_password",
        "new_password1",
        "new_password2",
    }
)


def locked_out(request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
    """Too many wrong passwords (called by axes)."""
    return render(request, "errors/locked.html", status=429)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose page is too old, or whose cookies were cleared: nothing was changed."""
    return _page(request, "errors/stale_form.html", 403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    reason = ""
    if isinstance(exception, TooManyFilesSent):
        reason = _(
            "At most %(n)d files can be sent at once. Nothing was changed. Go back one page and choose fewer."
        ) % {"n": settings.DATA_UPLOAD_MAX_NUMBER_FILES}
    return _page(request, "errors/400.html", 400, reason)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "errors/403.html", 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "errors/404.html", 404)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours, a database that is away, two people at once: told apart, for the cure differs."""
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        return _page(request, "errors/503.html", 503)
    if isinstance(error, IntegrityError):
        # The form was checked and the database still said no: somebody changed the rows in between.
        return _page(request, "errors/409.html", 409)
    return _page(request, "errors/500.html", 500)


def _page(request: HttpRequest, template: str, status: int, reason: str = "") -> HttpResponse:
    """Render without touching the database: it may be the very thing that is away."""
    context = {
        "reason": reason,
        "typed": _typed(request),
        "again": request.get_full_path(),
        "csrf_token": get_token(request),
        "lang": getattr(request, "LANGUAGE_CODE", settings.LANGUAGE_CODE),
    }
    response = HttpResponse(render_to_string(template, context), status=status)
    if status == 503:
        response.headers["Retry-After"] = "10"
    return response


def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    """What the person had filled in, to be sent again with one click: nothing typed is lost.

    Only for a form that passes the CSRF check here and now: the fault may have struck before the
    check, and a page that re-sends a stranger's form would undo it.
    """
    if request.method != "POST":
        return []
    try:
        fields = list(request.POST.lists())
    except Exception:
        return []
    if _CsrfCheck(_no_response).process_view(request, _no_response, (), {}) is not None:
        return []
    return [(name, value) for name, values in fields if name not in SECRET_FIELDS for value in values]


class _CsrfCheck(CsrfViewMiddleware):
    """Only answers. The stock refusal renders the failure page, which would ask here again, for ever."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        return HttpResponse(status=403)


def _no_response(request: HttpRequest) -> HttpResponse:
    return HttpResponse()
