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

#: Every entry carries it; somebody with a dozen memberships must not make each entry a page long.
UNIT_LENGTH = 200


@contextlib.contextmanager
def acting(*, by: str, why: str = "", source: str) -> Iterator[None]:
    """Name the actor of every change made inside the block.

    Args:
        by: name for people ("load_demo", "patrol", a user's name).
        why: the reason, where a person gave one.
        source: the door: "command", "patrol", "import" or "web".
    """
    with pghistory.context(by=by, why=why, source=source, click=uuid.uuid4().hex):
        yield


def because(why: str) -> pghistory.context:
    """Give the reason of the changes inside the block, where a page asked the person for one."""
    return pghistory.context(why=why[:500])


def from_page(page: str) -> pghistory.context:
    """Keep with the changes inside the block on which opened page they were typed.

    A page whose answer was lost on the way does not know its own change; by this it is told apart from
    the change of somebody else, or of the same person in another tab.
    """
    return pghistory.context(page=page)


class JournalMiddleware:
    """Opens the journal's context for every request that may write.

    It stands after the authentication middleware: the names of the person and of the units are kept as
    they were at that moment, so that renaming or removing one does not rewrite history.
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
            unit=user.unit_names[:UNIT_LENGTH] if known else "",
            source="web",
            click=uuid.uuid4().hex,
            path=request.path,
        ):
            return self.get_response(request)
