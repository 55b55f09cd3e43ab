"""Who, why and which click: what the triggers write beside every change."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pghistory
from django.http import HttpRequest, HttpResponse

#: Reading leaves no trace in the journal, so only these open a context.
WRITING_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@contextlib.contextmanager
def acting(*, by: str, why: str = "", source: str) -> Iterator[None]:
    """Name the actor of every change made inside the block.

    Args:
        by: name for people ("load_demo", "patrol", a user's name).
        why: the reason, where a person gave one.
        source: "command", "patrol" or "web".
    """
    with pghistory.context(by=by, why=why, source=source, click=uuid.uuid4().hex):
        yield


def because(why: str) -> pghistory.context:
    """Give the reason of the changes inside the block, where a page asked the person for one."""
    return pghistory.context(why=why[:500])


class JournalMiddleware:
    """Opens the journal's context for every request that may write.

    It stands after the authentication middleware: the name is kept as it was at that moment, so
    that renaming or removing an account does not rewrite history.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in WRITING_METHODS:
            return self.get_response(request)
        user: Any = request.user
        known = user.is_authenticated
        with pghistory.context(
            by=user.get_full_name() or user.get_username() if known else "",
            user=user.pk if known else None,
            source="web",
            click=uuid.uuid4().hex,
            path=request.path,
        ):
            return self.get_response(request)
