"""The bus over RabbitMQ (3.10 … 4.x).

Guarantee: `AmqpBus.publish` returns only after the broker confirmed every event in every queue bound to it. An event
that no queue of our topology is bound to is delivered to nobody, and counts as confirmed; one whose queue is missing
does not: the topology is declared again, and the event is to be published again.

Publishing and consuming have a connection each: a broker short of memory blocks those that publish, and must not keep
the others from acknowledging.
"""

import asyncio
from collections.abc import Iterable, Sequence

import aio_pika
from aio_pika.abc import AbstractConnection
from contracts.event import BATCH_CONTENT_TYPE, CONTENT_TYPE, join
from contracts.topology import EXCHANGES, QUEUES, Queue

from servicekit.bus import Outgoing, Receive, Unsubscribe
from servicekit.bus.amqp_link import Link
from servicekit.bus.amqp_receiving import ATTEMPT_HEADER, Intake
from servicekit.bus.amqp_sending import Sender, Unroutable
from servicekit.bus.amqp_topology import Names, declare_exchanges, declare_queue, declare_retries, delete
from servicekit.bus.recovery import DELAYS

EVENTS_PER_MESSAGE = 100
"""A message costs the bus more than what is in it: packed by 100, four times as many events flow."""


class AmqpBus:
    """One service's connection to the broker at ``url`` (``amqp://`` or ``amqps://``).

    ``namespace`` is put before all names on the broker. ``delays``: the seconds for which there are retry queues.
    ``queues``: all that exist; a publisher declares them too, so that no event is lost before its consumer ran for the
    first time. ``heartbeat`` and ``timeout``, in seconds: of the connection, and of a publication's confirm. ``grace``:
    seconds that a running batch gets to end.
    """

    settles_late = False
    waiting = frozenset[str]()

    def __init__(
        self,
        url: str,
        *,
        namespace: str = "",
        delays: Sequence[float] = DELAYS,
        exchanges: Sequence[str] = EXCHANGES,
        queues: Iterable[Queue] = QUEUES,
        heartbeat: int = 10,
        timeout: float = 10.0,
        grace: float = 5.0,
    ) -> None:
        self._url = url
        self._names = Names(namespace)
        self._delays = sorted(set(delays))
        self._exchanges = exchanges
        self._queues = {queue.name: queue for queue in queues}
        self._grace = grace
        self._sender = Sender(timeout=timeout)
        self._intakes: dict[str, Intake] = {}
        self._publishing = Link(url, "publishing", self._prepare_publishing, heartbeat=heartbeat)
        self._consuming = Link(url, "consuming", self._prepare_consuming, heartbeat=heartbeat)

    async def start(self) -> None:
        self._publishing.start()

    async def publish(self, events: Sequence[Outgoing]) -> None:
        packs = [events[at : at + EVENTS_PER_MESSAGE] for at in range(0, len(events), EVENTS_PER_MESSAGE)]
        results = await asyncio.gather(*(self._publish(pack) for pack in packs), return_exceptions=True)
        for result in results:
            if result is not None:
                raise result

    async def subscribe(self, queue: Queue, receive: Receive, *, batch_size: int, parallel: int = 1) -> Unsubscribe:
        """See `Bus.subscribe`; a queue has one subscription per bus, any number of processes share it."""
        if queue.name in self._intakes:
            raise ValueError(f"{queue.name} is subscribed to already")
        self._queues[queue.name] = queue
        intake = self._intakes[queue.name] = Intake(
            queue.name,
            receive,
            queue=self._names.queue(queue.name),
            dead_queue=self._names.dead(queue.name),
            batch_size=batch_size,
            parallel=parallel,
            send_copy=lambda body, attempt, delay: self._send_copy(queue, body, attempt, delay),
            on_fault=self._consuming.renew,
        )
        if self._consuming.started:
            self._consuming.renew(f"subscribing to {queue.name}")
        self._consuming.start()

        async def unsubscribe() -> None:
            if self._intakes.get(queue.name) is intake:
                del self._intakes[queue.name]
                await intake.stop(self._grace)

        return unsubscribe

    async def healthy(self) -> str | None:
        trouble = await self._publishing.trouble()
        if trouble is None and self._intakes:
            trouble = await self._consuming.trouble()
        return trouble

    async def close(self) -> None:
        intakes, self._intakes = list(self._intakes.values()), {}
        await asyncio.gather(*(intake.stop(self._grace) for intake in intakes))
        await asyncio.gather(self._consuming.close(), self._publishing.close())

    async def delete_everything(self) -> None:
        """Delete all exchanges and queues of this namespace, with what is in them. Needs no `start`."""
        async with await aio_pika.connect(self._url, timeout=10) as connection:
            channel = await connection.channel()
            await delete(channel, self._names, self._exchanges, self._queues.values(), self._delays)

    async def _publish(self, pack: Sequence[Outgoing]) -> None:
        exchange, routing_key = pack[0].exchange, pack[0].routing_key
        try:
            await self._sender.send(
                pack[0].body if len(pack) == 1 else join(event.body for event in pack),
                exchange=self._names.exchange(exchange),
                routing_key=routing_key,
                content_type=CONTENT_TYPE if len(pack) == 1 else BATCH_CONTENT_TYPE,
                headers={"event_id": pack[0].event_id} if len(pack) == 1 else {"events": len(pack)},
            )
        except Unroutable as error:
            if any((exchange, routing_key) in queue.bindings for queue in self._queues.values()):
                self._publishing.renew(str(error))
                raise

    async def _send_copy(self, queue: Queue, body: bytes, attempt: int, delay: float) -> None:
        nearest = min(self._delays, key=lambda one: abs(one - delay))
        try:
            await self._sender.send(
                body,
                exchange="",
                routing_key=self._names.retry(queue.name, nearest),
                content_type=CONTENT_TYPE,
                headers={ATTEMPT_HEADER: attempt},
            )
        except Unroutable as error:
            self._consuming.renew(str(error))
            raise

    async def _prepare_publishing(self, connection: AbstractConnection) -> None:
        async with await connection.channel() as channel:
            await declare_exchanges(channel, self._names, self._exchanges)
            for queue in self._queues.values():
                await declare_queue(channel, self._names, queue)
        await self._sender.attach(connection, on_fault=self._publishing.renew)

    async def _prepare_consuming(self, connection: AbstractConnection) -> None:
        async with await connection.channel() as channel:
            await declare_exchanges(channel, self._names, self._exchanges)
            for name, intake in list(self._intakes.items()):
                await declare_queue(channel, self._names, self._queues[name])
                await declare_retries(channel, self._names, self._queues[name], self._delays)
                await intake.attach(connection)
