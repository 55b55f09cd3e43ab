"""The task that beat starts every ten seconds."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as live
from django.utils import timezone

from notices.models import Message
from notices.services.telling import tell
from notices.tasks import deliver
from tests import factories
from tests.notices.world import reader, told
from tools.mail_sink import MailSink

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("truths")]


def test_what_is_urgent_is_delivered_by_one_run(settings: Any) -> None:
    person = reader(factories.enterprise(parent=factories.sasac()))
    tell([told(person, 1, urgent=True)], at=timezone.now())
    with MailSink() as sink:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        deliver()
        deliver()
    assert [copy.to for copy in sink.received] == [person.email]
    assert Message.objects.get().state == "sent"


def test_without_a_mail_server_a_run_is_idle(settings: Any) -> None:
    settings.EMAIL_HOST = ""
    tell([told(reader(factories.enterprise(parent=factories.sasac())), 1, urgent=True)], at=timezone.now())
    deliver()
    assert not Message.objects.exists()


def test_beat_starts_it_and_lets_no_runs_pile_up() -> None:
    entry = live.CELERY_BEAT_SCHEDULE["deliver-notices"]
    assert entry["task"] == deliver.name
    assert entry["options"]["expires"] < entry["schedule"] <= 10
