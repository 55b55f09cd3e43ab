"""Group robots: three services, each with its own form of a message, of signing, and of saying no.

Written from the services' public documentation of custom group robots. A code that none of the tables names is
taken as temporary: the message is tried again and given up after days, and nobody's channel is switched off for
a word that we do not understand.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from django.utils.translation import gettext as _

from notices import reasons
from notices.channels import webhook
from notices.channels.failures import Broken, Refused, Temporary
from notices.channels.letter import Letter
from notices.channels.markdown import markdown
from notices.ways import Channel


class Service:
    """Abstract. What one service wants."""

    host: str
    path: str
    #: Query parameter that holds the key, "" where the path does.
    key: str = ""
    broken: frozenset[int] = frozenset()
    refused: frozenset[int] = frozenset()

    def request(
        self, letter: Letter, address: str, secret: str, now: datetime.datetime
    ) -> tuple[str, dict[str, Any]]:
        """Address and JSON of one message, signed where there is a secret."""
        raise NotImplementedError

    def code(self, answer: dict[str, Any]) -> tuple[int, str]:
        """Number and words of the answer; 0 is success."""
        return _number(answer.get("errcode")), str(answer.get("errmsg", ""))

    def judge(self, answer: dict[str, Any]) -> None:
        code, said = self.code(answer)
        if code == 0:
            return
        words = _(reasons.ROBOT_ANSWERED).format(code=code, answer=said[:300])
        if code in self.broken:
            raise Broken(words)
        if code in self.refused:
            raise Refused(words)
        raise Temporary(words)


class WeCom(Service):
    """企业微信. No signing: the key in the address is all there is."""

    host, path, key = "qyapi.weixin.qq.com", "/cgi-bin/webhook/send", "key"
    broken = frozenset({93000, 93004, 93008, 93017})  # no such robot, taken out, not in the group, no right
    refused = frozenset({40008, 40058, 44004, 45002})  # of a kind, an argument, empty, too long
    MOST_BYTES = 4096

    def request(
        self, letter: Letter, address: str, secret: str, now: datetime.datetime
    ) -> tuple[str, dict[str, Any]]:
        text = markdown(letter, at_most=self.MOST_BYTES)
        return address, {"msgtype": "markdown", "markdown": {"content": text}}


class DingTalk(Service):
    """钉钉. Signed in the query: HMAC-SHA256, keyed by the secret, of milliseconds, line feed, secret."""

    host, path, key = "oapi.dingtalk.com", "/robot/send", "access_token"
    #: Token, sign, key word or sender's address not accepted; the robot or its group has gone.
    broken = frozenset({300001, 300005, 310000, 400013, 400101, 400102, 400106, 400401})
    refused = frozenset({40035, 43004, 400105, 430101, 430102, 430103, 430104, 460101})
    MOST_BYTES = 19_000  # of 20,000 for the whole body

    def request(
        self, letter: Letter, address: str, secret: str, now: datetime.datetime
    ) -> tuple[str, dict[str, Any]]:
        text = markdown(letter, at_most=self.MOST_BYTES)
        if secret:
            stamp = int(now.timestamp() * 1000)
            address += f"&timestamp={stamp}&sign={quote_plus(self.sign(secret, stamp))}"
        return address, {"msgtype": "markdown", "markdown": {"title": letter.subject[:60], "text": text}}

    @staticmethod
    def sign(secret: str, stamp: int) -> str:
        """Args: stamp: milliseconds since 1970."""
        digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode()


class Feishu(Service):
    """飞书. Signed in the body: HMAC-SHA256 of nothing, keyed by seconds, line feed, secret."""

    host, path = "open.feishu.cn", "/open-apis/bot/v2/hook/"
    broken = frozenset({19001, 19021, 19022, 19024, 19036})  # address, sign, sender's address, key word
    refused = frozenset({19002, 10208, 11246, 230099})  # the form or the content of the message
    MOST_BYTES = 18_000  # of 20 KB for the whole body, in which JSON escapes line feeds

    def request(
        self, letter: Letter, address: str, secret: str, now: datetime.datetime
    ) -> tuple[str, dict[str, Any]]:
        text = markdown(letter, at_most=self.MOST_BYTES, headline=False)
        card = {
            "header": {"title": {"tag": "plain_text", "content": letter.subject[:100]}},
            "elements": [{"tag": "markdown", "content": text}],
        }
        payload: dict[str, Any] = {"msg_type": "interactive", "card": card}
        if secret:
            stamp = int(now.timestamp())
            payload |= {"timestamp": str(stamp), "sign": self.sign(secret, stamp)}
        return address, payload

    def code(self, answer: dict[str, Any]) -> tuple[int, str]:
        number = answer.get("code", answer.get("StatusCode"))
        return _number(number), str(answer.get("msg", answer.get("StatusMessage", "")))

    @staticmethod
    def sign(secret: str, stamp: int) -> str:
        """Args: stamp: seconds since 1970."""
        return base64.b64encode(
            hmac.new(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
        ).decode()


SERVICES: dict[str, Service] = {
    Channel.WECOM: WeCom(),
    Channel.DINGTALK: DingTalk(),
    Channel.FEISHU: Feishu(),
}
_HOSTS = {each.host: kind for kind, each in SERVICES.items()} | {"open.larksuite.com": Channel.FEISHU}


@dataclass(frozen=True)
class Messenger:
    """Carries letters to group robots.

    Args:
        allowed: hosts that may be asked (see `notices.channels.webhook`).
        timeout: seconds for each step.
    """

    allowed: Sequence[str]
    timeout: float = webhook.TIMEOUT

    def send(self, letter: Letter, *, kind: str, address: str, secret: str, now: datetime.datetime) -> None:
        """Hand one letter to a robot.

        Raises:
            Temporary, Refused, Broken: see `notices.channels.failures`.
        """
        service = SERVICES[kind]
        to, payload = service.request(letter, address, secret, now)
        service.judge(webhook.post(to, payload, allowed=self.allowed, timeout=self.timeout))


def check_address(address: str, kind: str, allowed: Sequence[str]) -> None:
    """Refuse an address that cannot be the one of a robot of this kind.

    Raises:
        AddressRefused: with words for the person who typed it.
    """
    url = webhook.checked(address, allowed)
    if (other := _HOSTS.get(url.hostname or "")) is None:
        return  # the operator's own gateway: its paths are its own
    if other != kind:
        raise webhook.AddressRefused(
            _("This is the address of another service: {service}.").format(service=Channel(other).label)
        )
    service = SERVICES[kind]
    # WeCom and DingTalk have the key in the query, Feishu at the end of the path.
    key = dict(parse_qsl(url.query)).get(service.key) if service.key else url.path.removeprefix(service.path)
    if not url.path.startswith(service.path) or not key:
        raise webhook.AddressRefused(
            _("The address is not complete. Copy it whole from the settings of the robot in the group.")
        )


def _number(code: object) -> int:
    """-1 for an answer without a code: not success, and in no table."""
    return int(code) if isinstance(code, int | str) and str(code).lstrip("-").isdigit() else -1
