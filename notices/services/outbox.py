"""The outbox: takes messages that are due, asks whether they are still true, sends them, writes down how it ended.

At least once, and never twice for one cause. Every attempt goes out under the key of the row (the Message-ID of an
e-mail), so a second copy can be told from a second message.

What a message says is settled like this:

- of the messages that were taken at once it is asked which notices are still for their recipients to know: people
  and projects change units. What is beyond the wall by now leaves the message, whatever was said before;
- just before each attempt the kinds are asked which notices still hold. Those that do not are settled and leave
  the message; with none left it is dropped. So nothing is sent about a state that is no longer true, however long
  the mail server was away;
- when the message is handed over, its subject is written into the row first. A clear "no" takes it away again:
  nothing arrived, and the next attempt tells what is true then. No answer, or a worker that was killed, leaves it:
  a copy may have arrived, so the next one says the same under the same key, and nothing leaves the message any
  more, unless nothing in it is true. Two copies that differ under one Message-ID would be worse than a line that
  was true when it was first sent: a receiver keeps whichever came first.

One recipient's failure stops nobody else's message; a channel that is out of order stops that channel only.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from django.db import DatabaseError
from django.utils.translation import gettext as _

from enterprises.models import Membership
from notices import reasons
from notices.channels.failures import Broken, Refused, SendFailure, Temporary
from notices.channels.letter import Letter
from notices.models import MailServer, Message, Notice, Robot
from notices.services import claiming, health
from notices.services.claiming import Claim
from notices.services.composing import Truth, compose, reach_of, truth_of

log = logging.getLogger(__name__)
BATCH = 20


class MailCarrier(Protocol):
    def send(self, letter: Letter, to: str) -> None: ...


class RobotCarrier(Protocol):
    def send(
        self, letter: Letter, *, kind: str, address: str, secret: str, now: datetime.datetime
    ) -> None: ...


@dataclass(frozen=True)
class Outside:
    """What lies beyond the database.

    Args:
        clock: the moment; asked again and again, as sending takes time.
        postman: None while no mail server is set up.
        messenger: carries to group robots.
        patience: the longest time that one attempt should take; none is begun that could outlast its lease.
        portal_url: address of the portal without a slash at the end.
        language: code of the language that messages are written in.
    """

    clock: Callable[[], datetime.datetime]
    postman: MailCarrier | None
    messenger: RobotCarrier
    portal_url: str
    language: str
    patience: datetime.timedelta = datetime.timedelta(seconds=20)


@dataclass
class Drained:
    """How many messages went which way in one run."""

    sent: int = 0
    put_off: int = 0
    failed: int = 0
    dropped: int = 0


def drain(outside: Outside, *, until: datetime.datetime, batch: int = BATCH) -> Drained:
    """Send what is due, oldest first, until nothing is left or the time is up.

    Args:
        until: no attempt begins after this moment.
        batch: messages taken at once.
    """
    run = _Run(outside, until, health.mail_server())
    while outside.clock() < until:
        claimed = claiming.claim(now=outside.clock(), limit=batch, mail=run.mail_goes)
        if not run.work(claimed):
            break  # nothing is due, or nothing of it can go now: claiming it again would end no better
    return run.result


@dataclass
class _Run:
    outside: Outside
    until: datetime.datetime
    mail: MailServer
    result: Drained = field(default_factory=Drained)
    #: The mail server did not answer at all: the next message would wait for nothing.
    mail_is_away: bool = False

    @property
    def mail_goes(self) -> bool:
        return self.outside.postman is not None and self.mail.works and not self.mail_is_away

    def work(self, claimed: Claim) -> bool:
        """Try the messages of a claim; what cannot go now is given back. False when none was tried."""
        left = list(claimed.ids)
        try:
            rows = (
                Message.objects.filter(pk__in=left)
                .select_related("recipient", "robot__enterprise")
                .order_by("pk")
            )
            messages, carried = list(rows), _carried(left)
            told = [notice for notices in carried.values() for notice in notices]
            reach = reach_of(told, on=claiming.day_of(self.outside.clock()))
            for message in messages:
                if not self._time_for_one(claimed) or not self._goes(message):
                    continue
                left.remove(message.pk)
                self._one(message, carried.get(message.pk, []), reach, claimed)
        finally:
            claiming.give_back(claimed, left)
        return len(left) < len(claimed.ids)

    def _time_for_one(self, claimed: Claim) -> bool:
        now = self.outside.clock()
        return now < self.until and now + self.outside.patience <= claimed.until

    def _goes(self, message: Message) -> bool:
        return message.robot.works if message.robot else self.mail_goes

    # -- one message --------------------------------------------------------------------------

    def _one(self, message: Message, notices: list[Notice], reach: Truth, claimed: Claim) -> None:
        fixed = bool(message.subject)
        to = message.robot.name if message.robot else self._address(message)
        if not to:
            self._fail(message, claimed, _(reasons.NO_WAY_TO_THE_PERSON))
            return
        try:
            theirs = self._within_reach(notices, reach)
            letter = self._letter(message, theirs, fixed=fixed)
        except DatabaseError:
            raise
        except Exception as error:  # the words of a kind, code of others: this message only
            log.exception("Message %s cannot be composed", message.pk)
            self._put_off(message, claimed, f"{type(error).__name__}: {error}"[:300], words_stay=fixed)
            return
        if letter is None:
            why = _(reasons.OUT_OF_REACH) if notices and not theirs else ""
            claiming.finish(message, claimed, state=Message.State.DROPPED, at=self.outside.clock(), error=why)
            self.result.dropped += 1
            return
        if not claiming.fix_words(message, claimed, subject=letter.subject, address=to):
            return  # the lease ended meanwhile: whoever has it now sends it
        try:
            self._send(message, letter, to)
        except SendFailure as failure:
            self._failed(message, claimed, failure, words_stay=fixed or failure.may_have_arrived)
        except DatabaseError:
            raise
        except Exception as error:  # a fault of ours: this message must not stop every run at the same place
            log.exception("Message %s cannot be sent", message.pk)
            self._put_off(message, claimed, f"{type(error).__name__}: {error}"[:300], words_stay=True)
        else:
            now = self.outside.clock()
            claiming.finish(message, claimed, state=Message.State.SENT, at=now)
            health.did_well(message.robot or self.mail, at=now)
            self.result.sent += 1

    def _within_reach(self, notices: list[Notice], reach: Truth) -> list[Notice]:
        """What the recipient may still know. The rest leaves the message even when its words are fixed.

        A copy that says less under the same key is better than one that tells of a unit which the recipient left.
        """
        if any(notice.pk in reach.unknown for notice in notices):
            raise LookupError(_(reasons.REACH_UNKNOWN))
        beyond = [notice for notice in notices if notice.pk not in reach.holds]
        if beyond:
            self._settle(beyond, leave=True)
        return [notice for notice in notices if notice.pk in reach.holds]

    def _letter(self, message: Message, notices: list[Notice], *, fixed: bool) -> Letter | None:
        """What the message says now; None when nothing of it is true any more."""
        truth = truth_of(notices)
        if truth.unknown:
            raise LookupError(_(reasons.TRUTH_UNKNOWN))
        untrue = [notice for notice in notices if notice.pk not in truth.holds]
        if untrue and (not fixed or len(untrue) == len(notices)):
            self._settle(untrue, leave=not fixed)
            notices = [notice for notice in notices if notice.pk in truth.holds]
        if not notices and message.kind != Message.Kind.TEST:
            return None
        return compose(message, notices, portal_url=self.outside.portal_url, language=self.outside.language)

    def _settle(self, untrue: Iterable[Notice], *, leave: bool) -> None:
        rows = Notice.objects.filter(pk__in=[notice.pk for notice in untrue])
        rows.filter(settled_at__isnull=True).update(settled_at=self.outside.clock())
        if leave:
            rows.update(message=None)

    def _address(self, message: Message) -> str:
        """Where the recipient is reached now, "" when not at all: what the notices say is for people in office."""
        person = message.recipient
        if person is None or not person.is_active:
            return ""
        held = Membership.objects.filter(user=person)
        in_office = held.in_force(claiming.day_of(self.outside.clock())).exists()
        return person.email if in_office else ""

    def _send(self, message: Message, letter: Letter, to: str) -> None:
        if robot := message.robot:
            self.outside.messenger.send(
                letter,
                kind=robot.kind,
                address=robot.address,
                secret=robot.secret,
                now=self.outside.clock(),
            )
        elif self.outside.postman is not None:
            self.outside.postman.send(letter, to)

    # -- how it ended -------------------------------------------------------------------------

    def _failed(self, message: Message, claimed: Claim, failure: SendFailure, *, words_stay: bool) -> None:
        channel = message.robot or self.mail
        now = self.outside.clock()
        if isinstance(failure, Refused):
            self._fail(message, claimed, failure.reason)
        elif isinstance(failure, Broken):
            health.switch_off(channel, reason=failure.reason, at=now)
            claiming.wait_for_the_channel(
                message, claimed, at=now, error=failure.reason, words_stay=words_stay
            )
            self.result.put_off += 1
            self._look_again(channel)
        else:
            health.failed(channel, reason=failure.reason, at=now)
            self._put_off(message, claimed, failure.reason, words_stay=words_stay)
            self._look_again(channel)
            if isinstance(failure, Temporary) and failure.nobody_answers and not message.robot:
                self.mail_is_away = True

    def _look_again(self, channel: MailServer | Robot) -> None:
        if isinstance(channel, MailServer):
            self.mail.refresh_from_db()
        else:
            channel.refresh_from_db(fields=["switched_off_at"])

    def _fail(self, message: Message, claimed: Claim, reason: str) -> None:
        claiming.finish(message, claimed, state=Message.State.FAILED, at=self.outside.clock(), error=reason)
        self.result.failed += 1

    def _put_off(self, message: Message, claimed: Claim, reason: str, *, words_stay: bool) -> None:
        now = self.outside.clock()
        due = claiming.put_off(message, claimed, at=now, error=reason, words_stay=words_stay)
        if due is None:
            self.result.failed += 1
        else:
            self.result.put_off += 1


def _carried(ids: list[int]) -> dict[int, list[Notice]]:
    found: dict[int, list[Notice]] = {}
    for notice in Notice.objects.filter(message__in=ids).select_related("robot__enterprise").order_by("pk"):
        found.setdefault(notice.message_id or 0, []).append(notice)
    return found
