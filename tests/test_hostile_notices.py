"""What a colleague with bad intentions tried with notices: to learn from them what lies behind the wall."""

from __future__ import annotations

import datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from enterprises.models import Membership
from notices.channels.email import mail_of
from notices.channels.failures import Temporary
from notices.channels.markdown import markdown
from notices.kinds import kind_of
from notices.models import Message, Notice, Robot
from notices.services.packing import pack
from notices.services.telling import Tell, tell
from projects.models import Project
from projects.notice_names import DECISION, OVERDUE, REMINDER
from tests import factories
from tests.forms import form_of, shown_form
from tests.notices.world import Hands, drained
from tests.test_pages import DAY, built, client_of

pytestmark = pytest.mark.django_db


def hostile() -> dict[str, Any]:
    """Users of every role, with addresses; and those who are curious from beside and from below."""
    made = built()
    for role in ("staff", "officer", "leader"):
        made[role].email = f"{role}@example.cn"
        made[role].save()
    made["other_root"] = factories.sasac("别市国资委")
    made["stranger"] = factories.user("staff", made["other_root"], name="外人")
    made["group_staff"] = factories.user("staff", made["group"], name="集团职员")
    return made


@pytest.fixture
def world() -> dict[str, Any]:
    return hostile()


def told_of_late(world: dict[str, Any], kind: str = OVERDUE, cause: str = "x", **to: Any) -> None:
    """What the ladder, a reminder or a decision writes about the late milestone."""
    late, project = world["late"], world["project"]
    data = {
        "milestone": late.name, "project": project.name, "project_id": project.pk, "enterprise": "水务",
        "programme": "实事", "due_on": str(late.due_on), "days": 1, "order": "", "post": "coordinator",
        "instead": "", "episode": None, "by": "某", "note": "", "of": "progressreport", "action": "return",
    }  # fmt: skip
    item = Tell(
        kind=kind, cause=f"{cause}:{kind}", data=data, subject="projects.milestone", subject_id=late.pk,
        on=world["today"], urgent=True, enterprise_id=project.enterprise_id, **to,
    )  # fmt: skip
    tell([item], at=timezone.now())


def delivered() -> Hands:
    """Everything that waits is packed and sent, now."""
    now, hands = timezone.now(), Hands()
    pack(now=now, working_day=True, digest_at=datetime.time(0), mail=True)
    drained(hands, now + datetime.timedelta(seconds=1))
    return hands


# -- behind the wall: what leaves ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [OVERDUE, REMINDER, DECISION])
def test_a_project_that_moved_is_no_more_told_to_the_people_it_left(world: dict[str, Any], kind: str) -> None:
    told_of_late(world, kind, recipient_id=world["officer"].pk)
    told_of_late(world, kind, recipient_id=world["staff"].pk)
    elsewhere = factories.enterprise("燃气集团", parent=world["root"])
    Project.objects.filter(pk=world["project"].pk).update(enterprise=elsewhere)
    assert [to for to, _letter in delivered().given] == ["staff@example.cn"]


@pytest.mark.parametrize("kind", [OVERDUE, REMINDER, DECISION])
def test_who_went_to_another_unit_is_not_mailed_what_the_old_one_does(
    world: dict[str, Any], kind: str
) -> None:
    told_of_late(world, kind, recipient_id=world["officer"].pk)
    elsewhere = factories.enterprise("燃气集团", parent=world["root"])
    Membership.objects.filter(user=world["officer"]).update(unit=elsewhere)
    assert delivered().given == []


def test_a_role_without_projects_is_not_mailed_about_them(world: dict[str, Any]) -> None:
    told_of_late(world, recipient_id=world["officer"].pk)
    Membership.objects.filter(user=world["officer"]).update(role="system")
    assert delivered().given == []


def test_a_group_chat_hears_no_more_of_a_project_that_left_its_unit(world: dict[str, Any]) -> None:
    robot = Robot.objects.create(enterprise=world["group"], name="群", kind="wecom", address="https://a")
    above = Robot.objects.create(enterprise=world["root"], name="上", kind="wecom", address="https://b")
    told_of_late(world, robot_id=robot.pk)
    told_of_late(world, robot_id=above.pk)
    elsewhere = factories.enterprise("燃气集团", parent=world["root"])
    Project.objects.filter(pk=world["project"].pk).update(enterprise=elsewhere)
    assert [to for to, _letter in delivered().given] == ["https://b"]


