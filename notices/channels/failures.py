"""How sending fails, in the three ways that are answered differently.

Each carries words for people: they are kept with the message and shown in the log. No address of a robot and
no password is ever part of them.
"""

from __future__ import annotations


class SendFailure(Exception):
    """Abstract.

    Args:
        reason: words for people.
        may_have_arrived: the message was handed over and no answer came: it may have been taken. Only then
            can a further attempt make a second copy.
    """

    def __init__(self, reason: str, *, may_have_arrived: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_have_arrived = may_have_arrived


class Temporary(SendFailure):
    """Worth another attempt later: a time-out, a connection that broke, "try again", too many at once.

    Args:
        nobody_answers: the channel itself was not reached, so the next message would do no better.
    """

    def __init__(self, reason: str, *, may_have_arrived: bool = False, nobody_answers: bool = False) -> None:
        super().__init__(reason, may_have_arrived=may_have_arrived)
        self.nobody_answers = nobody_answers


class Refused(SendFailure):
    """For good, for this recipient or this message: another attempt would be answered the same."""


class Broken(SendFailure):
    """For good, for everybody on this channel: a wrong password, key or signature, a wrong certificate."""
