"""The bus within one process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from contracts.topology import SYNC_RECORDS, WORKFLOW_POTENTIALS
from servicekit.bus import Delivery, Outgoing
from servicekit.bus.embedded import EmbeddedBus


def outgoing(body: str = "one", key: str = "crm.account.updated") -> Outgoing:
    return Outgoing(event_id=body, exchange=key.partition(".")[0], routing_key=key, body=body.encode())


class Subscriber:
    """Notes what it gets; settles everything unless told otherwise."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def receive(self, deliveries: Sequence[Delivery]) -> None:
        self.batches.append([delivery.body.decode() for delivery in deliveries])
        await self.gate.wait()
        for delivery in deliveries:
            await self.settle(delivery)

    async def settle(self, delivery: Delivery) -> None:
        await delivery.done()

    @property
    def bodies(self) -> list[str]:
        return [body for batch in self.batches for body in batch]


@pytest.fixture
async def bus() -> AsyncIterator[EmbeddedBus]:
    made = EmbeddedBus(pause=0.02, grace=0.2)
    await made.start()
    yield made
    await made.close()


async def started(bus: EmbeddedBus, *events: Outgoing) -> "asyncio.Task[None]":
    """A publication that has begun."""
    task = asyncio.create_task(bus.publish(events))
    await asyncio.sleep(0.01)
    return task


async def test_publish_returns_only_when_every_queue_bound_has_handled_the_event(bus: EmbeddedBus) -> None:
    subscriber = Subscriber()
    subscriber.gate.clear()
    await bus.subscribe(SYNC_RECORDS, subscriber.receive, batch_size=10)
    publication = await started(bus, outgoing())
    assert subscriber.bodies == ["one"]
    assert not publication.done()
    subscriber.gate.set()
    await publication


async def test_an_event_no_queue_is_bound_to_is_delivered_to_nobody_at_once(bus: EmbeddedBus) -> None:
    await bus.publish([outgoing(key="invoice.payment.recorded")])


async def test_an_event_goes_only_to_queues_bound_to_it(bus: EmbeddedBus) -> None:
    records, potentials = Subscriber(), Subscriber()
    await bus.subscribe(SYNC_RECORDS, records.receive, batch_size=10)
    await bus.subscribe(WORKFLOW_POTENTIALS, potentials.receive, batch_size=10)
    await bus.publish([outgoing("a"), outgoing("p", key="crm.potential.won")])
    assert (records.bodies, potentials.bodies) == (["a"], ["p"])


async def test_an_event_waits_for_the_subscriber_that_is_yet_to_come(bus: EmbeddedBus) -> None:
    publication = await started(bus, outgoing())
    subscriber = Subscriber()
    await bus.subscribe(SYNC_RECORDS, subscriber.receive, batch_size=10)
    await publication
    assert subscriber.bodies == ["one"]


async def test_a_batch_is_what_is_there_now_up_to_its_size(bus: EmbeddedBus) -> None:
    subscriber = Subscriber()
    subscriber.gate.clear()
    await bus.subscribe(SYNC_RECORDS, subscriber.receive, batch_size=3)
    publications = [await started(bus, outgoing(str(number))) for number in range(6)]
    subscriber.gate.set()
    await asyncio.gather(*publications)
    assert subscriber.batches == [["0"], ["1", "2", "3"], ["4", "5"]]


async def test_a_retry_comes_after_its_delay_and_holds_up_nothing(bus: EmbeddedBus) -> None:
    times: list[tuple[str, int, float]] = []
    now = asyncio.get_running_loop().time

    class Retrying(Subscriber):
        async def settle(self, delivery: Delivery) -> None:
            times.append((delivery.body.decode(), delivery.attempt, now()))
            if delivery.body == b"late" and delivery.attempt < 3:
                await delivery.retry(0.05)
            else:
                await delivery.done()

    await bus.subscribe(SYNC_RECORDS, Retrying().receive, batch_size=10)
    late = await started(bus, outgoing("late"))
    await bus.publish([outgoing("other")])
    assert not late.done()
    await late
    assert [(body, attempt) for body, attempt, _ in times] == [("late", 1), ("other", 1), ("late", 2), ("late", 3)]
    assert times[2][2] - times[0][2] >= 0.045