def test_who_left_or_was_closed_is_mailed_nothing(world: dict[str, Any]) -> None:
    told_of_late(world, recipient_id=world["officer"].pk)
    told_of_late(world, recipient_id=world["staff"].pk)
    Membership.objects.filter(user=world["officer"]).update(valid_until=world["today"] - DAY)
    world["staff"].is_active = False
    world["staff"].save()
    assert delivered().given == []


def test_whoever_still_answers_for_the_project_is_told_as_before(world: dict[str, Any]) -> None:
    for role in ("officer", "staff", "leader"):
        told_of_late(world, recipient_id=world[role].pk)
    assert len(delivered().given) == 3


@pytest.mark.parametrize("also_tells", [False, True])
def test_a_copy_that_may_have_arrived_is_not_repeated_across_the_wall(
    world: dict[str, Any], also_tells: bool
) -> None:
    told_of_late(world, recipient_id=world["officer"].pk)
    if also_tells:
        other = factories.project(world["group"], world["project"].programme)
        late = factories.milestone(other, world["today"] - DAY)
        told_of_late({**world, "late": late, "project": other}, cause="y", recipient_id=world["officer"].pk)
    now, hands = timezone.now(), Hands()
    pack(now=now, working_day=True, digest_at=datetime.time(0), mail=True)
    hands.failures["*"] = Temporary("no answer after DATA", may_have_arrived=True)
    drained(hands, now + datetime.timedelta(seconds=1))
    Project.objects.filter(pk=world["project"].pk).update(
        enterprise=factories.enterprise("燃气集团", parent=world["root"])
    )
    hands.failures.clear()
    drained(hands, now + datetime.timedelta(hours=1))
    _first, *second = [[line.title for line in letter.lines()] for _to, letter in hands.given]
    assert len(second) == also_tells
    assert not any(world["project"].name in title for titles in second for title in titles)
    assert Message.objects.get().state == ("sent" if also_tells else "dropped")


def test_the_wall_is_asked_once_for_all_that_is_sent_together(
    world: dict[str, Any], django_assert_num_queries: Any
) -> None:
    for number in range(12):
        person = factories.user("officer", world["group"])
        told_of_late(world, cause=str(number), recipient_id=person.pk)
    told = list(Notice.objects.select_related("robot__enterprise"))
    with django_assert_num_queries(2):
        assert kind_of(OVERDUE).still_theirs(told, world["today"]) == {notice.pk for notice in told}


# -- behind the wall: what pages say -----------------------------------------------------------------------


def test_notices_of_others_are_neither_read_nor_marked(world: dict[str, Any]) -> None:
    told_of_late(world, recipient_id=world["officer"].pk)
    told_of_late(world, recipient_id=world["staff"].pk)
    theirs = Notice.objects.get(recipient=world["officer"])
    for role in ("staff", "leader", "system", "security", "audit", "stranger", "group_staff"):
        client = client_of(world[role])
        answers = [client.get(f"/inbox/{pk}/") for pk in (theirs.pk, 10**9, 10**30)]
        assert {(a.status_code, a.get("Location")) for a in answers} == {(302, "/inbox/")}
        said = [str(m) for a in answers for m in a.wsgi_request._messages]
        assert len(set(said)) <= 1
        for data in (
            {"action": "read", "notice": theirs.pk},
            {"read": theirs.pk},
            {"action": "all"},
            {"unread": theirs.pk},
        ):
            client.post("/inbox/", data)
        if role != "staff":
            assert (
                world["late"].name not in client.get("/inbox/?q=" + theirs.data["project"]).content.decode()
            )
    theirs.refresh_from_db()
    assert theirs.read_at is None


