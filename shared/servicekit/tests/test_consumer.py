"""A consumer: what it has handled, how it settles, what it keeps."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from contracts.accounts import AccountSnapshot, AccountUpdated
from contracts.event import encode
from contracts.topology import SYNC_RECORDS
from servicekit.bus import Outgoing
from servicekit.bus.consumer import Consumer, Received, Subscription
from servicekit.bus.dead_letters import DeadLetters
from servicekit.bus.embedded import EmbeddedBus
from servicekit.db import Database
from servicekit.faults import Permanent, Transient
from servicekit.telemetry import Metrics, correlation_id, service_name, traceparent
from sqlalchemy import text


def updated(subject: str, version: int = 1, **meta: Any) -> Outgoing:
    event = AccountUpdated(data=AccountSnapshot(id=subject, version=version, account_name="Zylker"))
    body = encode(event, event_id=f"{subject}-{version}", source="/crm", **meta)
    return Outgoing(f"{subject}-{version}", "crm", "crm.account.updated", body)


def raw(body: bytes) -> Outgoing:
    return Outgoing("raw", "crm", "crm.account.updated", body)


def name(received: Received) -> str:
    return f"{received.event.data.id}-{received.event.data.version}"


class Bench:
    """One consumer on an embedded bus, and what came of it."""

    def __init__(self, database: Database) -> None:
        self.bus = EmbeddedBus(pause=0.02, grace=0.2)
        self.dead_letters = DeadLetters(database)
        self.metrics = Metrics()
        self.handled: list[str] = []

    async def consume(self, **subscription: Any) -> Consumer:
        consumer = Consumer(
            Subscription(SYNC_RECORDS, **subscription),
            bus=self.bus,
            dead_letters=self.dead_letters,
            metrics=self.metrics,
            service="sync",
            delays=(0.02, 0.05),
        )
        await consumer.start()
        return consumer

    async def failing(self, errors: Callable[[Received], Exception | None]) -> None:
        """Consume with a handler that notes each event, and raises what ``errors`` gives for it."""

        async def handle(received: Received) -> None:
            self.handled.append(name(received))
            if (error := errors(received)) is not None:
                raise error

        await self.consume(handle=handle)

    def count(self, outcome: str) -> float:
        labels = {"queue": SYNC_RECORDS.name, "outcome": outcome}
        return self.metrics.registry.get_sample_value("consumed_events_total", labels) or 0.0


@pytest.fixture
async def bench(sqlite: Database) -> AsyncIterator[Bench]:
    made = Bench(sqlite)
    await made.bus.start()
    yield made
    await made.bus.close()


@pytest.mark.parametrize("handlers", [{}, {"handle": 1, "handle_batch": 2}])
def test_a_subscription_has_exactly_one_handler(handlers: Any) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Subscription(SYNC_RECORDS, **handlers)


class TestOneByOne:
    async def test_what_is_handled_is_done(self, bench: Bench) -> None:
        await bench.failing(lambda _: None)
        await bench.bus.publish([updated("a"), updated("b")])
        assert sorted(bench.handled) == ["a-1", "b-1"]
        assert bench.count("done") == 2

    async def test_malformed_json_is_kept_with_reason_and_raw_body_and_the_rest_is_handled(self, bench: Bench) -> None:
        await bench.failing(lambda _: None)
        await bench.bus.publish([updated("a"), raw(b'{"specversion": \xff'), updated("b")])
        assert sorted(bench.handled) == ["a-1", "b-1"]
        [letter] = await bench.dead_letters.page()
        assert letter.body == b'{"specversion": \xff'
        assert letter.reason.startswith("UndecodableEvent: the message is not JSON")
        assert (letter.queue, letter.attempts, letter.event_id) == ("sync.records", 1, None)
        assert bench.count("dead") == 1

    async def test_an_unknown_version_is_kept_and_says_what_it_was(self, bench: Bench) -> None:
        await bench.failing(lambda _: None)
        body = updated("a", correlation_id="c-1", traceparent="00-1-2-01").body.replace(b"updated.v1", b"updated.v9")
        await bench.bus.publish([raw(body)])
        [letter] = await bench.dead_letters.page()
        assert "unknown event type or version 'crm.account.updated.v9'" in letter.reason
        assert (letter.event_type, letter.event_id, letter.subject) == ("crm.account.updated.v9", "a-1", "a")
        assert (letter.correlation_id, letter.traceparent) == ("c-1", "00-1-2-01")

    async def test_what_fails_for_now_is_tried_again_and_holds_up_nothing(self, bench: Bench) -> None:
        away = {"a"}
        await bench.failing(lambda one: Transient("down") if one.event.data.id in away else None)
        late = asyncio.create_task(bench.bus.publish([updated("a")]))
        await asyncio.sleep(0)
        await bench.bus.publish([updated("b")])
        assert not late.done()
        away.clear()
        await late
        assert bench.handled[:2] == ["a-1", "b-1"]
        assert bench.handled[-1] == "a-1"
        assert bench.count("retried") >= 1
        assert await bench.dead_letters.page() == []

    async def test_what_can_never_succeed_is_kept_at_once(self, bench: Bench) -> None:
        await bench.failing(lambda _: Permanent("no such organization"))
        await bench.bus.publish([updated("a")])
        [letter] = await bench.dead_letters.page()
        assert (letter.reason, letter.attempts) == ("Permanent: no such organization", 1)
        assert bench.handled == ["a-1"]

    async def test_a_bug_is_tried_a_few_times_and_then_kept(self, bench: Bench) -> None:
        await bench.failing(lambda _: KeyError("x"))
        await bench.bus.publish([updated("a")])
        [letter] = await bench.dead_letters.page()
        assert letter.reason == "given up after 5 attempts: KeyError: 'x'"
        assert letter.attempts == 5
        assert len(bench.handled) == 5
        assert (bench.count("retried"), bench.count("dead")) == (4, 1)

    async def test_a_cancellation_out_of_a_handler_is_a_failure_like_others(self, bench: Bench) -> None:
        async def handle(received: Received) -> None:
            bench.handled.append(name(received))
            if len(bench.handled) == 1:
                raise asyncio.CancelledError

        await bench.consume(handle=handle)
        await bench.bus.publish([updated("a")])
        assert bench.handled == ["a-1", "a-1"]

    async def test_one_subject_goes_in_order_and_several_at_once(self, bench: Bench) -> None:
        running: set[str] = set()
        most = 0

        async def handle(received: Received) -> None:
            nonlocal most
            subject = received.event.data.id
            assert subject not in running
            running.add(subject)
            most = max(most, len(running))
            await asyncio.sleep(0.005)
            running.discard(subject)
            bench.handled.append(name(received))

        await bench.consume(handle=handle, concurrency=2)
        await bench.bus.publish([updated(subject, version) for version in (1, 2, 3) for subject in "abc"])
        for subject in "abc":
            assert [one for one in bench.handled if one.startswith(subject)] == [f"{subject}-{n}" for n in (1, 2, 3)]
        assert most == 2

    async def test_what_takes_long_holds_up_what_comes_later_of_its_own_subject_alone(self, bench: Bench) -> None:
        go_on = asyncio.Event()

        async def handle(received: Received) -> None:
            if name(received) == "slow-1":
                await go_on.wait()
            bench.handled.append(name(received))

        await bench.consume(handle=handle, concurrency=2)
        slow = []
        for version in (1, 2, 3):
            slow.append(asyncio.create_task(bench.bus.publish([updated("slow", version)])))
            await asyncio.sleep(0.01)
        for version in (1, 2):
            await bench.bus.publish([updated("other", version)])
        assert bench.handled == ["other-1", "other-2"]
        go_on.set()
        await asyncio.gather(*slow)
        assert bench.handled[2:] == ["slow-1", "slow-2", "slow-3"]

    async def test_a_handler_runs_under_the_correlation_and_trace_of_its_event(self, bench: Bench) -> None:
        seen: list[Any] = []

        async def handle(_: Received) -> None:
            seen.append((correlation_id.get(), traceparent.get(), service_name.get()))

        await bench.consume(handle=handle)
        await bench.bus.publish(
            [updated("a", correlation_id="c-1", traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
        )
        assert seen == [("c-1", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "sync")]


class TestTogether:
    async def test_what_fails_in_a_batch_is_tried_again_alone(self, bench: Bench) -> None:
        batches: list[list[str]] = []

        async def handle(batch: Sequence[Received]) -> Sequence[Exception | None]:
            batches.append([name(one) for one in batch])
            first = len(batches) == 1
            return [Transient("409") if first and one.event.data.id == "b" else None for one in batch]

        await bench.consume(handle_batch=handle)
        await bench.bus.publish([updated("a"), updated("b"), updated("c")])
        assert batches == [["a-1", "b-1", "c-1"], ["b-1"]]
        assert (bench.count("done"), bench.count("retried")) == (3, 1)

    async def test_one_permanent_failure_among_many_is_kept_alone(self, bench: Bench) -> None:
        async def handle(batch: Sequence[Received]) -> Sequence[Exception | None]:
            return [Permanent("merged") if one.event.data.id == "b" else None for one in batch]

        await bench.consume(handle_batch=handle)
        await bench.bus.publish([updated("a"), updated("b"), raw(b"[]"), updated("c")])
        assert {letter.reason[:16] for letter in await bench.dead_letters.page()} == {
            "Permanent: merge",
            "UndecodableEvent",
        }
        assert bench.count("done") == 2

    async def test_what_the_batch_raises_counts_for_every_event(self, bench: Bench) -> None:
        calls = 0

        async def handle(batch: Sequence[Received]) -> Sequence[Exception | None]:
            nonlocal calls
            calls += 1
            if calls == 1:
                raise ConnectionRefusedError
            return [None] * len(batch)

        await bench.consume(handle_batch=handle)
        await bench.bus.publish([updated("a"), updated("b")])
        assert (bench.count("done"), bench.count("retried")) == (2, 2)

    async def test_a_handler_that_miscounts_its_outcomes_confirms_nothing(self, bench: Bench) -> None:
        async def handle(_: Sequence[Received]) -> Sequence[Exception | None]:
            return []

        await bench.consume(handle_batch=handle)
        await bench.bus.publish([updated("a")])
        [letter] = await bench.dead_letters.page()
        assert "0 outcomes for 1 events" in letter.reason


class TestKeeping:
    async def test_an_event_is_settled_only_after_it_stands_in_the_dead_letters(
        self, bench: Bench, sqlite: Database
    ) -> None:
        async with sqlite.transaction() as session:
            await session.execute(text("ALTER TABLE dead_letters RENAME TO away"))
        await bench.failing(lambda _: Permanent("never"))
        publication = asyncio.create_task(bench.bus.publish([updated("a")]))
        await asyncio.sleep(0.1)
        assert not publication.done()
        assert bench.count("dead") == 0
        async with sqlite.transaction() as session:
            await session.execute(text("ALTER TABLE away RENAME TO dead_letters"))
        async with asyncio.timeout(5):
            await publication
        assert [letter.reason for letter in await bench.dead_letters.page()] == ["Permanent: never"]

    async def test_an_event_given_up_on_twice_is_kept_once(self, bench: Bench) -> None:
        await bench.failing(lambda _: Permanent("never"))
        await bench.bus.publish([updated("a")])
        await bench.bus.publish([updated("a")])
        assert len(await bench.dead_letters.page()) == 1

    async def test_what_was_written_to_a_database_is_not_told(self, bench: Bench, sqlite: Database) -> None:
        async def handle(_: Received) -> None:
            async with sqlite.transaction() as session:
                await session.execute(text("INSERT INTO missing VALUES (:secret)"), {"secret": "ada@example.org"})

        await bench.consume(handle=handle)
        await bench.bus.publish([updated("a")])
        [letter] = await bench.dead_letters.page()
        assert "no such table: missing" in letter.reason
        assert "ada" not in letter.reason

    async def test_stopping_lets_the_running_batch_end_and_takes_nothing_more(self, bench: Bench) -> None:
        async def handle(received: Received) -> None:
            await asyncio.sleep(0.05)
            bench.handled.append(name(received))

        consumer = await bench.consume(handle=handle)
        first = asyncio.create_task(bench.bus.publish([updated("a")]))
        await asyncio.sleep(0.02)
        await consumer.stop()
        await first
        second = asyncio.create_task(bench.bus.publish([updated("b")]))
        await asyncio.sleep(0.05)
        assert bench.handled == ["a-1"]
        second.cancel()
