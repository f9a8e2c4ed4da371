"""The relay takes events from the outbox to the bus.

Guarantee: an event leaves the outbox only after the bus confirmed it. If the process dies in between, it is published
again; consumers do not mind.

Rows go by "not sent yet", never by "after the last one": a lower position can be committed later.
"""

import asyncio
from datetime import datetime

from sqlalchemy import select

from servicekit.bus import Bus
from servicekit.db import Database, utc_now
from servicekit.outbox import outbox
from servicekit.relay_ways import Claiming, Watching
from servicekit.tasks import being_cancelled, end
from servicekit.telemetry import Metrics, log

POLL_SECONDS = (0.05, 1.0)
BACK_OFF_SECONDS = (0.1, 2.0)


class Relay:
    """One service's relay: a task woken by the commits of its own process, that also looks for those of others.

    On PostgreSQL with a bus that confirms at once, any number of processes can run one (`Claiming`). On SQLite, or
    with a bus that settles late, there is one per database (`Watching`). ``in_flight``: how many events this one
    hands to the bus at most before they are confirmed. ``at_once``: how many rows are read in one go.
    """

    def __init__(
        self, database: Database, bus: Bus, metrics: Metrics, *, at_once: int = 500, in_flight: int = 2000
    ) -> None:
        self._database = database
        self._bus = bus
        self._metrics = metrics
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._way: Claiming | Watching
        if database.is_sqlite or bus.settles_late:
            self._way = Watching(database, bus, self._sent, at_once=at_once, in_flight=in_flight)
        else:
            self._way = Claiming(database, bus, self._sent, at_once=at_once)

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._database.on_events_recorded = self._wake.set
        self._way.on_progress = self._wake.set
        self._task = asyncio.create_task(self._run(), name="relay")

    async def stop(self, *, within: float = 5.0) -> None:
        """Stop within about ``within`` seconds; what the bus has not confirmed by then stays in the outbox."""
        if self._task is not None:
            task, self._task = self._task, None
            self._wake.set()
            await end([task], within=within)
            await self._way.stop(within=0 if self._bus.settles_late else within)

    async def lag(self) -> float:
        """Age in seconds of the oldest event that was not handed to the bus yet; 0 if there is none.

        On a bus that settles late, an event that its consumer tries again for hours is no lag of the relay.
        """
        oldest = select(outbox.c.recorded_at).where(self._way.not_in_flight()).order_by(outbox.c.position).limit(1)
        async with self._database.reading() as session:
            recorded_at: datetime | None = (await session.execute(oldest)).scalar()
        return max(0.0, (utc_now() - recorded_at).total_seconds()) if recorded_at else 0.0

    def _sent(self, count: int) -> None:
        self._metrics.published.inc(count)

    async def _run(self) -> None:
        pause, failures = POLL_SECONDS[0], 0
        while self._task is not None:
            self._wake.clear()
            try:
                if await self._bus.healthy() is None and await self._way.step():
                    pause, failures = POLL_SECONDS[0], 0
                    continue
            except (Exception, asyncio.CancelledError) as error:
                # A lost heartbeat comes out of a publication as a cancellation that nobody asked for.
                if isinstance(error, asyncio.CancelledError) and being_cancelled():
                    raise
                failures += 1
                again = min(BACK_OFF_SECONDS[0] * 2**failures, BACK_OFF_SECONDS[1])
                log.warning("relay_failed", reason=f"{type(error).__name__}: {error}", failures=failures, again=again)
                await asyncio.sleep(again)
                continue
            failures = 0
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
                pause = POLL_SECONDS[0]
            except TimeoutError:
                pause = min(pause * 2, POLL_SECONDS[1])
