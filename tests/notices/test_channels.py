"""The channels: what goes over the wire, and which answer means what."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from notices.channels import webhook
from notices.channels.email import MailAccount, Postman
from notices.channels.failures import Broken, Refused, SendFailure, Temporary
from notices.channels.letter import Letter, Line, Section
from notices.channels.markdown import markdown
from notices.channels.robots import SERVICES, DingTalk, Feishu, Messenger, check_address
from notices.models import Message
from notices.services.outbox import Outside, drain
from notices.services.telling import tell
from notices.ways import Channel
from tests import factories
from tests.notices.robot_stub import RobotStub
from tests.notices.world import MINUTE, MORNING, packed, reader, told
from tools.mail_sink import MailSink, faulty

NOW = datetime.datetime(2026, 8, 3, 1, 0, tzinfo=datetime.UTC)
HOSTS = ["qyapi.weixin.qq.com", "oapi.dingtalk.com", "open.feishu.cn", "open.larksuite.com"]


def letter(lines: int = 2) -> Letter:
    on = datetime.date(2026, 8, 3)
    rows = tuple(
        Line(f"第{n}个节点已逾期 3 天", f"https://p.example.cn/m/{n}/", "red", on) for n in range(lines)
    )
    return Letter(
        key=uuid.UUID("0b7d6b0e-5d0c-4b5e-9a55-6d2d8f0d1a11"),
        subject="8月3日督办提示：逾期 2",
        on=on,
        opening="2026年8月3日：2 件事项需要处理。",
        sections=(Section("已逾期", "red", rows, len(rows)),),
        inbox_url="https://p.example.cn/inbox/",
        settings_url="https://p.example.cn/inbox/settings/",
    )


def account(sink: MailSink, **values: Any) -> MailAccount:
    facts = {
        "host": "127.0.0.1",
        "port": sink.port,
        "user": "",
        "password": "",
        "use_tls": False,
        "use_ssl": False,
        "timeout": 0.5,
        "sender": "督办门户 <portal@example.cn>",
        "portal_url": "https://portal.example.cn",
        **values,
    }
    return MailAccount(**facts)


def sending(sink: MailSink, **values: Any) -> Postman:
    return Postman(account(sink, **values))


def test_an_e_mail_has_text_html_and_the_key_of_its_row() -> None:
    with MailSink() as sink:
        postman = sending(sink)
        postman.send(letter(), "li@example.cn")
        postman.send(letter(), "wang@example.cn")
        postman.close()
        assert sink.connections == 1
    first = sink.received[0].parsed()
    assert first["Message-ID"] == "<0b7d6b0e-5d0c-4b5e-9a55-6d2d8f0d1a11@portal.example.cn>"
    assert (first["Auto-Submitted"], first["To"]) == ("auto-generated", "li@example.cn")
    assert first["Subject"] == letter().subject
    text, html = (first.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    for body in (text, html):
        assert "第1个节点已逾期 3 天" in body
        assert "https://p.example.cn/m/1/" in body


def test_names_of_people_are_no_html_in_an_e_mail() -> None:
    rows = (Line("<script>x</script>", "", "red", NOW.date()),)
    hostile = Letter(**{**letter().__dict__, "sections": (Section("x", "red", rows, 1),)})
    with MailSink() as sink:
        sending(sink).send(hostile, "li@example.cn")
    html = sink.received[0].parsed().get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "<script>" not in html


def test_a_subject_makes_no_second_header() -> None:
    hostile = Letter(**{**letter().__dict__, "subject": "x\r\nBcc: all@example.cn"})
    with MailSink() as sink:
        sending(sink).send(hostile, "li@example.cn")
    assert sink.received[0].parsed()["Bcc"] is None


@pytest.mark.parametrize(
    ("fault", "expected", "may_have_arrived"),
    [
        ("later", Temporary, False),
        ("refuse", Refused, False),
        ("drop", Temporary, True),
        ("hang", Temporary, True),
    ],
)
def test_each_answer_of_a_mail_server_is_told_apart(
    fault: str, expected: type[SendFailure], may_have_arrived: bool
) -> None:
    answers = iter([fault, ""])
    with MailSink(behave=lambda to: next(answers), hang=1) as sink:
        postman = sending(sink)
        with pytest.raises(expected) as failure:
            postman.send(letter(), "li@example.cn")
        assert failure.value.may_have_arrived == may_have_arrived
        postman.send(letter(), "wang@example.cn")  # the next one goes, on a new connection where need be
    assert [copy.to for copy in sink.received if copy.answered] == ["wang@example.cn"]


def test_a_refused_login_is_the_channels_fault() -> None:
    with MailSink(login=("portal", "right")) as sink:
        with pytest.raises(Broken, match="535"):
            sending(sink, user="portal", password="wrong").send(letter(), "li@example.cn")
        sending(sink, user="portal", password="right").send(letter(), "li@example.cn")
        with pytest.raises(Broken, match="530"):
            sending(sink).send(letter(), "li@example.cn")
    assert len(sink.received) == 1


def test_a_server_that_is_not_there_is_worth_another_attempt() -> None:
    sink = MailSink()
    sink.close()
    with pytest.raises(Temporary) as failure:
        sending(sink).send(letter(), "li@example.cn")
    assert failure.value.nobody_answers


def test_a_server_without_tls_is_the_channels_fault_where_tls_is_wanted() -> None:
    with MailSink() as sink, pytest.raises(Broken):
        sending(sink, use_tls=True).send(letter(), "li@example.cn")


@pytest.mark.django_db
def test_with_thirty_per_cent_of_faults_everything_arrives_under_one_message_id(truths: Any) -> None:
    unit = factories.enterprise(parent=factories.sasac())
    people = [reader(unit) for _n in range(60)]
    tell([told(person, n) for person in people for n in (1, 2)], at=MORNING)
    packed()
    now = MORNING
    with MailSink(behave=faulty(0.3, seed=7), hang=0.2) as sink:
        for _round in range(12):
            postman = sending(sink, timeout=0.15)
            drain(
                Outside(lambda: now, postman, Messenger([]), "https://portal.example.cn", "zh-hans"),  # noqa: B023
                until=now + MINUTE,
            )
            postman.close()
            now += MINUTE * 90
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
    keys = {person.email: str(Message.objects.get(recipient=person).key) for person in people}
    by_recipient: dict[str, list[Any]] = {}
    for copy in sink.received:
        by_recipient.setdefault(copy.to, []).append(copy)
    assert by_recipient.keys() == keys.keys()
    for to, copies in by_recipient.items():
        assert {copy.message_id for copy in copies} == {f"<{keys[to]}@portal.example.cn>"}
        bodies = {copy.parsed().get_body(("plain",)).get_content() for copy in copies}
        assert len(bodies) == 1
    assert len(sink.received) > 60, "no fault ever made a second copy: the sink was too kind"


# -- group robots ---------------------------------------------------------------------------------


@pytest.fixture
def stub() -> Iterator[RobotStub]:
    made = RobotStub()
    yield made
    made.close()


def test_dingtalk_is_signed_as_a_known_vector() -> None:
    """Computed outside: printf '1577262236757\\nSECabc' | openssl dgst -sha256 -hmac SECabc -binary | base64."""
    by_hand = hmac.new(b"SECabc", b"1577262236757\nSECabc", "sha256").digest()
    assert DingTalk.sign("SECabc", 1577262236757) == base64.b64encode(by_hand).decode() == DINGTALK_VECTOR


def test_feishu_is_signed_as_a_known_vector() -> None:
    """Computed outside: printf '' | openssl dgst -sha256 -hmac $'1599360473\\ndemo' -binary | base64."""
    key = b"1599360473\ndemo".ljust(64, b"\0")  # HMAC by its definition
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key)).digest()
    by_hand = hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).digest()
    assert Feishu.sign("demo", 1599360473) == base64.b64encode(by_hand).decode() == FEISHU_VECTOR


DINGTALK_VECTOR = "I5TKCOTTj6fad4sJ4q9RsIffw0PAChVQZQGTdtRbNEQ="
FEISHU_VECTOR = "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="


@pytest.mark.parametrize("kind", list(SERVICES))
def test_each_service_gets_its_own_form(stub: RobotStub, kind: str) -> None:
    Messenger([stub.host]).send(letter(), kind=kind, address=stub.address(), secret="s", now=NOW)
    [(path, body)] = stub.asked
    query = parse_qs(urlsplit(path).query)
    assert query["access_token"] == ["k"]
    if kind == Channel.WECOM:
        assert body["msgtype"] == "markdown"
        assert "第1个节点" in body["markdown"]["content"]
        assert "sign" not in query
    elif kind == Channel.DINGTALK:
        assert body["markdown"]["title"] == letter().subject
        assert query["sign"] == [DingTalk.sign("s", int(query["timestamp"][0]))]
        assert int(query["timestamp"][0]) == NOW.timestamp() * 1000
    else:
        assert body["sign"] == Feishu.sign("s", int(body["timestamp"]))
        assert body["msg_type"] == "interactive"
        assert "sign" not in query


@pytest.mark.parametrize(
    ("kind", "status", "body", "expected"),
    [
        ("wecom", 200, {"errcode": 93000}, Broken),
        ("wecom", 200, {"errcode": 45009}, Temporary),
        ("wecom", 200, {"errcode": 40058}, Refused),
        ("dingtalk", 200, {"errcode": 310000, "errmsg": "sign not match"}, Broken),
        ("dingtalk", 200, {"errcode": 300001}, Broken),
        ("dingtalk", 200, {"errcode": 130101}, Temporary),
        ("feishu", 200, {"code": 19021}, Broken),
        ("feishu", 200, {"code": 19001}, Broken),
        ("feishu", 400, {"code": 9499, "msg": "too many request"}, Temporary),
        ("feishu", 200, {"code": 11232}, Temporary),
        ("feishu", 200, {"code": 123456}, Temporary),
        ("wecom", 404, b"not here", Broken),
        ("wecom", 429, b"", Temporary),
        ("wecom", 503, b"", Temporary),
        ("wecom", 302, b"", Broken),
        ("wecom", 200, b"<html>", Temporary),
        ("wecom", 200, b"[]", Temporary),
        ("wecom", 200, {}, Temporary),
    ],
)
def test_each_answer_of_a_robot_is_told_apart(
    stub: RobotStub, kind: str, status: int, body: Any, expected: type[SendFailure]
) -> None:
    stub.status, stub.body, stub.headers = status, body, {"Location": stub.address("/elsewhere")}
    with pytest.raises(expected) as failure:
        Messenger([stub.host]).send(letter(), kind=kind, address=stub.address(), secret="geheim", now=NOW)
    assert len(stub.asked) == 1, "no redirect is followed"
    assert "access_token" not in failure.value.reason
    assert "geheim" not in failure.value.reason


@pytest.mark.parametrize(("at_most", "lines"), [(4096, 500), (4096, 1), (900, 20)])
def test_a_message_is_cut_to_what_the_chat_holds(at_most: int, lines: int) -> None:
    text = markdown(letter(lines), at_most=at_most)
    assert len(text.encode()) <= at_most
    shown = text.count("\n- ")
    assert shown == lines or str(lines - shown) in text.split("\n\n")[-2]


def test_names_of_people_call_nobody_in_a_group() -> None:
    rows = (Line("[x](http://e) <@all> @all **", "", "red", NOW.date()),)
    text = markdown(
        Letter(**{**letter().__dict__, "sections": (Section("x", "red", rows, 1),)}), at_most=4096
    )
    for sign in ("<@", "@all", "](http://e)", "****"):
        assert sign not in text


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1-2", "wecom"),
        ("https://oapi.dingtalk.com/robot/send?access_token=ab", "dingtalk"),
        ("https://open.feishu.cn/open-apis/bot/v2/hook/ab-cd", "feishu"),
        ("https://open.larksuite.com/open-apis/bot/v2/hook/ab-cd", "feishu"),
    ],
)
def test_a_right_address_is_accepted(address: str, kind: str) -> None:
    check_address(address, kind, HOSTS)


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1",
        "https://qyapi.weixin.qq.com.evil.cn/cgi-bin/webhook/send?key=1",
        "https://qyapi.weixin.qq.com:8443/cgi-bin/webhook/send?key=1",
        "https://qyapi.weixin.qq.com@169.254.169.254/cgi-bin/webhook/send?key=1",
        "https://user:pw@qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1",
        "https://127.0.0.1/cgi-bin/webhook/send?key=1",
        "https://[::1]/cgi-bin/webhook/send?key=1",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send",
        "https://qyapi.weixin.qq.com/cgi-bin/other?key=1",
        "https://oapi.dingtalk.com/robot/send?access_token=ab",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1\r\nHost: x",
        "file:///etc/passwd",
        "https://qyapi.weixin.qq.com:x/",
        "",
    ],
)
def test_a_wrong_address_is_refused(address: str) -> None:
    with pytest.raises(webhook.AddressRefused):
        check_address(address, "wecom", HOSTS)


def test_http_is_for_listed_loopback_ports_only() -> None:
    webhook.checked("http://127.0.0.1:8123/x", ["127.0.0.1:8123"])
    for address, listed in (
        ("http://127.0.0.1:8124/x", "127.0.0.1:8123"),
        ("http://10.0.0.8:80/x", "10.0.0.8:80"),
    ):
        with pytest.raises(webhook.AddressRefused):
            webhook.checked(address, [listed])


def test_a_listed_name_that_leads_inside_is_not_asked(monkeypatch: Any) -> None:
    inside = [(2, 1, 6, "", ("10.0.0.8", 443))]
    monkeypatch.setattr(webhook.socket, "getaddrinfo", lambda *_args, **_kw: inside)
    with pytest.raises(Broken):
        webhook.post("https://qyapi.weixin.qq.com/x", {}, allowed=HOSTS)


def test_a_name_that_cannot_be_resolved_is_worth_another_attempt(monkeypatch: Any) -> None:
    def nothing(*_args: Any, **_kw: Any) -> Any:
        raise OSError("no such name")

    monkeypatch.setattr(webhook.socket, "getaddrinfo", nothing)
    with pytest.raises(Temporary):
        webhook.post("https://qyapi.weixin.qq.com/x", {}, allowed=HOSTS)
