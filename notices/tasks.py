"""What Celery runs. Thin: the clock, the calendar and the settings are read here and passed on."""

from __future__ import annotations

import datetime

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from notices.channels.email import MailAccount, Postman
from notices.channels.robots import Messenger
from notices.services.outbox import Outside, drain
from notices.services.packing import pack
from projects.services.working_calendar import working_calendar

#: Of one run. With the longest single attempt it ends before the patrol's tick of the next minute is stale.
RUN = datetime.timedelta(seconds=25)


@shared_task(name="notices.deliver", ignore_result=True)
def deliver() -> None:
    """Put what waits into messages and send what is due. Any number of workers may do so at once."""
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
        drain(outside, until=now + RUN)
    finally:
        if postman is not None:
            postman.close()