async def test_a_receiver_that_raises_gets_what_it_did_not_settle_again(bus: EmbeddedBus) -> None:
    class Failing(Subscriber):
        async def settle(self, delivery: Delivery) -> None:
            if len(self.batches) == 1 and delivery.body == b"b":
                raise RuntimeError("a bug")
            await delivery.done()

    subscriber = Failing()
    await bus.subscribe(SYNC_RECORDS, subscriber.receive, batch_size=10)
    await bus.publish([outgoing("a"), outgoing("b"), outgoing("c")])
    assert subscriber.batches == [["a", "b", "c"], ["b", "c"]]


async def test_a_stray_cancellation_does_not_stop_the_pump(bus: EmbeddedBus) -> None:
    class Interrupted(Subscriber):
        async def settle(self, delivery: Delivery) -> None:
            if len(self.batches) == 1:
                raise asyncio.CancelledError
            await delivery.done()

    subscriber = Interrupted()
    await bus.subscribe(SYNC_RECORDS, subscriber.receive, batch_size=10)
    async with asyncio.timeout(2):
        await bus.publish([outgoing()])
    assert subscriber.bodies == ["one", "one"]


async def test_what_is_not_handled_when_the_bus_closes_is_not_confirmed(bus: EmbeddedBus) -> None:
    subscriber = Subscriber()
    subscriber.gate.clear()
    await bus.subscribe(SYNC_RECORDS, subscriber.receive, batch_size=10)
    publication = await started(bus, outgoing())
    async with asyncio.timeout(2):
        await bus.close()
    with pytest.raises(ConnectionError):
        await publication
    with pytest.raises(ConnectionError):
        await bus.publish([outgoing()])
    assert await bus.healthy() == "the bus is closed"


async def test_it_closes_with_the_last_service_that_uses_it(bus: EmbeddedBus) -> None:
    await bus.start()
    subscriber = Subscriber()
    await bus.subscribe(SYNC_RECORDS, subscriber.receive, batch_size=10)
    await bus.close()
    await bus.publish([outgoing()])
    assert subscriber.bodies == ["one"]


async def test_what_a_subscriber_did_not_settle_goes_to_the_next_one(bus: EmbeddedBus) -> None:
    first, second = Subscriber(), Subscriber()
    first.gate.clear()
    unsubscribe = await bus.subscribe(SYNC_RECORDS, first.receive, batch_size=10)
    publication = await started(bus, outgoing())
    await unsubscribe()
    assert not publication.done()
    await bus.subscribe(SYNC_RECORDS, second.receive, batch_size=10)
    await publication
    await unsubscribe()  # of the one before: does nothing to the present one
    await bus.publish([outgoing("two")])
    assert second.bodies == ["one", "two"]


async def test_a_cancelled_publication_is_not_delivered_any_more(bus: EmbeddedBus) -> None:
    publication = await started(bus, outgoing("gone"))
    publication.cancel()
    await asyncio.gather(publication, return_exceptions=True)
    subscriber = Subscriber()
    await bus.subscribe(SYNC_RECORDS, subscriber.receive, batch_size=10)
    await bus.publish([outgoing("there")])
    assert subscriber.bodies == ["there"]


async def test_two_failures_at_once_leave_no_trace(bus: EmbeddedBus, caplog: Any) -> None:
    publication = await started(bus, outgoing("a"), outgoing("b"))
    await bus.close()
    with pytest.raises(ConnectionError):
        await publication
    del publication
    await asyncio.sleep(0)
    assert not [record for record in caplog.records if "never retrieved" in record.message]
