"""Calls from one service to another. The one module that knows httpx."""

from collections.abc import Mapping
from typing import Any

import httpx
import orjson

from servicekit.auth import Principal, Tokens
from servicekit.errors import Permanent, Problem, Unavailable
from servicekit.telemetry import CORRELATION_HEADER, correlation_id, traceparent

TIMEOUT = httpx.Timeout(30, connect=5)
_LATER = {408, 425, 429}
LIMITS = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=30)


class Refused(Permanent):
    """The other service said no (4xx). ``status`` and ``problem`` are what it said."""

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


class ServiceClient:
    """Speaks to one other service, with a short-lived token that names this one.

    Raises `Unavailable` where trying again later may help (no answer, 5xx, 429), else `Refused`.
    """

    def __init__(self, http: httpx.AsyncClient, *, service: str, base_url: str, tokens: Tokens) -> None:
        self._http = http
        self._service = service
        self._base_url = base_url.rstrip("/")
        self._tokens = tokens

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        on_behalf_of: Principal | None = None,
        authorization: str | None = None,
    ) -> httpx.Response:
        """Send a request and give its 2xx answer.

        ``json``: any value that orjson can write. ``on_behalf_of``: the person it is done for. ``authorization``:
        a header to send instead of this service's own token.
        """
        sent = {"Authorization": authorization or self._bearer(on_behalf_of), **(headers or {})}
        if (current := correlation_id.get()) is not None:
            sent[CORRELATION_HEADER] = current
        if (trace := traceparent.get()) is not None:
            sent["traceparent"] = trace
        content = None
        if json is not None:
            content = orjson.dumps(json)
            sent["Content-Type"] = "application/json"
        try:
            response = await self._http.request(
                method, self._base_url + path, content=content, params=params, headers=sent
            )
        except httpx.TransportError as error:
            raise Unavailable(
                f"{self._service} does not answer ({type(error).__name__}); try again later", service=self._service
            ) from error
        if response.is_success:
            return response
        # Our own token refused: the secret is being changed, or a clock is wrong. Neither is the request's fault.
        not_us = authorization is None and response.status_code == 401
        if response.status_code >= 500 or response.status_code in _LATER or not_us:
            raise Unavailable(
                f"{self._service} answered {response.status_code}; try again later", service=self._service
            )
        raise Refused(self._service, response.status_code, _problem(response))

    def _bearer(self, on_behalf_of: Principal | None) -> str:
        return f"Bearer {self._tokens.for_service(self._service, on_behalf_of=on_behalf_of)}"


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    try:
        problem = orjson.loads(response.content)
    except ValueError:
        return {"title": response.reason_phrase}
    return problem if isinstance(problem, dict) else {"title": response.reason_phrase}


def create_client() -> httpx.AsyncClient:
    """The process's HTTP client: keeps connections alive; ignores proxies of the environment, calls are internal."""
    return httpx.AsyncClient(timeout=TIMEOUT, limits=LIMITS, trust_env=False)
