"""Notices and e-mails of a chaos run: a mail server as bad as they get, and what must have arrived all the same."""

from __future__ import annotations

import datetime
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone, translation

from enterprises.models import Enterprise, User
from enterprises.services.members import create_member
from notices.kinds import kind_of
from notices.models import Message, Notice
from notices.services.composing import truth_of
from notices.ways import Way
from portal.servers.processes import wait_until
from projects.models import CalendarDay, LadderRung, Programme, Project
from tools.mail_sink import MailSink, Received, faulty

#: Share of the mails that are put off (451), left without an answer, or cut off after DATA.
FAULTS = 0.3
#: Seconds: how long the server says nothing, and how long the portal waits for it.
HANG, TIMEOUT = 8.0, 5
#: Seconds that the last mails have once everything is calm.
CALM = 150.0

_RUNGS = (
    (1, "direct_lead", True),
    (3, "accountable", False),
    (7, "reviewer", True),
    (15, "liaison", False),
)


class Mail:
    """The sink, and its settings for the workers."""

    def __init__(self, faults: float = FAULTS) -> None:
        self._faulty = faulty(faults, seed=1)
        self.sink = MailSink(behave=lambda to: self._faulty(to), hang=HANG)
        self.environ = {
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(self.sink.port),
            "EMAIL_TIMEOUT": str(TIMEOUT),
        }

    def settle(self) -> bool:
        """The server behaves, and the pauses between attempts are over: wait until nothing is left to send."""
        self._faulty = lambda to: ""

        def idle() -> bool:
            now = timezone.now()
            Message.objects.filter(state="waiting", next_try_at__gt=now).update(next_try_at=now)
            return not Message.objects.filter(state="waiting").exists() and not _due().exists()

        return wait_until(lambda: _every_second(idle), CALM)


def _every_second(ask: Callable[[], bool]) -> bool:
    time.sleep(1)
    return ask()


def _due() -> QuerySet[Notice]:
    """What should leave at once and is in no message yet."""
    return Notice.objects.filter(
        way=Way.AT_ONCE, message=None, settled_at=None, recipient__isnull=False, leaves_at__lte=timezone.now()
    )


def give_posts() -> None:
    """Somebody in every post of every project, each with an address."""
    root = Enterprise.objects.get(kind="sasac")
    liaison, _made = create_member(username="liaison", name="挂点领导", role="leader", unit=root)
    for group in Enterprise.objects.filter(parent=root):
        lead, _made = create_member(username=f"lead-{group.code}", name="分管", role="leader", unit=group)
        head, _made = create_member(
            username=f"head-{group.code}", name="主要负责人", role="leader", unit=group
        )
        Project.objects.filter(enterprise=group).update(
            direct_lead=lead.user_id, accountable_lead=head.user_id, liaison_leader=liaison.user_id
        )
    for user in User.objects.all():
        User.objects.filter(pk=user.pk).update(email=f"{user.username}@chaos.example")


def tell_at_once(today: datetime.date) -> None:
    """A ladder of which two rungs are urgent, no quiet hours, and a working day, whenever somebody runs this."""
    programme = Programme.objects.get()
    LadderRung.objects.bulk_create(
        LadderRung(programme=programme, days=days, recipient=recipient, urgent=urgent)
        for days, recipient, urgent in _RUNGS
    )
    Programme.objects.update(quiet_from=F("quiet_until"))
    CalendarDay.objects.update_or_create(day=today, defaults={"is_working": True, "name": "chaos"})


def every_notice_arrived(received: Sequence[Received]) -> list[str]:
    """A violation: somebody who had to know was not told, although the mail server took mails again."""
    arrived = {_key(mail) for mail in received}
    digested = set(Message.objects.filter(kind="digest").values_list("recipient_id", flat=True))
    rows = Notice.objects.filter(settled_at=None, recipient__isnull=False, leaves_at__lte=timezone.now())
    wanted = list(rows.exclude(way=Way.INBOX).select_related("message"))
    holds = truth_of(wanted).holds
    found = []
    for notice in wanted:
        message = notice.message
        if notice.pk not in holds:
            continue
        if message is None:
            # What comes after the digest of the day waits for the next morning.
            if not (notice.way == Way.DIGEST and notice.recipient_id in digested):
                found.append(f"notice {notice.pk} ({notice.way}) is in no message")
        elif message.state != Message.State.SENT:
            found.append(f"notice {notice.pk}: message {message.pk} is {message.state}: {message.last_error}")
        elif str(message.key) not in arrived:
            found.append(f"notice {notice.pk}: message {message.pk} was sent and never arrived")
    return found


def copies_are_copies(received: Sequence[Received]) -> list[str]:
    """A violation: two mails under one Message-ID that say different things, of which a receiver keeps either;
    or one under an id that the portal does not know."""
    said: dict[str, set[str]] = defaultdict(set)
    for mail in received:
        said[_key(mail)].add(f"{mail.subject}\n{_text(mail)}")
    known = {str(key) for key in Message.objects.values_list("key", flat=True)}
    return [f"{key} says {len(texts)} things" for key, texts in said.items() if len(texts) > 1] + [
        f"{key} belongs to no message" for key in said if key not in known
    ]


def nobody_is_told_twice(received: Sequence[Received]) -> list[str]:
    """A violation: one cause reaches one person in two mails that no receiver can tell for copies."""
    by_person: dict[str, list[tuple[str, set[str]]]] = defaultdict(list)
    for mail in received:
        lines = {line.partition(". ")[2].strip() for line in _text(mail).splitlines()}
        by_person[mail.to].append((_key(mail), lines))
    found = []
    with translation.override(settings.LANGUAGE_CODE):
        for notice in Notice.objects.filter(recipient__isnull=False).select_related("recipient"):
            title = " ".join(str(kind_of(notice.kind).title(notice.data)).split())
            assert notice.recipient is not None
            keys = {key for key, lines in by_person[notice.recipient.email] if title in lines}
            if len(keys) > 1:
                found.append(f"notice {notice.pk} to {notice.recipient} is in {len(keys)} mails: {title}")
    return found


MAIL_INVARIANTS: tuple[Callable[[Sequence[Received]], list[str]], ...] = (
    every_notice_arrived,
    copies_are_copies,
    nobody_is_told_twice,
)


def summary(received: Sequence[Received]) -> str:
    """One line for the report."""
    keys = {_key(mail) for mail in received}
    unanswered = sum(not mail.answered for mail in received)
    tries = sum(Message.objects.values_list("attempts", flat=True))
    return (
        f"{Notice.objects.count()} notices, {Message.objects.count()} messages in {tries} attempts,"
        f" {len(received)} mails arrived under {len(keys)} Message-IDs ({len(received) - len(keys)} copies),"
        f" {unanswered} of them taken without an answer"
    )


def _key(mail: Received) -> str:
    return mail.message_id.strip("<>").split("@")[0]


def _text(mail: Received) -> str:
    body = mail.parsed().get_body(preferencelist=("plain",))
    return str(body.get_content()) if body is not None else ""
