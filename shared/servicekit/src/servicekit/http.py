"""Calls from one service to another. The one module that knows httpx.

Guarantees: a call ends within its time, tries included; only what does the same, and is answered the same, when it is
done twice is tried again; a service that does not answer is not asked on and on (`breaker`); and one that is slow keeps
nobody from another one: each has connections of its own.
"""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from servicekit.auth import Principal, Tokens
from servicekit.breaker import Breaker
from servicekit.errors import Permanent, Problem, Unavailable
from servicekit.telemetry import CORRELATION_HEADER, correlation_id, traceparent

LIMITS = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=30)
"""To one service; the open answers to one have as many again."""

_LATER = {408, 425, 429}
_AWAY = {502, 503, 504}
"""It answers that it cannot serve. A 500 is a fault of the one request, not of the service."""
_SAFE_TWICE = {"GET", "HEAD", "PUT"}
"""Without ``If-Match``: the second time, the record would be at the version that the first try has made."""


@dataclass(frozen=True)
class Patience:
    """How long a call may take. ``connect``, ``seconds``: for one connection, and for everything, tries included.

    ``free``: for one of the service's connections to become free.

    ``attempts``: how often it is tried at most; the pauses between are random, and grow from ``pause`` seconds on.
    """

    connect: float = 2.0
    free: float = 2.0
    seconds: float = 15.0
    attempts: int = 3
    pause: float = 0.1


