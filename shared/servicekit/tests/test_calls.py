"""Calls from one service to another: in time, tried again where that is safe, and not on and on (`http`, `breaker`)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from servicekit.auth import Tokens
from servicekit.breaker import Breaker
from servicekit.errors import Unavailable
from servicekit.http import LIMITS, Connections, HandedOn, NotNow, Patience, Refused, ServiceClient

Answer = Callable[[httpx.Request], Awaitable[httpx.Response]]
TOKENS = Tokens("s" * 32, "crm")


def client(answer: Answer, *, breaker: Breaker | None = None, **patience: Any) -> ServiceClient:
    """A client of an "invoice" that answers so."""
    return ServiceClient(
        httpx.AsyncClient(transport=httpx.MockTransport(answer)),
        service="invoice",
        base_url="http://invoice.test",
        tokens=TOKENS,
        patience=Patience(**{"pause": 0.001, "seconds": 5} | patience),
        breaker=breaker,
    )


class Sometimes:
    """Gives these answers one after another; an exception is raised. The last one stays."""

    def __init__(self, *answers: int | str | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers[min(len(self.asked), len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return httpx.Response(200, html=answer)
        return httpx.Response(answer, json={"code": "no", "detail": "so it is"})


LOST = httpx.ReadError("reset by peer")
PAGE = "<h1>Please sign in to the network</h1>"
KEY = {"Idempotency-Key": "k"}


@pytest.mark.parametrize(
    ("method", "headers", "answers", "tries", "error"),
    [
        ("GET", {}, [LOST, 503, 200], 3, None),
        ("PUT", {}, [500, 200], 2, None),
        ("PUT", {"If-Match": '"1"'}, [LOST, 412], 1, Unavailable),  # not: someone else has changed it
        ("DELETE", {}, [LOST, 404], 1, Unavailable),
        ("POST", KEY, [httpx.ReadTimeout("late"), 201], 2, None),
        ("GET", {}, [LOST], 3, Unavailable),
        ("POST", {}, [LOST, 201], 1, Unavailable),
        ("PATCH", {}, [503, 200], 1, Unavailable),
        ("GET", {}, [429, 200], 1, NotNow),
        ("GET", {}, [404, 200], 1, Refused),
        ("POST", KEY, [409, 201], 1, Refused),
        ("GET", {}, [PAGE, 200], 2, None),
        ("POST", {}, [PAGE, 201], 1, Unavailable),
        ("GET", {}, [302, 200], 2, None),
        ("PATCH", {}, [302, 200], 1, Unavailable),
    ],
)
async def test_what_does_the_same_twice_is_tried_twice_more_and_nothing_else_is(
    method: str, headers: dict[str, str], answers: list[Any], tries: int, error: Any
) -> None:
    sometimes = Sometimes(*answers)
    call = client(sometimes).request(method, "/v1/estimates", headers=headers)
    if error is None:
        assert (await call).status_code == answers[-1]
    else:
        with pytest.raises(error):
            await call
    assert len(sometimes.asked) == tries


async def test_a_call_ends_in_time_with_all_its_tries() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    began = asyncio.get_running_loop().time()
    with pytest.raises(Unavailable, match="TimeoutError"):
        await client(never, seconds=0.2).request("GET", "/v1/estimates")
    assert asyncio.get_running_loop().time() - began < 2


async def test_a_service_that_does_not_answer_is_left_in_peace_and_then_tried_by_one() -> None:
    breaker = Breaker(failures=5, rest=0.05)
    away, back, let_it_answer = Sometimes(LOST), Sometimes(200), asyncio.Event()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await client(away, breaker=breaker).request("GET", "/v1/estimates")
    assert len(away.asked) == 5  # of six tries
    with pytest.raises(NotNow) as refused:
        await client(away, breaker=breaker).request("GET", "/v1/estimates")
    assert (refused.value.headers["Retry-After"], len(away.asked)) == ("1", 5)

    async def slowly(request: httpx.Request) -> httpx.Response:
        await let_it_answer.wait()
        return await back(request)

    await asyncio.sleep(0.06)
    first = asyncio.create_task(client(slowly, breaker=breaker).request("GET", "/v1/estimates"))
    await asyncio.sleep(0)
    with pytest.raises(NotNow):
        await client(slowly, breaker=breaker).request("GET", "/v1/estimates")
    let_it_answer.set()
    assert (await first).status_code == 200
    assert (await client(slowly, breaker=breaker).request("GET", "/v1/estimates")).status_code == 200


# Each step is a second and what happens then: a call that failed, succeeded or was withdrawn, or the question whether
# one may be made, with the answer: yes, or the seconds to wait.
STORIES = {
    "failures in a row": "0 failed, 0 failed, 0 asked yes, 1 failed, 2 asked 4",
    "an answer between": "0 failed, 0 failed, 0 succeeded, 0 failed, 0 asked yes",
    "after its rest one may try": "0 failed, 0 failed, 0 failed, 5 asked yes, 5 asked 5",
    "the try fails": "0 failed, 0 failed, 0 failed, 5 asked yes, 6 trial-failed, 7 asked 4, 11 asked yes",
    "the try succeeds": "0 failed, 0 failed, 0 failed, 5 asked yes, 6 succeeded, 6 asked yes, 6 asked yes",
    "the try is given up": "0 failed, 0 failed, 0 failed, 5 asked yes, 5 trial-withdrawn, 5 asked yes",
    "one asked before is given up during the try": "0 failed, 0 failed, 0 failed, 5 asked yes, 5 withdrawn, 5 asked 5",
    "one asked before fails during the try": "0 failed, 0 failed, 0 failed, 5 asked yes, 6 failed, 6 asked 5",
    "one asked before fails late": "0 failed, 0 failed, 0 failed, 4 failed, 5 asked yes",
}


@pytest.mark.parametrize("story", STORIES)
def test_the_breaker_as_a_table(story: str) -> None:
    breaker = Breaker(failures=3, rest=5)
    for step in STORIES[story].split(", "):
        now, what, *answer = step.split()
        match what:
            case "asked":
                assert breaker.refuses(float(now)) == (None if answer == ["yes"] else float(answer[0])), step
            case "failed":
                breaker.failed(float(now), "lost")
            case "trial-failed":
                breaker.failed(float(now), "lost", trial=True)
            case "trial-withdrawn":
                breaker.withdrawn(trial=True)
            case _:
                getattr(breaker, what)()


class Pieces(httpx.AsyncByteStream):
    """A body that comes in two pieces; the second when it is asked for. Notes whether it was closed."""

    def __init__(self) -> None:
        self.let_it_end = asyncio.Event()
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"%PDF"
        await self.let_it_end.wait()
        yield b"-1.4"

    async def aclose(self) -> None:
        self.closed = True


async def test_an_answer_is_handed_on_piece_by_piece_before_its_end_has_come() -> None:
    pieces = Pieces()

    async def answer(_: httpx.Request) -> httpx.Response:
        headers = {"Content-Type": "application/pdf", "ETag": '"x"', "Set-Cookie": "no"}
        return httpx.Response(200, headers=headers, stream=pieces)

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if message.get("body") == b"%PDF":
            pieces.let_it_end.set()  # not before the first piece was sent on

    async def receive() -> Any:
        await asyncio.Event().wait()

    handed_on = HandedOn(await client(answer).open("/v1/estimates/1/pdf"))
    async with asyncio.timeout(5):
        await handed_on({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)
    assert dict(sent[0]["headers"]) == {b"content-type": b"application/pdf", b"etag": b'"x"'}
    assert b"".join(message.get("body", b"") for message in sent) == b"%PDF-1.4"
    assert pieces.closed


async def test_who_has_gone_leaves_no_answer_open() -> None:
    pieces = Pieces()

    async def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=pieces)

    async def gone() -> Any:
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await HandedOn(await client(answer).open("/pdf"))({"type": "http", "asgi": {"spec_version": "2.3"}}, gone, send)
    assert pieces.closed


async def test_what_cannot_be_opened_is_refused_or_tried_again() -> None:
    with pytest.raises(Refused, match="so it is"):
        await client(Sometimes(404)).open("/v1/estimates/1/pdf")
    assert (await client(Sometimes(LOST, 304)).open("/pdf", headers={"If-None-Match": '"x"'})).status_code == 304
    with pytest.raises(Unavailable, match="a page"):
        await client(Sometimes(PAGE)).open("/v1/estimates/1/pdf")


async def test_answers_that_are_read_slowly_keep_nobody_from_another_service_nor_from_this_one() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while asked := await reader.readuntil(b"\r\n\r\n"):
                size = 10_000_000 if b"GET /pdf" in asked else 2
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n{}" % size)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    connections = Connections()

    def to(service: str) -> ServiceClient:
        return ServiceClient(
            connections.to(service),
            streams=connections.to(service, streams=True),
            service=service,
            base_url=f"http://{host}:{port}",
            tokens=TOKENS,
            patience=Patience(free=0.1, seconds=5),
            breaker=breaker,
        )

    breaker = Breaker(failures=1)
    slow = await asyncio.gather(*(to("invoice").open("/pdf") for _ in range(LIMITS.max_connections or 0)))
    with pytest.raises(NotNow, match="too many calls to invoice"):
        await to("invoice").open("/pdf")
    for service in ("invoice", "sync"):  # and the breaker is closed
        assert (await to(service).request("POST", "/v1/records")).status_code == 200
    for one in slow:
        await one.aclose()
    await connections.aclose()
    server.close()
