"""E-mail: one connection for a batch of messages, re-opened when it breaks.

The steps of SMTP are taken one by one instead of through Django's backend, because *where* it broke decides
what may be done next: before the message was handed over nothing has arrived, after it nobody knows.
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address
from django.core.mail.utils import DNS_NAME
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from notices import reasons
from notices.channels.failures import Broken, Refused, SendFailure, Temporary
from notices.channels.letter import Letter

#: A leader of a large commission may have thousands; the portal has them all.
MOST_LINES = 200
_TAKEN = (250, 251)


@dataclass(frozen=True)
class MailAccount:
    """The mail server of the settings. `timeout` in seconds, for each step of the conversation."""

    host: str
    port: int
    user: str
    password: str
    use_tls: bool
    use_ssl: bool
    timeout: float
    sender: str
    portal_url: str

    @classmethod
    def of_settings(cls, *, at_most: float | None = None) -> MailAccount | None:
        """None while no mail server is set up: then people have the inbox only.

        Args:
            at_most: seconds for a step, where somebody waits for the answer.
        """
        if not settings.EMAIL_HOST:
            return None
        return cls(
            host=settings.EMAIL_HOST,
            port=settings.EMAIL_PORT,
            user=settings.EMAIL_HOST_USER,
            password=settings.EMAIL_HOST_PASSWORD,
            use_tls=settings.EMAIL_USE_TLS,
            use_ssl=settings.EMAIL_USE_SSL,
            timeout=min(settings.EMAIL_TIMEOUT, at_most or settings.EMAIL_TIMEOUT),
            sender=settings.DEFAULT_FROM_EMAIL,
            portal_url=settings.PORTAL_URL,
        )


class Postman:
    """Carries letters to the mail server. Not for several threads at once."""

    def __init__(self, account: MailAccount) -> None:
        self.account = account
        self._open: smtplib.SMTP | None = None

    def send(self, letter: Letter, to: str) -> None:
        """Hand one letter to the mail server.

        Raises:
            Temporary, Refused, Broken: see `notices.channels.failures`.
        """
        content = mail_of(letter, sender=self.account.sender, to=to, portal_url=self.account.portal_url)
        server = self._connected()
        try:
            self._converse(server, to, content)
        except SendFailure:
            raise
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise Temporary(_(reasons.CONNECTION_BROKE).format(error=_said(error))) from error

    def close(self) -> None:
        server, self._open = self._open, None
        if server is not None:
            with suppress(smtplib.SMTPException, OSError):
                if server.sock is not None:
                    server.sock.settimeout(2)
                    server.quit()
            server.close()

    # -- the conversation ---------------------------------------------------------------------

    def _connected(self) -> smtplib.SMTP:
        if self._open is None:
            self._open = self._connect()
        return self._open

    def _connect(self) -> smtplib.SMTP:
        account = self.account
        server: smtplib.SMTP | None = None
        try:
            if account.use_ssl:
                server = smtplib.SMTP_SSL(
                    account.host,
                    account.port,
                    local_hostname=str(DNS_NAME),
                    timeout=account.timeout,
                    context=ssl.create_default_context(),
                )
            else:
                server = smtplib.SMTP(
                    account.host, account.port, local_hostname=str(DNS_NAME), timeout=account.timeout
                )
            if account.use_tls:
                server.starttls(context=ssl.create_default_context())
            if account.user:
                server.login(account.user, account.password)
        except (smtplib.SMTPException, OSError) as error:
            if server is not None:
                server.close()
            raise _connecting_failed(error) from error
        return server

    def _converse(self, server: smtplib.SMTP, to: str, content: bytes) -> None:
        try:
            sender = parseaddr(sanitize_address(self.account.sender, "utf-8"))[1]
            recipient = parseaddr(sanitize_address(to, "utf-8"))[1]
        except ValueError as error:
            raise Refused(_(reasons.ADDRESS_UNUSABLE).format(error=error)) from error
        server.ehlo_or_helo_if_needed()
        self._expect(server, *server.mail(sender), on_refusal=Broken)
        self._expect(server, *server.rcpt(recipient), on_refusal=Refused)
        try:
            reply = server.data(content)
        except smtplib.SMTPDataError as error:  # refused before a byte of the message was sent
            self._expect(server, error.smtp_code, _bytes(error.smtp_error), on_refusal=Refused)
            raise
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise Temporary(
                _(reasons.NO_ANSWER_AFTERWARDS).format(error=_said(error)),
                may_have_arrived=True,
            ) from error
        self._expect(server, *reply, on_refusal=Refused)

    def _expect(
        self, server: smtplib.SMTP, code: int, answer: bytes, *, on_refusal: type[SendFailure]
    ) -> None:
        """Go on when the server agrees; otherwise leave the conversation ready for the next letter."""
        if code in _TAKEN:
            return
        words = _(reasons.MAIL_ANSWERED).format(code=code, answer=answer.decode("utf-8", "replace")[:300])
        if code == 421 or code == -1:
            self.close()
            raise Temporary(words)
        with suppress(smtplib.SMTPException, OSError):
            server.rset()
        if code < 500 or code == 552:  # a mailbox that is full today
            raise Temporary(words)
        if code in (530, 535, 538):  # "log in first" is an answer to the portal, not to the recipient
            raise Broken(words)
        raise on_refusal(words)


def _connecting_failed(error: Exception) -> SendFailure:
    words = _(reasons.MAIL_UNUSABLE).format(error=_said(error))
    if isinstance(error, ssl.SSLCertVerificationError | smtplib.SMTPNotSupportedError):
        return Broken(words)
    if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
        return Broken(words)
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500:
        return Broken(words)
    if isinstance(error, smtplib.SMTPException) and type(error) is smtplib.SMTPException:
        return Broken(words)  # smtplib's own word for "no way of logging in that both know"
    return Temporary(words, nobody_answers=True)


def _said(error: Exception) -> str:
    """What the error says, without the repr of bytes that smtplib puts around an answer."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_bytes(error.smtp_error).decode('utf-8', 'replace')}"[:300]
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return _(reasons.NO_ANSWER_IN_TIME)
    return (str(error) or type(error).__name__)[:300]


def _bytes(answer: bytes | str) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode("utf-8", "replace")


def message_id(letter: Letter, portal_url: str) -> str:
    """The same at every attempt: by it a receiver tells a second copy from a second message."""
    return f"<{letter.key}@{urlsplit(portal_url).hostname or 'portal'}>"


def mail_of(letter: Letter, *, sender: str, to: str, portal_url: str) -> bytes:
    """The whole e-mail, text and HTML."""
    context = {"letter": letter.cut(MOST_LINES)}
    mail = EmailMultiAlternatives(
        subject=" ".join(letter.subject.split()),
        body=render_to_string("notices/letter.txt", context),
        from_email=sender,
        to=[to],
        headers={
            "Message-ID": message_id(letter, portal_url),
            "Auto-Submitted": "auto-generated",
            # Exchange answers automatic mail with automatic mail unless it is told so in its own words.
            "X-Auto-Response-Suppress": "All",
        },
    )
    mail.attach_alternative(render_to_string("notices/letter.html", context), "text/html")
    return mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
