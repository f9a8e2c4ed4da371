"""Following something that changes, as server-sent events (WHATWG HTML, 9.2).

Guarantees: a stream ends when what it follows has ended, when the client goes away, and when the server is told to
stop: it never keeps a server from stopping. No database session is held between two looks.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from servicekit.telemetry import log

LOOK_EVERY_SECONDS = 0.25
KEEP_ALIVE_SECONDS = 15.0
"""Proxies give up on connections that are silent for long."""

# FastAPI takes every route with `response_class=EventSourceResponse` for a generator, which could answer no problem.
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events", "content": {EventSourceResponse.media_type: {}}}
}
"""What a route that gives `follow` says of its answer, beside ``response_class=StreamingResponse``."""


@dataclass(frozen=True)
class Seen:
    """What it looks like now, as one document. ``ended``: it will not change any more."""

    document: str
    ended: bool


def follow(
    look: Callable[[], Awaitable[Seen]], *, stopping: asyncio.Event, every: float = LOOK_EVERY_SECONDS
) -> EventSourceResponse:
    """Look again and again, and send an event ``progress`` whenever it looks different, ``end`` when it has ended.

    ``stopping``: the service's, see `servicekit.service.Service`. A look that fails ends the stream: the client is to
    connect again, as browsers do by themselves.
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # proxies are to hand on each event at once
    return EventSourceResponse(_events(look, stopping, every), headers=headers)


async def _events(look: Callable[[], Awaitable[Seen]], stopping: asyncio.Event, every: float) -> AsyncIterator[bytes]:
    told: str | None = None
    silent = 0.0
    while not stopping.is_set():
        try:
            seen = await look()
        except Exception as error:
            log.warning("stream_ended", error=type(error).__name__)
            return
        if seen.document != told:
            told, silent = seen.document, 0.0
            yield format_sse_event(event="progress", data_str=told)
        if seen.ended:
            yield format_sse_event(event="end", data_str=seen.document)
            return
        if silent >= KEEP_ALIVE_SECONDS:
            silent = 0.0
            yield KEEPALIVE_COMMENT
        silent += every
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(every):
                await stopping.wait()
