"""What a clerk sees of notices: the order and the units of a digest, the row of pages, what a reminder became."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.urls import reverse

from enterprises.models import Membership
from notices.models import Message, Notice
from notices.services.composing import compose
from notices.services.telling import tell
from portal.context import ONE_ROW, SELDOM, navigation_of
from tests import factories
from tests.notices.world import DAY, MORNING, Truths, packed, reader, told, truths
from tests.test_pages import built, client_of

__all__ = ["truths"]  # the fixture


def digest_of(*data: dict[str, Any]) -> Any:
    """The letter of the morning's digest about these, told a day apart in this order."""
    person = reader(factories.enterprise(parent=factories.sasac()))
    for number, row in enumerate(data, 1):
        on = MORNING.date() - DAY * (len(data) - number)
        tell([told(person, number, data={"title": f"no {number}", **row}, on=on)], at=MORNING)
    packed()
    return compose(
        Message.objects.get(), Notice.objects.all(), portal_url="https://p.example.cn", language="en"
    )


def test_a_digest_begins_with_what_was_due_first_whenever_it_was_told(db: None, truths: Truths) -> None:
    letter = digest_of({"due_on": "2026-08-12"}, {"due_on": "2026-08-04"})
    assert [line.title for line in letter.lines()] == ["no 2", "no 1"]


def test_without_a_due_date_the_day_of_the_notice_decides(db: None, truths: Truths) -> None:
    letter = digest_of({"due_on": ""}, {"due_on": str(MORNING.date() - DAY * 30)}, {})
    assert [line.title for line in letter.lines()] == ["no 2", "no 1", "no 3"]


def test_a_digest_names_the_unit_of_each_line(db: None, truths: Truths) -> None:
    letter = digest_of({"enterprise": "某水务<集团>"}, {})
    assert [line.unit for line in letter.lines()] == ["某水务<集团>", ""]
    assert "某水务&lt;集团&gt;" in render_to_string("notices/letter.html", {"letter": letter})
    assert "\n   某水务<集团>\n" in render_to_string("notices/letter.txt", {"letter": letter})


@pytest.mark.parametrize("role", ["staff", "officer", "leader", "system", "security", "audit"])
def test_one_row_holds_the_daily_pages_and_the_others_are_all_behind_more(db: None, role: str) -> None:
    page = client_of(built()[role]).get("/")
    shown = navigation_of(page.context["user"].roles, "/")
    row = [item.url for item in shown["nav"]]
    behind = [item.url for group in shown["nav_more"] for item in group.items]
    seldom = {reverse(name) for _group, rows in SELDOM for _label, name, _permission in rows}
    assert len(row) <= ONE_ROW and not set(row) & set(behind)
    assert not behind or (set(behind) <= seldom and not set(row) & seldom)
    html = page.content.decode()
    assert ("nav-more" in html) == bool(behind)
    assert all(f'href="{url}"' in html for url in row + behind)


def test_the_present_page_is_named_where_its_link_is_hidden(db: None) -> None:
    there = reverse("admin:projects_calendarday_changelist")
    page = client_of(built()["staff"]).get(there)
    assert navigation_of(page.context["user"].roles, there)["nav_more_here"].url == there
    assert 'class="menu nav-more here"' in page.content.decode()


def test_each_red_project_of_the_home_page_leads_to_why_it_is_red(db: None) -> None:
    world = built()
    why = reverse("admin:projects_project_light", args=[world["project"].pk])
    assert f'href="{why}"' in client_of(world["staff"]).get("/").content.decode()


@pytest.mark.parametrize("vacant", [True, False])
def test_a_single_reminder_says_when_it_went_past_the_posts(
    db: None, today: datetime.date, vacant: bool
) -> None:
    sasac = factories.sasac()
    group = factories.enterprise(parent=sasac)
    staff, officer = factories.user("staff", sasac), factories.user("officer", group)
    project = factories.project(
        group, factories.programme(sasac), **({} if vacant else {"coordinator": officer})
    )
    assert Membership.objects.filter(user=officer).exists()
    answer = client_of(staff).post(
        reverse("admin:projects_project_remind"), {"id": project.pk, "note": ""}, follow=True
    )
    (message,) = answer.context["messages"]
    assert message.level_tag == ("warning" if vacant else "info")
    assert Notice.objects.get().recipient == officer
