"""The ladder's page: tried out on tomorrow, saved once, and told to whoever was slower."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from notices.models import Notice
from projects.models import CalendarDay, Escalation, LadderRung, Programme
from projects.services.climbing import climb
from projects.services.ladder_preview import preview_ladder
from projects.services.ladders import ladder_of
from projects.services.patrol import patrol
from tests import factories
from tests.forms import shown_form
from tests.test_pages import client_of

DAY = datetime.timedelta(days=1)


@pytest.fixture
def world(db: None) -> dict[str, Any]:
    today = timezone.localdate()
    CalendarDay.objects.filter(day__gte=today - DAY * 40, day__lte=today + DAY * 40).delete()
    CalendarDay.objects.create(day=today + DAY, is_working=True)
    sasac = factories.sasac()
    group = factories.enterprise(parent=sasac)
    programme = factories.programme(
        sasac, today.year, ends_on=today + DAY * 200, patrolled_until=today + DAY * 300
    )
    lead = factories.user("leader", group, name="直接乙")
    project = factories.project(group, programme, direct_lead=lead)
    return {
        "today": today,
        "programme": programme,
        "project": project,
        "due_today": factories.milestone(project, today),
        "staff": factories.user("staff", sasac),
        "officer": factories.user("officer", group, name="专员"),
        "url": reverse("admin:projects_programme_ladder", args=[programme.pk]),
    }


def typed(client: Any, url: str, **changes: Any) -> dict[str, Any]:
    return shown_form(client.get(url), "ladder") | changes


def test_tomorrow_is_worked_out_without_telling_anybody_and_then_comes_true(world: dict[str, Any]) -> None:
    programme, tomorrow = world["programme"], world["today"] + DAY
    patrol(as_of=world["today"])
    climb(as_of=world["today"], at=factories.moment(world["today"]))
    before = Notice.objects.count()
    found = preview_ladder(
        programme=programme, ladder=ladder_of(programme), on=tomorrow, reader=world["staff"]
    )
    assert [(h.person.name, h.count) for h in found.hearers] == [("直接乙", 1)]
    assert Notice.objects.count() == before
    patrol(as_of=tomorrow)
    climb(as_of=tomorrow, at=factories.moment(tomorrow))
    assert list(Notice.objects.order_by("-pk")[:1].values_list("recipient__name", flat=True)) == ["直接乙"]
    assert Notice.objects.count() == before + 1


def test_a_ladder_that_is_not_saved_yet_is_tried_out(world: dict[str, Any]) -> None:
    client = client_of(world["staff"])
    data = typed(client, world["url"], **{"rung-2-recipient": "reviewer", "_preview": "1"})
    page = client.post(world["url"], data)
    assert page.status_code == 200
    assert [h.person for h in page.context["previews"][0][0].hearers] == [world["staff"]]
    assert not LadderRung.objects.exists()


def test_saving_keeps_the_rungs_and_the_quiet_hours(world: dict[str, Any]) -> None:
    client = client_of(world["staff"])
    data = typed(client, world["url"], **{
        "rung-0-DELETE": "on", "rung-6-days": "30", "rung-6-recipient": "liaison", "rung-6-urgent": "on",
        "quiet_from": "22:00", "quiet_until": "07:30", "_save": "1",
    })  # fmt: skip
    assert client.post(world["url"], data).status_code == 302
    ladder = ladder_of(Programme.objects.get(pk=world["programme"].pk))
    assert [rung.days for rung in ladder.rungs] == [-1, 1, 3, 7, 15, 30]
    assert ladder.rungs[-1].urgent and not ladder.rungs[-1].mandatory
    assert (str(ladder.quiet_from), str(ladder.quiet_until)) == ("22:00:00", "07:30:00")


def test_who_comes_second_is_told_sees_what_is_stored_and_loses_nothing(world: dict[str, Any]) -> None:
    client = client_of(world["staff"])
    first, second = (typed(client, world["url"], _save="1") for _n in range(2))
    assert client.post(world["url"], first | {"rung-0-days": "9"}).status_code == 302
    page = client.post(world["url"], second | {"rung-0-days": "5"})
    assert page.status_code == 409
    assert [rung.days for rung in page.context["now"]] == [-9, -1, 1, 3, 7, 15]
    again = shown_form(page, "ladder") | {"_save": "1"}
    assert again["rung-0-days"] == "5"
    assert client.post(world["url"], again).status_code == 302
    assert ladder_of(world["programme"]).rungs[0].days == -5


@pytest.mark.parametrize(
    "changes",
    [
        {"rung-0-days": "0"},
        {"rung-0-days": "-3"},
        {"rung-0-days": "9999"},
        {"rung-0-days": "七"},
        {"rung-0-days": "61"},
        {"rung-0-days": "1"},
        {"rung-0-recipient": "emperor"},
        {"quiet_from": "25:00"},
        {"quiet_until": ""},
        {"seen": ""},
        {f"rung-{n}-DELETE": "on" for n in range(6)},
    ],
)
def test_nonsense_is_answered_with_words_and_saves_nothing(
    world: dict[str, Any], changes: dict[str, str]
) -> None:
    client = client_of(world["staff"])
    page = client.post(world["url"], typed(client, world["url"], **changes, _save="1"))
    assert page.status_code == 409
    assert page.context["error"]
    assert not LadderRung.objects.exists()


def test_officers_read_the_ladder_and_change_nothing(world: dict[str, Any]) -> None:
    client = client_of(world["officer"])
    page = client.get(world["url"])
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    staff = client_of(world["staff"])
    client.post(world["url"], typed(staff, world["url"], _save="1"))
    assert not LadderRung.objects.exists()


def test_a_year_without_holidays_says_so(world: dict[str, Any]) -> None:
    CalendarDay.objects.all().delete()
    client = client_of(world["staff"])
    page = client.post(world["url"], typed(client, world["url"], _preview="1"))
    assert page.context["previews"][0][0].uncovered
    assert Escalation.objects.count() == 0
