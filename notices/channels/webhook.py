"""The way out to a group robot: which addresses are asked at all, and how.

A robot's address is typed by a person and asked from inside the network, so it may lead nowhere but to the hosts
of the settings: https only, no redirect followed, and no host that resolves to an address of a private network
(`qyapi.weixin.qq.com` in somebody's DNS is still not the database server). An entry `host:port` in the settings is
the operator's own word, for a gateway inside; only such an entry on a loopback address may be asked without TLS.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from django.utils.translation import gettext as _

from notices import reasons
from notices.channels.failures import Broken, Temporary

TIMEOUT = 10.0
_MOST_ANSWER = 64 * 1024


class AddressRefused(ValueError):
    """The address may not be asked; the text says why, to the person who typed it."""


def checked(address: str, allowed: Sequence[str]) -> SplitResult:
    """Take an address apart, or refuse it.

    Args:
        address: as typed.
        allowed: hosts, `host` or `host:port`.

    Raises:
        AddressRefused
    """
    try:
        url = urlsplit(address.strip())
        host, port = (url.hostname or "").lower(), url.port
    except ValueError:
        raise AddressRefused(_("This is not an address.")) from None
    if not host or any(
        sign.isspace() or not sign.isprintable() or not sign.isascii() for sign in address.strip()
    ):
        raise AddressRefused(_("This is not an address.")) from None
    if url.username is not None or url.password is not None:
        raise AddressRefused(_("The address must not contain an account or a password."))
    listed_with_port = port is not None and f"{host}:{port}" in allowed
    if not listed_with_port and (host not in allowed or port not in (None, 443)):
        raise AddressRefused(
            _("Group robots may be at these hosts only: {hosts}.").format(hosts="、".join(allowed))
        )
    if any(each in (".", "..") for each in unquote(url.path).replace("\\", "/").split("/")):
        raise AddressRefused(_("This is not an address."))  # it would lead away from the path that it shows
    if url.scheme != "https" and not (url.scheme == "http" and listed_with_port and _is_loopback(host)):
        raise AddressRefused(_("The address must begin with https://."))
    return url


def post(
    address: str, payload: dict[str, Any], *, allowed: Sequence[str], timeout: float = TIMEOUT
) -> dict[str, Any]:
    """Post JSON and return the JSON of the answer.

    Raises:
        Temporary: nobody answers, too many at once, or the other side is out of order.
        Broken: the address is not one that may be asked, or it does not exist (any more).
    """
    try:
        url = checked(address, allowed)
    except AddressRefused as error:
        raise Broken(str(error)) from error
    port = url.port or (443 if url.scheme == "https" else 80)
    inside = f"{url.hostname}:{url.port}" in allowed
    connection = _connection(url, port, _resolved(str(url.hostname), port, inside=inside), timeout)
    body = json.dumps(payload, ensure_ascii=False).encode()
    target = f"{url.path or '/'}{'?' + url.query if url.query else ''}"
    sent = False
    try:
        connection.connect()
        sent = True
        connection.request("POST", target, body, {"Content-Type": "application/json; charset=utf-8"})
        answer = connection.getresponse()
        return _judged(answer.status, answer.read(_MOST_ANSWER))
    except ssl.SSLCertVerificationError as error:
        raise Broken(_(reasons.CERTIFICATE).format(error=error.verify_message)) from error
    except (OSError, http.client.HTTPException) as error:
        said = (
            _(reasons.NO_ANSWER_IN_TIME)
            if isinstance(error, TimeoutError)
            else str(error) or type(error).__name__
        )
        raise Temporary(
            _(reasons.HOST_AWAY).format(error=said[:200]),
            may_have_arrived=sent,
            nobody_answers=not sent,
        ) from error
    finally:
        connection.close()


def _judged(status: int, body: bytes) -> dict[str, Any]:
    if status == 429 or status >= 500:
        raise Temporary(_(reasons.HOST_ANSWERED).format(status=status))
    if 300 <= status < 400:
        raise Broken(_(reasons.HOST_LEADS_ON))
    if status in (401, 403, 404, 405, 410):
        raise Broken(_(reasons.NO_SUCH_ROBOT).format(status=status))
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Temporary(_(reasons.HOST_SAID_NOTHING).format(status=status))
    return answer


def _resolved(host: str, port: int, *, inside: bool) -> str:
    """One address of the host, which is then the one that is asked: a second look-up could say another."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Temporary(_(reasons.HOST_UNKNOWN).format(host=host), nobody_answers=True) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not inside and not all(ipaddress.ip_address(each.split("%")[0]).is_global for each in addresses):
        raise Broken(_(reasons.HOST_INSIDE).format(host=host))
    return addresses[0]


def _connection(url: SplitResult, port: int, at: str, timeout: float) -> http.client.HTTPConnection:
    """A connection to `at` under the name of the host (for its certificate and its Host header)."""

    def to_the_resolved(_address: Any, timeout: Any, source: Any) -> socket.socket:
        return socket.create_connection((at, port), timeout, source)

    made = (
        http.client.HTTPSConnection(
            str(url.hostname), port, timeout=timeout, context=ssl.create_default_context()
        )
        if url.scheme == "https"
        else http.client.HTTPConnection(str(url.hostname), port, timeout=timeout)
    )
    made._create_connection = to_the_resolved  # type: ignore[attr-defined]
    return made


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
