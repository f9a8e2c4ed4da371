"""Pages that keep themselves up to date: a region is told when what it shows has changed, and fetches itself again.

Guarantee: a change that was committed after the region was read is told within about `SECONDS`, to every reader, and
each topic costs one statement in that time, however many people are reading; one more finds who has signed out, and is
told nothing after that.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response, StreamingResponse

from servicekit.db import Database
from servicekit.errors import BadRequest
from servicekit.pages.page import CurrentPage
from servicekit.pages.site import Stamp
from servicekit.telemetry import log

SECONDS = 1.0
MOST_TOPICS = 30
KEEP_ALIVE_SECONDS = 15.0
LONGEST_SECONDS = 300.0
"""After that the browser asks again, and is looked at anew: what it may see can be less by then."""


OVER = b"event: over\ndata: signed out\n\n"
"""Tells pages.js not to ask again."""

StillSignedIn = Callable[[AsyncSession, set[str]], Awaitable[set[str]]]
"""Takes secrets of cookies, gives those with which someone is signed in."""


class _Reader:
    def __init__(self, seen: Mapping[str, str], secret: str) -> None:
        self.seen = dict(seen)
        self.secret = secret
        self.over = False
        self.woken = asyncio.Event()


class Live:
    """Looks for changes of the topics that someone reads; looks for nothing while nobody does."""

    def __init__(
        self,
        database: Database,
        topics: Mapping[str, Stamp],
        stopping: asyncio.Event,
        still_signed_in: StillSignedIn,
        *,
        seconds: float = SECONDS,
    ) -> None:
        self._database = database
        self._topics = topics
        self._seconds = seconds
        self._readers: set[_Reader] = set()
        self._stamps: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        self._stopping = stopping
        self._still_signed_in = still_signed_in

    async def changes(self, seen: Mapping[str, str], secret: str) -> AsyncIterator[dict[str, str]]:
        """The topics that differ from ``seen`` (topic → stamp) now, and from then on those that change; ends when the
        service stops, and when who is signed in with ``secret`` signs out.

        Gives an empty one now and then, to show that it is alive.
        """
        reader = _Reader(seen, secret)
        self._readers.add(reader)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch(), name="live")
        try:
            while not self._stopping.is_set() and not reader.over:
                differing = {
                    topic: stamp for topic, was in reader.seen.items() if (stamp := self._stamps.get(topic, was)) != was
                }
                reader.seen.update(differing)
                if differing:
                    yield differing
                try:
                    await asyncio.wait_for(reader.woken.wait(), KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    yield {}
                reader.woken.clear()
        finally:
            self._readers.discard(reader)

    @property
    def stopping(self) -> bool:
        """Whether the service ends: readers are to ask again, then another one answers."""
        return self._stopping.is_set()

    async def stop(self) -> None:
        """Wait until nothing is looked for any more."""
        if self._task is not None:
            await self._task

    async def _watch(self) -> None:
        while self._readers and not self._stopping.is_set():
            try:
                await self._look()
            except Exception as error:  # whatever it is, the next turn may find it gone
                log.warning("live_look_failed", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._stopping.wait()
        self._stamps.clear()
        for reader in self._readers:
            reader.woken.set()

    async def _look(self) -> None:
        looked_at = list(self._readers)  # others may come while the database answers
        topics = {topic for reader in looked_at for topic in reader.seen}
        found: dict[str, str] = {}
        async with self._database.reading() as session:
            for topic in sorted(topics):
                kind, _, argument = topic.partition(":")
                found[topic] = quote(await self._topics[kind](session, argument))
            there = await self._still_signed_in(session, {reader.secret for reader in looked_at})
        self._stamps = found
        for reader in looked_at:
            reader.over = reader.secret not in there
            if reader.over or any(found.get(topic, was) != was for topic, was in reader.seen.items()):
                reader.woken.set()


router = APIRouter()


@router.get("/live")
async def changes(request: Request, page: CurrentPage) -> Response:
    """The stream of changes, as server-sent events.

    ``at``: each topic with the stamp that the page has seen, ``accounts=…``.
    """
    seen = dict(each.partition("=")[::2] for each in request.query_params.getlist("at"))
    if not 0 < len(seen) <= MOST_TOPICS or any(topic.partition(":")[0] not in page.site.topics for topic in seen):
        raise BadRequest("at: topics of this product with their stamps")
    return StreamingResponse(
        _events(request.app.state.live, seen, page.cookies["session"] or ""),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(live: Live, seen: Mapping[str, str], secret: str) -> AsyncIterator[bytes]:
    ends = asyncio.get_running_loop().time() + LONGEST_SECONDS
    yield b"retry: 2000\n\n"
    async for changed in live.changes(seen, secret):
        yield b"data: " + orjson.dumps(changed) + b"\n\n" if changed else b": still here\n\n"
        if asyncio.get_running_loop().time() > ends:
            return
    if not live.stopping:
        yield OVER
