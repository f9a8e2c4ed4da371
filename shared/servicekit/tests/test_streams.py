"""Server-sent events: what is sent, and that a stream keeps neither server nor database busy when it is over."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Response
from servicekit import streams
from servicekit.service import Server
from servicekit.streams import Seen


class Watched:
    """Something that changes; ``looks`` counts how often someone looked."""

    def __init__(self) -> None:
        self.document = '{"n": 0}'
        self.ended = False
        self.broken = False
        self.looks = 0
        self.stopping = asyncio.Event()
        self.app = FastAPI()
        self.app.state.service = SimpleNamespace(stopping=self.stopping)
        self.app.get("/progress")(self._progress)

    async def look(self) -> Seen:
        self.looks += 1
        if self.broken:
            raise OSError("the database is away")
        return Seen(self.document, self.ended)

    async def _progress(self) -> Response:
        return streams.follow(self.look, stopping=self.stopping, every=0.01)


@pytest.fixture
def watched() -> Watched:
    return Watched()


@contextlib.asynccontextmanager
async def serving(watched: Watched) -> AsyncIterator[tuple[Server, str, asyncio.Task[None]]]:
    """The app behind a real server, which would wait for a minute until open answers are sent."""
    config = uvicorn.Config(watched.app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=60)
    server = Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield server, f"http://127.0.0.1:{port}/progress", task
    server.should_exit = True
    await task


async def test_each_change_is_one_event_and_the_last_says_that_it_has_ended(watched: Watched) -> None:
    async def change() -> None:
        for document in ('{"n": 1}', '{"n": 2}'):
            seen = watched.looks
            while watched.looks < seen + 3:  # what stays as it is, is not told again
                await asyncio.sleep(0.01)
            watched.document = document
        watched.ended = True

    async with httpx.AsyncClient(transport=httpx.ASGITransport(watched.app), base_url="http://test") as client:
        answer, _ = await asyncio.gather(client.get("/progress"), change())
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    events = [event.split("\n") for event in answer.text.strip().split("\n\n")]
    assert events == [
        ["event: progress", 'data: {"n": 0}'],
        ["event: progress", 'data: {"n": 1}'],
        ["event: progress", 'data: {"n": 2}'],
        ["event: end", 'data: {"n": 2}'],
    ]


async def test_a_silent_stream_is_kept_alive(watched: Watched, monkeypatch: Any) -> None:
    monkeypatch.setattr(streams, "KEEP_ALIVE_SECONDS", 0.05)

    async def end() -> None:
        while watched.looks < 20:
            await asyncio.sleep(0.01)
        watched.ended = True

    async with httpx.AsyncClient(transport=httpx.ASGITransport(watched.app), base_url="http://test") as client:
        answer, _ = await asyncio.gather(client.get("/progress"), end())
    assert ": ping\n\n" in answer.text


async def test_a_server_that_is_told_to_stop_ends_open_streams_at_once(watched: Watched) -> None:
    async with (
        serving(watched) as (server, url, task),
        httpx.AsyncClient() as client,
        client.stream("GET", url) as response,
    ):
        lines = response.aiter_lines()
        assert [await anext(lines) for _ in range(3)] == ["event: progress", 'data: {"n": 0}', ""]
        server.should_exit = True
        async with asyncio.timeout(10):
            assert [line async for line in lines] == []
            await task


async def test_nobody_looks_any_more_when_the_client_has_gone(watched: Watched) -> None:
    async with serving(watched) as (_, url, _task), httpx.AsyncClient() as client:
        async with client.stream("GET", url) as response:
            await anext(response.aiter_lines())
        async with asyncio.timeout(10):
            seen = -1
            while seen != watched.looks:
                seen = watched.looks
                await asyncio.sleep(0.1)


async def test_a_look_that_fails_ends_the_stream(watched: Watched) -> None:
    watched.broken = True
    async with httpx.AsyncClient(transport=httpx.ASGITransport(watched.app), base_url="http://test") as client:
        answer = await client.get("/progress")
    assert (answer.status_code, answer.text) == (200, "")
