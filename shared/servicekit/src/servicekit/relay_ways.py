"""The relay's two ways of taking rows from the outbox. Both delete a row only after the bus confirmed its event."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, bindparam, delete, select, true

from servicekit.bus import Bus, Outgoing
from servicekit.db import Database
from servicekit.outbox import outbox
from servicekit.tasks import end

EVENTS_PER_MESSAGE = 100
GATHER_SECONDS = 0.05
"""How long a confirmed event may wait for others before they are deleted together."""
BUSY = 200
"""From how many events in flight on the relay takes its time."""

_position = outbox.c.position
_rows = select(
    _position, outbox.c.event_id, outbox.c.exchange, outbox.c.routing_key, outbox.c.body
).order_by(_position)  # fmt: skip

_positions = select(_position).order_by(_position)

Lot = Sequence[tuple[int, Outgoing]]
"""Rows that are published together: their positions and events, of one exchange and routing key, in order."""


def lots(rows: Iterable[Any], *, size: int) -> list[Lot]:
    """Group rows of the outbox by exchange and routing key, in their order, by at most ``size``."""
    by_key: dict[tuple[str, str], list[tuple[int, Outgoing]]] = defaultdict(list)
    for position, event_id, exchange, routing_key, body in rows:
        by_key[exchange, routing_key].append((position, Outgoing(event_id, exchange, routing_key, bytes(body))))
    return [group[start : start + size] for group in by_key.values() for start in range(0, len(group), size)]


class Claiming:
    """Claims rows with ``FOR UPDATE SKIP LOCKED``, publishes them, and deletes those confirmed, in one transaction.

    So any number of relays share one outbox, and a claim ends with the process that made it. The transaction lasts as
    long as the bus takes to confirm, which it bounds.
    """

    def __init__(self, database: Database, bus: Bus, sent: Callable[[int], None], *, at_once: int) -> None:
        self._database = database
        self._bus = bus
        self._sent = sent
        self._at_once = at_once
        self.on_progress: Callable[[], None] = lambda: None

    async def step(self) -> bool:
        """Send what is there, at most ``at_once``; give whether there may be more. Raises what failed."""
        claim = _rows.limit(self._at_once).with_for_update(skip_locked=True)
        async with self._database.transaction() as session:
            rows = (await session.execute(claim)).all()
            if not rows:
                return False
            confirmed, errors = await self._publish(lots(rows, size=EVENTS_PER_MESSAGE))
            if confirmed:
                await session.execute(_DELETE, {"confirmed": confirmed})
        self._sent(len(confirmed))
        if errors:
            raise errors[0]
        return len(rows) == self._at_once

    async def _publish(self, some: Sequence[Lot]) -> tuple[list[int], list[BaseException]]:
        """All at the same time; give the positions confirmed, and what failed."""
        confirmed: list[int] = []
        results = await asyncio.gather(
            *(self._bus.publish([event for _, event in lot]) for lot in some), return_exceptions=True
        )
        for lot, result in zip(some, results, strict=True):
            if result is None:
                confirmed += [position for position, _ in lot]
        return confirmed, [result for result in results if result is not None]

    def not_in_flight(self) -> ColumnElement[bool]:
        return true()

    async def stop(self, *, within: float) -> None:
        """Nothing outlasts a step."""


_DELETE = delete(outbox).where(_position == any_(bindparam("confirmed", type_=ARRAY(BigInteger))))


class Watching:
    """Remembers which rows it has handed to the bus; never holds a transaction, and so a lock, while publishing.

    Each lot is published in a task of its own; what was confirmed meanwhile is deleted in one short transaction.
    """

    def __init__(
        self, database: Database, bus: Bus, sent: Callable[[int], None], *, at_once: int, in_flight: int
    ) -> None:
        self._database = database
        self._bus = bus
        self._sent = sent
        self._at_once = at_once
        self._most = in_flight
        # A bus that settles late confirms each event when it was handled: one must not wait for another.
        self._lot_size = 1 if bus.settles_late else EVENTS_PER_MESSAGE
        self._in_flight: dict[int, str] = {}  # position → event id
        self._confirmed: list[int] = []
        self._failed: list[BaseException] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._telling: asyncio.TimerHandle | None = None
        self.on_progress: Callable[[], None] = lambda: None

    async def step(self) -> bool:
        """Delete what was confirmed, send what is there; give whether there may be more. Raises what failed."""
        await self._forget_confirmed()
        if self._failed:
            error, self._failed = self._failed[0], []
            raise error
        # What waits for its retry holds up nobody: it may do so for hours, and for what stands behind it.
        waiting = self._bus.waiting
        busy = (
            sum(event_id not in waiting for event_id in self._in_flight.values()) if waiting else len(self._in_flight)
        )
        room = min(self._at_once, self._most - busy)
        if room <= 0:
            return False
        async with self._database.reading() as session:
            # The positions alone are cheap to read past; naming all that is in flight in the statement is not.
            found = await session.scalars(_positions.limit(room + len(self._in_flight)))
            fresh = [position for position in found if position not in self._in_flight][:room]
            rows = (await session.execute(_rows.where(_position.in_(fresh)))).all() if fresh else []
        for lot in lots(rows, size=self._lot_size):
            self._in_flight.update((position, event.event_id) for position, event in lot)
            task = asyncio.create_task(self._publish(lot))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # The tasks must have begun, in order, before the next rows are read. With much under way, nothing is gained by
        # handing over more at every single commit.
        await asyncio.sleep(0 if busy < BUSY else GATHER_SECONDS)
        return len(fresh) == room

    async def _publish(self, lot: Lot) -> None:
        positions = [position for position, _ in lot]
        try:
            await self._bus.publish([event for _, event in lot])
        except (Exception, asyncio.CancelledError) as error:
            self._let_go(positions)
            self._failed.append(error)
        else:
            self._confirmed += positions
        self._tell_soon()

    def _tell_soon(self) -> None:
        """Have what was confirmed deleted shortly, together with what is confirmed until then."""
        loop = asyncio.get_running_loop()
        if self._telling is None or self._telling.when() <= loop.time():
            self._telling = loop.call_later(GATHER_SECONDS, lambda: self.on_progress())

    async def _forget_confirmed(self) -> None:
        if not self._confirmed:
            return
        confirmed, self._confirmed = self._confirmed, []
        try:
            async with self._database.transaction() as session:
                await session.execute(delete(outbox).where(_position.in_(confirmed)))
        except BaseException:
            self._confirmed += confirmed
            raise
        self._let_go(confirmed)
        self._sent(len(confirmed))

    def _let_go(self, positions: Iterable[int]) -> None:
        for position in positions:
            self._in_flight.pop(position, None)

    def not_in_flight(self) -> ColumnElement[bool]:
        return _position.not_in(list(self._in_flight)) if self._in_flight else true()

    async def stop(self, *, within: float) -> None:
        """Let publications end, for ``within`` seconds at most; delete what was confirmed."""
        await end(list(self._tasks), within=within)
        self._failed = []
        await self._forget_confirmed()
