"""A real mail server for tests, which says what the test wants it to say."""

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


def parsed(content: bytes) -> EmailMessage:
    """The message that these bytes are."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


class Postman:
    """A mail server's behaviour: what it says to sender, recipients and message, and what it got.

    To a message it may also ``drop`` the connection without taking it, or take it and ``hang`` without saying so.
    """

    def __init__(self) -> None:
        self.got: list[tuple[list[str], bytes]] = []
        self.to_recipient: dict[str, str] = {}
        self.to_message = "250 taken"
        self.to_sender = "250 fine"

    @property
    def messages(self) -> list[EmailMessage]:
        """The messages taken, in order."""
        return [parsed(content) for _, content in self.got]

    async def handle_MAIL(self, _: Any, __: Any, envelope: Any, address: str, ___: Any) -> str:
        envelope.mail_from = address
        return self.to_sender

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, address: str, ___: Any) -> str:
        if address in self.to_recipient:
            return self.to_recipient[address]
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: Any, _: Any, envelope: Any) -> str:
        if self.to_message == "drop":
            server.transport.abort()
            return "250 nobody hears this"
        if self.to_message.startswith("250") or self.to_message == "hang":
            self.got.append((list(envelope.rcpt_tos), envelope.content))
        if self.to_message == "hang":
            await asyncio.Event().wait()
        return self.to_message


class Server(Controller):
    """A mail server on a free port."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
