"""What a service does by the clock."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from servicekit.telemetry import correlated, log


@dataclass(frozen=True)
class Job:
    """``run`` is called at start and then every ``seconds``; a failure is logged, and the next turn comes."""

    name: str
    seconds: float
    run: Callable[[], Awaitable[None]]


class Jobs:
    """Runs jobs, each in a task of its own; one job never overlaps itself."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        self._tasks = [asyncio.create_task(self._keep(job), name=job.name) for job in self._jobs]

    async def stop(self) -> None:
        """Cancel what runs, and wait until it has ended."""
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, job: Job) -> None:
        while True:
            with correlated(None):
                try:
                    await job.run()
                except Exception:
                    log.exception("job_failed", job=job.name, next_in_seconds=job.seconds)
            await asyncio.sleep(job.seconds)
