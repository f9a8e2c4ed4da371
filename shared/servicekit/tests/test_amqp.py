"""The bus over RabbitMQ: what goes through, what comes back, and what survives an outage."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import aio_pika
import pytest
from contracts.accounts import AccountSnapshot, AccountUpdated
from contracts.event import BATCH_CONTENT_TYPE, CONTENT_TYPE, encode
from contracts.topology import SYNC_RECORDS
from servicekit import outbox
from servicekit.bus import Delivery, Outgoing
from servicekit.bus.amqp import AmqpBus
from servicekit.bus.consumer import Consumer, Received, Subscription
from servicekit.bus.dead_letters import DeadLetters
from servicekit.db import Database
from servicekit.faults import Transient
from servicekit.relay import Relay
from servicekit.telemetry import Metrics

pytestmark = pytest.mark.servers

KEY = "crm.account.updated"


def updated(subject: str, version: int = 1) -> AccountUpdated:
    return AccountUpdated(data=AccountSnapshot(id=subject, version=version, account_name="Zylker"))


def outgoing(subject: str) -> Outgoing:
    return Outgoing(f"id-{subject}", "crm", KEY, encode(updated(subject), event_id=f"id-{subject}", source="/crm"))


class Consuming:
    """A consumer over ``bus`` that notes what it handled; ``errors`` says what fails, by subject and attempt."""

    def __init__(self, bus: AmqpBus, database: Database, **options: Any) -> None:
        self.handled: list[str] = []
        self.batches: list[int] = []
        self.error: Callable[[str], Exception | None] = lambda _: None
        self.dead_letters = DeadLetters(database)
        self.consumer = Consumer(
            Subscription(SYNC_RECORDS, handle_batch=self.handle, **options),
            bus=bus,
            dead_letters=self.dead_letters,
            metrics=Metrics(),
            service="sync",
            delays=(0.1, 0.3),
        )

    async def handle(self, batch: Sequence[Received]) -> Sequence[Exception | None]:
        self.batches.append(len(batch))
        outcomes = [self.error(received.event.data.id) for received in batch]
        self.handled += [
            received.event.data.id for received, error in zip(batch, outcomes, strict=True) if error is None
        ]
        return outcomes


async def connected(*buses: AmqpBus) -> None:
    for bus in buses:
        await bus.start()
    async with asyncio.timeout(10):
        for bus in buses:
            while await bus.healthy() is not None:
                await asyncio.sleep(0.01)


@pytest.fixture
async def bus(broker: Any) -> AmqpBus:
    """A bus that is connected."""
    made: AmqpBus = broker.bus()
    await connected(made)
    return made


@pytest.fixture
async def consuming(bus: AmqpBus, sqlite: Database) -> Consuming:
    """A consumer on that bus."""
    made = Consuming(bus, sqlite)
    await made.consumer.start()
    await connected(bus)
    return made


async def put(broker: Any, body: bytes, content_type: str | None) -> None:
    """Put any message straight into the queue."""
    channel = await broker.channel()
    message = aio_pika.Message(body, content_type=content_type)
    await channel.default_exchange.publish(message, routing_key=f"{broker.namespace}sync.records")


async def count(broker: Any, queue: str) -> int:
    channel = await broker.channel()
    declared = await channel.declare_queue(f"{broker.namespace}{queue}", passive=True)
    return int(declared.declaration_result.message_count or 0)


class TestThrough:
    async def test_one_event(self, bus: AmqpBus, consuming: Consuming, eventually: Any) -> None:
        await bus.publish([outgoing("a")])
        await eventually(lambda: consuming.handled == ["a"])

    async def test_many_events_travel_packed_and_in_order(
        self, broker: Any, bus: AmqpBus, sqlite: Database, eventually: Any
    ) -> None:
        subjects = [str(number) for number in range(250)]
        await bus.publish([outgoing(subject) for subject in subjects])
        assert await count(broker, "sync.records") == 3
        consuming = Consuming(bus, sqlite, batch_size=200)
        await consuming.consumer.start()
        await eventually(lambda: consuming.handled == subjects)
        assert max(consuming.batches) <= 200
        await asyncio.sleep(0.1)
        assert await count(broker, "sync.records") == 0

    async def test_what_is_handled_is_acknowledged(
        self, broker: Any, bus: AmqpBus, consuming: Consuming, eventually: Any
    ) -> None:
        await asyncio.gather(*(bus.publish([outgoing(str(number))]) for number in range(300)))
        await eventually(lambda: len(consuming.handled) == 300)
        await consuming.consumer.stop()
        await asyncio.sleep(0.1)
        assert await count(broker, "sync.records") == 0

    async def test_an_event_no_queue_is_bound_to_is_delivered_to_nobody(self, bus: AmqpBus) -> None:
        await bus.publish([Outgoing("id", "invoice", "invoice.payment.recorded", b"{}")])

    async def test_stopping_gives_back_what_is_not_settled(self, broker: Any, bus: AmqpBus, eventually: Any) -> None:
        got: list[Delivery] = []

        async def take(deliveries: Sequence[Delivery]) -> None:
            got.extend(deliveries)
            await asyncio.sleep(60)

        impatient: AmqpBus = broker.bus(grace=0.1)
        await impatient.subscribe(SYNC_RECORDS, take, batch_size=10)
        await connected(impatient)
        await bus.publish([outgoing("a"), outgoing("b")])
        await eventually(lambda: got)
        await impatient.close()
        await asyncio.sleep(0.1)
        assert await count(broker, "sync.records") == 1


class TestFailing:
    async def test_malformed_messages_are_kept_and_the_rest_of_the_batch_is_handled(
        self, broker: Any, bus: AmqpBus, consuming: Consuming, eventually: Any
    ) -> None:
        good = outgoing("a").body
        await put(broker, b"{not json", CONTENT_TYPE)
        await put(broker, b"\x00\x01", None)
        await put(broker, b'{"an": "object"}', BATCH_CONTENT_TYPE)
        await put(broker, b"[" + good + b', {"type": "unknown"}, 7]', BATCH_CONTENT_TYPE)
        await put(broker, b"[]", BATCH_CONTENT_TYPE)
        await bus.publish([outgoing("b")])

        async def all_kept() -> bool:
            return len(await consuming.dead_letters.page()) == 5

        await eventually(all_kept)
        await eventually(lambda: sorted(consuming.handled) == ["a", "b"])
        kept = {letter.body: letter.reason for letter in await consuming.dead_letters.page()}
        assert set(kept) == {b"{not json", b"\x00\x01", b'{"an": "object"}', b'{"type":"unknown"}', b"7"}
        assert all(reason.startswith("UndecodableEvent") for reason in kept.values())

    async def test_what_fails_for_now_comes_again_alone_after_its_delay_and_holds_up_nothing(
        self, bus: AmqpBus, consuming: Consuming, eventually: Any
    ) -> None:
        failures: list[float] = []

        def fail_twice(subject: str) -> Exception | None:
            if subject == "b" and len(failures) < 2:
                failures.append(time.monotonic())
                return Transient("down")
            return None

        consuming.error = fail_twice
        await bus.publish([outgoing("a"), outgoing("b"), outgoing("c")])
        await eventually(lambda: consuming.handled == ["a", "c"])
        await bus.publish([outgoing("d")])
        await eventually(lambda: consuming.handled == ["a", "c", "d", "b"])
        finished = time.monotonic()
        assert failures[1] - failures[0] >= 0.09
        assert finished - failures[1] >= 0.29
        assert consuming.batches[0] == 3
        assert consuming.batches[-1] == 1

    async def test_what_the_broker_gives_up_on_is_kept_with_its_reason(
        self, broker: Any, bus: AmqpBus, consuming: Consuming, eventually: Any
    ) -> None:
        await consuming.consumer.stop()
        await bus.publish([outgoing("a"), outgoing("b")])
        channel = await broker.channel()
        queue = await channel.get_queue(f"{broker.namespace}sync.records")
        message = await queue.get()
        await message.reject(requeue=False)
        await consuming.consumer.start()

        async def kept() -> bool:
            return len(await consuming.dead_letters.page()) == 2

        await eventually(kept)
        letters = await consuming.dead_letters.page()
        assert {letter.subject for letter in letters} == {"a", "b"}
        assert {letter.reason for letter in letters} == {"given up by the broker: rejected"}
        assert consuming.handled == []

    async def test_a_receiver_that_raises_gets_the_rest_again(self, bus: AmqpBus, eventually: Any) -> None:
        seen: list[str] = []

        async def receive(deliveries: Sequence[Delivery]) -> None:
            for delivery in deliveries:
                seen.append(delivery.body.decode())
                if len(seen) == 2:
                    raise RuntimeError("a bug")
                await delivery.done()

        await bus.subscribe(SYNC_RECORDS, receive, batch_size=10)
        await connected(bus)
        await bus.publish([Outgoing(one, "crm", KEY, f'"{one}"'.encode()) for one in "abc"])
        await eventually(lambda: seen == ['"a"', '"b"', '"b"', '"c"'])


class TestOutage:
    async def test_a_broker_that_is_away_at_the_start_is_waited_for(
        self, broker: Any, sqlite: Database, eventually: Any
    ) -> None:
        await broker.cut()
        bus = broker.bus()
        await bus.start()
        consuming = Consuming(bus, sqlite)
        await consuming.consumer.start()
        with pytest.raises(ConnectionError):
            await bus.publish([outgoing("a")])
        await asyncio.sleep(0.1)
        assert "the broker cannot be used" in (await bus.healthy() or "")
        await broker.restore()
        await connected(bus)
        await bus.publish([outgoing("a")])
        await eventually(lambda: consuming.handled == ["a"])

    async def test_cuts_while_publishing_and_consuming_lose_nothing(
        self, broker: Any, bus: AmqpBus, consuming: Consuming, postgres: Database, eventually: Any
    ) -> None:
        sender: AmqpBus = broker.bus()
        await connected(sender)
        relay = Relay(postgres, sender, Metrics(), at_once=50)
        relay.start()
        for round_ in range(5):
            async with postgres.transaction() as session:
                outbox.record_all(session, [updated(f"{round_}-{number}") for number in range(400)])
            await asyncio.sleep(0.02)
            await broker.cut()
            await asyncio.sleep(0.05)
            await broker.restore()
            await asyncio.sleep(0.25)
        expected = {f"{round_}-{number}" for round_ in range(5) for number in range(400)}
        await eventually(lambda: set(consuming.handled) == expected)
        await eventually(lambda: _none_left(postgres))
        await relay.stop()

    async def test_a_missing_exchange_is_declared_again(
        self, broker: Any, bus: AmqpBus, consuming: Consuming, eventually: Any
    ) -> None:
        channel = await broker.channel()
        await channel.exchange_delete(f"{broker.namespace}crm")
        await self._published_at_last(bus)
        await eventually(lambda: "a" in consuming.handled)

    async def test_a_missing_queue_is_declared_again_and_meanwhile_nothing_counts_as_sent(
        self, broker: Any, bus: AmqpBus, consuming: Consuming, eventually: Any
    ) -> None:
        channel = await broker.channel()
        await channel.queue_delete(f"{broker.namespace}sync.records")
        await self._published_at_last(bus)
        await eventually(lambda: "a" in consuming.handled)

    async def test_a_missing_retry_queue_is_declared_again(
        self, broker: Any, bus: AmqpBus, consuming: Consuming, eventually: Any
    ) -> None:
        channel = await broker.channel()
        await channel.queue_delete(f"{broker.namespace}sync.records.retry.0.1")
        errors: list[Exception | None] = [Transient("down"), Transient("down"), None]
        consuming.error = lambda _: errors.pop(0) if errors else None
        await bus.publish([outgoing("a")])
        await eventually(lambda: "a" in consuming.handled)

    async def test_a_broker_that_says_nothing_hangs_neither_publishing_nor_closing(
        self, broker: Any, sqlite: Database, eventually: Any
    ) -> None:
        bus = broker.bus(timeout=0.3, heartbeat=1)
        consuming = Consuming(bus, sqlite)
        await bus.start()
        await consuming.consumer.start()
        await connected(bus)
        broker.swallows = True
        with pytest.raises(ConnectionError, match="not confirmed"):
            await bus.publish([outgoing("a")])
        # The lost heartbeat, three intervals later, must end the publication under way and nothing else.
        publication = asyncio.create_task(broker_bus_publish(bus))
        async with asyncio.timeout(15):
            while await bus.healthy() is None:
                await asyncio.sleep(0.05)
        with pytest.raises(ConnectionError):
            await publication
        started = time.monotonic()
        await bus.close()
        assert time.monotonic() - started < 6
        assert await bus.healthy() == "the bus is closed"

    async def _published_at_last(self, bus: AmqpBus) -> None:
        async with asyncio.timeout(10):
            while True:
                try:
                    return await bus.publish([outgoing("a")])
                except ConnectionError:
                    await asyncio.sleep(0.05)


async def broker_bus_publish(bus: AmqpBus) -> None:
    """Publish until it is told that the connection is gone for good."""
    while True:
        try:
            await bus.publish([outgoing("a")])
        except ConnectionError as error:
            if "not connected" in str(error) or await bus.healthy() is not None:
                raise


async def _none_left(database: Database) -> bool:
    async with database.reading() as session:
        return (await session.execute(outbox.outbox.select().limit(1))).first() is None
