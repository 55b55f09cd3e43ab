"""The pages of visits and instructions: who gets which, on a phone and twice, and what stands behind the wall."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from projects.admin import brief
from projects.models import ActionItem, Evidence, SiteVisit
from projects.services.lights import refresh_lights
from projects.services.visits import answer
from tests import factories
from tests.forms import form_of, shown_form
from tests.isolation import world as isolation
from tests.test_pages import client_of
from tests.visits.world import DAY, World, built, instructed, visited

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return built()


def page_of(world: World, name: str) -> str:
    return reverse(f"admin:projects_project_{name}", args=[world.project.pk])


def typed(client: Any, url: str, **values: str) -> dict[str, Any]:
    """What a browser would send: the form as it was shown, with `values` typed over it."""
    page = client.get(url)
    shown = form_of(page) if "adminform" in page.context else shown_form(page, "draft-form")
    return shown | values


# -- the forms ----------------------------------------------------------------------------------------------


def test_a_leader_records_a_visit_with_what_the_form_offers_and_one_line(world: World) -> None:
    client, url = client_of(world.leader), page_of(world, "visit")
    data = typed(client, url, findings="现场有序")
    response = client.post(url, data)
    assert response.status_code == 302, response.context["faulty"]
    visit = SiteVisit.objects.get()
    assert (visit.leader, visit.visited_on, visit.findings) == (world.leader, world.today, "现场有序")
    assert not ActionItem.objects.exists(), "rows without a text say nothing"
    page = client.get(response["Location"].partition("#")[0]).content.decode()
    assert "现场有序" in page


def test_a_repeat_after_a_lost_answer_makes_no_second_visit(world: World) -> None:
    client, url = client_of(world.leader), page_of(world, "visit")
    data = typed(client, url, findings="现场有序", **{"item-0-text": "清理堆料"})
    assert client.post(url, data).status_code == client.post(url, data).status_code == 302
    assert (SiteVisit.objects.count(), ActionItem.objects.count()) == (1, 1)
    changed = client.post(url, data | {"findings": "现场无序"})
    assert changed.status_code == 409 and "现场无序" in changed.content.decode(), "nothing typed is lost"


def test_a_form_with_a_mistake_keeps_what_was_typed(world: World) -> None:
    client, url = client_of(world.leader), page_of(world, "visit")
    data = typed(client, url, findings="现场有序", visited_on=str(world.today + DAY))
    response = client.post(url, data)
    assert response.status_code in (200, 409) and "现场有序" in response.content.decode()
    data = typed(client, url, findings="现场有序", **{"item-1-text": "清理堆料", "item-1-due_on": ""})
    response = client.post(url, data)
    assert response.status_code == 200 and "清理堆料" in response.content.decode()
    assert not SiteVisit.objects.exists()


def test_a_save_by_the_script_writes_nothing(world: World) -> None:
    client, url = client_of(world.leader), page_of(world, "visit")
    data = typed(client, url, findings="现场有序")
    response = client.post(url, data, headers={"X-Requested-With": "fetch"})
    assert response.status_code == 200 and response.json()["unclear"], "the script keeps it on the device"
    assert not SiteVisit.objects.exists()


def test_the_staff_write_it_down_for_the_liaison_leader(world: World) -> None:
    client, url = client_of(world.staff), page_of(world, "instruct")
    data = typed(client, url, **{"item-0-text": "一周内拿出赶工方案"})
    assert client.post(url, data).status_code == 302
    item = ActionItem.objects.get()
    assert (item.leader, item.recorded_by, item.visit) == (world.leader, world.staff, None)


def test_officers_are_answered_like_for_a_page_that_does_not_exist(world: World) -> None:
    client = client_of(world.officer)
    for name in ("visit", "instruct"):
        here, nowhere = client.get(page_of(world, name)), client.get(f"/projects/project/99999999/{name}/")
        assert (here.status_code, here["Location"]) == (nowhere.status_code, nowhere["Location"])


def test_the_officer_answers_on_the_page_and_the_leader_opens_it_again(world: World) -> None:
    item, officer = instructed(world), client_of(world.officer)
    done = reverse("admin:projects_actionitem_done", args=[item.pk])
    assert done in officer.get(page_of(world, "page")).content.decode()
    assert done not in client_of(world.leader).get(page_of(world, "page")).content.decode()
    refused = officer.post(done, {"done_on": "2026-02-31", "note": "已办结"})
    assert refused.status_code == 409 and "已办结" in refused.content.decode()
    assert officer.post(done, {"done_on": str(world.today), "note": "已办结"}).status_code == 302
    again = reverse("admin:projects_actionitem_reopen", args=[item.pk])
    leader = client_of(world.leader)
    assert leader.post(again, {"note": ""}).status_code == 409
    assert leader.post(again, {"note": "仍有堆料"}).status_code == 302
    item.refresh_from_db()
    assert item.done_on is None


def test_an_answer_is_given_to_the_words_that_were_read(world: World) -> None:
    item, officer = instructed(world), client_of(world.officer)
    done = reverse("admin:projects_actionitem_done", args=[item.pk])
    seen = re.search(r'name="seen" value="(\w+)"', officer.get(done).content.decode())[1]  # type: ignore[index]
    ActionItem.objects.filter(pk=item.pk).update(text="另外清理南门堆料")
    answer = {"done_on": str(world.today), "note": "北门已清理", "seen": seen}
    told = officer.post(done, answer)
    html = told.content.decode()
    assert told.status_code == 409 and "南门" in html and "北门已清理" in html
    fresh = re.search(r'name="seen" value="(\w+)"', html)[1]  # type: ignore[index]
    assert officer.post(done, {**answer, "seen": fresh}).status_code == 302
    again = reverse("admin:projects_actionitem_reopen", args=[item.pk])
    stale = {"note": "仍有堆料", "seen": fresh}
    assert client_of(world.leader).post(again, stale).status_code == 409, "that was the open item"


# -- mending ------------------------------------------------------------------------------------------------


def test_who_wrote_it_mends_it_and_another_leader_does_not(world: World) -> None:
    visit, item = visited(world), instructed(world)
    other = factories.user("leader", world.sasac)
    for row in (visit, item):
        url = reverse(f"admin:projects_{row._meta.model_name}_change", args=[row.pk])
        for person in (world.leader, world.staff):
            client = client_of(person)
            name = "findings" if row is visit else "text"
            assert client.post(url, typed(client, url, **{name: f"改{person.pk}"})).status_code == 302
            row.refresh_from_db()
            assert getattr(row, name) == f"改{person.pk}"
        assert "_save" not in client_of(other).get(url).content.decode()
        assert client_of(other).post(url, {"text": "改", "findings": "改"}).status_code == 403


def test_whoever_saves_second_is_told(world: World) -> None:
    visit = visited(world)
    url = reverse("admin:projects_sitevisit_change", args=[visit.pk])
    leader, staff = client_of(world.leader), client_of(world.staff)
    mine = typed(leader, url, findings="领导所写")
    assert staff.post(url, typed(staff, url, findings="工作人员所写")).status_code == 302
    assert leader.post(url, mine).status_code == 409


def test_a_date_before_it_was_given_is_a_mistake_in_the_form(world: World) -> None:
    item, client = instructed(world), client_of(world.leader)
    url = reverse("admin:projects_actionitem_change", args=[item.pk])
    response = client.post(url, typed(client, url, due_on=str(world.today - DAY)))
    assert response.status_code == 200 and response.context["adminform"].form.errors["due_on"]


def test_what_was_answered_is_not_edited(world: World) -> None:
    item = instructed(world)
    answer(item_id=item.pk, actor=world.officer, at=world.at, done_on=world.today, note="已办结")
    url = reverse("admin:projects_actionitem_change", args=[item.pk])
    assert client_of(world.leader).post(url, {"text": "改"}).status_code == 403


# -- the lists ------------------------------------------------------------------------------------------------


def test_the_lists_filter_by_what_is_open_and_come_out_as_a_file(world: World) -> None:
    visited(world)
    late, done = instructed(world, text="逾期的"), instructed(world, text="办结的")
    ActionItem.objects.filter(pk=late.pk).update(given_on=world.today - DAY * 9, due_on=world.today - DAY)
    answer(item_id=done.pk, actor=world.officer, at=world.at, done_on=world.today, note="已办结")
    client = client_of(world.leader)
    expected = {"": {"逾期的", "办结的"}, "open": {"逾期的"}, "overdue": {"逾期的"}, "done": {"办结的"}}
    for value, texts in expected.items():
        rows = client.get(f"/projects/actionitem/?items={value}").context["cl"].queryset
        assert {row.text for row in rows} == texts, value
    for name in ("actionitem", "sitevisit"):
        assert client.get(f"/projects/{name}/").status_code == 200
        file = client.get(f"/projects/{name}/export/csv/")
        assert file.status_code == 200 and world.project.name in b"".join(file.streaming_content).decode()  # type: ignore[attr-defined]


# -- the liaison leader's page -------------------------------------------------------------------------------


def cards_of(response: Any) -> list[str]:
    return [card.project.name for card in response.context["cards"]]


def test_a_leader_sees_my_projects_ordered_by_what_needs_me(world: World) -> None:
    def mine(name: str, **values: Any) -> Any:
        facts = {"liaison_leader": world.leader, **values}
        return factories.project(world.group, world.programme, name=name, **facts)

    calm = world.project
    factories.milestone(calm, world.today + DAY * 60)
    red, items = mine("红灯的"), mine("有交办的")
    factories.milestone(red, world.today - DAY * 40)
    factories.milestone(items, world.today + DAY * 60)
    instructed(world, project_id=items.pk)
    mine("销号的", status="closed_out")
    factories.project(world.group, world.programme, name="别人的")
    refresh_lights(as_of=world.today)
    response = client_of(world.leader).get("/liaison/")
    assert cards_of(response) == ["红灯的", "有交办的", calm.name, "销号的"]


def test_every_figure_counts_the_list_it_leads_to(world: World) -> None:
    late = factories.project(world.group, world.programme, liaison_leader=world.leader)
    factories.milestone(late, world.today - DAY * 3)
    visited(world, project_id=late.pk)
    visited(world, on=world.today - DAY * 91)
    instructed(world)
    factories.project(world.group, world.programme, liaison_leader=world.leader, status="terminated")
    refresh_lights(as_of=world.today)
    for person in (world.leader, world.staff):
        client = client_of(person)
        first = client.get("/liaison/")
        figures = (
            first.context["figures"]
            if person == world.leader
            else [figure for line in first.context["lines"] for figure in line.figures]
        )
        assert [figure.count for figure in figures] == [3, 1, 1, 1, 1]
        for figure in figures:
            assert len(client.get(figure.url).context["cards"]) == figure.count, figure.label


def test_never_visited_is_said_and_the_last_visit_is_dated(world: World) -> None:
    client = client_of(world.leader)
    card = client.get("/liaison/").context["cards"][0]
    assert card.visit is None
    visited(world, on=world.today - DAY * 9, findings="早先")
    last = visited(world, on=world.today - DAY * 2)
    visited(world, on=world.today - DAY * 5)
    assert client.get("/liaison/").context["cards"][0].visit == last


def test_of_a_project_that_is_closed_out_no_visit_is_missing(world: World) -> None:
    client = client_of(world.leader)
    assert 'class="never"' in client.get("/liaison/").content.decode()
    for status in ("closed_out", "terminated"):
        world.project.status = status
        world.project.save()
        response = client.get("/liaison/")
        assert cards_of(response) == [world.project.name]
        assert 'class="never"' not in response.content.decode(), status
        assert f'<span class="quiet">{world.project.get_status_display()}</span>' in response.content.decode()
        assert cards_of(client.get("/liaison/?show=unvisited")) == []


def test_the_mark_of_a_demonstration_stands_once_or_at_each_row_beside_real_ones(world: World) -> None:
    leader, staff = client_of(world.leader), client_of(world.staff)
    marks = 'class="demo-mark"'

    def shown(client: Any) -> str:
        text: str = client.get("/liaison/").content.decode()
        return text[text.index("<main") :]

    assert marks not in shown(leader) and marks not in shown(staff)
    world.programme.is_demo = True
    world.programme.save()
    factories.project(world.group, world.programme, liaison_leader=world.leader)
    for client in (leader, staff):
        text = shown(client)
        assert text.count(marks) == 1
        assert text.index(marks) < text.index("</h1>"), "in the head of the page"
    real = factories.programme(world.sasac, world.today.year - 1, patrolled_until=world.today + DAY * 9)
    factories.project(world.group, real, name="真实的", liaison_leader=world.leader)
    text = shown(leader)
    assert text.count(marks) == 2
    assert text.index(marks) > text.index("</h1>")
    named = re.findall(r"<h2><a [^>]*>([^<]*)</a>(<span class=\"demo-mark\")?", text)
    assert [name for name, mark in named if not mark] == ["真实的"]
    assert marks not in shown(staff), "figures of both are not called demonstration data"
    other = factories.user("leader", world.sasac)
    factories.project(world.group, world.programme, liaison_leader=other)
    assert shown(staff).count(marks) == 1, "at the one whose projects are all of a demonstration"


def test_contacts_carry_a_number_that_a_phone_dials(world: World) -> None:
    world.officer.phone = "0769-22811234"
    world.officer.save()
    world.project.accountable_lead_text = "李某某 13800001111"
    world.project.save()
    page = client_of(world.leader).get("/liaison/").content.decode()
    assert set(re.findall(r'href="tel:([^"]+)"', page)) == {"076922811234", "13800001111"}


def test_staff_choose_a_leader_among_those_they_see_and_officers_have_no_such_page(world: World) -> None:
    other = factories.user("leader", world.sasac)
    stranger = factories.user("leader", factories.sasac("别市国资委"))
    staff = client_of(world.staff)
    assert [line.name for line in staff.get("/liaison/").context["lines"]] == [str(world.leader)]
    assert cards_of(staff.get(f"/liaison/?leader={world.leader.pk}")) == [world.project.name]
    for wrong in (other.pk, stranger.pk, 99999999, "x", "²"):
        assert staff.get(f"/liaison/?leader={wrong}").status_code == 404, wrong
        assert staff.get(f"/liaison/brief/?leader={wrong}").status_code == 404, wrong
    assert client_of(world.officer).get("/liaison/").status_code == 403
    assert client_of(other).get(f"/liaison/?leader={world.leader.pk}").status_code == 200


def test_a_leader_without_projects_reads_what_to_do(world: World) -> None:
    world.project.liaison_leader = None
    world.project.save()
    for url in ("/liaison/", "/liaison/brief/"):
        response = client_of(world.leader).get(url)
        assert response.status_code == 200 and 'class="empty"' in response.content.decode()


@pytest.mark.parametrize("url", ["/liaison/", "/liaison/?leader={leader}&show=items", "/liaison/brief/"])
def test_the_page_asks_the_database_no_more_often_for_thirty_projects(world: World, url: str) -> None:
    url = url.format(leader=world.leader.pk)

    def filled(count: int) -> None:
        for _n in range(count):
            project = factories.project(
                world.group, world.programme, liaison_leader=world.leader, coordinator=world.officer
            )
            factories.report(factories.milestone(project, world.today + DAY * 9), world.officer, world.today)
            visited(world, project_id=project.pk)
            instructed(world, project_id=project.pk)

    def asked() -> int:
        client = client_of(world.leader)
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    filled(3)
    few = asked()
    filled(27)
    assert asked() == few


# -- the brief ------------------------------------------------------------------------------------------------


def test_the_brief_shows_accepted_photos_only_through_the_evidence_view(world: World) -> None:
    milestone = factories.milestone(world.project, world.today + DAY * 9)
    report = factories.report(milestone, world.officer, world.today)
    for stage in ("before", "after"):
        Evidence.objects.create(
            project=world.project, report=report, kind="photo", stage=stage, name="x", content_type="image/jpeg",
            size=1, sha256=stage.ljust(64, "0"), uploaded_by=world.officer, preview="x",
        )  # fmt: skip
    client = client_of(world.leader)
    assert "<img" not in client.get(page_of(world, "brief")).content.decode(), "not reviewed yet"
    type(report).objects.filter(pk=report.pk).update(
        state="accepted", decided_on=world.today, decided_by=world.staff, decided_at=world.at
    )
    page = client.get(page_of(world, "brief")).content.decode()
    shown = re.findall(r'<img src="([^"]+)"', page)
    assert shown == [
        reverse("admin:projects_evidence_file", args=[row.pk, "preview"])
        for row in Evidence.objects.order_by("pk")
    ]


def test_a_long_text_is_cut_and_the_sheet_says_where_the_whole_of_it_is(world: World) -> None:
    client, url = client_of(world.officer), page_of(world, "brief")
    assert "brief-cut" not in client.get(url).content.decode()
    world.project.measures = "敷设供水管道" * 100
    world.project.save()
    page = client.get(url).content.decode()
    assert "brief-cut" in page and "敷设供水管道" * 50 not in page


@pytest.mark.parametrize("place", ["reason", "person", "milestone", "item"])
def test_whatever_is_shortened_on_a_brief_is_said(
    world: World, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.milestone(world.project, world.today - DAY * 40)
    instructed(world)
    refresh_lights(as_of=world.today)
    client, url = client_of(world.leader), page_of(world, "brief")
    assert "brief-cut" not in client.get(url).content.decode()
    monkeypatch.setitem(brief.LONGEST, place, 2)
    text = client.get(url).content.decode()
    assert "…" in text and "brief-cut" in text


def test_drafts_of_reports_stand_on_no_brief(world: World) -> None:
    from projects.services import reports

    milestone = factories.milestone(world.project, world.today + DAY * 9)
    draft = reports.open_draft(milestone_id=milestone.pk, actor=world.officer, as_of=world.today)
    reports.save_draft(report_id=draft.pk, actor=world.officer, texts={"done": "尚未上报"})
    assert "尚未上报" not in client_of(world.leader).get(page_of(world, "brief")).content.decode()


# -- the wall -------------------------------------------------------------------------------------------------


def test_the_page_of_a_leader_shows_nothing_from_beyond_the_wall() -> None:
    """One leader of a group keeps contact with projects of several units; each reader sees their own part."""
    built_world = isolation.build()
    leader = built_world.users["group_leader"]
    for unit in built_world.units.values():
        project = unit.rows[isolation.Project]
        project.liaison_leader = leader
        project.save()
    for role in ("group_leader", "leader", "staff"):
        client = client_of(built_world.users[role])
        for url in (f"/liaison/?leader={leader.pk}", f"/liaison/brief/?leader={leader.pk}", "/liaison/"):
            page = client.get(url).content.decode()
            for key in built_world.units:
                seen = isolation.marker(key) in page
                assert not seen or key in built_world.sees[role], (role, url, key)
        shown = client.get(f"/liaison/?leader={leader.pk}").context["cards"]
        assert len(shown) == len(built_world.sees[role])
