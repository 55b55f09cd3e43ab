"""What Celery runs. Thin: the clock, the calendar and the settings are read here and passed on."""

from __future__ import annotations

import datetime
import os
import socket

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from notices.channels.email import MailAccount, Postman
from notices.channels.robots import Messenger
from notices.services.outbox import Outside, drain
from notices.services.packing import pack
from notices.services.turns import turn
from projects.services.working_calendar import working_calendar

#: Of one run. Its last attempt may begin just before the end and take `EMAIL_TIMEOUT` more.
RUN = datetime.timedelta(seconds=25)


@shared_task(name="notices.deliver", ignore_result=True)
def deliver() -> None:
    """Put what waits into messages and send what is due.

    Any number of workers may do so at once, each with one of its processes: a run that waits for a mail server
    which takes its time may last as long as `RUN` and an attempt together, and two of them would keep the patrol
    waiting for a process.
    """
    now = timezone.now()
    account = MailAccount.of_settings()
    pack(
        now=now,
        working_day=working_calendar().is_working(timezone.localdate(now)),
        digest_at=settings.DIGEST_AT,
        mail=account is not None,
    )
    postman = Postman(account) if account is not None else None
    outside = Outside(
        clock=timezone.now,
        postman=postman,
        messenger=Messenger(settings.NOTICES_ROBOT_HOSTS),
        portal_url=settings.PORTAL_URL,
        language=settings.LANGUAGE_CODE,
        patience=datetime.timedelta(seconds=settings.EMAIL_TIMEOUT),
    )
    try:
        with turn(f"notices.deliver:{_worker()}") as is_ours:
            if is_ours:
                drain(outside, until=now + RUN)
    finally:
        if postman is not None:
            postman.close()


def _worker() -> str:
    """The worker to which this process belongs: it is the parent of its processes."""
    return f"{socket.gethostname()}:{os.getppid()}"
