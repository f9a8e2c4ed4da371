"""The relay: from the outbox to the bus, whatever dies in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from contracts.accounts import AccountSnapshot, AccountUpdated
from contracts.topology import SYNC_RECORDS, Queue
from servicekit import outbox
from servicekit.bus import Outgoing, Receive, Unsubscribe
from servicekit.bus.consumer import Consumer, Received, Subscription
from servicekit.bus.dead_letters import DeadLetters
from servicekit.bus.embedded import EmbeddedBus
from servicekit.db import Database
from servicekit.relay import Relay
from servicekit.telemetry import Metrics
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession


class FakeBus:
    """Notes what is published; confirms when its gate is open, and fails with ``errors`` first."""

    def __init__(self) -> None:
        self.settles_late = False
        self.waiting: frozenset[str] = frozenset()
        self.publications: list[list[str]] = []
        self.errors: list[BaseException] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.trouble: str | None = None

    async def start(self) -> None: ...

    async def publish(self, events: Sequence[Outgoing]) -> None:
        self.publications.append([event.event_id for event in events])
        assert len({(event.exchange, event.routing_key) for event in events}) == 1
        if self.errors:
            raise self.errors.pop(0)
        await self.gate.wait()

    async def subscribe(self, queue: Queue, receive: Receive, *, batch_size: int, parallel: int = 1) -> Unsubscribe:
        raise NotImplementedError

    async def healthy(self) -> str | None:
        return self.trouble

    async def close(self) -> None: ...

    @property
    def ids(self) -> list[str]:
        return [event_id for publication in self.publications for event_id in publication]


def record(session: AsyncSession, subject: str, version: int = 1) -> None:
    outbox.record(session, AccountUpdated(data=AccountSnapshot(id=subject, version=version, account_name="Zylker")))


async def recorded(database: Database, count: int = 1) -> None:
    async with database.transaction() as session:
        for number in range(count):
            record(session, str(number))


async def left(database: Database) -> int:
    async with database.reading() as session:
        return (await session.execute(select(func.count()).select_from(outbox.outbox))).scalar_one()


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
async def relay(database: Database, bus: FakeBus) -> AsyncIterator[Relay]:
    made = Relay(database, bus, Metrics())
    made.start()
    yield made
    bus.gate.set()
    await made.stop()


async def test_an_event_leaves_the_outbox_only_after_the_bus_confirmed_it(
    relay: Relay, database: Database, bus: FakeBus, eventually: Any
) -> None:
    bus.gate.clear()
    await recorded(database)
    await eventually(lambda: bus.publications)
    await asyncio.sleep(0.05)
    assert await left(database) == 1
    bus.gate.set()
    await eventually(lambda: _empty(database))
    assert len(bus.publications) == 1


async def _empty(database: Database) -> bool:
    return await left(database) == 0


async def test_what_was_published_by_a_process_that_died_before_it_was_deleted_is_sent_again(
    database: Database, bus: FakeBus, eventually: Any
) -> None:
    bus.gate.clear()
    dying = Relay(database, bus, Metrics())
    dying.start()
    await recorded(database, 3)
    await eventually(lambda: bus.publications)
    await dying.stop(within=0)
    assert await left(database) == 3
    bus.gate.set()
    next_one = Relay(database, bus, Metrics())
    next_one.start()
    await eventually(lambda: _empty(database))
    await next_one.stop()
    assert bus.publications[0] == bus.publications[1]


async def test_a_commit_wakes_the_relay(relay: Relay, database: Database, bus: FakeBus, eventually: Any) -> None:
    await asyncio.sleep(0.5)  # by now it polls once in 0.4 s
    started = asyncio.get_running_loop().time()
    await recorded(database)
    await eventually(lambda: bus.publications)
    assert asyncio.get_running_loop().time() - started < 0.2


async def test_events_of_other_processes_are_found_by_polling(
    relay: Relay, database: Database, bus: FakeBus, eventually: Any
) -> None:
    other = Database(
        database.url.render_as_string(hide_password=False).replace("+asyncpg", "").replace("+aiosqlite", "")
    )
    await recorded(other)
    await other.close()
    await eventually(lambda: _empty(database))


async def test_a_backlog_goes_out_in_order_in_messages_of_at_most_100(
    database: Database, bus: FakeBus, eventually: Any
) -> None:
    await recorded(database, 2000)
    metrics = Metrics()
    relay = Relay(database, bus, metrics)
    relay.start()
    await eventually(lambda: _empty(database))
    await relay.stop()
    assert max(len(publication) for publication in bus.publications) == 100
    assert len(bus.ids) == 2000
    assert bus.ids == sorted(bus.ids)
    assert metrics.registry.get_sample_value("published_events_total") == 2000


@pytest.mark.parametrize("error", [ConnectionError("away"), asyncio.CancelledError()], ids=["error", "cancellation"])
async def test_what_was_not_confirmed_is_published_again(
    relay: Relay, database: Database, bus: FakeBus, eventually: Any, error: BaseException
) -> None:
    bus.errors = [error, error]
    await recorded(database, 2)
    await eventually(lambda: _empty(database))
    assert len(bus.publications) == 3
    assert len(set(bus.ids)) == 2


async def test_what_was_confirmed_is_not_held_up_by_what_failed(
    relay: Relay, database: Database, bus: FakeBus, eventually: Any
) -> None:
    bus.errors = [ConnectionError("away")]
    await recorded(database, 150)  # two messages; the first one fails
    await eventually(lambda: _empty(database))
    assert [len(publication) for publication in bus.publications] == [100, 50, 100]


async def test_nothing_is_published_while_the_bus_is_away(
    relay: Relay, database: Database, bus: FakeBus, eventually: Any
) -> None:
    bus.trouble = "no broker"
    await recorded(database)
    await asyncio.sleep(0.1)
    assert bus.publications == []
    assert 0.05 < await relay.lag() < 5
    bus.trouble = None
    await eventually(lambda: _empty(database))
    assert await relay.lag() == 0


async def test_stopping_is_bounded_while_the_bus_hangs(database: Database, bus: FakeBus, eventually: Any) -> None:
    bus.gate.clear()
    relay = Relay(database, bus, Metrics())
    relay.start()
    await recorded(database)
    await eventually(lambda: bus.publications)
    async with asyncio.timeout(2):
        await relay.stop(within=0.1)
    assert await left(database) == 1


async def test_others_can_write_while_it_publishes(
    relay: Relay, database: Database, bus: FakeBus, eventually: Any
) -> None:
    bus.gate.clear()
    await recorded(database)
    await eventually(lambda: bus.publications)
    async with asyncio.timeout(1):
        await recorded(database)


@pytest.mark.servers
async def test_a_lower_position_that_is_committed_later_is_sent_too(postgres: Database, eventually: Any) -> None:
    bus = FakeBus()
    relay = Relay(postgres, bus, Metrics())
    relay.start()
    async with postgres.transaction() as slow:
        record(slow, "slow")
        await slow.run_sync(outbox._write)  # its position is taken, and it is not committed
        await recorded(postgres)
        await eventually(lambda: len(bus.ids) == 1)
    await eventually(lambda: len(bus.ids) == 2)
    await eventually(lambda: _empty(postgres))
    await relay.stop()


@pytest.mark.servers
async def test_several_relays_share_one_outbox(postgres: Database, eventually: Any) -> None:
    bus = FakeBus()
    await recorded(postgres, 2000)
    relays = [Relay(postgres, bus, Metrics(), at_once=100) for _ in range(4)]
    for relay in relays:
        relay.start()
    await eventually(lambda: _empty(postgres))
    for relay in relays:
        await relay.stop()
    assert len(bus.ids) == len(set(bus.ids)) == 2000


class TestEmbedded:
    """Outbox, relay, bus and consumer in one process."""

    @pytest.fixture
    async def embedded(self) -> AsyncIterator[EmbeddedBus]:
        made = EmbeddedBus(pause=0.02, grace=0.2)
        await made.start()
        yield made
        await made.close()

    async def test_a_crash_while_an_event_is_handled_loses_nothing(
        self, database: Database, embedded: EmbeddedBus, eventually: Any
    ) -> None:
        handled: list[str] = []
        hanging = asyncio.Event()

        async def hang(_: Received) -> None:
            hanging.set()
            await asyncio.sleep(60)

        async def handle(received: Received) -> None:
            handled.append(received.event.data.id)

        for handler in (hang, handle):
            consumer = self._consumer(database, embedded, handle=handler)
            await consumer.start()
            relay = Relay(database, embedded, Metrics())
            relay.start()
            if handler is hang:
                await recorded(database, 3)
                await hanging.wait()
                await relay.stop()
                await consumer.stop()
                assert await left(database) == 3
        await eventually(lambda: _empty(database))
        await relay.stop()
        assert sorted(handled) == ["0", "1", "2"]

    async def test_a_backlog_is_handled_in_batches(
        self, database: Database, embedded: EmbeddedBus, eventually: Any
    ) -> None:
        sizes: list[int] = []

        async def handle(batch: Sequence[Received]) -> Sequence[None]:
            sizes.append(len(batch))
            return [None] * len(batch)

        await recorded(database, 2000)
        await self._consumer(database, embedded, handle_batch=handle).start()
        relay = Relay(database, embedded, Metrics())
        relay.start()
        await eventually(lambda: _empty(database))
        await relay.stop()
        assert sum(sizes) == 2000
        assert len(sizes) <= 20

    async def test_an_event_that_is_tried_again_is_no_lag_and_holds_up_nothing(
        self, database: Database, embedded: EmbeddedBus, eventually: Any
    ) -> None:
        handled: list[str] = []

        async def handle(received: Received) -> None:
            if received.event.data.id == "0":
                raise ConnectionError("away")
            handled.append(received.event.data.id)

        await self._consumer(database, embedded, handle=handle).start()
        relay = Relay(database, embedded, Metrics())
        relay.start()
        await recorded(database, 3)
        await eventually(lambda: len(handled) == 2)
        assert await relay.lag() == 0
        await recorded(database, 3)
        await eventually(lambda: len(handled) == 4)
        await relay.stop()
        assert await left(database) == 2

    async def test_what_waits_for_its_retry_holds_up_nobody(
        self, database: Database, embedded: EmbeddedBus, eventually: Any
    ) -> None:
        handled: list[str] = []

        async def handle(received: Received) -> None:
            if received.event.data.version == 1:
                raise ConnectionError("what it needs stands behind it")
            handled.append(received.event.data.id)

        await self._consumer(database, embedded, handle=handle).start()
        relay = Relay(database, embedded, Metrics(), in_flight=10)
        relay.start()
        await recorded(database, 30)
        async with database.transaction() as session:
            record(session, "behind", version=2)
        await eventually(lambda: handled == ["behind"])
        await relay.stop()
        assert await left(database) == 30

    def _consumer(self, database: Database, bus: EmbeddedBus, **handlers: Any) -> Consumer:
        return Consumer(
            Subscription(SYNC_RECORDS, **handlers),
            bus=bus,
            dead_letters=DeadLetters(database),
            metrics=Metrics(),
            service="sync",
        )
