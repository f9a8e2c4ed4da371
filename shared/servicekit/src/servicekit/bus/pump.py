"""A pump hands what has arrived at one queue to its receiver, in batches. Both transports have one per queue.

Guarantee: a delivery stays with the pump until it is settled. A receiver that raises gets what it did not settle again,
after a pause; it never stops the pump.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from servicekit.bus import Delivery, Receive
from servicekit.tasks import being_cancelled, end
from servicekit.telemetry import log


class Held(Delivery, Protocol):
    """A delivery that knows whether it was settled."""

    @property
    def settled(self) -> bool: ...


D = TypeVar("D", bound=Held)


class Pump(Generic[D]):
    """Runs from its making, in the running event loop, until `stop`.

    A batch is whatever is there now, up to ``batch_size``: it never waits for more. ``parallel``: of how many batches
    the receiver may have at most; it is called for them in their order. ``pause``: seconds until a receiver that raised
    is called again. ``after_batch`` is awaited after each.
    """

    def __init__(
        self,
        name: str,
        receive: Receive,
        *,
        batch_size: int,
        parallel: int = 1,
        pause: float = 1.0,
        after_batch: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._name = name
        self._receive = receive
        self._batch_size = batch_size
        self._parallel = parallel
        self._pause = pause
        self._after_batch = after_batch
        self._waiting: deque[D] = deque()
        self._batches: dict[asyncio.Task[None], Sequence[D]] = {}
        self._changed = asyncio.Event()
        self._stopping = False
        self._task = asyncio.create_task(self._run(), name=f"pump {name}")

    def put(self, deliveries: Iterable[D]) -> None:
        """Have these delivered after what is already there."""
        self._waiting.extend(deliveries)
        self._changed.set()

    def clear(self) -> None:
        """Forget what was not handed to the receiver yet."""
        self._waiting.clear()

    async def stop(self, within: float) -> list[D]:
        """Let the running batches end, for at most ``within`` seconds; give what is not settled, in order."""
        self._stopping = True
        self._changed.set()
        await end([self._task, *self._batches], within=within)
        left = [*(delivery for batch in self._batches.values() for delivery in batch), *self._waiting]
        self._batches.clear()
        self._waiting.clear()
        return [delivery for delivery in left if not delivery.settled]

    async def _run(self) -> None:
        while not self._stopping:
            if not self._waiting or len(self._batches) >= self._parallel:
                self._changed.clear()
                await self._changed.wait()
            elif batch := self._take():
                task = asyncio.create_task(self._deliver(batch), name=f"batch of {self._name}")
                self._batches[task] = batch
                task.add_done_callback(self._ended)

    def _take(self) -> list[D]:
        count = min(self._batch_size, len(self._waiting))
        batch = (self._waiting.popleft() for _ in range(count))
        return [delivery for delivery in batch if not delivery.settled]

    async def _deliver(self, batch: Sequence[D]) -> None:
        try:
            await self._receive(batch)
            if self._after_batch is not None:
                await self._after_batch()
        except asyncio.CancelledError:
            if being_cancelled():
                raise
            log.warning("receiver_interrupted", queue=self._name)
        except Exception as error:
            log.error("receiver_failed", queue=self._name, exc_info=error)
        unsettled = [delivery for delivery in batch if not delivery.settled]
        if unsettled and not self._stopping:
            await asyncio.sleep(self._pause)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """What was not settled comes first again; when the pump is stopped, it is `stop` that gives it back."""
        if not self._stopping:
            batch = self._batches.pop(task)
            self._waiting.extendleft(delivery for delivery in reversed(batch) if not delivery.settled)
            self._changed.set()
