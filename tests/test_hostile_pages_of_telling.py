"""What a colleague with bad intentions tried with the pages of telling: spam, addresses, repetition, odd input."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from enterprises.scoping import users_who_may
from notices.models import Message, Preference, Robot
from projects.models import CalendarDay, Programme, Reminder
from tests.racing import together
from tests.test_hostile_notices import hostile
from tests.test_pages import DAY, client_of
from tools.mail_sink import MailSink

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    return hostile()


# -- spam ---------------------------------------------------------------------------------------------------


@pytest.fixture
def mail_sink(settings: Any) -> Any:
    with MailSink() as sink:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        yield sink


@pytest.mark.django_db(transaction=True)
def test_pressing_twenty_times_at_once_sends_one_test_message(world: dict[str, Any], mail_sink: Any) -> None:
    clients = [client_of(world["officer"]) for _n in range(6)]
    together(*((lambda c=client: c.post("/inbox/settings/try/")) for client in clients))
    assert Message.objects.filter(kind="test").count() == 1


ODD_ADDRESSES = [
    '"a\x01b"@example.cn', '"a,b"@example.cn', '"x> bcc:"@example.cn', "a@例子.中国", "a@[127.0.0.1]", "a@localhost",
    "a" * 64 + "@example.cn", "用户@example.cn", "a@" + "x" * 63 + ".cn", "a@" + "例" * 55 + ".cn", "a@ß.cn", "a@xn--0.cn",
    "a@example.cn\r\nBcc: b@example.cn", "a@example.cn,b@example.cn", '"\\\n"@example.cn',
]  # fmt: skip


@pytest.mark.parametrize("address", ODD_ADDRESSES)
def test_an_odd_address_reaches_one_person_or_nobody_and_breaks_no_page(
    world: dict[str, Any], mail_sink: Any, address: str
) -> None:
    client = client_of(world["officer"])
    client.post("/inbox/settings/", {"email": address})
    assert client.post("/inbox/settings/try/").status_code == 302
    assert client.get("/inbox/settings/").status_code == 200
    for mail in mail_sink.mails if hasattr(mail_sink, "mails") else []:
        assert "b@example.cn" not in str(mail)


ADDRESSES_INSIDE = [
    "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k", "https://127.0.0.1/robot/send?access_token=k",
    "https://qyapi.weixin.qq.com@127.0.0.1/cgi-bin/webhook/send?key=k", "https://qyapi.weixin.qq.com:8443/cgi-bin/webhook/send?key=k",
    "https://qyapi.weixin.qq.com.:443/cgi-bin/webhook/send?key=k", "https://[::1]/cgi-bin/webhook/send?key=k",
    "https://2130706433/cgi-bin/webhook/send?key=k", "https://0x7f.1/cgi-bin/webhook/send?key=k",
    "https://qyapi。weixin。qq。com/cgi-bin/webhook/send?key=k", "https://qyapi.weixin.qq.com\\@evil.example/cgi-bin/webhook/send?key=k",
    "https://qyapi.weixin.qq.com.evil.example/cgi-bin/webhook/send?key=k", "https://evil.example/#qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k",
    "https://QYAPI.weixin.qq.com:0/cgi-bin/webhook/send?key=k", "https://qyapi.weixin.qq.com:99999/cgi-bin/webhook/send?key=k",
    "https://qyapi.weixin.qq.com/cgi-bin/webhook/send/../../user/get?key=k", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k\r\nHost: evil",
    "//qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k", "file:///etc/passwd", "https:///cgi-bin/webhook/send?key=k", "https://[qyapi.weixin.qq.com]/cgi-bin/webhook/send?key=k",
    "https://qyapi.weixin.qq.com%00/cgi-bin/webhook/send?key=k", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES_INSIDE)
def test_a_webhook_leads_nowhere_but_to_the_robots_own_hosts(world: dict[str, Any], address: str) -> None:
    answer = client_of(world["officer"]).post(
        "/notices/robot/add/",
        {"enterprise": world["group"].pk, "name": "群", "kind": "wecom", "address": address, "secret": ""},
    )
    assert answer.status_code == 200 and not Robot.objects.exists()


# -- silence and repetition ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_windows_that_keep_settings_at_once_both_get_an_answer(world: dict[str, Any]) -> None:
    for _round in range(4):
        Preference.objects.all().delete()
        clients = [client_of(world["officer"]) for _n in range(4)]
        data = {
            "email": "o@example.cn",
            **dict.fromkeys(("due", "overdue", "reminder", "decision", "system"), "digest"),
        }
        answers = together(*(partial(c.post, "/inbox/settings/", data) for c in clients))
        assert {a.status_code for a in answers} == {302}
        assert Preference.objects.filter(user=world["officer"], way="digest").count() == 5


def test_the_calendar_of_all_is_not_bent_from_below(world: dict[str, Any]) -> None:
    client, day = client_of(world["group_staff"]), timezone.localdate() + DAY
    url = "/projects/calendarday/"
    CalendarDay.objects.filter(day=day).delete()
    client.post(f"{url}add/", {"day": str(day), "name": "放假", "source": "x"})
    assert not CalendarDay.objects.filter(day=day).exists()
    row = CalendarDay.objects.create(day=day, is_working=True)
    for end in ("change", "delete"):
        client.post(f"{url}{row.pk}/{end}/", {"is_working": "", "name": "改", "post": "yes"})
    sheet = SimpleUploadedFile("x.csv", f"日期,类型,名称\n{day},放假,x\n".encode())
    page = client.post(f"{url}import/", {"sheet": sheet})
    held = (page.context or {}).get("held", "")
    above = client_of(world["staff"])
    sheet = SimpleUploadedFile(
        "x.csv", f"日期,类型,名称\n{day},{'放假' if day.weekday() < 5 else '上班'},x\n".encode()
    )
    replayed = above.post(f"{url}import/", {"sheet": sheet}).context["held"]
    for payload in (held, replayed):
        client.post(f"{url}import/", {"confirm": "1", "held": payload, "drop": "1"})
    row.refresh_from_db()
    assert (row.is_working, row.name) == (True, "")
    assert client.get(url).status_code == 200
    assert client.get(f"{url}import/").status_code < 500
    keepers = set(users_who_may("change", row, on=world["today"]))
    assert world["staff"] in keepers
    assert world["group_staff"] not in keepers


# -- reminders ---------------------------------------------------------------------------------------------------


def test_reminders_are_pressed_by_staff_of_the_project_only(world: dict[str, Any]) -> None:
    for role in ("officer", "leader", "system", "security", "audit", "stranger"):
        client = client_of(world[role])
        for what, pk in (("project", world["project"].pk), ("milestone", world["late"].pk)):
            for method in (client.get, client.post):
                answer = method(f"/projects/{what}/remind/", {"id": pk})
                assert answer.status_code in (200, 302, 403)
                if role in ("stranger", "system", "security", "audit"):
                    assert world["late"].name not in answer.content.decode()
    assert not Reminder.objects.exists()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world["staff"], backend="enterprises.authentication.AccountBackend")
    assert strict.post("/projects/project/remind/", {"id": world["project"].pk}).status_code == 403
    staff = client_of(world["staff"])
    staff.get("/projects/project/remind/", {"id": world["project"].pk, "note": "x"})
    many = [*range(10**6, 10**6 + 700), world["project"].pk]
    for ids in (many, ["²", "٣", "-1", "9" * 30, "", "x" * 5000], []):
        assert staff.post("/projects/project/remind/", {"id": ids}).status_code in (200, 302, 409)
    Programme.objects.update(archived_on=world["today"])
    Reminder.objects.all().delete()
    staff.post("/projects/project/remind/", {"id": world["project"].pk})
    assert not Reminder.objects.exists()


# -- every new address, odd input ----------------------------------------------------------------------------------

ODD = ("", "²", "٣", "-1", "9" * 40, "nan", "1e9", "x" * 6000, "<b>", "'\"", "\ud7ff", "{" * 500, "[" * 9000, "%00x"[:0] + "a\u202eb")  # fmt: skip


@pytest.mark.parametrize("role", ["staff", "officer", "system", "group_staff"])
def test_odd_input_is_answered_without_a_fault(world: dict[str, Any], role: str) -> None:
    programme, project = world["project"].programme_id, world["project"].pk
    client = client_of(world[role])
    for odd in ODD:
        for url, names in {
            "/inbox/": ("page", "show", "group", "q"), "/inbox/settings/": ("email",), "/patrol/": ("p",),
            "/projects/calendarday/": ("year",), "/projects/calendarday/add/": ("day",), "/projects/calendarday/import/": ("x",),
            "/projects/reminder/": ("sent", "programme", "enterprise", "q", "p", "o"), "/notices/robot/": ("q", "p", "kind__exact"),
            "/notices/message/": ("q", "p", "state__exact", "channel__exact"), "/notices/mailserver/": ("q",),
            f"/projects/project/{project}/light/": ("day",), f"/projects/programme/{programme}/lights/": ("x",),
            f"/projects/programme/{programme}/ladder/": ("x",), "/projects/milestone/remind/": ("id",), "/projects/project/remind/": ("id",),
        }.items():  # fmt: skip
            answer = client.get(url, dict.fromkeys(names, odd))
            assert answer.status_code < 500, (url, odd[:20])
        for url, data in (
            ("/inbox/", {"action": odd, "notice": odd, "next": odd, "read": odd}),
            ("/inbox/", {"action": "read", "notice": [odd] * 5, "next": f"/inbox/\r\n{odd}"}),
            ("/inbox/settings/", {"email": odd, "due": odd, "overdue": odd}),
            ("/projects/calendarday/add/", {"day": odd, "is_working": odd, "name": odd, "source": odd}),
            ("/projects/calendarday/import/", {"confirm": "1", "held": odd, "drop": odd}),
            ("/projects/calendarday/import/", {"sheet": odd}),
            ("/projects/project/remind/", {"id": odd, "note": odd}),
            ("/notices/robot/add/", {"enterprise": odd, "name": odd, "kind": odd, "address": odd, "secret": odd}),
            ("/notices/mailserver/try/", {"x": odd}),
            (f"/projects/programme/{programme}/lights/", dict.fromkeys(("warning_days", "yellow_gap", "red_gap", "red_fades", "cycle", "reason", "seen", "_save"), odd)),
            (f"/projects/programme/{programme}/lights/", {"warning_days": 3, "yellow_gap": 3, "red_gap": 5, "cycle": "week", "seen": 1, "reason": odd}),
            (f"/projects/programme/{programme}/ladder/", {"rung-TOTAL_FORMS": odd, "rung-INITIAL_FORMS": odd, "_save": "1"}),
            (f"/projects/programme/{programme}/ladder/", {"rung-TOTAL_FORMS": "3", "rung-INITIAL_FORMS": "900", "rung-0-days": odd, "rung-0-side": odd, "rung-0-recipient": odd, "quiet_from": odd, "quiet_until": odd, "seen": odd, "_save": "1"}),
            (f"/projects/programme/{programme}/ladder/", {"rung-TOTAL_FORMS": "1", "rung-INITIAL_FORMS": "0", "rung-0-days": "3", "rung-0-side": "after", "rung-0-recipient": "reviewer", "quiet_from": "22:00", "quiet_until": "08:00", "seen": odd, "_save": "1"}),
        ):  # fmt: skip
            answer = client.post(url, data)
            assert answer.status_code < 500, (url, odd[:20])
    for pk in ("0", "99999999999999999999999999", "1" * 400):
        for url in (f"/inbox/{pk}/", f"/notices/robot/{pk}/address/", f"/notices/robot/{pk}/try/", f"/notices/robot/{pk}/change/", f"/notices/message/{pk}/change/", f"/projects/project/{pk}/light/", f"/projects/programme/{pk}/lights/", f"/projects/programme/{pk}/ladder/", f"/projects/calendarday/{pk}/change/", f"/projects/setaside/{pk}/change/"):  # fmt: skip
            assert client.get(url).status_code < 500, url
            assert client.post(url, {"x": 1}).status_code < 500, url
