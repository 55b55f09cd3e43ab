"""Pages of notices: whose they are, what they show, and what wrong input is answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from notices.models import Message, Notice, Preference, Robot
from notices.services import health
from notices.services.telling import tell
from tests import factories
from tests.notices.robot_stub import RobotStub
from tests.notices.world import told
from tests.test_pages import built, client_of
from tools.mail_sink import MailSink

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(truths: Any) -> dict[str, Any]:
    made = built()
    for role in ("staff", "officer"):
        made[role].email = f"{role}@example.cn"
        made[role].save()
    return made


def give(person: Any, count: int = 1, **values: Any) -> list[Notice]:
    tell([told(person, n, **values) for n in range(1, count + 1)], at=timezone.now())
    return list(Notice.objects.filter(recipient=person).order_by("pk"))


def text_of(response: Any) -> str:
    return str(response.content.decode())


def robot_of(world: dict[str, Any], **values: Any) -> Robot:
    facts = {
        "name": "督办群",
        "kind": "wecom",
        "address": "https://qyapi.weixin.qq.com/geheim",
        "secret": "SECx",
    }
    return Robot.objects.create(enterprise=world["group"], set_at=timezone.now(), **{**facts, **values})


@pytest.mark.parametrize("role", ["staff", "officer", "leader", "system", "security", "audit"])
def test_everyone_has_an_inbox_and_settings(world: dict[str, Any], role: str) -> None:
    client = client_of(world[role])
    for url in ("/inbox/", "/inbox/settings/"):
        assert client.get(url).status_code == 200


def test_the_bell_counts_what_is_unread_and_true(world: dict[str, Any]) -> None:
    first, second, _third = give(world["officer"], 3)
    Notice.objects.filter(pk=first.pk).update(settled_at=timezone.now())
    Notice.objects.filter(pk=second.pk).update(read_at=timezone.now())
    client = client_of(world["officer"])
    assert '<b aria-hidden="true">1</b>' in text_of(client.get("/"))
    assert '<b aria-hidden="true">' not in text_of(client_of(world["staff"]).get("/"))


def test_the_header_costs_one_query(world: dict[str, Any], django_assert_num_queries: Any) -> None:
    from notices.services.inbox import header_of

    give(world["staff"], 120)
    assert world["staff"].grants
    with django_assert_num_queries(1):
        header = header_of(reader=world["staff"])
    assert (header.unread, header.shown, header.mail_is_off) == (120, "99+", False)


def test_opening_a_notice_marks_it_and_leads_to_what_it_is_about(world: dict[str, Any]) -> None:
    [notice] = give(world["officer"])
    answer = client_of(world["officer"]).get(f"/inbox/{notice.pk}/")
    assert answer["Location"] == "/projects/milestone/1/"
    notice.refresh_from_db()
    assert notice.read_at


def test_a_foreign_notice_is_answered_like_a_missing_one(world: dict[str, Any]) -> None:
    [notice] = give(world["officer"])
    client = client_of(world["staff"])
    foreign, missing = client.get(f"/inbox/{notice.pk}/"), client.get("/inbox/999999/")
    assert (foreign.status_code, foreign["Location"]) == (missing.status_code, missing["Location"])
    client.post("/inbox/", {"read": notice.pk})
    client.post("/inbox/", {"action": "read", "notice": [notice.pk]})
    client.post("/inbox/", {"action": "all"})
    notice.refresh_from_db()
    assert notice.read_at is None
    assert notice.data["title"] not in text_of(client.get("/inbox/"))


def test_marking_one_some_and_all(world: dict[str, Any]) -> None:
    one, two, three, _four = give(world["officer"], 4)
    client = client_of(world["officer"])

    def unread() -> int:
        return Notice.objects.filter(recipient=world["officer"], read_at=None).count()

    client.post("/inbox/", {"read": one.pk})
    assert unread() == 3
    client.post("/inbox/", {"unread": one.pk})
    assert unread() == 4
    client.post("/inbox/", {"action": "read", "notice": [two.pk, three.pk, "x", "²", 10**30]})
    assert unread() == 2
    client.post("/inbox/", {"action": "all"})
    assert unread() == 0


@pytest.mark.parametrize(
    "target", ["https://evil.cn/", "//evil.cn/inbox/", "/projects/", "javascript:alert(1)"]
)
def test_marking_leads_back_to_the_inbox_only(world: dict[str, Any], target: str) -> None:
    answer = client_of(world["officer"]).post("/inbox/", {"action": "all", "next": target})
    assert answer["Location"] == "/inbox/"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 4), ("show=unread", 3), ("show=settled", 1), ("group=due", 1), ("group=overdue", 3), ("q=第2个", 2),
        ("group=nonsense&show=x&page=zz", 4), ("page=9999", 4), ("q=%25_", 0), ("group=decision", 0),
    ],
)  # fmt: skip
def test_the_filters_of_the_inbox(world: dict[str, Any], query: str, expected: int) -> None:
    first, *_rest = give(world["officer"], 3)
    tell([told(world["officer"], 2, kind="near")], at=timezone.now())
    Notice.objects.filter(pk=first.pk).update(settled_at=timezone.now())
    page = text_of(client_of(world["officer"]).get(f"/inbox/?{query}"))
    assert page.count('name="notice"') == expected


def test_the_inbox_asks_no_more_for_more_notices(world: dict[str, Any]) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for _round in range(2):
        give(world["officer"], 10, enterprise_id=world["group"].pk)
        client_of(world["officer"]).get("/inbox/")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client_of(world["officer"]).get("/inbox/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_words_that_fail_take_no_page_away(world: dict[str, Any]) -> None:
    give(world["officer"], data={})
    assert client_of(world["officer"]).get("/inbox/").status_code == 200


def test_own_settings_are_kept_for_oneself(world: dict[str, Any]) -> None:
    officer = world["officer"]
    client = client_of(officer)
    client.post("/inbox/settings/", {"email": "new@example.cn", "overdue": "inbox", "due": "at_once"})
    officer.refresh_from_db()
    assert officer.email == "new@example.cn"
    ways = dict(Preference.objects.filter(user=officer).values_list("group", "way"))
    assert ways == {"overdue": "inbox", "due": "at_once"}
    client.post("/inbox/settings/", {"email": "", "overdue": "", "due": "digest"})
    ways = dict(Preference.objects.filter(user=officer).values_list("group", "way"))
    assert ways == {"due": "digest"}


@pytest.mark.parametrize("data", [{"email": "nonsense"}, {"email": "", "due": "by pigeon"}])
def test_nonsense_in_the_settings_keeps_nothing(world: dict[str, Any], data: dict[str, str]) -> None:
    answer = client_of(world["officer"]).post("/inbox/settings/", data)
    assert answer.status_code == 200
    assert 'role="alert"' in text_of(answer)
    assert not Preference.objects.exists()


@pytest.fixture
def sink(settings: Any) -> Iterator[MailSink]:
    with MailSink(login=("portal", "right")) as made:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", made.port
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "portal", "right"
        yield made


def test_a_test_e_mail_goes_to_oneself_once_a_minute(world: dict[str, Any], sink: MailSink) -> None:
    client = client_of(world["officer"])
    for _n in range(3):
        client.post("/inbox/settings/try/")
    assert [copy.to for copy in sink.received] == ["officer@example.cn"]
    assert Message.objects.get().state == "sent"


def test_without_a_mail_server_nothing_is_tried(world: dict[str, Any], settings: Any) -> None:
    settings.EMAIL_HOST = ""
    client = client_of(world["officer"])
    client.post("/inbox/settings/try/")
    assert not Message.objects.exists()
    assert client.get("/inbox/settings/").status_code == 200


def test_the_mail_server_is_switched_on_by_a_system_administrator_after_a_test(
    world: dict[str, Any], sink: MailSink, settings: Any
) -> None:
    server = health.mail_server()
    health.switch_off(server, reason="535 wrong", at=timezone.now())
    url = reverse("admin:notices_mailserver_try")
    told_of_it = 'href="/notices/mailserver/"'
    assert told_of_it in text_of(client_of(world["staff"]).get("/"))
    assert told_of_it not in text_of(client_of(world["officer"]).get("/"))
    assert client_of(world["staff"]).post(url).status_code == 403
    system = world["system"]
    client_of(system).post(url)
    server.refresh_from_db()
    assert not server.works, "no address, no test, so it stays off"
    system.email = "system@example.cn"
    system.save()
    settings.EMAIL_HOST_PASSWORD = "wrong"
    client_of(system).post(url)
    server.refresh_from_db()
    assert not server.works
    settings.EMAIL_HOST_PASSWORD = "right"
    Message.objects.all().delete()
    client_of(system).post(url)
    server.refresh_from_db()
    assert server.works
    assert client_of(world["staff"]).get("/notices/mailserver/").status_code == 200
    assert client_of(world["officer"]).get("/notices/mailserver/").status_code == 403


def test_who_may_see_the_mail_server_finds_it_in_the_navigation(world: dict[str, Any]) -> None:
    assert health.mail_server().works, "otherwise the banner leads there as well"
    finds = {
        role: 'href="/notices/mailserver/"' in text_of(client_of(world[role]).get("/inbox/"))
        for role in ("staff", "system", "officer", "leader")
    }
    assert finds == {"staff": True, "system": True, "officer": False, "leader": False}


def test_a_robot_is_added_and_its_address_is_shown_to_nobody_again(world: dict[str, Any]) -> None:
    client = client_of(world["officer"])
    key = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=geheim-1"
    data = {
        "enterprise": world["group"].pk,
        "name": "群",
        "kind": "wecom",
        "address": key,
        "secret": "SECgeheim",
    }
    wrong = client.post("/notices/robot/add/", {**data, "address": "https://evil.cn/"})
    assert wrong.status_code == 200
    assert not Robot.objects.exists()
    client.post("/notices/robot/add/", data)
    robot = Robot.objects.get()
    assert (robot.address, robot.secret, robot.set_by) == (key, "SECgeheim", world["officer"])
    for url in ("change/", "history/", "address/"):
        page = text_of(client.get(f"/notices/robot/{robot.pk}/{url}"))
        assert "geheim" not in page
    assert "geheim" not in text_of(client.get("/notices/robot/"))


def test_an_officer_keeps_robots_of_the_own_unit_only(world: dict[str, Any]) -> None:
    other = factories.enterprise("电力集团", parent=world["root"])
    foreign = Robot.objects.create(enterprise=other, name="别家", kind="wecom", address="x")
    client = client_of(world["officer"])
    for url in ("change/", "address/", "try/"):
        answer = client.post(f"/notices/robot/{foreign.pk}/{url}", {"address": "https://x"})
        missing = client.post(f"/notices/robot/999999/{url}", {"address": "https://x"})
        assert (answer.status_code, answer["Location"]) == (missing.status_code, missing["Location"])
    foreign.refresh_from_db()
    assert foreign.address == "x"
    assert not Message.objects.exists()


def test_a_new_address_replaces_both(world: dict[str, Any]) -> None:
    robot = robot_of(world)
    key = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=2"
    client_of(world["officer"]).post(f"/notices/robot/{robot.pk}/address/", {"address": key, "secret": ""})
    robot.refresh_from_db()
    assert (robot.address, robot.secret) == (key, "")


def test_a_robot_that_was_mended_is_tested_and_switched_on(world: dict[str, Any], settings: Any) -> None:
    stub = RobotStub()
    settings.NOTICES_ROBOT_HOSTS = [stub.host]
    robot = robot_of(world, address=stub.address())
    health.switch_off(robot, reason="93000", at=timezone.now())
    client = client_of(world["officer"])
    links = text_of(client.get("/")).count('href="/notices/robot/"')
    assert links == 2, "navigation and banner"
    stub.body = {"errcode": 93000}
    client.post(f"/notices/robot/{robot.pk}/try/")
    robot.refresh_from_db()
    assert not robot.works
    Message.objects.all().delete()
    stub.body = {"errcode": 0}
    client.post(f"/notices/robot/{robot.pk}/try/")
    robot.refresh_from_db()
    stub.close()
    assert robot.works
    assert Message.objects.get().state == "sent"


def test_the_log_shows_staff_what_became_of_messages_and_not_what_they_said(world: dict[str, Any]) -> None:
    outside = factories.user("officer", factories.sasac("外市国资委"))
    for person in (world["officer"], outside):
        Message.objects.create(
            recipient=person, channel="email", kind="at_once", on=world["today"], subject="内容不外露",
            address="who@example.cn", created_at=timezone.now(), next_try_at=timezone.now(), last_error="451 later",
        )  # fmt: skip
    page = text_of(client_of(world["staff"]).get("/notices/message/"))
    assert "451 later" in page
    assert str(world["officer"]) in page
    assert "内容不外露" not in page
    assert page.count("451 later") == 1
    row = Message.objects.get(recipient=world["officer"])
    assert "内容不外露" not in text_of(client_of(world["staff"]).get(f"/notices/message/{row.pk}/change/"))
    for role in ("officer", "leader", "system", "audit"):
        assert client_of(world[role]).get("/notices/message/").status_code == 403


def test_all_are_marked_as_many_as_the_header_counted(world: dict[str, Any]) -> None:
    first, *_others = give(world["officer"], 3)
    Notice.objects.filter(pk=first.pk).update(settled_at=timezone.now())
    client = client_of(world["officer"])
    answer = client.post("/inbox/", {"action": "all"}, follow=True)
    (said,) = answer.context["messages"]
    assert "2" in str(said) and "3" not in str(said)
    first.refresh_from_db()
    assert first.read_at is None, "what is no longer so was not unread"
    assert not Notice.objects.filter(recipient=world["officer"], read_at=None, settled_at=None).exists()