class Refused(Permanent):
    """The other service said no (4xx), and will again. ``status`` and ``problem`` are what it said."""

    def __init__(self, service: str, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{service} refused: {problem.get('detail') or problem.get('title') or status}")
        self.service = service
        self.status = status
        self.problem = problem

    @property
    def code(self) -> str:
        """The problem document's stable code."""
        return str(self.problem.get("code", "unknown"))

    def as_problem(self) -> Problem:
        """The refusal as our own answer, for a request that we only hand on: same status, code, detail and errors."""
        named = {"type", "title", "status", "detail", "code", "errors", "correlation_id"}
        extra = {name: value for name, value in self.problem.items() if name not in named}
        problem = Problem(
            str(self.problem.get("detail") or self), code=self.code, errors=self.problem.get("errors") or (), **extra
        )
        problem.status = self.status
        problem.title = str(self.problem.get("title") or "Refused")
        return problem


class NotNow(Unavailable):
    """Trying again at once would do no good: the service has too much to do, or is left in peace for a while."""


class ServiceClient:
    """Speaks to one other service, with a short-lived token that names this one.

    Raises `Unavailable` where trying again later may help (no answer, or none of a service of ours, 5xx, 429), else
    `Refused`. GET, HEAD, PUT without ``If-Match``, and POST with an ``Idempotency-Key`` are tried again where that may
    help at once. ``breaker``: shared by all clients of the service in this process. ``streams``: what opens answers;
    ``http``, if left out.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        service: str,
        base_url: str,
        tokens: Tokens,
        patience: Patience = Patience(),
        breaker: Breaker | None = None,
        streams: httpx.AsyncClient | None = None,
    ) -> None:
        self._http = http
        self._streams = streams or http
        self._service = service
        self._base_url = base_url.rstrip("/")
        self._tokens = tokens
        self._patience = patience
        self._breaker = breaker or Breaker()

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str | int | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        on_behalf_of: Principal | None = None,
        authorization: str | None = None,
    ) -> httpx.Response:
        """Send a request and give its 2xx answer, whose content is a JSON object, or empty with 204.

        ``json``: any value that orjson can write. ``on_behalf_of``: the person it is done for. ``authorization``:
        a header to send instead of this service's own token.
        """
        request = self._build(method, path, json, params, headers, authorization or self._bearer(on_behalf_of))
        return await self._send(request, own_token=authorization is None)

    async def open(
        self,
        path: str,
        *,
        params: Mapping[str, str | int | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        on_behalf_of: Principal | None = None,
    ) -> httpx.Response:
        """GET, and give the 2xx or 304 answer before its body has come: read it with ``aiter_raw``, and close it."""
        as_it_is = {"Accept-Encoding": "identity", **(headers or {})}
        request = self._build("GET", path, None, params, as_it_is, self._bearer(on_behalf_of))
        return await self._send(request, own_token=True, stream=True)

    def _build(
        self,
        method: str,
        path: str,
        json: Any,
        params: Mapping[str, str | int | Sequence[str]] | None,
        headers: Mapping[str, str] | None,
        authorization: str,
    ) -> httpx.Request:
        sent = {"Authorization": authorization, **(headers or {})}
        if (current := correlation_id.get()) is not None:
            sent[CORRELATION_HEADER] = current
        if (trace := traceparent.get()) is not None:
            sent["traceparent"] = trace
        content = None
        if json is not None:
            content = orjson.dumps(json)
            sent["Content-Type"] = "application/json"
        patience = self._patience
        timeout = httpx.Timeout(patience.seconds, connect=patience.connect, pool=min(patience.free, patience.seconds))
        return self._http.build_request(
            method, self._base_url + path, content=content, params=params, headers=sent, timeout=timeout
        )

    async def _send(self, request: httpx.Request, *, own_token: bool, stream: bool = False) -> httpx.Response:
        safe = request.method in _SAFE_TWICE and "If-Match" not in request.headers
        again = safe or "Idempotency-Key" in request.headers
        patience = self._patience
        deadline = asyncio.get_running_loop().time() + patience.seconds
        tries = AsyncRetrying(
            stop=stop_after_attempt(patience.attempts if again else 1) | stop_before_delay(patience.seconds),
            wait=wait_random_exponential(multiplier=patience.pause, max=1),
            retry=retry_if_exception(lambda error: isinstance(error, Unavailable) and not isinstance(error, NotNow)),
            reraise=True,
        )
        async for attempt in tries:
            with attempt:
                response = await self._attempt(request, deadline, stream=stream)
                if response.is_success or _is_unchanged(request, response):
                    return response
                await self._refuse(response, own_token=own_token)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, request: httpx.Request, deadline: float, *, stream: bool) -> httpx.Response:
        """The answer, if there is one in time; the breaker learns of it."""
        breaker = self._breaker
        if (wait := breaker.refuses(time.monotonic())) is not None:
            raise NotNow(
                f"{breaker.reason} several times, and is not asked for the moment; try again later",
                service=self._service,
                headers={"Retry-After": str(math.ceil(wait))},
            )
        trial = breaker.trying  # this very call, since it was let through
        http = self._streams if stream else self._http
        try:
            async with asyncio.timeout_at(deadline):
                response = await http.send(request, stream=stream)
        except httpx.PoolTimeout as error:  # it was not asked
            breaker.withdrawn(trial=trial)
            raise NotNow(
                f"too many calls to {self._service} are under way; try again later",
                service=self._service,
                headers={"Retry-After": "1"},
            ) from error
        except (httpx.TransportError, TimeoutError) as error:
            reason = f"{self._service} does not answer ({type(error).__name__})"
            breaker.failed(time.monotonic(), reason, trial=trial)
            raise Unavailable(f"{reason}; try again later", service=self._service) from error
        except BaseException:
            breaker.withdrawn(trial=trial)
            raise
        if (strange := _strange(request, response, stream=stream)) is not None:
            breaker.withdrawn(trial=trial)
            await response.aclose()
            where = f"see whether {self._service.upper()}_URL leads to it"
            raise Unavailable(f"{self._service} answered {strange}; {where}", service=self._service)
        if response.status_code in _AWAY:
            breaker.failed(time.monotonic(), f"{self._service} answered {response.status_code}", trial=trial)
        else:
            breaker.succeeded()
        return response

    async def _refuse(self, response: httpx.Response, *, own_token: bool) -> None:
        """Raise what the answer means."""
        try:
            problem = _problem(response, await response.aread())
        except httpx.TransportError:
            problem = {"title": response.reason_phrase}
        finally:
            await response.aclose()
        # Our own token refused: the secret is being changed, or a clock is wrong. Neither is the request's fault.
        not_us = own_token and response.status_code == 401
        if response.status_code >= 500 or response.status_code in _LATER or not_us:
            error = NotNow if response.status_code == 429 else Unavailable
            raise error(f"{self._service} answered {response.status_code}; try again later", service=self._service)
        raise Refused(self._service, response.status_code, problem)

    def _bearer(self, on_behalf_of: Principal | None) -> str:
        return f"Bearer {self._tokens.for_service(self._service, on_behalf_of=on_behalf_of)}"


def _is_unchanged(request: httpx.Request, response: httpx.Response) -> bool:
    return response.status_code == 304 and "If-None-Match" in request.headers


def _strange(request: httpx.Request, response: httpx.Response, *, stream: bool) -> str | None:
    """What no service of ours answers, as something between us and it does; None if this may be from one."""
    status = response.status_code
    if status < 400 and not response.is_success:
        return None if _is_unchanged(request, response) else f"{status}, which none of our services does"
    if response.is_success and stream and response.headers.get("Content-Type", "").startswith("text/html"):
        return "with a page"
    if response.is_success and not stream and status != 204 and not _is_object(response.content):
        return "with something that is not a JSON object"
    return None


def _is_object(content: bytes) -> bool:
    try:
        return isinstance(orjson.loads(content), dict)
    except ValueError:
        return False


def _problem(response: httpx.Response, content: bytes) -> Mapping[str, Any]:
    try:
        problem = orjson.loads(content)
    except ValueError:
        return {"title": response.reason_phrase}
    return problem if isinstance(problem, dict) else {"title": response.reason_phrase}


_HANDED_ON = ("Content-Type", "Content-Length", "Content-Disposition", "ETag", "Cache-Control")


class HandedOn(StreamingResponse):
    """Another service's open answer as our own: piece by piece, as it comes, and never whole in memory."""

    def __init__(self, answer: httpx.Response) -> None:
        headers = {name: answer.headers[name] for name in _HANDED_ON if name in answer.headers}
        super().__init__(answer.aiter_raw(), answer.status_code, headers=headers)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._answer.aclose()


class Connections:
    """The process's connections to other services, kept alive; to each service its own, and others for open answers.

    ``http``: what takes the place of all of these, and is not closed here. Proxies of the environment are ignored:
    calls are internal.
    """

    def __init__(self, http: httpx.AsyncClient | None = None) -> None:
        self._given = http
        self._made: dict[tuple[str, bool], httpx.AsyncClient] = {}

    def to(self, service: str, *, streams: bool = False) -> httpx.AsyncClient:
        """The connections to ``service``."""
        if self._given is not None:
            return self._given
        key = service, streams
        if key not in self._made:
            self._made[key] = httpx.AsyncClient(limits=LIMITS, trust_env=False)
        return self._made[key]

    async def aclose(self) -> None:
        """Close all that was made here."""
        for client in self._made.values():
            await client.aclose()
