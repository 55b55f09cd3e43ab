"""What the clients of a chaos run sent, what they were answered, and what must follow from it."""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a person was doing when the process died. One request each."""

    UPLOAD = "upload of a photo"
    SAVE = "saving a draft"
    SUBMIT = "handing in a report"
    EXTENSION = "filing an extension"
    ACCEPT = "deciding a report"
    BULK = "accepting in bulk"
    APPROVE = "deciding an extension"


@dataclass
class Sent:
    """One request that changes something.

    Attributes:
        count: how many times its effect is in the database; asked at rest.
        halves: what was done by halves, for a request that does many things or none.
        lasting: False where the same person's next request writes over it.
        outcome: "answered" with success, "refused" with a reason, "error" for a page of the 500s,
                "broken" when the connection ended without an answer, "unsent" when there was none.
        done_at_rest: of a broken one, whether its effect was there afterwards.
    """

    kind: Kind
    count: Callable[[], int]
    halves: Callable[[], str] = lambda: ""
    lasting: bool = True
    outcome: str = ""
    seconds: float = 0.0
    told: str = ""
    done_at_rest: bool | None = None


@dataclass
class Ledger:
    """Shared by all clients; a client enters a request before it sends it."""

    sent: list[Sent] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _begun: Counter[Kind] = field(default_factory=Counter)

    def begin(self, entry: Sent) -> None:
        with self._changed:
            self.sent.append(entry)
            self._begun[entry.kind] += 1
            self._changed.notify_all()

    def wait_for(self, kind: Kind, seconds: float) -> bool:
        """Wait until a request of this kind begins."""
        with self._changed:
            before = self._begun[kind]
            return self._changed.wait_for(lambda: self._begun[kind] > before, timeout=seconds)

    def hits(self) -> Counter[Kind]:
        """Requests whose connection broke, by kind."""
        return Counter(entry.kind for entry in _of(self.sent, "broken"))

    def look_at_rest(self) -> None:
        """See which of the requests that broke were carried out, before anybody repeats them."""
        for entry in _of(self.sent, "broken"):
            if entry.done_at_rest is None:
                entry.done_at_rest = entry.count() > 0

    def moment_within(self, kind: Kind) -> float:
        """A random moment in the life of a request of this kind, in seconds from its beginning."""
        times = [entry.seconds for entry in _of(self.sent[-600:], "answered") if entry.kind == kind]
        return random.uniform(0, 1.1 * statistics.median(times) if len(times) > 3 else 0.3)


def _of(sent: list[Sent], *outcomes: str) -> list[Sent]:
    return [entry for entry in sent if entry.outcome in outcomes]


def what_was_answered_is_there(sent: list[Sent]) -> list[str]:
    """A violation: somebody read "handed in" or saw the photo arrive, and it is gone."""
    answered = [entry for entry in _of(sent, "answered") if entry.lasting]
    return [f"{entry.kind}: {entry.told}" for entry in answered if entry.count() < 1]


def what_was_sent_again_counts_once(sent: list[Sent]) -> list[str]:
    """A violation: a person who tried again after a broken connection (or clicked twice) handed in twice."""
    return [
        f"{entry.kind}, {n} times: {entry.told}"
        for entry in _of(sent, "answered", "broken", "refused")
        if (n := entry.count()) > 1
    ]


def many_are_done_together_or_not_at_all(sent: list[Sent]) -> list[str]:
    """A violation: of a page of reports accepted at once some were and some were not, and nobody was told
    which."""
    return [f"{entry.kind}: {found}" for entry in _of(sent, "broken") if (found := entry.halves())]


def nobody_saw_an_error_page(sent: list[Sent]) -> list[str]:
    """A violation: the restarted portal stumbles over what the kill left behind."""
    return [f"{entry.kind}: {entry.told}" for entry in _of(sent, "error")]


PROMISES: tuple[Callable[[list[Sent]], list[str]], ...] = (
    what_was_answered_is_there,
    what_was_sent_again_counts_once,
    many_are_done_together_or_not_at_all,
    nobody_saw_an_error_page,
)


class Stopwatch:
    def __enter__(self) -> Stopwatch:
        self._from = time.perf_counter()
        return self

    def __exit__(self, *_error: object) -> None:
        self.seconds = time.perf_counter() - self._from
