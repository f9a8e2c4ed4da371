"""The event bus: one interface, two transports.

`amqp.AmqpBus` speaks to RabbitMQ; `embedded.EmbeddedBus` delivers within the process. What is above them (the relay,
the consumers) does not know which one it has.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.topology import Queue


@dataclass(frozen=True)
class Outgoing:
    """One encoded event on its way out, as it stands in the outbox."""

    event_id: str
    exchange: str
    routing_key: str
    body: bytes


class Delivery(Protocol):
    """One encoded event that arrived at a queue, and the ways to settle it. Exactly one of them is to be called.

    A message that packs many events is delivered as that many deliveries; the transport settles the message when all
    of them are settled.
    """

    @property
    def body(self) -> bytes:
        """The encoded event (CloudEvents JSON), not decoded yet: it may be anything."""

    @property
    def attempt(self) -> int:
        """1 at the first delivery, 2 at the first retry, and so on."""

    @property
    def given_up(self) -> str | None:
        """None usually; else why the broker itself gave up on it: it is to be kept as a dead letter, not handled."""

    async def done(self) -> None:
        """It was handled, or is kept in the dead letters: it never comes again."""

    async def retry(self, delay: float) -> None:
        """It is to come again in about ``delay`` seconds, with ``attempt`` one higher, and blocks nothing meanwhile.

        May raise `ConnectionError`; then it is not settled, and comes again when the receiver has raised or returned.
        """


Receive = Callable[[Sequence[Delivery]], Awaitable[None]]
"""What takes deliveries: called with all that is there now, up to the batch size; it settles each. What it has not
settled when it returns or raises is delivered again after a pause."""

Unsubscribe = Callable[[], Awaitable[None]]
"""Ends a subscription: lets the running batch end (bounded); what is not settled by then stays in the queue."""


class Bus(Protocol):
    """A transport."""

    @property
    def settles_late(self) -> bool:
        """Whether `publish` returns only when the subscribers have handled the event (embedded): it may take long."""

    @property
    def waiting(self) -> Collection[str]:
        """Ids of events handed to `publish` that wait for a retry; always empty on a bus that settles at once."""

    async def start(self) -> None:
        """Connect in the background and keep connected; never raises because the broker is away."""

    async def publish(self, events: Sequence[Outgoing]) -> None:
        """Publish events of one exchange and routing key; return when every one is confirmed.

        Raises `ConnectionError` otherwise. Then some may have been confirmed: publish all again, consumers do not mind.
        """

    async def subscribe(self, queue: Queue, receive: Receive, *, batch_size: int, parallel: int = 1) -> Unsubscribe:
        """Deliver what arrives at ``queue`` to ``receive``, from now on and after every reconnection.

        ``parallel``: how many batches at the same time at most. Gives what ends the subscription.
        """

    async def healthy(self) -> str | None:
        """None if events can flow; otherwise a sentence that says why not."""

    async def close(self) -> None:
        """Stop delivering, let what is being handled end (bounded), and disconnect."""