def test_foreign_robots_are_like_missing_ones(world: dict[str, Any]) -> None:
    robot = Robot.objects.create(
        enterprise=world["root"],
        name="上级群",
        kind="wecom",
        address="https://qyapi.weixin.qq.com/k",
        secret="s3cr3t",
    )
    for role in ("officer", "stranger", "group_staff"):
        client = client_of(world[role])
        for end in ("change/", "address/", "try/", "history/", "delete/"):
            for method in (client.get, client.post):
                real, missing = (method(f"/notices/robot/{pk}/{end}") for pk in (robot.pk, 987654321))
                assert real.status_code == missing.status_code, (role, end)
                assert real.get("Location") == missing.get("Location"), (role, end)
                assert "上级群" not in real.content.decode()
        assert "上级群" not in client.get("/notices/robot/?q=上级").content.decode()


def test_address_and_secret_of_a_robot_are_on_no_page(world: dict[str, Any]) -> None:
    address = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=KEY-OF-THE-GROUP"
    officer = client_of(world["officer"])
    officer.post(
        "/notices/robot/add/",
        {
            "enterprise": world["group"].pk,
            "name": "群甲",
            "kind": "wecom",
            "address": address,
            "secret": "SIGNED-BY",
        },
    )
    robot = Robot.objects.get()
    opened = officer.get(f"/notices/robot/{robot.pk}/change/")
    data = form_of(opened)
    Robot.objects.filter(pk=robot.pk).update(name="群乙")
    officer.post(f"/notices/robot/{robot.pk}/address/", {"address": address + "-2", "secret": "SIGNED-BY-2"})
    pages = [officer.post(f"/notices/robot/{robot.pk}/change/", {**data, "name": "群丙"})]
    for role in ("officer", "staff", "group_staff", "audit", "leader"):
        client = client_of(world[role])
        pages += [
            client.get(url)
            for url in (
                "/notices/robot/", f"/notices/robot/{robot.pk}/change/", f"/notices/robot/{robot.pk}/address/",
                f"/notices/robot/{robot.pk}/history/", f"/notices/robot/{robot.pk}/delete/", "/notices/message/",
                "/journal/", "/journal/?kind=notices.robot", "/notices/robot/?address__startswith=https",
                "/notices/robot/?secret__startswith=S", "/notices/robot/?o=1.2.3.4.5.6.7.8",
            )
        ]  # fmt: skip
    for page in pages:
        assert page.status_code < 500
        for word in ("KEY-OF-THE-GROUP", "SIGNED-BY"):
            assert word not in page.content.decode(), page.wsgi_request.get_full_path()


def test_the_delivery_log_is_asked_through_no_other_columns(world: dict[str, Any]) -> None:
    told_of_late(world, recipient_id=world["officer"].pk)
    delivered()
    message = Message.objects.get()
    staff = client_of(world["staff"])
    assert message.recipient.name in staff.get("/notices/message/").content.decode()
    for query in ("recipient__email__startswith=o", "notices__data__icontains=x", "recipient__password__startswith=p", "subject__contains=x", "o=99", "p=zz", "q=%F0%9F%92%A9", "state__exact=nonsense"):  # fmt: skip
        answer = staff.get(f"/notices/message/?{query}")
        assert answer.status_code < 500
        assert "officer@example.cn" not in answer.content.decode()
    for role in ("stranger", "officer", "leader", "system", "security", "audit"):
        client = client_of(world[role])
        for end in ("change/", "history/", "delete/"):
            real, missing = (client.get(f"/notices/message/{pk}/{end}") for pk in (message.pk, 987654321))
            assert (real.status_code, real.get("Location")) == (missing.status_code, missing.get("Location"))
    for end in ("change/", "history/", "delete/"):
        assert staff.get(f"/notices/message/{message.pk}/{end}").status_code < 500
        assert client_of(world["system"]).get(f"/notices/mailserver/1/{end}").status_code < 500
    assert world["late"].name not in staff.get(f"/notices/message/{message.pk}/change/").content.decode()


def test_the_ladder_tried_out_names_nobody_beyond_the_wall(world: dict[str, Any]) -> None:
    own = factories.programme(
        world["group"],
        world["today"].year,
        ends_on=world["today"] + DAY * 99,
        patrolled_until=world["today"] + DAY * 199,
    )
    project = factories.project(world["group"], own, liaison_leader=world["leader"])
    factories.milestone(project, world["today"] - DAY * 90)
    world["leader"].name = "挂点首长"
    world["leader"].save()
    url = reverse("admin:projects_programme_ladder", args=[own.pk])
    for reader, seen in (("staff", True), ("group_staff", False)):
        client = client_of(world[reader])
        data = shown_form(client.get(url), "ladder") | {"_preview": "1"}
        page = client.post(url, data)
        assert page.status_code == 200
        previews = page.context["previews"]
        assert any(preview.hearers for preview, _vacant in previews)
        assert ("挂点首长" in page.content.decode()) is seen


