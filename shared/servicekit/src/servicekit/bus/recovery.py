"""What to do with an event after it was handled, or could not be: one pure decision.

What can never succeed is a dead letter at once. What may succeed later is tried for hours, with growing delays. What we
cannot tell, a bug most likely, is tried a few times: it may have been a race, and a dead letter can be replayed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.event import UndecodableEvent

from servicekit.faults import Permanent, Transient

DELAYS: tuple[float, ...] = (1, 5, 30, 120, 600)
"""Seconds to wait after the first, second … attempt; the last one goes for all further ones."""

TRANSIENT_ATTEMPTS = 60
"""With the default delays: about nine hours."""

UNKNOWN_ATTEMPTS = 5
"""With the default delays: about two and a half minutes."""

_REASON_LENGTH = 1000


@dataclass(frozen=True)
class Ack:
    """It was handled."""


@dataclass(frozen=True)
class Retry:
    """Try again in ``delay`` seconds; ``reason`` is for the log."""

    delay: float
    reason: str


@dataclass(frozen=True)
class Dead:
    """Keep it as a dead letter; ``reason`` tells a person why."""

    reason: str


def recover(error: Exception | None, attempt: int, delays: Sequence[float] = DELAYS) -> Ack | Retry | Dead:
    """Decide from what the attempt ended with (None: success) and which attempt it was (1 is the first).

    `OSError` counts as transient: connections refused or reset, timeouts, names not resolved.
    """
    if error is None:
        return Ack()
    if isinstance(error, UndecodableEvent | Permanent):
        return Dead(describe(error))
    attempts = TRANSIENT_ATTEMPTS if isinstance(error, Transient | OSError) else UNKNOWN_ATTEMPTS
    if attempt >= attempts:
        return Dead(f"given up after {attempt} attempts: {describe(error)}")
    return Retry(delays[min(attempt, len(delays)) - 1], describe(error))


def describe(error: Exception) -> str:
    """One line that names the error; what was being handled is no part of it."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return text[:_REASON_LENGTH]
