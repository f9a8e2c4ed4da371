"""Ending tasks, and telling a real cancellation from a stray one."""

import asyncio
from collections.abc import Collection
from typing import Any


class Interrupted(ConnectionError):
    """What was awaited was cancelled underneath us, such as a publication on a connection whose heartbeat was lost."""


def being_cancelled() -> bool:
    """Whether the running task itself was asked to end.

    A `asyncio.CancelledError` may also come out of what it awaits (aio-pika raises one when a heartbeat is lost):
    then this is False, and the task must go on.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def end(tasks: Collection[asyncio.Task[Any]], *, within: float = 0.0) -> None:
    """Give the tasks ``within`` seconds to end by themselves, then cancel them; return when all have ended.

    What they raise is not raised again here.
    """
    if tasks and within > 0:
        await asyncio.wait(tasks, timeout=within)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
