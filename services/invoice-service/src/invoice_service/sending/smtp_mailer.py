"""Messages over SMTP, one connection a message.

What is final, and what is tried again: a mail server's 5xx to a recipient or to the message itself is about this
message and final. Everything else is about the way there, which someone can repair while the message waits: a server
that is away or says 4xx, a certificate that is not trusted, wrong credentials, a sender address that is not accepted.
All of it is reported in the server's words.
"""

import contextlib
import ssl
from functools import cached_property
from typing import Literal

import aiosmtplib

from invoice_service.sending.mail import Mail, Report, written

Security = Literal["none", "starttls", "tls"]
PORTS: dict[Security, int] = {"none": 25, "starttls": 587, "tls": 465}
TIMEOUT_SECONDS = 60.0
"""For each step of the conversation."""


class SmtpMailer:
    """Hands messages to the mail server ``host``; with ``starttls`` or ``tls`` its certificate must be trusted."""

    def __init__(
        self,
        host: str,
        *,
        sender: str,
        port: int | None = None,
        username: str | None = None,
        password: str | None = None,
        security: Security = "starttls",
    ) -> None:
        self.sender = sender
        self._host = host
        self._port = port or PORTS[security]
        self._username = username
        self._password = password
        self._security = security

    async def send(self, mail: Mail) -> Report:
        """What the server said of each recipient."""
        try:
            server = await self._connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            return Report.all_deferred(mail.recipients, f"{self._host}:{self._port}: {_words(error)}")
        try:
            report = await self._hand_over(server, mail)
            await _say_goodbye(server)
            return report
        finally:
            server.close()

    async def _connect(self) -> aiosmtplib.SMTP:
        server = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            timeout=TIMEOUT_SECONDS,
            use_tls=self._security == "tls",
            start_tls=self._security == "starttls",
            tls_context=None if self._security == "none" else self._trust,
        )
        await server.connect()
        return server

    async def _hand_over(self, server: aiosmtplib.SMTP, mail: Mail) -> Report:
        try:
            refusals, _ = await server.sendmail(self.sender, mail.recipients, mail.content)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _report(mail, {one.recipient: (one.code, one.message) for one in error.recipients})
        except aiosmtplib.SMTPDataError as error:
            return _report(mail, dict.fromkeys(mail.recipients, (error.code, error.message)))
        except (aiosmtplib.SMTPException, OSError) as error:
            return Report.all_deferred(mail.recipients, _words(error))
        return _report(mail, {recipient: (said.code, said.message) for recipient, said in refusals.items()})

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context()


def _report(mail: Mail, refusals: dict[str, tuple[int, str]]) -> Report:
    reasons = {recipient: written(f"{code} {message}") for recipient, (code, message) in refusals.items()}
    final = {recipient for recipient, (code, _) in refusals.items() if 500 <= code < 600}
    return Report(
        taken=tuple(recipient for recipient in mail.recipients if recipient not in refusals),
        refused={recipient: reason for recipient, reason in reasons.items() if recipient in final},
        deferred={recipient: reason for recipient, reason in reasons.items() if recipient not in final},
    )


def _words(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__


async def _say_goodbye(server: aiosmtplib.SMTP) -> None:
    """What the server has taken, it has taken, however this goes."""
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await server.quit(timeout=5)
