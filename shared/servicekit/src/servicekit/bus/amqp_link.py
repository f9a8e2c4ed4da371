"""One connection to the broker that comes back by itself.

Our own loop, not aio-pika's robust one: that one replays what it remembers channel by channel and hides from us when it
is away. Here every fault, of the connection or of a channel on it, has the same cure: a new connection on which
everything is declared and subscribed to again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aio_pika
from aio_pika.abc import AbstractConnection

from servicekit.tasks import being_cancelled, end
from servicekit.telemetry import log

_PREPARE_SECONDS = 60.0
_CLOSE_SECONDS = 2.0
_WAITS = (0.1, 3.0)


class Link:
    """Connects in the background, has ``prepare`` set up the connection, and does so again whenever it is lost.

    ``heartbeat``: seconds after which a silent broker counts as lost (the client allows three).
    """

    def __init__(
        self, url: str, name: str, prepare: Callable[[AbstractConnection], Awaitable[None]], *, heartbeat: int
    ) -> None:
        self._url = url
        self._name = name
        self._prepare = prepare
        self._heartbeat = heartbeat
        self._trouble: str | None = "not connected to the broker yet"
        self._connection: AbstractConnection | None = None
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect, unless that has begun already."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"link {self._name}")

    def renew(self, reason: str) -> None:
        """Give the connection up and make a new one."""
        if not self._lost.is_set():
            self._trouble = reason
            self._lost.set()

    @property
    def started(self) -> bool:
        """Whether it is connected or tries to be."""
        return self._task is not None

    async def trouble(self) -> str | None:
        """Why nothing can flow; None if it can."""
        if self._trouble is None and self._connection is not None and self._connection.transport is not None:
            try:
                # At once, unless the broker has blocked the connection.
                await asyncio.wait_for(self._connection.transport.connection.ready(), 0.05)
            except TimeoutError:
                return "the broker blocks publishers (it is short of memory or disk)"
        return self._trouble

    async def close(self) -> None:
        """Disconnect; takes no more than some seconds, also when the broker does not answer."""
        if self._task is not None:
            task, self._task = self._task, None
            await end([task])
        self._trouble = "the bus is closed"

    async def _run(self) -> None:
        wait = _WAITS[0]
        now = asyncio.get_running_loop().time
        while True:
            try:
                await self._connect()
                if being_cancelled():
                    # Connecting may swallow it: Python 3.11's wait_for does, when both end at once.
                    raise asyncio.CancelledError
                connected_at = now()
                await self._lost.wait()
                if now() - connected_at > _WAITS[1]:
                    wait = _WAITS[0]
            except (Exception, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and being_cancelled():
                    raise
                self._trouble = f"the broker cannot be used ({type(error).__name__}: {error})"
            finally:
                await self._disconnect()
            log.warning("broker_connection_lost", link=self._name, reason=self._trouble, again_in=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _WAITS[1])

    async def _connect(self) -> None:
        # One per connection: an old one may tell of its end late.
        lost = self._lost = asyncio.Event()

        def closed(_: Any, error: BaseException | None) -> None:
            if self._lost is lost:
                self.renew(f"the connection to the broker was lost ({error})")

        self._connection = await aio_pika.connect(
            self._url, heartbeat=self._heartbeat, timeout=10, client_properties={"connection_name": self._name}
        )
        self._connection.close_callbacks.add(closed)
        async with asyncio.timeout(_PREPARE_SECONDS):
            await self._prepare(self._connection)
        if not lost.is_set():
            self._trouble = None
            log.info("broker_connected", link=self._name)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # Its farewell waits for an answer, which in an outage does not come.
            await end([asyncio.create_task(connection.close())], within=_CLOSE_SECONDS)
