"""The wall chart's page and files: what is drawn, for whom, how large, and at what cost."""

from __future__ import annotations

import datetime
import gzip
import io
import re
import zipfile
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects.admin import wall_choice
from projects.models import Milestone, Programme, Project
from projects.services.lights import refresh_lights
from projects.wall_chart import files
from tests import factories
from tests.test_pages import built, client_of
from tests.wall.fonts import needs_font

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
NASTY = "<b>甲</b>&\x07\x1b乙"


@pytest.fixture
def world() -> dict[str, Any]:
    return built()


class Links(HTMLParser):
    """Every address of a page, and whether a link of the chart has a title."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (href := dict(attrs).get("href")):
            self.found.append(href)


def page(client: Any, tail: str = "") -> str:
    response = client.get("/wall/" + tail)
    assert response.status_code == 200, tail
    return response.content.decode()


def drawn_projects(text: str) -> set[int]:
    return {int(pk) for pk in re.findall(r'<td id="p(\d+)"', text)}


def many(world: dict[str, Any], count: int, steps: int = 5) -> None:
    """`count` projects of three subsidiaries, each with milestones and a moved date."""
    today = world["today"]
    if not count:
        return
    units = [factories.enterprise(f"第{n}水务公司", parent=world["group"]) for n in range(3)]
    programme = world["project"].programme
    projects = Project.objects.bulk_create(
        Project(
            programme=programme,
            enterprise=units[n % 3],
            code=f"M{n:04}",
            name=f"{n}号片区老旧供水管网改造及二次供水设施提升工程",
            status="in_progress",
            starts_on=today - DAY * (n % 90),
            due_on=today + DAY * (n % 80 + 1),
            baseline_due_on=today + DAY * (n % 80 - 10),
            accountable_lead_text="王建国 13800000000",
        )
        for n in range(count)
    )
    Milestone.objects.bulk_create(
        Milestone(
            project=project,
            name=f"第{step}阶段主体施工及验收",
            order=step,
            starts_on=today - DAY * 60,
            due_on=today + DAY * (step * 20 - 60 + project.pk % 15),
            baseline_due_on=today + DAY * (step * 20 - 63 + project.pk % 15),
            state=("accepted", "in_progress", "returned", "not_started")[step % 4],
            claimed_on=today,
            accepted_on=today,
            percent=step * 10,
        )
        for project in projects
        for step in range(steps)
    )


# -- what is drawn ------------------------------------------------------------------------------------------


def test_the_chart_shows_the_newest_programme_in_force(world: dict[str, Any]) -> None:
    old = factories.programme(world["root"], world["today"].year - 3)
    factories.project(world["group"], old)
    text = page(client_of(world["staff"]))
    assert world["project"].programme.name in text
    assert drawn_projects(text) == {world["project"].pk}
    other = page(client_of(world["staff"]), f"?programme={old.pk}")
    assert drawn_projects(other) == set(old.projects.values_list("pk", flat=True))


def test_every_bar_and_diamond_is_a_link_with_a_title_that_leads_somewhere(world: dict[str, Any]) -> None:
    client = client_of(world["staff"])
    text = page(client, "?milestones=1")
    chart = text[text.index('class="wall"') : text.index("</table>")]
    rows = re.findall(r'<svg class="wall-row".*?</svg>', chart, re.S)
    assert len(rows) == 4, "a project and its three milestones"
    for row in rows:
        for link in re.findall(r"<a .*?</a>", row, re.S):
            assert "<title>" in link
    assert rows[0].count("<use") == 2, "one milestone has no date"
    for href in {*Links(chart).found}:
        assert client.get(href.split("#")[0]).status_code == 200, href
        if "#m" in href:
            assert f'id="{href.split("#")[1]}"' in client.get(href.split("#")[0]).content.decode()


def test_every_choice_on_the_page_can_be_opened(world: dict[str, Any]) -> None:
    client = client_of(world["staff"])
    tails = {href for href in Links(page(client)).found if href.startswith("?")}
    assert len(tails) > 20
    for tail in tails:
        page(client, tail.split("#")[0])


def test_a_diamond_shows_the_light_of_its_milestone(world: dict[str, Any]) -> None:
    project, today = world["project"], world["today"]
    factories.milestone(
        project, today + DAY * 5, name="done", state="accepted", claimed_on=today, accepted_on=today
    )
    factories.milestone(project, today + DAY * 60, name="far")
    factories.milestone(project, today - DAY * 1, name="asked", awaits_extension=True)
    text = page(client_of(world["staff"], "en"))
    row = re.search(r'<svg class="wall-row".*?</svg>', text, re.S)
    assert row is not None
    found = re.findall(r"<title>(\S+) · [^<]*</title>(?:<path[^>]*>)*<use href=\"#wall-(\w+)\"", row[0])
    assert dict(found)["done"] == "blue"
    assert dict(found)["far"] == "green"
    assert dict(found)["asked"] == "yellow", "the clock stands still while an extension waits"
    assert sorted(tone for _name, tone in found) == ["blue", "green", "red", "yellow", "yellow"]


def test_milestones_of_one_project_can_be_opened_by_a_link(world: dict[str, Any]) -> None:
    client, pk = client_of(world["staff"]), world["project"].pk
    text = page(client)
    assert "wall-step" not in text
    (toggle,) = [href for href in Links(text).found if f"open={pk}" in href and href.endswith(f"#p{pk}")]
    opened = page(client, toggle.split("#")[0])
    assert opened.count('<tr class="wall-step"') == 3
    assert 'aria-expanded="true"' in opened


def test_names_are_escaped_and_signs_that_xml_cannot_hold_are_left_out(world: dict[str, Any]) -> None:
    Project.objects.filter(pk=world["project"].pk).update(name=NASTY)
    Milestone.objects.filter(pk=world["late"].pk).update(name=NASTY)
    client = client_of(world["staff"])
    assert "<b>甲</b>" not in page(client, "?milestones=1")
    sheet = client.get("/wall/file/?form=svg&milestones=1").content.decode()
    assert "<b>甲" not in sheet and "\x07" not in sheet and "乙" in sheet


def test_a_leader_is_named_where_none_of_their_projects_is_chosen(world: dict[str, Any]) -> None:
    Project.objects.filter(pk=world["project"].pk).update(liaison_leader=world["leader"], category=None)
    category = factories.category(world["project"].programme)
    text = page(client_of(world["staff"]), f"?leader={world['leader'].pk}&category={category.pk}")
    assert str(world["leader"]) in re.search(r'<p class="lead">(.*?)</p>', text, re.S)[1]  # type: ignore[index]


def test_no_telephone_number_hangs_on_the_wall(world: dict[str, Any]) -> None:
    Project.objects.filter(pk=world["project"].pk).update(
        accountable_lead=None, accountable_lead_text="欧阳某 13800000000"
    )
    client = client_of(world["staff"])
    for text in (page(client), client.get("/wall/file/?form=svg").content.decode()):
        assert "欧阳某" in text and "13800000000" not in text


def test_demonstration_data_is_marked_on_page_and_sheet(world: dict[str, Any]) -> None:
    client = client_of(world["staff"])
    assert "demo-mark" not in page(client)
    assert 'class="demo"' not in client.get("/wall/file/").content.decode()
    Programme.objects.filter(pk=world["project"].programme_id).update(is_demo=True)
    assert page(client).count('class="demo-mark"') == 1, "in the head of the page, not at each row as well"
    assert 'class="demo"' in client.get("/wall/file/").content.decode()


# -- filters ----------------------------------------------------------------------------------------------


def test_a_unit_means_everything_below_it(world: dict[str, Any]) -> None:
    below = factories.enterprise("子公司", parent=world["group"])
    aside = factories.enterprise("别的集团", parent=world["root"])
    inner = factories.project(below, world["project"].programme)
    factories.project(aside, world["project"].programme)
    text = page(client_of(world["staff"]), f"?unit={world['group'].pk}")
    assert drawn_projects(text) == {world["project"].pk, inner.pk}


@pytest.mark.parametrize("group", ["enterprise", "category", "leader"])
def test_a_heading_counts_what_its_link_shows(world: dict[str, Any], group: str) -> None:
    programme = world["project"].programme
    for n in range(5):
        factories.project(
            world["group"],
            programme,
            liaison_leader=world["leader"] if n % 2 else None,
            category=world["project"].category if n % 3 else None,
        )
    refresh_lights(as_of=world["today"])
    client = client_of(world["staff"])
    for tail in ("", "&light=red", f"&category={world['project'].category_id}", f"&unit={world['group'].pk}"):
        response = client.get(f"/wall/?group={group}{tail}")
        for shown in response.context["groups"]:
            proof = client.get(shown.group.url)
            counted = proof.context["cl"].result_count if "cl" in proof.context else proof.context["total"]
            assert counted == shown.group.count == len(shown.rows), (tail, shown.group.url)


def test_the_number_at_each_light_is_the_number_of_projects_that_it_leads_to(world: dict[str, Any]) -> None:
    many(world, 12)
    refresh_lights(as_of=world["today"])
    client = client_of(world["staff"])
    lights = client.get("/wall/").context["lights"]
    assert lights[0].count == 13
    assert sum(one.count for one in lights[1:]) == 13
    for one in lights:
        assert client.get(f"/wall/{one.url}").context["total"] == one.count


@pytest.mark.parametrize(
    "tail",
    [
        "?programme=x&unit=²&category=0&light=pink&group=colour&zoom=century&from=9999-99&page=-1&open=a,b&rows=7",
        "?from=0001-01&page=99999999999999999999&unit=999999999999999999&category=-&leader=-&open=,,,",
        "?from=2189-12&zoom=month&page=5",
        "?programme=&unit=&category=%E2%82%AC&light=%F0%9F&sheet=a0&form=exe",
        "?from=1990-01&zoom=quarter&milestones=yes",
    ],
)
def test_nonsense_shows_the_default(world: dict[str, Any], tail: str) -> None:
    client = client_of(world["staff"])
    assert client.get("/wall/" + tail).status_code == 200
    assert client.get("/wall/file/" + tail).status_code == 200


def test_who_sees_no_programme_is_told_what_to_do(world: dict[str, Any]) -> None:
    Project.objects.all().delete()
    text = page(client_of(world["staff"]))
    assert 'class="empty"' in text and "/projects/project/add/" in text
    Programme.objects.all().delete()
    assert 'class="empty"' in page(client_of(world["staff"]))
    assert client_of(world["staff"]).get("/wall/file/?form=pdf").status_code == 200


# -- the wall ---------------------------------------------------------------------------------------------


def test_nothing_behind_the_wall_is_drawn_counted_or_told_apart_from_nothing(world: dict[str, Any]) -> None:
    aside = factories.enterprise("墙外集团", parent=world["root"])
    hidden = factories.project(
        aside, world["project"].programme, name="墙外项目", liaison_leader=world["leader"]
    )
    factories.milestone(hidden, world["today"], name="墙外节点")
    officer = client_of(world["officer"])
    for tail in ("", "?milestones=1", f"?unit={aside.pk}", f"?open={hidden.pk}", "?group=leader"):
        text, sheet = page(officer, tail), officer.get("/wall/file/" + tail).content.decode()
        assert "墙外" not in text and "墙外" not in sheet, tail
        assert world["leader"].name not in text
        assert drawn_projects(text) == {world["project"].pk}
    for name, pk in (("unit", aside.pk), ("leader", world["leader"].pk)):
        there, nowhere = (
            re.sub(r'name="csrf\w+" value="\w+"', "", page(officer, f"?{name}={n}")) for n in (pk, 99999999)
        )
        assert there.replace(f"{name}={pk}", "") == nowhere.replace(f"{name}=99999999", "")
    # The control: who sees them has them drawn.
    assert "墙外节点" in page(client_of(world["staff"]), "?milestones=1")


def test_who_may_see_no_projects_gets_no_chart(world: dict[str, Any]) -> None:
    for role in ("security", "audit"):
        for url in ("/wall/", "/wall/file/"):
            assert client_of(world[role]).get(url).status_code == 403


# -- size and cost ----------------------------------------------------------------------------------------


def test_a_group_of_500_projects_is_under_300_kilobytes(world: dict[str, Any]) -> None:
    many(world, 499)
    refresh_lights(as_of=world["today"])
    client = client_of(world["staff"])
    whole = page(client, f"?unit={world['group'].pk}&rows=500")
    assert len(drawn_projects(whole)) == 500
    packed = len(gzip.compress(whole.encode(), 6))
    assert packed < 300_000, packed
    opened = page(client, f"?unit={world['group'].pk}&rows=500&milestones=1")
    assert (
        opened.count('<tr class="wall-step"') == 2500 - 2 + 2 or opened.count('<tr class="wall-step"') > 2400
    )
    assert len(gzip.compress(opened.encode(), 6)) < 300_000


def test_many_projects_stand_on_several_pages_and_each_on_one(world: dict[str, Any]) -> None:
    many(world, 250, steps=1)
    client = client_of(world["staff"])
    pages = [drawn_projects(page(client, f"?page={n}")) for n in (1, 2, 3)]
    assert [len(found) for found in pages] == [100, 100, 51]
    assert len(set.union(*pages)) == 251
    assert drawn_projects(page(client, "?page=77")) == pages[2], "beyond the last page stands the last"


def test_paper_says_which_part_of_the_projects_it_holds(world: dict[str, Any]) -> None:
    client = client_of(world["staff"])
    assert "wall-window" not in page(client), "all of them"
    many(world, 150, steps=1)

    def said(tail: str) -> str:
        return re.search(r'<p class="wall-window">(.*?)</p>', page(client, tail))[1]  # type: ignore[index]

    assert re.findall(r"\d+", said("")) == ["1", "100", "151"]
    assert re.findall(r"\d+", said("?page=2")) == ["101", "151", "151"]
    assert "PDF" in said("")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wall_choice, "MOST_IN_FILE", 150)
        assert "PDF" not in said(""), "no file takes so many"


def test_what_narrows_the_chart_is_named_with_a_link_that_takes_it_out(world: dict[str, Any]) -> None:
    client, pk = client_of(world["staff"]), world["project"].pk
    Project.objects.filter(pk=pk).update(liaison_leader=world["leader"], light="red")
    assert "wall-active" not in page(client)
    asked = {
        "unit": world["group"].pk,
        "category": world["project"].category_id or "-",
        "leader": world["leader"].pk,
        "light": "red",
    }
    response = client.get("/wall/", asked)
    active = [parse_qs(urlsplit(one.url).query) for one in response.context["active"]]
    assert [set(asked) - set(query) for query in active] == [{name} for name in asked]
    assert drawn_projects(response.content.decode()) == {pk}


@pytest.mark.parametrize("tail", ["", "?milestones=1", "?group=leader", "?group=category&light=green"])
def test_the_number_of_queries_does_not_grow_with_the_rows(world: dict[str, Any], tail: str) -> None:
    client = client_of(world["staff"])
    counts = []
    for more in (0, 90):
        many(world, more)
        refresh_lights(as_of=world["today"])
        page(client, tail)
        with CaptureQueriesContext(connection) as queries:
            page(client, tail)
        counts.append(len(queries))
    assert counts[0] == counts[1] < 40, counts


# -- files ------------------------------------------------------------------------------------------------


@needs_font
@pytest.mark.parametrize(("form", "begins"), [("pdf", b"%PDF"), ("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_the_chart_can_be_taken_along(world: dict[str, Any], form: str, begins: bytes) -> None:
    response = client_of(world["leader"]).get(f"/wall/file/?form={form}&sheet=slide")
    assert response.status_code == 200
    assert response.content.startswith(begins)
    assert f".{form}" in response["Content-Disposition"]
    assert response["Content-Disposition"].startswith("attachment")
    if form == "pdf":
        assert b"/FontFile" in response.content


def test_several_sheets_come_in_one_folder(world: dict[str, Any]) -> None:
    many(world, 60, steps=1)
    response = client_of(world["leader"]).get("/wall/file/?form=svg&sheet=a3")
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert len(archive.namelist()) == 2
        assert archive.read(archive.namelist()[1]).startswith(b"<?xml")


def test_without_a_font_the_page_says_what_to_install(
    world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FAMILIES", ("No Such Family",))
    client = client_of(world["leader"])
    response = client.get("/wall/file/?form=pdf&light=red")
    assert response.status_code == 409
    text = response.content.decode()
    assert "fonts-noto-cjk" in text
    (svg,) = [href for href in Links(text).found if "form=svg" in href]
    assert parse_qs(urlsplit(svg).query)["light"] == ["red"], "the same chart"
    assert client.get(svg).status_code == 200


def test_a_file_that_would_take_too_long_is_refused_with_words(
    world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    many(world, 3, steps=1)
    monkeypatch.setattr(wall_choice, "MOST_IN_FILE", 2)
    response = client_of(world["leader"]).get("/wall/file/?form=svg")
    assert response.status_code == 409
    assert 'class="empty"' in response.content.decode()


def test_the_page_obeys_the_strict_policy(world: dict[str, Any]) -> None:
    text = page(client_of(world["staff"]), "?milestones=1")
    assert not re.search(r"\sstyle=|<style|data:|\son\w+=", text)
    assert timezone.localdate() == world["today"]
