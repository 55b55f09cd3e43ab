"""Being asked to stop: Ctrl-C, SIGTERM from `make` or a service manager, SIGHUP from a terminal.

The handlers only take a note. An exception out of a handler could come between starting a child
and writing it down, and that child would be lost; a note is read where stopping is safe.
"""

from __future__ import annotations

import signal
import time
from types import FrameType


class StopRequested(Exception):
    """Somebody asked us to stop, and we are at a place where that is safe."""


class StopSignals:
    """Takes note of stop signals from `install` on.

    Attributes:
        last: the number of the latest signal, or None.
        count: how many came. A second one means "faster".
    """

    def __init__(self) -> None:
        self.last: int | None = None
        self.count = 0

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def check(self) -> None:
        """Raise StopRequested when a signal has come."""
        if self.last is not None:
            raise StopRequested

    def pause(self, seconds: float) -> None:
        """Sleep, waking early for a signal; raises StopRequested then."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, 0.1))
        self.check()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.last = number
        self.count += 1
