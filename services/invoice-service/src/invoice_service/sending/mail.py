"""What is handed to a mail server or a folder, and what comes of it.

Guarantee: `send` of a `Mailer` never raises for what a server, a network or a disk does; it reports of every recipient
exactly one of three things: taken, refused for good, or not taken yet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

MAX_REASON = 500


@dataclass(frozen=True)
class Mail:
    """A message as it goes over the wire. ``id`` and ``created_at`` are the delivery's: the same for a repetition."""

    id: str
    created_at: datetime
    recipients: tuple[str, ...]
    content: bytes


@dataclass(frozen=True)
class Report:
    """Who has it (``taken``); who never gets it (``refused``) or may later (``deferred``), each with the reason."""

    taken: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    deferred: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def all_deferred(cls, recipients: Iterable[str], reason: str) -> "Report":
        """Nobody has it; it may succeed later."""
        return cls(deferred=dict.fromkeys(recipients, written(reason)))

    @classmethod
    def all_refused(cls, recipients: Iterable[str], reason: str) -> "Report":
        """Nobody has it, and repeating it is no use."""
        return cls(refused=dict.fromkeys(recipients, written(reason)))


class Mailer(Protocol):
    """The way out."""

    sender: str
    """The address that messages come from."""

    async def send(self, mail: Mail) -> Report:
        """Send it to each of its recipients."""


def written(reason: str) -> str:
    """A server's words as one bounded line that every database can keep."""
    line = " ".join("".join(char if char.isprintable() else " " for char in reason).split())
    return line if len(line) <= MAX_REASON else f"{line[: MAX_REASON - 1]}…"
