"""The bus within one process: the outbox is what survives, the bus only carries.

Guarantee: `EmbeddedBus.publish` returns only when every queue bound to the event has called ``done()`` on it. So the
relay keeps the outbox row until then, and a crash at any moment loses nothing.
"""

import asyncio
from collections.abc import Iterable, Sequence

from contracts.topology import QUEUES, Queue

from servicekit.bus import Outgoing, Receive, Unsubscribe
from servicekit.bus.pump import Pump


class EmbeddedBus:
    """One bus for all services of a process; each calls `start` and `close`, the last `close` closes it.

    ``expected``: queues that exist although nobody has subscribed to them yet. As on a broker, what is published for a
    queue waits there for its subscriber: services start and stop one after another. An event that no queue is bound
    to is delivered to nobody, at once.
    ``pause``: seconds until a receiver that raised is called again. ``grace``: how many seconds a running batch gets
    to end when its subscription or the bus is closed.
    """

    settles_late = True

    def __init__(self, expected: Iterable[Queue] = QUEUES, *, pause: float = 1.0, grace: float = 5.0) -> None:
        self._queues = {queue.name: _Queue(queue) for queue in expected}
        self.waiting: set[str] = set()
        self._pause = pause
        self._grace = grace
        self._users = 0

    async def start(self) -> None:
        self._users += 1

    async def publish(self, events: Sequence[Outgoing]) -> None:
        """See `Bus.publish`. When it is cancelled, what no receiver has taken yet is not delivered any more."""
        if not self._users:
            raise ConnectionError("the bus is closed")
        deliveries = []
        for event in events:
            for queue in self._queues.values():
                if (event.exchange, event.routing_key) in queue.bindings:
                    deliveries.append(_Delivery(queue, event, self.waiting))
        for delivery in deliveries:
            delivery.queue.put(delivery)
        try:
            await asyncio.gather(*(delivery.outcome for delivery in deliveries))
        finally:
            for delivery in deliveries:
                delivery.outcome.cancel()

    async def subscribe(self, queue: Queue, receive: Receive, *, batch_size: int, parallel: int = 1) -> Unsubscribe:
        """See `Bus.subscribe`. A queue has one subscriber here: a new one takes the place of the old one."""
        known = self._queues.setdefault(queue.name, _Queue(queue))
        await known.detach(self._grace)
        made: Pump[_Delivery] = Pump(queue.name, receive, batch_size=batch_size, parallel=parallel, pause=self._pause)
        pump = known.attach(made)

        async def unsubscribe() -> None:
            if known.pump is pump:
                await known.detach(self._grace)

        return unsubscribe

    async def healthy(self) -> str | None:
        return None if self._users else "the bus is closed"

    async def close(self) -> None:
        """See `Bus.close`. `publish` raises `ConnectionError` for what was not handled: the outbox still has it."""
        self._users = max(0, self._users - 1)
        if self._users == 0:
            await asyncio.gather(*(queue.detach(self._grace) for queue in self._queues.values()))
            for queue in self._queues.values():
                queue.fail(ConnectionError("the bus was closed before the event was handled"))


class _Queue:
    """A queue that is known: its bindings, its subscriber's pump if there is one, and what is not settled."""

    def __init__(self, queue: Queue) -> None:
        self.bindings = frozenset(queue.bindings)
        self.pump: Pump[_Delivery] | None = None
        self._unhandled: dict[_Delivery, None] = {}
        self._waiting: list[_Delivery] = []

    def put(self, delivery: "_Delivery") -> None:
        self._unhandled[delivery] = None
        delivery.outcome.add_done_callback(lambda _: self._unhandled.pop(delivery, None))
        self.deliver(delivery)

    def deliver(self, delivery: "_Delivery") -> None:
        if self.pump is None:
            self._waiting.append(delivery)
        else:
            self.pump.put([delivery])

    def attach(self, pump: "Pump[_Delivery]") -> "Pump[_Delivery]":
        self.pump = pump
        pump.put(self._waiting)
        self._waiting = []
        return pump

    async def detach(self, within: float) -> None:
        pump, self.pump = self.pump, None
        if pump is not None:
            self._waiting = [*await pump.stop(within), *self._waiting]

    def fail(self, error: ConnectionError) -> None:
        self._waiting = []
        for delivery in list(self._unhandled):
            if not delivery.outcome.done():
                delivery.outcome.set_exception(error)


class _Delivery:
    """One event on its way to one queue. ``outcome`` ends when it is done, or when its publisher has gone."""

    given_up = None

    def __init__(self, queue: _Queue, event: Outgoing, waiting: set[str]) -> None:
        self.queue = queue
        self.body = event.body
        self._event_id = event.event_id
        self._waiting = waiting
        self.attempt = 1
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits_for_retry = False

    @property
    def settled(self) -> bool:
        return self._waits_for_retry or self.outcome.done()

    async def done(self) -> None:
        if not self.outcome.done():
            self.outcome.set_result(None)

    async def retry(self, delay: float) -> None:
        self._waits_for_retry = True
        self._waiting.add(self._event_id)
        asyncio.get_running_loop().call_later(delay, self._again)

    def _again(self) -> None:
        self._waits_for_retry = False
        self._waiting.discard(self._event_id)
        if not self.outcome.done():
            self.attempt += 1
            self.queue.deliver(self)