def test_who_was_faster_with_the_rules_is_named_only_to_those_who_may_know(world: dict[str, Any]) -> None:
    own = factories.programme(
        world["group"],
        world["today"].year,
        ends_on=world["today"] + DAY * 99,
        patrolled_until=world["today"] + DAY * 199,
    )
    url = reverse("admin:projects_programme_lights", args=[own.pk])
    rules = {"warning_days": 9, "yellow_gap": 5, "red_gap": 30, "cycle": "month", "reason": "试", "seen": own.policy_number, "_save": "1"}  # fmt: skip
    world["staff"].name = "上级职员"
    world["staff"].save()
    assert client_of(world["staff"]).post(url, rules).status_code == 302
    slow = client_of(world["group_staff"]).post(url, {**rules, "warning_days": 8})
    assert slow.status_code == 409
    assert "上级职员" not in slow.content.decode()


def test_acting_for_somebody_beyond_the_wall_is_not_to_be_had(world: dict[str, Any]) -> None:
    guard = factories.user("security", world["group"])
    own = factories.user("officer", world["group"])
    client = client_of(guard)
    row = own.memberships.get()
    for url in (f"/enterprises/membership/{row.pk}/change/", f"/enterprises/user/{own.pk}/change/"):
        data = form_of(client.get(url))
        field = "acting_for" if "membership" in url else "memberships-0-acting_for"
        assert field in client.get(url).content.decode()
        client.post(url, {**data, field: world["leader"].pk})
        row.refresh_from_db()
        assert row.acting_for_id is None, url
    answer = client.get(
        "/autocomplete/?app_label=enterprises&model_name=membership&field_name=acting_for&term="
    )
    assert world["leader"].name not in answer.content.decode()


def test_acting_for_somebody_beyond_the_wall_is_neither_named_nor_lost(world: dict[str, Any]) -> None:
    guard = factories.user("security", world["group"])
    own = factories.user("officer", world["group"])
    world["leader"].name = "挂点首长"
    world["leader"].save()
    own.memberships.update(acting_for=world["leader"])
    row = own.memberships.get()
    client = client_of(guard)
    for url in (f"/enterprises/membership/{row.pk}/change/", f"/enterprises/user/{own.pk}/change/"):
        page = client.get(url)
        assert "挂点首长" not in page.content.decode(), url
        data = form_of(page)
        data["note" if "membership" in url else "memberships-0-note"] = "改"
        answer = client.post(url, data)
        assert answer.status_code == 302, url
        row.refresh_from_db()
        assert (row.acting_for_id, row.note) == (world["leader"].pk, "改"), url
        assert "挂点首长" not in client.get(url.replace("change", "history")).content.decode(), url
        Membership.objects.filter(pk=row.pk).update(note="")


def test_names_that_break_headers_and_pages_stay_names(world: dict[str, Any]) -> None:
    evil = '管\r\nBcc: b@example.cn\u2028\x0b\x0c\x85<img src=x onerror=y> [点](http://evil) <@all> @所有人 <at user_id="all">'
    Project.objects.filter(pk=world["project"].pk).update(name=evil)
    world["project"].refresh_from_db()
    told_of_late(world, recipient_id=world["officer"].pk)
    [(to, letter)] = delivered().given
    raw = mail_of(letter, sender="p@example.cn", to=to, portal_url="https://portal.example.cn")
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["Bcc"] is None and mail["To"] == "officer@example.cn"
    html = mail.get_body(("html",)).get_content()
    assert "<img" not in html and "http://evil" in html
    chat = markdown(letter, at_most=4096)
    for sign in ("<@", "@", "](http://evil", "<at", "<img"):
        assert sign not in chat
    page = client_of(world["officer"]).get("/inbox/").content.decode()
    assert "<img src=x" not in page
