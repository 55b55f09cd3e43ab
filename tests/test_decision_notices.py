"""Whoever handed something in is told what was decided on it, in the transaction of the decision."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.urls import reverse

from notices.kinds import kind_of
from notices.models import Notice
from projects.models import ProgressReport
from projects.services.reviews import decide, decide_many
from tests import factories
from tests.test_pages import client_of

DAY = datetime.timedelta(days=1)


@pytest.fixture
def world(db: None, today: datetime.date) -> dict[str, Any]:
    sasac = factories.sasac()
    group = factories.enterprise(parent=sasac)
    officer = factories.user("officer", group)
    project = factories.project(group, factories.programme(sasac))
    milestone = factories.milestone(project, today + DAY * 5)
    return {
        "officer": officer,
        "reviewer": factories.user("staff", sasac),
        "report": factories.report(milestone, officer, today),
        "milestone": milestone,
        "at": factories.moment(today + DAY),
    }


def test_a_returned_report_is_told_at_once_with_its_comment(world: dict[str, Any]) -> None:
    decide(
        kind=ProgressReport, pk=world["report"].pk, action="return", actor=world["reviewer"],
        at=world["at"], comment="缺少现场照片",
    )  # fmt: skip
    notice = Notice.objects.get()
    assert (notice.recipient, notice.urgent) == (world["officer"], True)
    title = kind_of(notice.kind).title(notice.data)
    assert "缺少现场照片" in title and world["milestone"].name in title
    url = kind_of(notice.kind).url(notice)
    assert url == reverse("admin:projects_progressreport_page", args=[world["report"].pk])
    assert client_of(world["officer"]).get(url).status_code == 200


def test_an_accepted_report_waits_for_the_digest(world: dict[str, Any]) -> None:
    decide(
        kind=ProgressReport, pk=world["report"].pk, action="accept", actor=world["reviewer"], at=world["at"]
    )
    assert not Notice.objects.get().urgent


def test_what_was_refused_tells_nobody(world: dict[str, Any]) -> None:
    for _n in range(2):
        decide_many(
            kind=ProgressReport,
            pks=[world["report"].pk],
            action="accept",
            actor=world["reviewer"],
            at=world["at"],
        )
    assert Notice.objects.count() == 1
    decide_many(
        kind=ProgressReport, pks=[world["report"].pk], action="accept", actor=world["officer"], at=world["at"]
    )
    assert Notice.objects.count() == 1


def test_a_submission_without_a_sender_tells_its_writers(world: dict[str, Any]) -> None:
    ProgressReport.objects.update(submitted_by=None, writer_ids=[world["officer"].pk])
    decide(
        kind=ProgressReport, pk=world["report"].pk, action="accept", actor=world["reviewer"], at=world["at"]
    )
    assert Notice.objects.get().recipient == world["officer"]
