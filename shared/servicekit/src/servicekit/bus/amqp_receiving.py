"""Taking messages from one queue of the broker, and from its ``.dead`` queue.

Guarantees: a message is acknowledged only after every event in it is settled. An event to be retried is settled only
after the broker confirmed its copy in the retry queue. What is acknowledged on a connection that is gone comes again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.abc import AbstractChannel as UnderlayChannel
from aiormq.abc import DeliveredMessage
from aiormq.exceptions import AMQPError
from contracts.event import UndecodableEvent, split

from servicekit.bus import Receive
from servicekit.bus.pump import Pump

ATTEMPT_HEADER = "attempt"
"""Ours: what the broker counts as a delivery differs between its versions."""

PREFETCH = 200
"""Messages. One has up to 100 events, so at most 20,000 of about 1 KB are in memory; usual are far fewer."""

_FLUSH_SECONDS = 0.5

SendCopy = Callable[[bytes, int, float], Awaitable[None]]
"""Puts a copy into a retry queue: body, attempt, delay in seconds. Raises `ConnectionError` if it is not confirmed."""


class Intake:
    """One subscription: survives connections, has one pump.

    ``queue`` and ``dead_queue`` are names on the broker. ``on_fault`` is told when the channel is of no use any more.
    """

    def __init__(
        self,
        name: str,
        receive: Receive,
        *,
        queue: str,
        dead_queue: str,
        batch_size: int,
        parallel: int,
        send_copy: SendCopy,
        on_fault: Callable[[str], None],
    ) -> None:
        self._name = name
        self._queue = queue
        self._dead_queue = dead_queue
        self._send_copy = send_copy
        self._on_fault = on_fault
        self._acks: Acks | None = None
        self._channel: AbstractChannel | None = None
        self._pump: Pump[AmqpDelivery] = Pump(
            name, receive, batch_size=batch_size, parallel=parallel, after_batch=self._flush
        )

    async def attach(self, connection: AbstractConnection) -> None:
        """Take what arrives over this connection from now on; what came over an older one comes again."""
        self._pump.clear()
        opened = self._channel = await connection.channel(publisher_confirms=False)

        def closed(_: Any, error: BaseException | None) -> None:
            if self._channel is opened:
                self._on_fault(f"the channel of {self._name} was closed ({error})")

        def cancelled(_: Any) -> None:
            if self._channel is opened:
                self._on_fault(f"the broker ended the subscription to {self._name}")

        opened.close_callbacks.add(closed)
        channel = await opened.get_underlay_channel()
        channel.on_consumer_cancel_callbacks.add(cancelled)
        acks = self._acks = Acks(channel)
        await channel.basic_qos(prefetch_count=PREFETCH, timeout=10)
        await channel.basic_consume(self._queue, partial(self._arrived, acks, False), timeout=10)
        await channel.basic_consume(self._dead_queue, partial(self._arrived, acks, True), timeout=10)

    async def stop(self, within: float) -> None:
        """Let the running batches end, for ``within`` seconds at most; what is not settled goes back to the queue."""
        await self._pump.stop(within)
        await self._flush()
        channel, self._channel = self._channel, None
        if channel is not None and not channel.is_closed:
            with suppress(AMQPError, TimeoutError, ConnectionError):
                await asyncio.wait_for(channel.close(), 2)

    async def _arrived(self, acks: "Acks", dead: bool, message: DeliveredMessage) -> None:
        properties = message.header.properties
        headers = properties.headers or {}
        given_up = _reason(headers, self._queue) if dead else None
        attempt = headers.get(ATTEMPT_HEADER, 1)
        attempt = attempt if isinstance(attempt, int) and attempt > 0 else 1
        try:
            bodies = split(message.body, properties.content_type)
        except UndecodableEvent:
            bodies = [message.body]  # as it is: the consumer refuses it, and keeps it
        tag = message.delivery_tag
        assert tag is not None  # every delivery has one
        acks.arrived(tag, len(bodies))
        self._pump.put(AmqpDelivery(body, attempt, given_up, acks, tag, self._send_copy) for body in bodies)
        if not bodies:
            await acks.flush()

    async def _flush(self) -> None:
        if self._acks is not None:
            await self._acks.flush()


class Acks:
    """What was delivered on one channel and is not acknowledged yet, in order."""

    def __init__(self, channel: UnderlayChannel) -> None:
        self._channel = channel
        self._open: dict[int, int] = {}
        self._flushed_at = asyncio.get_running_loop().time()

    def arrived(self, tag: int, events: int) -> None:
        self._open[tag] = events

    async def settled(self, tag: int) -> None:
        """One event of the message ``tag`` is settled. Acknowledging waits for the batch's end, but not for long."""
        self._open[tag] -= 1
        if asyncio.get_running_loop().time() - self._flushed_at > _FLUSH_SECONDS:
            await self.flush()

    async def flush(self) -> None:
        """Acknowledge, with one frame, all messages up to the first that is not settled."""
        self._flushed_at = asyncio.get_running_loop().time()
        last = None
        for tag, left in self._open.items():
            if left > 0:
                break
            last = tag
        if last is None:
            return
        for tag in [tag for tag in self._open if tag <= last]:
            del self._open[tag]
        # On a channel that is gone this fails, and the messages come again.
        with suppress(AMQPError, ConnectionError, RuntimeError):
            await self._channel.basic_ack(last, multiple=True, wait=False)


class AmqpDelivery:
    """One event of a message."""

    def __init__(
        self, body: bytes, attempt: int, given_up: str | None, acks: Acks, tag: int, send_copy: SendCopy
    ) -> None:
        self.body = body
        self.attempt = attempt
        self.given_up = given_up
        self.settled = False
        self._acks = acks
        self._tag = tag
        self._send_copy = send_copy

    async def done(self) -> None:
        if not self.settled:
            self.settled = True
            await self._acks.settled(self._tag)

    async def retry(self, delay: float) -> None:
        await self._send_copy(self.body, self.attempt + 1, delay)
        await self.done()


def _reason(headers: dict[str, Any], queue: str) -> str:
    deaths = headers.get("x-death") or []
    for death in deaths if isinstance(deaths, list) else []:
        if isinstance(death, dict) and death.get("queue") == queue:
            return f"given up by the broker: {death.get('reason')}"
    return "given up by the broker"
