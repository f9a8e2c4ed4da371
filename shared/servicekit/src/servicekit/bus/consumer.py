"""A consumer takes what arrives at one queue, has it handled, and settles each event by `recovery.recover`.

Guarantees: events of one subject are handled one after another, in the order in which they arrive; an event that fails
holds up no other, and one that takes long holds up only those of its own subject, if they are handled one by one; an
event given up on is settled only after it stands in the dead letters.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from contracts.event import Envelope, Event, UndecodableEvent, decode
from contracts.topology import Queue
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from servicekit.bus import Bus, Delivery, Unsubscribe
from servicekit.bus.dead_letters import DeadLetter, DeadLetters, GivenUp
from servicekit.bus.recovery import DELAYS, Ack, Dead, Retry, describe, recover
from servicekit.faults import Permanent, Transient
from servicekit.tasks import Interrupted, being_cancelled
from servicekit.telemetry import Metrics, correlated, log, service_name

_BATCHES = 100
"""How many may be begun where events are handled one by one: some wait for a slow event of the same subject."""


@dataclass(frozen=True)
class Received:
    """One event that arrived, decoded."""

    envelope: Envelope
    event: Event[Any]


Handler = Callable[[Received], Awaitable[None]]
"""Handles one event; whatever it raises goes through `recovery.recover`."""

BatchHandler = Callable[[Sequence[Received]], Awaitable[Sequence[Exception | None]]]
"""Handles many events at once, and gives one outcome per event, in their order. What it raises counts for every one."""


@dataclass(frozen=True)
class Subscription:
    """What a service does with the events of a queue: exactly one of ``handle`` and ``handle_batch``.

    ``batch_size``: how many events are taken at once at most. ``concurrency``: how many subjects ``handle`` is called
    for at the same time, be they of one batch or of several; a batch handler has one call at a time. ``given_up``: is
    told of events that become dead letters, in the transaction that keeps them.
    """

    queue: Queue
    handle: Handler | None = None
    handle_batch: BatchHandler | None = None
    batch_size: int = 500
    concurrency: int = 8
    given_up: GivenUp | None = None

    def __post_init__(self) -> None:
        if (self.handle is None) == (self.handle_batch is None):
            raise ValueError(f"{self.queue.name}: exactly one of handle and handle_batch must be given")


class Consumer:
    """Carries out one subscription of ``service`` over ``bus``."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        bus: Bus,
        dead_letters: DeadLetters,
        metrics: Metrics,
        service: str,
        delays: Sequence[float] = DELAYS,
    ) -> None:
        self.queue = subscription.queue.name
        self._subscription = subscription
        self._types = subscription.queue.types
        self._bus = bus
        self._dead_letters = dead_letters
        self._metrics = metrics
        self._service = service
        self._delays = delays
        self._unsubscribe: Unsubscribe | None = None
        self._free = asyncio.Semaphore(subscription.concurrency)
        self._last: dict[str, asyncio.Event] = {}
        """Set when the last lane of events of a subject that has come so far ends."""

    async def start(self) -> None:
        """Take what arrives from now on."""
        subscription = self._subscription
        parallel = 1 if subscription.handle is None else _BATCHES
        self._unsubscribe = await self._bus.subscribe(
            subscription.queue, self._receive, batch_size=subscription.batch_size, parallel=parallel
        )

    async def stop(self) -> None:
        """Let what is being handled end (bounded by the bus), and take nothing more."""
        if self._unsubscribe is not None:
            await self._unsubscribe()
            self._unsubscribe = None

    async def handle(self, bodies: Sequence[bytes]) -> Sequence[Exception | None]:
        """Decode and handle encoded events; give for each what it failed with, or None. Settles nothing.

        The dead letters' replay goes through here, too.
        """
        service_name.set(self._service)
        decoded = [self._decode(body) for body in bodies]
        received = [one for one in decoded if isinstance(one, Received)]
        outcomes: Sequence[Exception | None] = []
        if self._subscription.handle_batch is not None:
            outcomes = await self._together(received, self._subscription.handle_batch)
        elif self._subscription.handle is not None:
            outcomes = await self._one_by_one(received, self._subscription.handle)
        handled = iter(outcomes)
        return [next(handled) if isinstance(one, Received) else one for one in decoded]

    def _decode(self, body: bytes) -> Received | UndecodableEvent:
        try:
            return Received(*decode(body, self._types))
        except UndecodableEvent as error:
            return error

    async def _receive(self, deliveries: Sequence[Delivery]) -> None:
        wanted = [delivery for delivery in deliveries if delivery.given_up is None]
        errors = await self.handle([delivery.body for delivery in wanted])
        dead = [self._dead(one, one.given_up) for one in deliveries if one.given_up is not None]
        retries: list[tuple[Delivery, Retry]] = []
        for delivery, error in zip(wanted, errors, strict=True):
            match recover(error, delivery.attempt, self._delays):
                case Ack():
                    await self._done(delivery)
                case Retry() as retry:
                    retries.append((delivery, retry))
                case Dead(reason):
                    dead.append(self._dead(delivery, reason))
        retries += await self._bury(dead)
        # Together: each is confirmed by the broker. And all of them, before the first failure is raised.
        results = await asyncio.gather(*(self._retry(*one) for one in retries), return_exceptions=True)
        for result in results:
            if result is not None:
                raise result

    async def _done(self, delivery: Delivery) -> None:
        await delivery.done()
        self._count("done")

    async def _retry(self, delivery: Delivery, retry: Retry) -> None:
        letter = DeadLetter.of(self.queue, delivery.body, reason=retry.reason, attempts=delivery.attempt)
        await delivery.retry(retry.delay)
        # Waiting once or twice is how things are meant to be ("not there yet"); more is worth a look.
        tell = log.warning if delivery.attempt > 2 else log.info
        tell("event_retried", **_facts(letter), delay=retry.delay)
        self._count("retried")

    def _dead(self, delivery: Delivery, reason: str) -> tuple[Delivery, DeadLetter]:
        return delivery, DeadLetter.of(self.queue, delivery.body, reason=reason, attempts=delivery.attempt)

    async def _bury(self, dead: Sequence[tuple[Delivery, DeadLetter]]) -> list[tuple[Delivery, Retry]]:
        """Keep the letters and settle their deliveries; give those to be tried again because they were not kept."""
        if not dead:
            return []
        try:
            await self._dead_letters.keep([letter for _, letter in dead], tell=self._subscription.given_up)
        except Exception as error:
            log.error("dead_letters_not_kept", queue=self.queue, count=len(dead), reason=describe(error))
            reason = f"dead letter not kept: {describe(error)}"
            return [(delivery, Retry(self._delays[0], reason)) for delivery, _ in dead]
        for delivery, letter in dead:
            await delivery.done()
            log.error("event_dead", **_facts(letter), dead_letter=letter.id)
            self._count("dead")
        return []

    def _count(self, outcome: str) -> None:
        self._metrics.events.labels(self.queue, outcome).inc()

    async def _together(self, received: Sequence[Received], handle: BatchHandler) -> Sequence[Exception | None]:
        if not received:
            return []
        # A batch of many requests runs under an id of its own; each event still names the one it came of.
        origins = {(one.envelope.correlationid, one.envelope.traceparent) for one in received}
        correlation, trace = origins.pop() if len(origins) == 1 else (None, None)
        outcomes: list[Sequence[Exception | None]] = []

        async def handle_all() -> None:
            outcomes.append(await handle(received))

        error = await _attempt(handle_all, correlation, trace)
        if error is None and len(outcomes[0]) != len(received):
            error = Permanent(f"the batch handler gave {len(outcomes[0])} outcomes for {len(received)} events")
        return [error] * len(received) if error is not None else [_named(one) for one in outcomes[0]]

    async def _one_by_one(self, received: Sequence[Received], handle: Handler) -> Sequence[Exception | None]:
        outcomes: dict[int, Exception | None] = {}
        lanes: dict[str, list[int]] = defaultdict(list)
        for index, one in enumerate(received):
            lanes[one.envelope.subject or one.envelope.id].append(index)

        async def run(lane: Sequence[int], before: asyncio.Event | None) -> None:
            if before is not None:
                await before.wait()
            async with self._free:
                for index in lane:
                    one = received[index]
                    envelope = one.envelope
                    outcomes[index] = await _attempt(partial(handle, one), envelope.correlationid, envelope.traceparent)

        async with asyncio.TaskGroup() as group:
            for subject, lane in lanes.items():
                task = group.create_task(run(lane, self._last.get(subject)))
                self._let_wait(subject, task)
        return [outcomes[index] for index in range(len(received))]

    def _let_wait(self, subject: str, lane: "asyncio.Task[None]") -> None:
        """Whatever comes of this subject from now on waits until the lane has ended, in whatever way."""
        ended = self._last[subject] = asyncio.Event()

        def end(_: "asyncio.Task[None]") -> None:
            ended.set()
            if self._last.get(subject) is ended:
                del self._last[subject]

        lane.add_done_callback(end)


async def _attempt(call: Callable[[], Awaitable[None]], correlation: str | None, trace: str | None) -> Exception | None:
    """Give what the call raised, or None."""
    with correlated(correlation, trace):
        try:
            await call()
        except asyncio.CancelledError:
            if being_cancelled():
                raise
            return Interrupted("what the handler waited for was cancelled")
        except Exception as error:
            named = _named(error)
            if not isinstance(named, Transient | Permanent | OSError):
                log.error("handler_failed", exc_info=error)
            return named
    return None


def _named(error: Exception | None) -> Exception | None:
    """A database that is away is no bug. And what was written to it is not for the log: it may be personal data."""
    if isinstance(error, DBAPIError):
        error.hide_parameters = True
        if error.connection_invalidated:
            return Transient(describe(error))
    return Transient(describe(error)) if isinstance(error, PoolTimeout) else error


def _facts(letter: DeadLetter) -> dict[str, Any]:
    return {
        "queue": letter.queue,
        "type": letter.event_type,
        "subject": letter.subject,
        "attempt": letter.attempts,
        "reason": letter.reason,
        "correlation_id": letter.correlation_id,
    }
